"""Snapshots to verify: minted from runs whose scores are those of their checks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyjson5

from harness.domain.digests import bytes_digest
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelSettings, ModelUse, Usage
from harness.domain.record import Cell, Maker, PriceTables, RunRecord
from harness.domain.scoring import is_success, total_score
from harness.domain.template import Template
from harness.specialists.cards import markdown_card
from harness.specialists.json5 import to_json5
from harness.specialists.mint import Minted, Terms, mint, read_proof
from harness.specialists.numbering import sibling
from harness.specialists.page import html_card
from harness.specialists.provenance import CARD, ENVELOPE_SUFFIX, PAGE, SUFFIXES, statement
from harness.specialists.runs import record_of
from harness.specialists.signing import SigningKey, envelope_text, seal
from harness.specialists.snapshot import comments, compared
from harness.specialists.verify import Verdict, verify
from harness.testing.store import MemoryStore
from tests.report.records import a_run, a_session, a_task
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


def rich(folder: Path) -> list[RunRecord]:
    """Runs that say everything that a run can say, and are compared with nothing."""
    template = a_template(folder)
    use = ModelUse(Usage(10, 20, 3, 4, 5), 0.5, 3, 2, 1, first_token_s=0.5)
    told: dict[str, Any] = {
        "session": replace(a_session(), model_use=use, usage=use.usage),
        "settings": ModelSettings(0.5, 100, "low", 7),
        "budget": Budget(1.0, 1000, 10, 5),
        "user": ModelRef("openai", "gpt-x"),
        "maker": Maker("0.1.0", PriceTables("genai-prices 1", bytes_digest(b"own"))),
    }
    own = [replace(run, **told) for run in fresh(template, 2, 1) if run.cell.specialist]
    return [*own, graded(None, worn(template, a_task("task-0")), fault=Cause.HARNESS)]


def minted_at(folder: Path, records: list[RunRecord] | None = None, **terms: object) -> Minted:
    """A snapshot in a folder, minted on the terms given."""
    template = a_template(folder)
    store = MemoryStore()
    fill(store, *(fresh(template) if records is None else records))
    proof = read_proof(store, [BatchId("b")])
    wish = Terms(**terms)  # type: ignore[arg-type]  # its own fields
    return mint(template, proof, output=folder / "snapshots", now=NOW, terms=wish)


def resealed(path: Path) -> Path:
    """The snapshot with an unsigned statement about its files as they are: anyone can write one."""
    document = pyjson5.decode(path.read_text(encoding="utf-8"))
    digests = {
        name: bytes_digest(sibling(path, suffix).read_bytes())
        for name, suffix in SUFFIXES.items()
        if sibling(path, suffix).is_file()
    }
    stated = statement(document, digests)
    sibling(path, ENVELOPE_SUFFIX).write_bytes(envelope_text(seal(stated, None)))
    return path


def forged(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A changed snapshot, with cards and digests computed again by somebody who can."""
    document = pyjson5.decode(path.read_text(encoding="utf-8"))
    change(document)
    records = tuple(map(record_of, document["benchmarks"]["runs"]))
    found = compared(records, document["name"], document["version"])
    path.write_text(to_json5(document, comments(found)), encoding="utf-8")
    sibling(path, SUFFIXES[CARD]).write_text(markdown_card(document), encoding="utf-8")
    sibling(path, SUFFIXES[PAGE]).write_text(html_card(document), encoding="utf-8")
    return resealed(path)


def copied(minted: Minted, folder: Path) -> Path:
    """The snapshot and what stands beside it, somewhere else."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (minted.path, *minted.files):
        shutil.copy(path, folder / path.name)
    return folder / minted.path.name


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> Verdict:
    """What is said of a snapshot whose document somebody changed."""
    document = pyjson5.decode(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(to_json5(document), encoding="utf-8")
    return verify(path)


def flaw_of(verdict: Verdict) -> str:
    """What does not hold; then nobody's signature holds either."""
    assert not verdict.ok
    assert verdict.signer is None
    return str(verdict.flaw)
