from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.failures import ENDINGS, TABLE, Cause
from harness.domain.record import CheckResult
from harness.domain.session import Ending
from harness.report.stats import counts, group, group_by_cell, spread, standing
from tests.report.records import DEBUGGER, a_run, a_session, a_task, runs_of

SCORES = st.lists(st.floats(0, 1), min_size=2, max_size=20)


def test_the_spread_of_four_scores_is_what_it_is_by_hand() -> None:
    # mean 2.4 / 4; squares .01 + .01 + .01 + .09 = .12 … over 3
    found = spread([0.5, 0.5, 0.5, 0.9])

    assert (found.n, found.mean, found.low, found.high) == (4, 0.6, 0.5, 0.9)
    assert found.deviation == pytest.approx(0.2, abs=1e-9)


def test_one_score_has_a_mean_but_no_deviation() -> None:
    found = spread([0.7])

    assert (found.mean, found.deviation) == (0.7, None)


def test_no_score_has_no_mean() -> None:
    found = spread([])

    assert (found.n, found.mean, found.deviation, found.low, found.high) == (0, *[None] * 4)


@settings(max_examples=30, deadline=None)
@given(SCORES)
def test_the_spread_agrees_with_the_standard_library(scores: list[float]) -> None:
    found = spread(scores)

    assert found.mean == pytest.approx(statistics.fmean(scores), abs=1e-9)
    assert found.deviation == pytest.approx(statistics.stdev(scores), abs=1e-8)
    assert found.low == min(scores)


def test_equal_scores_have_no_deviation_whatever_their_digits() -> None:
    found = spread([0.1, 0.1, 0.1])

    assert (found.mean, found.deviation) == (0.1, 0.0)


@pytest.mark.parametrize("cause", Cause)
def test_a_fault_counts_as_its_row_says(cause: Cause) -> None:
    faulted = a_run(None, fault=cause)
    even_with_a_score = replace(faulted, total_score=0.5)

    assert not counts(faulted)
    assert counts(even_with_a_score) is TABLE[cause].counts


@pytest.mark.parametrize("ending", Ending)
def test_an_ending_counts_as_its_row_says(ending: Ending) -> None:
    cause = ENDINGS[ending]
    record = a_run(0.5, session=replace(a_session(), ending=ending))

    assert counts(record) is (cause is None or TABLE[cause].counts)


def test_an_agent_that_ran_out_of_time_is_in_the_mean() -> None:
    late = a_run(0.0, session=replace(a_session(), ending=Ending.TIMED_OUT))

    assert group([late, a_run(1.0)]).scores.mean == 0.5


def test_what_has_no_score_does_not_lower_the_mean_and_is_counted() -> None:
    found = group(
        [
            a_run(0.8),
            a_run(None, fault=Cause.SANDBOX),
            a_run(None, fault=Cause.CANCELLED),
            a_run(None),
        ]
    )

    assert found.scores.mean == 0.8
    assert (found.runs, found.scores.n) == (4, 1)
    assert (found.faulted, found.interrupted, found.unscored) == (1, 1, 1)


def test_a_run_of_which_an_evaluator_broke_down_is_counted_beside_the_mean() -> None:
    broken = CheckResult("lint", "lint", None, 0.1, reason="it broke down", crashed=True)
    partly = a_run(1.0)
    partly = replace(partly, checks=(*partly.checks, broken), passed=False)

    found = group([a_run(0.5), partly])

    assert not counts(partly)
    assert found.scores.mean == 0.5
    assert (found.runs, found.scores.n, found.partly_graded, found.unscored) == (2, 1, 1, 0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.7, None, *Cause, *Ending]), min_size=1))
def test_every_run_is_in_exactly_one_count(kinds: list[float | Cause | Ending | None]) -> None:
    records = [
        a_run(None, fault=kind)
        if isinstance(kind, Cause)
        else a_run(0.5, session=replace(a_session(), ending=kind))
        if isinstance(kind, Ending)
        else a_run(kind)
        for kind in kinds
    ]

    found = group(records)

    counted = found.scores.n + found.faulted + found.interrupted + found.unscored
    assert counted == found.runs == len(kinds)


def test_a_check_that_could_not_run_is_counted() -> None:
    checks = (CheckResult("test", "test", 1.0, 0.5), CheckResult("lint", "lint", None, 0.5))

    assert group([a_run(1.0, checks=checks), a_run(0.5)]).checks_not_run == 1


def test_the_cost_of_a_faulted_run_was_paid_and_an_unknown_price_is_not_zero() -> None:
    found = group(
        [
            a_run(1.0, session=a_session(cost_usd=0.1)),
            a_run(None, fault=Cause.EVALUATOR, session=a_session(cost_usd=0.2)),
            a_run(1.0, session=a_session(cost_usd=None)),
            a_run(None, fault=Cause.SANDBOX, session=None),
        ]
    )

    assert (found.cost_usd, found.unpriced) == (0.3, 1)
    assert group([a_run(1.0, session=a_session(cost_usd=None))]).cost_usd is None


def test_durations_are_those_of_the_runs_that_count() -> None:
    records = [
        a_run(1.0, session=a_session(duration_s=10)),
        a_run(0.5, session=a_session(duration_s=30)),
        a_run(None, fault=Cause.EVALUATOR, session=a_session(duration_s=1000)),
    ]

    assert group(records).seconds.mean == 20


def test_passed_and_simulated_runs_are_counted() -> None:
    found = group([a_run(0.9, simulated=True), a_run(0.2), a_run(0.7)])

    assert (found.passed, found.simulated) == (2, 1)


def test_cells_are_grouped_and_sorted_by_what_people_look_for() -> None:
    records = [
        *runs_of(a_task("b"), 1.0),
        *runs_of(a_task("a", "Lx"), 1.0),
        *runs_of(a_task("a", "L0", specialist=DEBUGGER), 1.0),
        *runs_of(a_task("a", "L0"), 0.0, 1.0),
        *runs_of(a_task("a", "L0", model=None), 0.5),
    ]

    groups = group_by_cell(records)

    assert [(g.cell.scenario, g.cell.tier, g.cell.model, g.runs) for g in groups] == [
        ("a", "L0", None, 1),
        ("a", "L0", "acme:one", 2),
        ("a", "L0", "acme:one", 1),
        ("a", "Lx", "acme:one", 1),
        ("b", "L1", "acme:one", 1),
    ]
    assert [g.cell.specialist for g in groups[1:3]] == [None, DEBUGGER]


def test_equal_cells_are_one_group_whichever_object_says_so() -> None:
    known = runs_of(a_task("a"), 0.5, 0.5) + runs_of(a_task("b"), 1.0)
    records = (replace(run, cell=replace(run.cell)) for run in [*known] * 100)

    groups = group_by_cell(records)

    assert [(each.cell.scenario, each.runs) for each in groups] == [("a", 200), ("b", 100)]


def test_a_scenario_that_changed_between_runs_makes_two_tasks() -> None:
    same = group([a_run(0.5), a_run(0.9)])
    other = group([a_run(0.5), a_run(0.9, threshold=0.9), a_run(0.5)])

    assert len(same.tasks) == 1
    assert len(other.tasks) == 2


def test_a_try_that_a_later_one_made_good_is_in_no_count_but_the_cost() -> None:
    lost = a_run(None, iteration=1, fault=Cause.PROVIDER, session=a_session(cost_usd=0.2))
    stopped = a_run(0.1, iteration=1, session=replace(a_session(), ending=Ending.INTERRUPTED))
    found = group([lost, stopped, a_run(0.8, iteration=1, session=a_session(cost_usd=0.1))])

    assert (found.runs, found.scores.n, found.retried) == (1, 1, 2)
    assert (found.faulted, found.interrupted, found.unscored) == (0, 0, 0)
    assert found.cost_usd == 0.55


@pytest.mark.parametrize("change", [{"iteration": 2}, {"batch": "other"}, {"cell": a_task("x")}])
def test_a_run_of_another_iteration_batch_or_cell_makes_nothing_good(
    change: dict[str, object],
) -> None:
    lost = a_run(None, iteration=1, fault=Cause.SANDBOX)
    other = a_run(0.8, **{"iteration": 1, **change})  # type: ignore[arg-type]  # a record's own fields

    assert standing([lost, other]) == (lost, other)


def test_a_fault_that_is_not_tried_again_stands() -> None:
    bug = a_run(None, iteration=1, fault=Cause.HARNESS)

    assert standing([bug, a_run(0.8, iteration=1)])[0] is bug


def test_tries_that_nothing_made_good_are_counted_each() -> None:
    found = group([a_run(None, iteration=1, fault=Cause.SANDBOX) for _ in range(2)])

    assert (found.faulted, found.retried) == (2, 0)


def test_no_price_of_a_simulated_session_is_unknown() -> None:
    played = a_run(1.0, simulated=True, session=a_session(cost_usd=None))

    assert group([played]).unpriced == 0
