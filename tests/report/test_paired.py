"""Who is compared with whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.failures import Cause
from harness.domain.record import Cell
from harness.errors import UsageError
from harness.report.paired import match_cells, observe, pair_specialist
from tests.report.records import DEBUGGER, a_run, a_task, runs_of

ONE, TWO = a_task(), a_task(model="acme:two")
WORN, WORN_TWO = replace(ONE, specialist=DEBUGGER), replace(TWO, specialist=DEBUGGER)


def test_two_models_without_and_two_with_a_specialist_are_matched_model_by_model() -> None:
    assert match_cells([ONE, TWO], [WORN_TWO, WORN]) == ((ONE, WORN), (TWO, WORN_TWO))


def test_two_versions_of_a_specialist_are_matched() -> None:
    newer = replace(ONE, specialist=replace(DEBUGGER, version="2.0.0"))

    assert match_cells([WORN], [newer]) == ((WORN, newer),)


def test_one_model_against_another_is_matched_task_by_task() -> None:
    other = replace(ONE, tier="L2")

    assert match_cells([ONE, other], [TWO]) == ((ONE, TWO),)


def test_equal_cells_come_before_any_others() -> None:
    assert match_cells([ONE, WORN], [ONE, WORN]) == ((ONE, ONE), (WORN, WORN))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([ONE], [WORN, TWO]),
        ([ONE, TWO], [replace(ONE, agent="codex"), replace(TWO, agent="echo")]),
        ([ONE], [WORN, replace(ONE, specialist=replace(DEBUGGER, version="2.0.0"))]),
    ],
    ids=["specialist or model", "two agents each", "two versions"],
)
def test_nothing_is_matched_where_there_is_a_choice(first: list[Cell], second: list[Cell]) -> None:
    assert match_cells(first, second) == ()


def test_two_digests_of_one_version_leave_a_choice() -> None:
    again = replace(ONE, specialist=replace(DEBUGGER, digest=a_run(1.0).task_digest))

    assert match_cells([ONE], [WORN, again]) == ()


CELLS = st.builds(
    a_task,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["L0", "L1"]),
    model=st.sampled_from(["m", "n"]),
    specialist=st.sampled_from([None, DEBUGGER]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(CELLS, unique=True), st.lists(CELLS, unique=True))
def test_every_match_is_of_one_task_and_no_cell_has_two_partners(
    first: list[Cell], second: list[Cell]
) -> None:
    found = match_cells(first, second)

    for a, b in found:
        assert (a.suite, a.scenario, a.tier) == (b.suite, b.scenario, b.tier)
    for side in zip(*found, strict=True):
        assert len(set(side)) == len(side)


def test_a_try_that_was_made_good_is_not_seen() -> None:
    (good,) = runs_of(ONE, 0.5)
    bad = a_run(None, ONE, fault=Cause.PROVIDER, iteration=good.iteration)

    assert [each.run for each in observe([bad, good])] == [good.id]


def test_another_specialist_is_on_neither_side() -> None:
    other = replace(ONE, specialist=replace(DEBUGGER, name="@acme/other"))
    seen = observe([*runs_of(ONE, 0.1), *runs_of(WORN, 0.2), *runs_of(other, 0.3)])

    found = pair_specialist(seen, DEBUGGER.name, DEBUGGER.version)

    assert [(pair.before_cell, pair.after_cell) for pair in found.pairs] == [(ONE, WORN)]
    assert found.lone == ()


def test_two_files_of_one_version_are_no_specialist_to_compare() -> None:
    again = replace(ONE, specialist=replace(DEBUGGER, digest=a_run(1.0).task_digest))
    seen = observe([*runs_of(ONE, 0.1), *runs_of(WORN, 0.2), *runs_of(again, 0.3)])

    with pytest.raises(UsageError, match="different files that are all @acme"):
        pair_specialist(seen, DEBUGGER.name, DEBUGGER.version)
