from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.record import RunRecord, SpecialistRef, TreeRef
from harness.report.compare import (
    NO_PARTNER,
    NO_SPECIALIST,
    Comparison,
    compare_batches,
    compare_specialist,
    notes,
    specialists,
)
from tests.report.records import DEBUGGER, a_run, a_task, runs_of

BASE = a_task()
WITH = a_task(specialist=DEBUGGER)


def compared(records: list[RunRecord]) -> Comparison:
    return compare_specialist(records, DEBUGGER.name, DEBUGGER.version)


def test_the_numbers_of_the_guide() -> None:
    found = compared([*runs_of(BASE, 0.6, 0.65, 0.7), *runs_of(WITH, 0.8, 0.85, 0.9)])

    assert found.overall.baseline == 0.65
    assert found.overall.specialist == 0.85
    assert found.overall.improvement == 0.2
    assert found.overall.improvement_pct == pytest.approx(30.77, abs=0.005)
    assert (found.overall.baseline_runs, found.overall.specialist_runs) == (3, 3)
    assert found.is_balanced
    assert notes(found) == ()


def test_no_percentage_of_a_baseline_of_zero() -> None:
    found = compared([*runs_of(BASE, 0.0), *runs_of(WITH, 0.5)])

    assert (found.overall.improvement, found.overall.improvement_pct) == (0.5, None)


def test_a_specialist_can_be_worse() -> None:
    found = compared([*runs_of(BASE, 0.8), *runs_of(WITH, 0.6)])

    assert found.overall.improvement == -0.2
    assert found.overall.improvement_pct == pytest.approx(-25.0)


def test_a_cell_with_more_runs_on_one_side_does_not_move_the_averages() -> None:
    # an easy task at 1.0 and a hard one at 0.0, done equally well with and without; the pools'
    # means would be 2/4 against 5/6 for the easy task's many runs with the specialist
    easy, hard = "easy", "hard"
    records = [
        *runs_of(a_task(easy), 1.0, 1.0),
        *runs_of(a_task(hard), 0.0, 0.0),
        *runs_of(a_task(easy, specialist=DEBUGGER), *[1.0] * 5),
        *runs_of(a_task(hard, specialist=DEBUGGER), 0.0),
    ]

    found = compared(records)

    assert (found.overall.baseline, found.overall.specialist) == (0.5, 0.5)
    assert not found.is_balanced
    assert any("different numbers of scored runs" in note for note in notes(found))


@pytest.mark.parametrize(
    "other",
    [
        a_task("other", specialist=DEBUGGER),
        a_task(tier="L2", specialist=DEBUGGER),
        a_task(agent="codex", specialist=DEBUGGER),
        a_task(model="acme:two", specialist=DEBUGGER),
        a_task(model=None, specialist=DEBUGGER),
    ],
    ids=["scenario", "tier", "agent", "model", "no model"],
)
def test_a_cell_without_a_baseline_is_never_compared(other: object) -> None:
    found = compared([*runs_of(BASE, 0.4), *runs_of(other, 0.9)])  # type: ignore[arg-type]  # a cell

    assert found.pairs == ()
    assert found.overall.baseline is found.overall.improvement is None
    assert {(each.group.cell, each.reason) for each in found.unmatched} == {
        (other, NO_PARTNER),
        (BASE, NO_SPECIALIST),
    }


def test_matched_cells_are_compared_beside_unmatched_ones() -> None:
    lonely = a_task("other", specialist=DEBUGGER)
    found = compared([*runs_of(BASE, 0.4), *runs_of(WITH, 0.6), *runs_of(lonely, 1.0)])

    assert (found.overall.baseline, found.overall.specialist) == (0.4, 0.6)
    assert [each.group.cell for each in found.unmatched] == [lonely]
    assert "Cells without a counterpart, which are not compared: 1." in notes(found)


@pytest.mark.parametrize("faulted", [BASE, WITH], ids=["baseline", "specialist"])
def test_a_side_without_any_score_is_not_compared_with_zero(faulted: object) -> None:
    scored = WITH if faulted == BASE else BASE
    records = [a_run(None, faulted, fault=Cause.SANDBOX), *runs_of(scored, 0.9)]  # type: ignore[arg-type]  # a cell

    found = compared(records)

    assert found.overall.improvement is None
    assert "has a score that counts" in found.unmatched[0].reason


def test_faulted_runs_are_in_no_average_and_said() -> None:
    records = [
        *runs_of(BASE, 0.5, 0.5),
        *runs_of(WITH, 0.7),
        a_run(None, WITH, fault=Cause.PROVIDER),
    ]

    found = compared(records)

    assert found.overall.specialist == 0.7
    assert (found.runs, found.unscored, found.overall.specialist_runs) == (4, 1, 1)
    assert any("1 of 4 compared runs" in note for note in notes(found))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda r: replace(r, threshold=0.9), "threshold"),
        (lambda r: replace(r, tree=TreeRef("other base", "c", 0, 0, 0)), "fixture"),
        (lambda r: replace(r, task_digest=text_digest("Fix it, now.")), "definition"),
        (lambda r: replace(r, checks=(replace(r.checks[0], weight=2.0),)), "checks"),
    ],
)
def test_runs_of_a_changed_task_are_not_compared(
    change: Callable[[RunRecord], RunRecord], word: str
) -> None:
    found = compared([*runs_of(BASE, 0.5), *map(change, runs_of(WITH, 0.9))])

    assert found.pairs == ()
    assert found.unmatched[0].reason == f"not all of its runs had the same {word}"


def test_each_model_is_compared_with_itself() -> None:
    two = a_task(model="acme:two")
    records = [
        *runs_of(BASE, 0.2),
        *runs_of(WITH, 0.6),
        *runs_of(two, 0.8),
        *runs_of(replace(two, specialist=DEBUGGER), 0.9),
    ]

    found = compared(records)

    assert [
        (m.agent, m.model, m.averages.baseline, m.averages.improvement) for m in found.per_model
    ] == [("tool-loop", "acme:one", 0.2, 0.4), ("tool-loop", "acme:two", 0.8, 0.1)]
    assert (found.overall.baseline, found.overall.specialist) == (0.5, 0.75)


def test_another_specialist_and_another_version_are_passed_over() -> None:
    newer = replace(DEBUGGER, version="2.0.0")
    other = SpecialistRef("@acme/other", "1.0.0", DEBUGGER.digest)
    records = [
        *runs_of(BASE, 0.5),
        *runs_of(WITH, 0.6),
        *runs_of(a_task(specialist=newer), 1.0),
        *runs_of(a_task(specialist=other), 1.0),
    ]

    assert compared(records).overall.specialist == 0.6
    assert specialists(records) == (
        ("@acme/debugger", "1.0.0"),
        ("@acme/debugger", "2.0.0"),
        ("@acme/other", "1.0.0"),
    )


def test_simulated_runs_are_said_to_be_so_first() -> None:
    simulated = [replace(r, simulated=True) for r in [*runs_of(BASE, 0.5), *runs_of(WITH, 0.6)]]
    mixed = [*simulated, *runs_of(WITH, 0.6)]

    assert notes(compared(simulated))[0].endswith("this says nothing about any model.")
    assert notes(compared(mixed))[0].startswith(
        "Played by a simulated agent: 2 of 3 compared runs."
    )


def test_a_single_run_is_said_to_have_no_spread() -> None:
    found = compared([*runs_of(BASE, 0.5), *runs_of(WITH, 0.6)])

    assert any("single scored run" in note for note in notes(found))


def test_two_batches_are_compared_cell_by_cell() -> None:
    first = [*runs_of(BASE, 0.4, 0.6), *runs_of(a_task("gone"), 1.0), *runs_of(a_task("x"), 0.1)]
    second = [*runs_of(BASE, 0.8), *runs_of(a_task("new", agent="codex"), 1.0)]

    found = compare_batches(first, second)

    (row,) = found.rows
    assert (row.before.scores.mean, row.after.scores.mean, row.difference) == (0.5, 0.8, 0.3)
    assert [g.cell.scenario for g in found.only_before] == ["gone", "x"]
    assert [g.cell.scenario for g in found.only_after] == ["new"]


def test_a_baseline_batch_and_a_specialist_batch_are_compared_by_task() -> None:
    first = [*runs_of(BASE, 0.4), *runs_of(a_task("gone"), 1.0)]
    second = [*runs_of(WITH, 0.6), *runs_of(a_task("new", specialist=DEBUGGER), 1.0)]

    found = compare_batches(first, second)

    assert [(row.before.cell, row.after.cell) for row in found.rows] == [(BASE, WITH)]
    assert [g.cell.scenario for g in found.only_before] == ["gone"]
    assert [g.cell.scenario for g in found.only_after] == ["new"]


def test_no_partner_is_chosen_where_there_is_a_choice() -> None:
    first = runs_of(BASE, 0.4)
    second = [*runs_of(WITH, 0.6), *runs_of(a_task(model="acme:two"), 0.7)]

    found = compare_batches(first, second)

    assert found.rows == ()
    assert (len(found.only_before), len(found.only_after)) == (1, 2)


def test_a_row_whose_sides_were_not_the_same_task_says_so() -> None:
    (row,) = compare_batches(runs_of(BASE, 0.4), [a_run(0.9, BASE, threshold=0.9)]).rows

    assert row.changed == ("threshold",)


def test_a_batch_of_faults_has_no_difference() -> None:
    (row,) = compare_batches([a_run(None, BASE, fault=Cause.SANDBOX)], runs_of(BASE, 0.9)).rows

    assert row.difference is None
