"""A batch as JUnit XML, as CI systems read it: a test suite per scenario, a test case per run.

What did not pass is a failure, what has no whole grade an error, what was not run is skipped. The
elements and attributes are those that Jenkins, GitLab, GitHub's and Azure's readers share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from xml.etree import ElementTree as ET

from harness.domain.ids import BatchId
from harness.domain.record import Cell, RunRecord
from harness.report.outcome import Outcome, is_settled, key_of, latest, outcome, why
from harness.report.progress import took_s
from harness.report.stats import cell_order
from harness.report.words import dollars, printable
from harness.store.base import Planned

MOST_LINES = 200
LONGEST_LINE = 2000

_KINDS = {
    Outcome.FAILED: "failure",
    Outcome.FAULTED: "error",
    Outcome.INTERRUPTED: "skipped",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A planned run, and the record that stands for it."""

    cell: Cell
    iteration: int
    run: RunRecord | None

    @property
    def kind(self) -> str | None:
        """The element that tells that it did not pass."""
        return _KINDS.get(outcome(self.run)) if self.run else "skipped"


def junit(batch: BatchId, runs: Sequence[RunRecord], missing: Sequence[Planned]) -> bytes:
    """The whole document; `missing` is what the batch still waits for."""
    stand = latest(runs)
    cases = [Case(run.cell, run.iteration, run) for run in stand.values()]
    cases += [
        Case(plan.cell, plan.iteration, None) for plan in missing if key_of(plan) not in stand
    ]
    cases.sort(key=lambda case: (*cell_order(case.cell)[:2], case.iteration, cell_order(case.cell)))
    root = ET.Element("testsuites", {"name": printable(f"mintmark {batch}"), **_counts(cases)})
    suites: dict[str, list[Case]] = {}
    for case in cases:
        suites.setdefault(f"{case.cell.suite}/{case.cell.scenario}", []).append(case)
    for name, of_suite in suites.items():
        root.append(_suite(name, of_suite))
    ET.indent(root)
    made: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"


def _suite(name: str, cases: Sequence[Case]) -> ET.Element:
    skipped = sum(case.kind == "skipped" for case in cases)
    attributes = {"name": printable(name), **_counts(cases), "skipped": str(skipped)}
    suite = ET.Element("testsuite", {**attributes, **_began(cases)})
    taken: Counter[str] = Counter()
    for case in cases:
        label = printable(f"{case.cell.tier} {case.cell.who} #{case.iteration}")
        taken[label] += 1
        # a specialist that was changed without a new version: CI tells cases by their names
        unique = label if taken[label] == 1 else f"{label} ({taken[label]})"
        suite.append(_case(case, unique))
    return suite


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    kinds = Counter(case.kind for case in cases)
    return {
        "tests": str(len(cases)),
        "failures": str(kinds["failure"]),
        "errors": str(kinds["error"]),
        "time": _seconds(sum(took_s(case.run) for case in cases if case.run)),
    }


def _began(cases: Sequence[Case]) -> dict[str, str]:
    began = [case.run.started_at for case in cases if case.run]
    if not began:
        return {}
    return {"timestamp": min(began).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")}


def _case(case: Case, name: str) -> ET.Element:
    run, cell = case.run, case.cell
    element = ET.Element(
        "testcase",
        classname=printable(f"{cell.suite}.{cell.scenario}"),
        name=name,
        time=_seconds(took_s(run) if run else 0.0),
    )
    if run is None:
        ET.SubElement(element, "skipped", message="not run: the batch ended before")
        return element
    if case.kind:
        kind = run.fault.cause.value if run.fault else outcome(run).value
        said = ET.SubElement(element, case.kind, message=why(run), type=kind)
        if case.kind != "skipped":
            said.text = "\n".join(_cut(_reasons(run)))
    out = ET.SubElement(element, "system-out")
    out.text = "\n".join(_cut(_about(run)))
    return element


def _reasons(run: RunRecord) -> Iterator[str]:
    if run.fault:
        yield f"{run.fault.cause.value} in stage {run.fault.stage}"
        yield run.fault.message
    for check in run.checks:
        if check.score == 1:
            continue
        score = "no score" if check.score is None else f"{check.score:.2f}"
        required = ", required" if check.required else ""
        yield f"{check.name}: {score}{required}{': ' if check.reason else ''}{check.reason}"
        for detail in check.details:
            yield f"  {detail}"


def _about(run: RunRecord) -> Iterator[str]:
    yield f"run {run.id} of batch {run.batch}: bench show {run.id}"
    if run.simulated:
        yield "no model took part: this agent is simulated"
    if run.total_score is not None:
        yield f"score {run.total_score:.2f}, threshold {run.threshold:g}"
    if run.session is not None:
        cost = run.session.cost_usd
        spent = f", {dollars(cost)}" if cost is not None else ""
        yield f"{run.session.ending.value} after {run.session.duration_s:.1f} s{spent}"
    if not is_settled(run):
        yield f"made again by: bench resume {run.batch}"


def _cut(lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == MOST_LINES:
            yield "…"
            return
        yield printable(line[:LONGEST_LINE])


def _seconds(value: float) -> str:
    # a clock that was set back makes no run shorter than nothing
    return f"{max(0.0, value):.3f}"
