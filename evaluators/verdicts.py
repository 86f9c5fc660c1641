"""Tests as they came out, against what is wanted of them: newly failing, newly passing, flaky."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.domain.record import CheckResult, TestOutcome, Verdict
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evidence

MAX_LISTED = 5
FLAKY = "flaky: "
"""How the message of a test begins that did not always come out the same."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The tests that must come to pass, those that must stay so, and those that nobody can ask."""

    fail_to_pass: frozenset[str]
    pass_to_pass: frozenset[str]
    flaky_before: frozenset[str] = frozenset()


def compare(
    evidence: Evidence, check: CheckSpec, runs: Sequence[tuple[TestOutcome, ...]]
) -> CheckResult:
    """Share of fail-to-pass that pass × share of pass-to-pass that still do, in every run."""
    outcomes, flaky = _merged(runs)
    result = CheckResult(
        check.name,
        check.kind,
        None,
        check.weight,
        required=check.required,
        level=check.level,
        outcomes=outcomes,
    )
    if not outcomes:
        return replace(result, score=0.0, details=("no test ran",))
    wanted = _wanted(evidence, check)
    if wanted is None:
        return replace(
            result, reason="could not run: the untouched fixture was not graded (warm-up skipped)"
        )
    passed = {o.id for o in outcomes if o.verdict is Verdict.PASSED}
    score = _share(wanted.fail_to_pass, passed) * _share(wanted.pass_to_pass, passed)
    return replace(result, score=score, details=tuple(_told(wanted, outcomes, flaky)))


def _merged(
    runs: Sequence[tuple[TestOutcome, ...]],
) -> tuple[tuple[TestOutcome, ...], Mapping[str, str]]:
    """Every test once; one that came out in different ways has failed, and is flaky."""
    seen: dict[str, list[TestOutcome]] = {}
    for run in runs:
        for outcome in run:
            seen.setdefault(outcome.id, []).append(outcome)
    merged, flaky = [], {}
    for name in sorted(seen):
        each = seen[name]
        if len(each) == len(runs) and len({o.verdict for o in each}) == 1:
            merged.append(each[-1])
            continue
        count = sum(o.verdict is Verdict.PASSED for o in each)
        flaky[name] = f"passed {count} of {len(runs)} runs"
        why = next((o.message for o in each if o.verdict is Verdict.FAILED), "")
        merged.append(TestOutcome(name, Verdict.FAILED, f"{FLAKY}{flaky[name]} {why}".strip()))
    return tuple(merged), flaky


def _wanted(evidence: Evidence, check: CheckSpec) -> _Wanted | None:
    before = evidence.control.outcomes(check.name) if evidence.control else ()
    # on the untouched fixture no test of the agent's writes messages
    unsure = {o.id for o in before if o.message.startswith(FLAKY)}
    if check.fail_to_pass is not None or check.pass_to_pass is not None:
        keeping = frozenset(check.pass_to_pass or ())
        return _Wanted(
            frozenset(check.fail_to_pass or ()), keeping - unsure, frozenset(keeping & unsure)
        )
    if evidence.control is None:
        return None
    sure = [o for o in before if o.id not in unsure]
    return _Wanted(
        frozenset(o.id for o in sure if o.verdict is Verdict.FAILED),
        frozenset(o.id for o in sure if o.verdict is Verdict.PASSED),
        frozenset(unsure),
    )


def _told(wanted: _Wanted, outcomes: Sequence[TestOutcome], flaky: Mapping[str, str]) -> list[str]:
    verdicts = {o.id: o.verdict for o in outcomes}
    passed = {name for name, verdict in verdicts.items() if verdict is Verdict.PASSED}
    failed = {n for n, v in verdicts.items() if v is Verdict.FAILED and n not in flaky}
    skipped = {name for name, verdict in verdicts.items() if verdict is Verdict.SKIPPED}
    every = wanted.fail_to_pass | wanted.pass_to_pass
    unsteady = [f"{name} ({flaky[name]})" for name in every & flaky.keys()]
    return [
        f"fail to pass: {_count(wanted.fail_to_pass, passed)}",
        f"pass to pass: {_count(wanted.pass_to_pass, passed)}",
        *_listed("still failing", wanted.fail_to_pass & failed),
        *_listed("newly failing", wanted.pass_to_pass & failed),
        *_listed("skipped", every & skipped),
        *_listed("gone", every - verdicts.keys()),
        *_listed("flaky, so not passed", unsteady),
        *_listed("newly passing", wanted.fail_to_pass & passed),
        *_listed("left out, flaky on the untouched fixture", wanted.flaky_before),
    ]


def _share(wanted: frozenset[str], passed: set[str]) -> float:
    return len(wanted & passed) / len(wanted) if wanted else 1.0


def _count(wanted: frozenset[str], passed: set[str]) -> str:
    return f"{len(wanted & passed)} of {len(wanted)}"


def _listed(title: str, names: Iterable[str]) -> list[str]:
    found = sorted(names)
    rest = len(found) - MAX_LISTED
    more = [f"… and {rest} more {title}: bench show RUN --tests"] if rest > 0 else []
    return [f"{title}: {name}" for name in found[:MAX_LISTED]] + more
