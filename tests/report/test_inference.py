"""Every number of a comparison, from records: against the reference vectors and by hand."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.domain.record import CheckResult, RunRecord
from harness.errors import UsageError
from harness.report.arms import pass_k, summarise, tries
from harness.report.claims import Scope, Verdict
from harness.report.compared import report_document
from harness.report.effects import BH, CHECK, HOLM, MODEL, SCENARIO, TIER
from harness.report.inference import ComparisonReport, Question, report_specialist
from harness.report.paired import observe
from tests.report.records import DEBUGGER, a_run, a_session, a_task, runs_of, scenarios

VECTORS = Path(__file__).parents[1] / "stats" / "vectors.json"


def vector(name: str) -> dict[str, Any]:
    found = json.loads(VECTORS.read_text())["vectors"]
    return next(each for each in found if each["id"] == name)


def compared(records: list[RunRecord], question: Question | None = None) -> ComparisonReport:
    return report_specialist(records, DEBUGGER.name, DEBUGGER.version, question)


def records_of_the_vector() -> list[RunRecord]:
    return [
        run
        for cell in vector("compare.paired_clustered")["inputs"]["cells"]
        for side, worn in (("baseline", None), ("specialist", DEBUGGER))
        for run in runs_of(
            a_task(cell["scenario"], cell["tier"], model=cell["model"], specialist=worn),
            *cell[side],
        )
    ]


def test_the_comparison_agrees_with_the_reference() -> None:
    expected = vector("compare.paired_clustered")["expected"]

    found = compared(records_of_the_vector())

    assert found.score
    general, these = found.score.general, found.score.these
    assert (found.score.cells, found.score.scenarios) == (36, 9)
    assert found.score.before == pytest.approx(expected["baseline_macro"], abs=1e-9)
    assert found.score.after == pytest.approx(expected["specialist_macro"], abs=1e-9)
    assert found.score.delta == pytest.approx(expected["delta"], abs=1e-9)
    assert general.se == pytest.approx(expected["se_cr1"], abs=1e-9)
    assert (general.t, general.df) == (pytest.approx(expected["t"], abs=1e-9), expected["df"])
    assert found.score.p == pytest.approx(expected["p_two_sided"], abs=1e-9)
    assert [general.low, general.high] == pytest.approx(expected["ci95"], abs=1e-9)
    assert these.se == pytest.approx(expected["se_fixed_scenarios_iteration_noise_only"], abs=1e-9)
    assert found.score.sign_flip
    assert found.score.sign_flip.p_two_sided == expected["sign_flip_exact_p_two_sided"]
    means = [each.delta for each in found.part(SCENARIO)]
    assert means == pytest.approx(expected["cluster_means"], abs=1e-9)


def test_the_reference_is_no_evidence_that_the_specialist_helps() -> None:
    found = compared(records_of_the_vector())

    assert (found.claim.verdict, found.claim.scope) == (Verdict.UNDECIDED, Scope.GENERAL)
    assert "too few scenarios" in found.claim.sentence
    assert "more iterations would not help, 18 more scenarios would" in found.claim.sentence
    assert found.outlook
    assert (found.outlook.iterations_needed, found.outlook.scenarios_needed) == (None, 27)


def test_the_summary_of_a_batch_agrees_with_the_reference() -> None:
    given = vector("batch.summary")
    expected = given["expected"]
    runs = [
        a_run(
            run["score"],
            a_task(run["scenario"], run["tier"]),
            iteration=run["iteration"],
            passed=bool(run["success"]),
            session=a_session(cost_usd=run["cost_usd"], duration_s=run["duration_ms"] / 1000),
        )
        for run in given["inputs"]["runs"]
    ]

    found = summarise(runs)

    assert found.score
    assert found.success
    assert found.costs
    assert found.costs.per_success
    assert (found.scored, found.scenarios) == (expected["n"], expected["n_clusters"])
    seen = {
        "mean": found.score.mean,
        "sd": found.deviation,
        "se_naive": found.naive_se,
        "se_clustered_cr1": found.score.se,
        "df": found.score.df,
        "design_effect_score": found.design_effect,
        "success_rate": found.success.rate.mean,
        "success_se_clustered": found.success.rate.se,
        "deff_success": found.success.design_effect,
        "n_eff": found.success.effective,
        "cost_total": found.costs.total_usd,
        "cost_per_success": found.costs.per_success.mean,
        "cost_per_success_se_clustered": found.costs.per_success.se,
    }
    for name, value in seen.items():
        assert value == pytest.approx(expected[name], abs=1e-9), name
    intervals = {
        "ci95_t_clustered": found.score,
        "wilson95_effective_n": found.success.wilson,
        "clopper_pearson95": found.success.clopper_pearson,
        "jeffreys95": found.success.jeffreys,
    }
    for name, interval in intervals.items():
        assert [interval.low, interval.high] == pytest.approx(expected[name], abs=1e-9), name
    quantiles = [expected[f"duration_{p}"] / 1000 for p in ("p50", "p95", "p99")]
    assert found.seconds == pytest.approx(quantiles, abs=1e-9)


@pytest.mark.parametrize("case", vector("pass_k")["expected"].items(), ids=lambda c: str(c[0]))
def test_pass_k_agrees_with_the_reference(case: tuple[str, dict[str, float]]) -> None:
    name, expected = case
    n, c, k = (int(part[1:]) for part in name.split("_"))

    found = pass_k(tries(observe(runs_of(a_task(), *[1.0] * c, *[0.0] * (n - c)))), k)

    assert found.at_least_one
    assert found.all_of_them
    assert found.at_least_one.mean == pytest.approx(expected["pass_at_k"], abs=1e-12)
    assert found.all_of_them.mean == pytest.approx(expected["pass_hat_k"], abs=1e-12)


def test_more_tries_than_were_made_are_worth_nothing_known() -> None:
    found = pass_k(tries(observe(runs_of(a_task(), 1.0, 0.0))), 3)

    assert found.at_least_one is found.all_of_them is None


def test_the_order_of_the_records_moves_no_digit() -> None:
    records = records_of_the_vector()
    shuffled = random.Random(1).sample(records, len(records))  # noqa: S311  # a shuffle, no secret

    assert report_document(compared(shuffled)) == report_document(compared(records))


def test_more_runs_on_one_side_do_not_move_the_difference() -> None:
    records = scenarios([0.4, 0.5], [0.6, 0.7])
    more = [*records, *runs_of(a_task("s0"), 0.4, 0.5, 0.4, 0.5)]

    first, second = compared(records).score, compared(more).score

    assert first
    assert second
    assert first.delta == pytest.approx(second.delta, abs=1e-12)


def test_parts_are_by_tier_model_scenario_and_check() -> None:
    records = [
        replace(
            run,
            checks=(
                CheckResult("test", "test", run.total_score, 0.8),
                CheckResult("lint", "lint", None if run.cell.specialist else 0.5, 0.2),
            ),
        )
        for run in records_of_the_vector()
    ]

    found = compared(records)

    assert [each.name for each in found.part(TIER)] == ["L0", "L1"]
    assert [each.name for each in found.part(MODEL)] == ["tool-loop m0", "tool-loop m1"]
    assert len(found.part(SCENARIO)) == 9
    # a check that one side never could make is compared with nothing
    assert [each.name for each in found.part(CHECK)] == ["test"]


def test_what_was_declared_is_corrected_by_holm_and_the_rest_by_bh() -> None:
    found = compared(records_of_the_vector(), Question(declared=("score", "tier L1")))

    by_name = {each.asked: each for each in (*found.effects, *found.parts)}
    score, tier = by_name["score"], by_name["tier L1"]
    assert score.p
    assert score.p < (tier.p or 0)
    assert (score.adjusted, score.method) == (pytest.approx(2 * score.p), HOLM)
    assert (by_name["tier L0"].method, by_name["success"].method) == (BH, BH)
    assert by_name["success"].adjusted >= by_name["success"].p  # type: ignore[operator]  # both are numbers
    assert [each.about for each in found.claims] == ["score", "tier L1"]


def test_a_part_that_is_the_whole_is_not_asked_again() -> None:
    (tier,) = compared(scenarios([0.4, 0.5], [0.6, 0.7])).part(TIER)

    assert tier.p is not None
    assert (tier.adjusted, tier.method) == (None, "")


def test_an_unknown_question_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'tier L1'"):
        compared(records_of_the_vector(), Question(declared=("tier L1x",)))


@pytest.mark.parametrize("wanted", [0.0, 1.0, float("nan")])
def test_a_wanted_difference_that_scores_cannot_have_is_refused(wanted: float) -> None:
    with pytest.raises(UsageError, match="scores go from 0 to 1"):
        compared(records_of_the_vector(), Question(wanted=wanted))


def test_success_cost_and_time_are_compared_too() -> None:
    slow = a_session(cost_usd=0.5, duration_s=30.0)
    records = [
        replace(run, session=slow) if run.cell.specialist else run
        for run in scenarios([0.4, 0.6], [0.7, 0.9])
    ]

    found = {each.name: each for each in compared(records).effects}

    assert found["success"].delta == 1.0
    assert found["cost_usd"].delta == pytest.approx(0.25)
    assert found["seconds"].delta == pytest.approx(20.0)


def test_a_cost_that_is_not_known_is_not_nothing() -> None:
    free = a_session(cost_usd=None)
    records = [
        replace(run, session=free) if run.cell.specialist else run
        for run in scenarios([0.4, 0.6], [0.7, 0.9])
    ]

    found = compared(records)

    assert "cost_usd" not in {each.name for each in found.effects}
    assert found.arms[1].costs is None


def test_single_pass_or_fail_runs_of_single_cells_are_tested_by_mcnemar() -> None:
    table = vector("compare.mcnemar")
    counts = table["inputs"]["table"]
    kinds = [("both_pass", 1.0, 1.0), ("baseline_only", 1.0, 0.0), ("specialist_only", 0.0, 1.0),
             ("both_fail", 0.0, 0.0)]  # fmt: skip
    outcomes = [(b, s) for name, b, s in kinds for _ in range(counts[name])]
    records = [
        run
        for n, (before, after) in enumerate(outcomes)
        for run in (
            *runs_of(a_task(f"s{n:03}"), before),
            *runs_of(a_task(f"s{n:03}", specialist=DEBUGGER), after),
        )
    ]

    found = compared(records)

    assert found.extras
    assert found.extras.mcnemar
    assert found.extras.mcnemar.p_mid == pytest.approx(table["expected"]["p_mid"], abs=1e-9)
    assert found.extras.mcnemar.delta == pytest.approx(0.09)


@pytest.mark.parametrize(
    "records",
    [
        [],
        runs_of(a_task(), 0.5),
        [*runs_of(a_task(), 0.5), *runs_of(a_task(specialist=DEBUGGER), 0.5)],
        scenarios([0.5, 0.5], [0.5, 0.5], 2),
        scenarios([0.0], [1.0 / 3], 21),
    ],
    ids=["nothing", "one side", "single runs", "nothing varies", "many scenarios"],
)
def test_the_document_is_json_whatever_there_is_to_compare(records: list[RunRecord]) -> None:
    document = report_document(compared(records))

    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["claim"].endswith(".")
