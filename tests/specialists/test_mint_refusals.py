from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.template import Template
from harness.errors import UsageError
from harness.store.base import Store
from harness.testing.store import MemoryStore
from tests.report.records import DEBUGGER, a_run, a_task, runs_of
from tests.specialists.conftest import NOW, minted
from tests.specialists.templates import a_template, fill, plan_only, worn

BASE = a_task()


def refused(template: Template, store: Store, tmp_path: Path, *batches: str) -> str:
    with pytest.raises(UsageError) as error:
        minted(template, store, tmp_path, *batches)
    assert not (tmp_path / "snapshots").exists()
    return str(error.value)


def test_a_batch_that_does_not_exist(template: Template, store: Store, tmp_path: Path) -> None:
    fill(store, *runs_of(BASE, 0.5, batch="my_batch"))

    assert "'my_batch'" in refused(template, store, tmp_path, "my_bach")


def test_an_empty_batch(template: Template, tmp_path: Path) -> None:
    store = MemoryStore()
    store.plan(BatchId("b"), [], NOW)

    assert "batch 'b' is empty" in refused(template, store, tmp_path)


def test_an_unfinished_batch_lists_what_is_missing(
    template: Template, store: Store, tmp_path: Path
) -> None:
    fill(store, *runs_of(BASE, 0.5), a_run(None, worn(template), fault=Cause.SANDBOX))
    plan_only(store, BASE, 7)

    message = refused(template, store, tmp_path)

    assert "batch 'b' is not finished, runs still missing: 8" in message
    assert "core/slots L1 tool-loop acme:one + @acme/debugger@1.0.0 #1" in message
    assert "and 3 more" in message
    assert message.endswith("first: bench resume b")


def test_a_batch_without_this_specialist(template: Template, store: Store, tmp_path: Path) -> None:
    newer = replace(worn(template), specialist=replace(DEBUGGER, version="2.0.0"))
    fill(store, *runs_of(BASE, 0.5), *runs_of(newer, 0.9))

    message = refused(template, store, tmp_path)

    assert "no run of @acme/debugger@1.0.0 is in batch 'b'" in message
    assert "@acme/debugger@2.0.0" in message


def test_a_batch_without_a_baseline(template: Template, store: Store, tmp_path: Path) -> None:
    fill(store, *runs_of(worn(template), 0.9))

    assert "no baseline is in batch 'b'" in refused(template, store, tmp_path)


def test_a_baseline_of_something_else(template: Template, store: Store, tmp_path: Path) -> None:
    fill(store, *runs_of(a_task(tier="L0"), 0.5), *runs_of(worn(template), 0.9))

    message = refused(template, store, tmp_path)

    assert "nothing in batch 'b' can be compared with a baseline" in message
    assert "core/slots L1 tool-loop acme:one + @acme/debugger@1.0.0: no baseline run" in message


def test_a_baseline_without_a_score(template: Template, store: Store, tmp_path: Path) -> None:
    fill(store, a_run(None, BASE, fault=Cause.HARNESS), *runs_of(worn(template), 0.9))

    assert "no baseline run has a score that counts" in refused(template, store, tmp_path)


def test_a_template_that_changed_since_its_runs(
    template: Template, store: Store, tmp_path: Path
) -> None:
    fill(store, *runs_of(BASE, 0.5), *runs_of(worn(template), 0.9))
    edited = a_template(tmp_path, persona={"purpose": "Find the causes."})
    then, now = worn(template).specialist, worn(edited).specialist
    assert then
    assert now

    message = refused(edited, store, tmp_path)

    assert "the template @acme/debugger@1.0.0 has changed since its runs" in message
    assert then.digest[:16] in message
    assert now.digest[:16] in message


def test_one_run_of_older_words_among_newer_ones_is_enough_to_refuse(
    template: Template, store: Store, tmp_path: Path
) -> None:
    older = replace(BASE, specialist=replace(DEBUGGER, digest=DEBUGGER.digest))
    fill(store, *runs_of(BASE, 0.5), *runs_of(worn(template), 0.9), *runs_of(older, 0.1))

    assert "has changed since its runs" in refused(template, store, tmp_path)
