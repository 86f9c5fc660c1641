from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.domain.template import Template
from harness.errors import UsageError
from harness.specialists.mint import Terms, mint, read_proof
from harness.specialists.verify import verify
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


def test_a_batch_of_other_specialists(template: Template, store: Store, tmp_path: Path) -> None:
    newer = replace(worn(template), specialist=replace(DEBUGGER, version="2.0.0"))
    fill(store, *runs_of(newer, 0.9))

    message = refused(template, store, tmp_path)

    assert "no run of @acme/debugger@1.0.0 is in batch 'b', and no baseline" in message
    assert "@acme/debugger@2.0.0" in message


ONE_SIDED = [
    ([*runs_of(BASE, 0.5)], False, "no run of @acme/debugger@1.0.0 is here, only of its baseline"),
    ([], True, "no baseline is here: run the same scenarios without --specialist"),
    ([*runs_of(a_task(tier="L0"), 0.5)], True, "has a counterpart with a score in the baseline"),
    ([a_run(None, BASE, fault=Cause.HARNESS)], True, "has a counterpart with a score"),
]


@pytest.mark.parametrize(
    ("others", "own", "why"),
    ONE_SIDED,
    ids=["baseline only", "specialist only", "another tier", "no score"],
)
def test_one_side_is_minted_without_a_comparison_and_says_so(
    template: Template,
    store: Store,
    tmp_path: Path,
    others: list[RunRecord],
    own: bool,  # noqa: FBT001  # a column of the table
    why: str,
) -> None:
    fill(store, *others, *(runs_of(worn(template), 1.0) if own else []))
    proof = read_proof(store, [BatchId("b")])

    done = mint(template, proof, output=tmp_path / "snapshots", now=NOW)

    assert done.comparison is None
    assert done.limits[0].startswith("No comparison: ")
    assert why in done.limits[0]
    assert "comparison: {" not in done.path.read_text()
    assert "there is no comparison" in done.path.with_suffix(".md").read_text()
    assert verify(done.path).held[3] == "aggregates: there is no comparison"


def test_one_side_is_refused_where_a_comparison_is_required(
    template: Template, store: Store, tmp_path: Path
) -> None:
    fill(store, *runs_of(worn(template), 0.9))
    proof = read_proof(store, [BatchId("b")])

    with pytest.raises(UsageError, match=r"no baseline is here.*require-comparison"):
        mint(
            template,
            proof,
            output=tmp_path / "snapshots",
            now=NOW,
            terms=Terms(require_comparison=True),
        )
    assert not (tmp_path / "snapshots").exists()


def test_runs_of_different_tasks_are_refused_with_the_list(
    template: Template, store: Store, tmp_path: Path
) -> None:
    changed = text_digest("another task")
    other = replace(a_run(0.9, worn(template)), task_digest=changed)
    base = a_run(0.5, BASE)
    fill(store, base, other, *runs_of(a_task("alone"), 0.5))

    message = refused(template, store, tmp_path)

    assert "were not given the same task" in message
    assert "core/slots L1: " in message
    assert f"{base.task_digest[:16]}… had {base.id}" in message
    assert f"{changed[:16]}… had {other.id}" in message
    assert "alone" not in message


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
