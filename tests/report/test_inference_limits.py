"""What is in no mean, what forbids a claim, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.record import CheckResult, RunRecord
from harness.errors import UsageError
from harness.report.arms import Arm
from harness.report.caveats import obstacles
from harness.report.claims import Scope, Verdict
from harness.report.compared import report_document
from harness.report.inference import (
    ComparisonReport,
    report_batches,
    report_of,
    report_specialist,
)
from harness.report.paired import (
    BASELINE,
    SPECIALIST,
    Missing,
    Pairing,
    observe,
    pair_batches,
    without_changed,
)
from tests.report.records import DEBUGGER, a_run, a_task, runs_of, scenarios


def compared(records: list[RunRecord]) -> ComparisonReport:
    return report_specialist(records, DEBUGGER.name, DEBUGGER.version)


def crashed(run: RunRecord) -> RunRecord:
    broken = CheckResult("lint", "lint", None, 0.1, reason="it broke down", crashed=True)
    return replace(run, checks=(*run.checks, broken), passed=False)


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (crashed, Missing.PARTLY),
        (lambda run: a_run(None, run.cell, fault=Cause.SANDBOX), Missing.FAULTED),
        (lambda run: a_run(None, run.cell, fault=Cause.CANCELLED), Missing.INTERRUPTED),
        (lambda run: replace(run, total_score=None, passed=False), Missing.UNGRADED),
    ],
    ids=["partly graded", "faulted", "interrupted", "ungraded"],
)
def test_a_run_without_a_whole_grade_is_counted_and_bounded_and_in_no_mean(
    spoil: Callable[[RunRecord], RunRecord], kind: Missing
) -> None:
    records = scenarios([0.4, 0.6] * 10, [0.6, 0.8] * 10)
    (bad,) = runs_of(a_task("s0", specialist=DEBUGGER), 0.0)

    clean, found = compared(records), compared([*records, spoil(bad)])

    assert found.score
    assert clean.score
    assert found.score.delta == clean.score.delta
    assert found.arms[1].missing == ((kind, 1),)
    assert any(kind.value in note for note in found.notes)
    assert found.bounds
    # one of the 21 runs of one of 8 cells: of its score 1 / 168 is open, less what it lost
    assert found.bounds.worst < found.score.delta < found.bounds.best
    assert found.bounds.best - found.bounds.worst == pytest.approx(1 / 21 / 8)
    assert clean.bounds
    assert clean.bounds.worst == clean.bounds.best == pytest.approx(clean.score.delta)


def test_too_many_runs_without_a_grade_forbid_any_claim() -> None:
    records = scenarios([0.4, 0.5], [0.8, 0.9])
    assert compared(records).claim.verdict is Verdict.BETTER

    lost = [a_run(None, a_task("s0"), fault=Cause.PROVIDER) for _ in range(2)]
    found = compared([*records, *lost])

    assert found.claim.verdict is Verdict.NOTHING
    assert "2 of 18 runs of the baseline have no whole grade" in found.claim.sentence


@pytest.mark.parametrize(
    ("baseline", "specialist", "why"),
    [
        ((0, 60), (0, 60), ""),
        ((3, 60), (3, 60), ""),
        ((4, 60), (0, 60), "4 of 60 runs of the baseline"),
        ((0, 60), (1, 12), "1 of 12 runs of the specialist"),
        ((0, 400), (19, 400), "not equally frequent"),
    ],
)
def test_how_many_runs_without_a_grade_forbid_a_claim(
    baseline: tuple[int, int], specialist: tuple[int, int], why: str
) -> None:
    sides = tuple(
        Arm(name, runs, runs - lost, (), simulated=0, cells=1, scenarios=1)
        for name, (lost, runs) in ((BASELINE, baseline), (SPECIALIST, specialist))
    )

    (said, *_) = (*obstacles(Pairing(BASELINE, SPECIALIST, ()), (sides[0], sides[1])), "")

    assert why in said
    assert bool(why) is bool(said)


def test_runs_that_are_missing_on_one_side_alone_forbid_any_claim() -> None:
    records = scenarios([0.4, 0.5] * 25, [0.8, 0.85] * 25)
    lost = [a_run(None, a_task(f"s{n % 8}"), fault=Cause.PROVIDER) for n in range(12)]

    found = compared([*records, *lost])

    assert found.claim.verdict is Verdict.NOTHING
    assert "not equally frequent: 12 of 412 against 0 of 400" in found.claim.sentence


def test_simulated_agents_prove_nothing() -> None:
    records = [replace(run, simulated=True) for run in scenarios([0.4, 0.5], [0.8, 0.9])]

    found = compared(records)

    assert found.claim.verdict is Verdict.NOTHING
    assert "played 32 of 32 runs" in found.claim.sentence


def test_sides_that_were_asked_differently_are_no_comparison_of_a_specialist() -> None:
    records = [
        replace(run, settings=replace(run.settings, temperature=1.0))
        if run.cell.specialist
        else run
        for run in scenarios([0.4, 0.5], [0.8, 0.9])
    ]

    found = compared(records)

    assert found.claim.verdict is Verdict.NOTHING
    assert "defaults against temperature 1.0" in found.claim.sentence


def test_runs_of_a_changed_scenario_are_refused_with_the_list() -> None:
    records = scenarios([0.4, 0.5], [0.8, 0.9])
    changed = [
        replace(run, task_digest=text_digest("new"))
        if run.cell.scenario in {"s1", "s4"} and run.cell.specialist
        else run
        for run in records
    ]

    with pytest.raises(UsageError) as refusal:
        compared(changed)

    lines = str(refusal.value).splitlines()
    assert lines[0].startswith("2 tasks changed")
    new, old = text_digest("new")[:12], records[0].task_digest[:12]
    assert lines[1] == f"  core/s1 L1 tool-loop acme:one: baseline {old}; specialist {new}"
    assert lines[2].startswith("  core/s4 L1")


def test_changed_scenarios_can_be_left_out_and_are_said() -> None:
    before, after = runs_of(a_task("x"), 0.5, 0.6), runs_of(a_task("y"), 0.5, 0.6)
    later = [replace(run, task_digest=text_digest("new")) for run in before]
    pairing = pair_batches(observe([*before, *after]), observe([*later, *after]))

    found = report_of(without_changed(pairing))

    assert [each.pair.scenario for each in found.cells] == ["core/y"]
    assert {(each.cell.scenario, each.side) for each in found.lone} == {("x", "A"), ("x", "B")}


def test_cells_of_one_side_are_named_and_never_imputed() -> None:
    lonely = runs_of(a_task("lonely", specialist=DEBUGGER), 0.0, 0.0)
    records = scenarios([0.4, 0.5], [0.8, 0.9])

    found = compared([*records, *lonely])

    assert [each.cell.scenario for each in found.lone] == ["lonely"]
    assert found.score
    assert found.score.cells == 8
    assert found.arms[1].runs == 16


def test_a_matched_cell_without_a_score_is_compared_with_nothing() -> None:
    lost = [a_run(None, a_task("lost"), fault=Cause.SANDBOX)]
    other = runs_of(a_task("lost", specialist=DEBUGGER), 0.9)

    found = compared([*scenarios([0.4, 0.5] * 20, [0.8, 0.9] * 20), *lost, *other])

    assert found.score
    assert found.score.cells == 8
    reasons = {each.side: each.reason for each in found.lone}
    assert reasons == {
        "baseline": "no run has a whole grade",
        "specialist": "no run of the other side has a whole grade",
    }


def test_nothing_to_compare_is_said() -> None:
    found = report_batches(runs_of(a_task("x"), 0.5), runs_of(a_task("y", "L2"), 0.5))

    assert found.claim.verdict is Verdict.NOTHING
    assert (found.effects, found.extras, found.outlook) == ((), None, None)
    assert report_document(found)["overall"] == []


def one_fixture(runs: list[RunRecord], scenarios: set[str]) -> list[RunRecord]:
    """The same runs, of scenarios that are copies of each other."""
    return [
        replace(run, tree=replace(run.tree, base="one"))
        if run.tree and run.cell.scenario in scenarios
        else run
        for run in runs
    ]


def test_copies_of_a_scenario_support_no_claim_beyond_it() -> None:
    records = scenarios([0.4, 0.5], [0.8, 0.9])
    everywhere = {f"s{n}" for n in range(8)}

    found = compared(one_fixture(records, everywhere))

    assert compared(records).claim.scope is Scope.GENERAL
    assert found.claim.scope is Scope.THESE
    assert "on this one scenario only" in found.claim.sentence
    assert found.claim.sentence.endswith("8 names with the same fixture count as one scenario.")
    assert found.score
    assert (found.score.cells, found.score.scenarios) == (8, 1)
    assert [side.scenarios for side in found.arms] == [1, 1]
    assert "core/s0, core/s1" in " ".join(found.notes)
    (names,) = report_document(found)["same_fixture"]
    assert names == sorted(f"core/{name}" for name in everywhere)


def test_copies_count_once_among_others() -> None:
    records = scenarios([0.4, 0.5], [0.8, 0.9])

    found = compared(one_fixture(records, {"s0", "s1"}))

    assert found.score
    assert found.score.scenarios == 7
    assert found.score.general.df == 6
    assert found.score.delta == pytest.approx(compared(records).score.delta)  # type: ignore[union-attr]  # it has one
    assert "on these 7 scenarios" in found.claim.sentence
    assert found.outlook
    assert found.outlook.scenarios == 7
    for side, (pass_k, *_) in zip(found.arms, zip(*found.pass_k, strict=True), strict=True):
        assert side.score
        assert pass_k.at_least_one
        assert (side.scenarios, side.score.clusters, pass_k.at_least_one.clusters) == (7, 7, 7)


def test_copies_are_known_as_such_though_each_batch_has_but_one_of_them() -> None:
    both = one_fixture(scenarios([0.4, 0.5], [0.8, 0.9]), {"s0", "s1"})
    before = [run for run in both if not run.cell.specialist]
    after = [run for run in both if run.cell.specialist]
    lost = [a_run(None, a_task("s0"), fault=Cause.SANDBOX)]

    found = report_batches([run for run in before if run.cell.scenario != "s0"] + lost, after)

    assert found.pairing.namesakes == (("core/s0", "core/s1"),)


def test_no_interval_reaches_beyond_what_can_be() -> None:
    gains = [1.0, 0.0, 1.0]
    records = [
        run
        for n, gain in enumerate(gains)
        for worn in (None, DEBUGGER)
        for run in runs_of(a_task(f"s{n}", specialist=worn), gain if worn else 0.0)
    ]

    found = compared(records)

    assert found.extras
    assert found.arms[1].success
    shares = [found.arms[1].score, found.arms[1].success.rate, found.extras.improvement]
    shares += [each for pair in found.pass_k for side in pair
               for each in (side.at_least_one, side.all_of_them)]  # fmt: skip
    for share in shares:
        assert share
        assert share.low is None or share.low >= 0
        assert share.high is None or share.high <= 1
    assert found.arms[1].costs
    assert found.arms[1].costs.per_success
    assert found.arms[1].costs.per_success.low == 0
    differences = {each.name: each.general for each in found.effects}
    for name in ("score", "success"):
        assert (differences[name].low, differences[name].high) == (
            pytest.approx(-0.7676, abs=1e-3),
            1,
        )


def test_nor_does_one_of_exactly_these_scenarios() -> None:
    found = compared([
        *runs_of(a_task("x"), 0.0, 0.9), *runs_of(a_task("x", specialist=DEBUGGER), 0.1, 1.0)
    ])  # fmt: skip

    assert found.score
    assert (found.score.these.low, found.score.these.high) == (-1, 1)
    assert found.score.these.interval(0.01).high == 1


def test_an_interval_without_width_is_none() -> None:
    document = report_document(compared(scenarios([0.5, 0.5], [0.5, 0.5], 1)))
    score = report_document(
        compared([
            run
            for n in range(8)
            for worn in (None, DEBUGGER)
            for run in runs_of(a_task(f"s{n}", specialist=worn), 0.5, 0.5)
        ])
    )  # fmt: skip

    assert document["overall"][0]["scenarios_like_these"]["why"] == (
        "one scenario says nothing about others"
    )
    general = score["overall"][0]["scenarios_like_these"]
    assert (general["standard_error"], general["low"], general["high"]) == (0, None, None)
    assert general["why"].startswith("nothing varied")
    assert score["further"]["bootstrap"]["low"] is None
    assert (score["power"]["minimum_detectable_effect"], score["power"]["chance_of_wanted"]) == (
        None,
        None,
    )


def test_what_is_left_out_is_told_from_what_has_no_counterpart() -> None:
    before, after = runs_of(a_task("x"), 0.5, 0.6), runs_of(a_task("y"), 0.5, 0.6)
    later = [replace(run, task_digest=text_digest("new")) for run in before]
    lonely = runs_of(a_task("z"), 0.5)
    pairing = pair_batches(observe([*before, *after, *lonely]), observe([*later, *after]))

    notes = report_of(without_changed(pairing)).notes

    assert "2 cells in no number: the task was changed between its runs." in notes
    assert "1 cell in no number: no run of B has this scenario, tier, agent and model." in notes
