"""Snapshots to verify: minted from runs whose scores are those of their checks."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from harness.domain.ids import BatchId
from harness.domain.record import Cell, RunRecord
from harness.domain.scoring import is_success, total_score
from harness.domain.template import Template
from harness.specialists.mint import Minted, Terms, mint, read_proof
from harness.specialists.signing import SigningKey
from harness.testing.store import MemoryStore
from tests.report.records import a_run, a_task
from tests.specialists.conftest import NOW
from tests.specialists.templates import a_template, fill, worn

KEY = SigningKey.of_bytes(bytes(range(32)))
OTHER_KEY = SigningKey.of_bytes(bytes(range(1, 33)))


def graded(score: float | None, cell: Cell, **changes: object) -> RunRecord:
    """A run whose total and verdict follow from its check."""
    run = a_run(score, cell, **changes)  # type: ignore[arg-type]  # a record's own fields
    checks = tuple(replace(check, required=False) for check in run.checks)
    total = None if run.fault else total_score(checks)
    return replace(
        run, checks=checks, total_score=total, passed=is_success(checks, total, run.threshold)
    )


def fresh(template: Template, scenarios: int = 2, iterations: int = 2) -> list[RunRecord]:
    """As many runs without the specialist as with it, 0.2 better with it."""
    tasks = [a_task(f"task-{n}") for n in range(scenarios)]
    return [
        graded(round(0.5 + 0.01 * (n % 7) + gain, 9), cell)
        for n in range(iterations)
        for task in tasks
        for cell, gain in ((task, 0.0), (worn(template, task), 0.2))
    ]


def minted_at(folder: Path, records: list[RunRecord] | None = None, **terms: object) -> Minted:
    """A snapshot in a folder, minted on the terms given."""
    template = a_template(folder)
    store = MemoryStore()
    fill(store, *(fresh(template) if records is None else records))
    proof = read_proof(store, [BatchId("b")])
    wish = Terms(**terms)  # type: ignore[arg-type]  # its own fields
    return mint(template, proof, output=folder / "snapshots", now=NOW, terms=wish)


def copied(minted: Minted, folder: Path) -> Path:
    """The snapshot and what stands beside it, somewhere else."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (minted.path, *minted.files):
        shutil.copy(path, folder / path.name)
    return folder / minted.path.name
