"""Templates and stores for tests of what is made of them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.domain.ids import BatchId
from harness.domain.record import Cell, RunRecord
from harness.domain.template import Template
from harness.load.templates import load_template
from harness.specialists.compose import compose
from harness.store.base import Store, Wanted
from tests.report.records import NOON, a_run, a_task

Raw = dict[str, Any]

MINIMAL: Raw = {
    "name": "@acme/debugger",
    "version": "1.0.0",
    "persona": {"purpose": "Find the cause."},
    "capabilities": {"tags": ["debugging"]},
}


def a_template(folder: Path, **changes: object) -> Template:
    """The minimal template with other fields, written and loaded."""
    path = folder / "templates" / "debugger.json5"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**MINIMAL, **changes}), encoding="utf-8")
    return load_template(path)


def worn(template: Template, cell: Cell | None = None) -> Cell:
    """A cell with the specialist that a template is now."""
    cell = cell or a_task()
    return replace(cell, specialist=compose(template, cell.model).ref)


def fill(store: Store, *records: RunRecord) -> None:
    """Keep runs that were planned, in the order given."""
    for record in records:
        (planned,) = store.plan(record.batch, [Wanted(record.cell, 1, record.spec_digest)], NOON)
        store.save(replace(record, iteration=planned.iteration))


def plan_only(store: Store, cell: Cell, count: int, batch: str = "b") -> None:
    """Plan runs that nobody makes."""
    store.plan(BatchId(batch), [Wanted(cell, count, a_run(1.0).spec_digest)], NOON)
