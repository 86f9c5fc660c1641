"""Digests of what runs were made from, as far as the project still has it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from harness.domain.digests import bytes_digest, text_digest
from harness.domain.grading import graded
from harness.domain.ids import Digest
from harness.domain.record import RunRecord
from harness.domain.scenario import Prompt, Scenario
from harness.domain.spec import AgentRef, RunSpec, Warmup
from harness.errors import BadFile, UsageError
from harness.specialists.canonical import canonical
from harness.specialists.provenance import Document

CHANGED = "the scenario is no longer what the runs had; only the digest of the whole task is known"

Find = Callable[[str, str], Scenario]


def scenario_documents(records: Iterable[RunRecord], find: Find) -> tuple[Document, ...]:
    """One object for each task that was given: digests of its parts, proved by the task's own.

    The project's scenario as it is now counts only where the whole of it has the digest that the
    runs have kept.
    """
    tasks: dict[tuple[str, ...], RunRecord] = {}
    for record in records:
        cell = record.cell
        tasks.setdefault((cell.suite, cell.scenario, cell.tier, record.task_digest), record)
    return tuple(_task(tasks[key], find) for key in sorted(tasks))


def code_digest(folder: Path) -> Digest:
    """The Python files below a folder, by name and content."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        whole.update(text_digest(name, bytes_digest(path.read_bytes())).encode())
    return Digest(whole.hexdigest())


def _task(record: RunRecord, find: Find) -> Document:
    cell = record.cell
    task = {
        "suite": cell.suite,
        "scenario": cell.scenario,
        "tier": cell.tier,
        "task_digest": record.task_digest,
        "checks": _checks_digest(record),
    }
    for scenario, prompt in _found(record, find):
        for warmup in Warmup:
            spec = RunSpec(
                scenario, prompt, AgentRef(cell.agent), warmup=warmup, grading=record.grading
            )
            if spec.task_digest == record.task_digest:
                return {
                    **task,
                    **asdict(scenario.digests),
                    "prompt": text_digest(prompt.tier, prompt.text),
                    "warmup": warmup.value,
                }
    return {**task, "note": CHANGED}


def _found(record: RunRecord, find: Find) -> Iterator[tuple[Scenario, Prompt]]:
    try:
        scenario = find(record.cell.suite, record.cell.scenario)
        asked = graded(scenario, record.cell.tier, record.grading)
    except (BadFile, UsageError):
        # whatever has become of it since, it is not what the runs had
        return
    yield from ((asked, p) for p in asked.prompts if p.tier == record.cell.tier)


def _checks_digest(record: RunRecord) -> Digest | None:
    """Of the checks as they were weighed; None for a run that was not graded."""
    checks = [[c.name, c.kind, c.weight, c.required, c.threshold] for c in record.checks]
    return bytes_digest(canonical(checks)) if checks else None
