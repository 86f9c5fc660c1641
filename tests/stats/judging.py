"""What the formulas of gates, judges, costs, streams and rankings make of each vector."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from harness.stats import agreement, calibration, costs, drift, gate, power, proportions, strata
from harness.stats.exact import smallest_p
from harness.stats.moments import mean
from harness.stats.ranking import bradley_terry, elo
from harness.stats.sequential import confidence_sequence, mixture_rho, mixture_width
from tests.stats.comparing import ends

Json = Any
"""Whatever a vector holds: its shape is the vector's own."""


def worst_segment(inputs: Json) -> Json:
    segments = [gate.Segment(**segment) for segment in inputs["segments"]]
    found = gate.judge_segments(segments, margin=inputs["margin"], alpha=inputs["alpha"])
    return {
        "segments": [
            {
                "id": each.id,
                "lower": each.lower,
                "upper": each.upper,
                "p_noninferior": each.p_noninferior,
                "p_regressed": each.p_regressed,
                "p_regressed_holm": each.p_regressed_holm,
                "status": each.status,
            }
            for each in found.segments
        ],
        "verdict_strict": found.strict,
        "verdict_pr": found.lenient,
        "worst_segment": found.worst,
        "exit_code": gate.EXIT_CODES[found.strict],
    }


def zero_failures(inputs: Json) -> Json:
    return {str(n): proportions.none_failed(n, alpha=inputs["alpha"]) for n in inputs["n"]}


def small_g(inputs: Json) -> Json:
    return {str(clusters): smallest_p(clusters) for clusters in inputs["G"]}


def planning(_: Json) -> Json:
    return {
        f"psi{psi}_X{margin}": {
            "one_segment": power.pairs_for_margin(margin, psi),
            "ten_segments_all_pass": power.pairs_for_margin(margin, psi, segments=10),
        }
        for psi in (0.1, 0.2, 0.3)
        for margin in (0.01, 0.03, 0.05)
    }


def kappa_matrix(inputs: Json) -> Json:
    ratings = inputs["ratings"]
    pairs = {}
    for a, b in combinations(ratings, 2):
        couples = list(zip(ratings[a], ratings[b], strict=True))
        kappa = agreement.cohen_kappa(couples)
        assert kappa is not None
        pairs[f"{a}|{b}"] = {
            "percent_agreement": agreement.percent_agreement(couples),
            "cohen_kappa": kappa.kappa,
            "kappa_se": kappa.error,
            "kappa_ci95": ends(kappa),
            "gwet_ac1": agreement.gwet_ac1(couples, (0, 1)),
            "pabak": agreement.pabak(couples),
            "krippendorff_alpha_nominal": agreement.krippendorff_alpha(couples),
        }
    units = list(zip(*ratings.values(), strict=True))
    return {
        "pairs": pairs,
        "fleiss_kappa_all": agreement.fleiss_kappa(units),
        "krippendorff_alpha_all": agreement.krippendorff_alpha(units),
    }


def prevalence(inputs: Json) -> Json:
    table = inputs["table"]
    cells = {(1, 1): "both_pass", (1, 0): "a_only", (0, 1): "b_only", (0, 0): "both_fail"}
    couples = [pair for pair, name in cells.items() for _ in range(table[name])]
    kappa = agreement.cohen_kappa(couples)
    assert kappa is not None
    assert agreement.cohen_kappa([(1, 1)] * 100) is None
    return {
        "percent_agreement": agreement.percent_agreement(couples),
        "cohen_kappa": kappa.kappa,
        "gwet_ac1": agreement.gwet_ac1(couples, (0, 1)),
    }


def ppi(inputs: Json) -> Json:
    human, judge = inputs["labelled"]["human"], inputs["labelled"]["judge"]
    rest = inputs["unlabelled_judge"]
    of = calibration.skill(human, judge)
    plain = calibration.ppi_mean(human, judge, rest, weight=1.0)
    tuned = calibration.ppi_mean(human, judge, rest)
    return {
        "judge_only": mean(rest),
        "human_only": mean(human),
        "human_only_wilson95": ends(proportions.wilson(sum(human), len(human))),
        "sensitivity": of.sensitivity,
        "specificity": of.specificity,
        "rogan_gladen": calibration.rogan_gladen(mean(rest), of),
        "ppi_lambda1": plain.value,
        "ppi_lambda1_ci95": ends(plain),
        "ppi_tuned_lambda": calibration.ppi_weight(human, judge, rest),
        "ppi_tuned": tuned.value,
        "ppi_tuned_ci95": ends(tuned),
    }


def active(inputs: Json) -> Json:
    found = calibration.active_mean(inputs["judge"], inputs["human"], inputs["label_prob"])
    labels = [label for label in inputs["human"] if label is not None]
    return {
        "estimate": found.value,
        "se": found.se,
        "ci95": ends(found),
        "naive_mean_of_labelled": mean(labels),
        "judge_only": mean(inputs["judge"]),
    }


def asymmetric(inputs: Json) -> Json:
    labels = inputs["labels"]
    rows = inputs["cost_rows_true_cols_pred"]
    table = {
        label: dict(zip(labels, row, strict=True)) for label, row in zip(labels, rows, strict=True)
    }
    given = zip(inputs["y_true"], inputs["y_pred"], inputs["case_weight"], strict=True)
    cases = [costs.Case(*each) for each in given]
    found, safe = costs.cost_report(cases, costs.Costs(table)), costs.safety(cases, {"er"})
    return {
        "weighted_confusion": costs.weighted_confusion(cases, labels),
        "expected_cost": found.expected,
        "constant_policy_costs": list(found.constant.values()),
        "utility_vs_best_constant": found.utility_vs_constant,
        "utility_vs_worst": found.utility_vs_worst,
        "plain_accuracy": found.accuracy,
        "weighted_accuracy": found.weighted_accuracy,
        "safety_score": safe.score,
        "safety_lower_bound_one_sided95": safe.lower,
    }


def empirical_bernstein(inputs: Json) -> Json:
    path = confidence_sequence(inputs["x"], alpha=inputs["alpha"])
    return {"at": {str(n): ends(path[n - 1]) for n in (10, 50, 100, 120, 150, 200)}}


def normal_mixture(inputs: Json) -> Json:
    assert mixture_rho(200) == pytest.approx(inputs["rho"], abs=1e-12)
    return {str(n): mixture_width(inputs["sd"], n, rho=inputs["rho"]) for n in inputs["n"]}


def cusum(inputs: Json) -> Json:
    found = drift.cusum(inputs["x"], usual=inputs["p0"], alarming=inputs["p1"], bar=inputs["h"])
    return {"path": list(found.path), "alarm_at": found.alarm_at}


def slo_burn(inputs: Json) -> Json:
    windows = [drift.Window(**window) for window in inputs["windows"]]
    assert tuple(windows) == drift.WINDOWS
    rates = {
        name: drift.burn_rate(bad, total, slo=inputs["slo"])
        for name, (bad, total) in inputs["counts"].items()
    }
    fired = drift.fired(rates, windows)
    return {"burn": rates, "fired": [f"{window.action}:{window.long}" for window in fired]}


def judge_anchor(inputs: Json) -> Json:
    found = drift.judge_drift(inputs["gold"], inputs["judge_baseline"], inputs["judge_current"])
    return {
        "baseline_agreement": found.before,
        "current_agreement": found.after,
        "agreement_change": found.after - found.before,
        "agreement_change_wald95": ends(found.change),
        "p_mcnemar_mid": found.p_mid,
        "flip_rate": found.flip_rate,
        "flip_wilson95": ends(found.flips),
    }


def ranking(inputs: Json) -> Json:
    strengths = bradley_terry(inputs["wins"])
    assert strengths is not None
    return {"theta_centered": strengths, "elo_scale": elo(strengths)}


def holdout(inputs: Json) -> Json:
    salt, fraction = inputs["salt"], inputs["holdout_fraction"]
    return {
        case: {
            "u": strata.holdout_place(salt, case),
            "holdout": strata.is_held_out(salt, case, fraction),
        }
        for case in inputs["ids"]
    }


def ladder(inputs: Json) -> Json:
    return {"released": strata.ladder(inputs["holdout_scores"], step=inputs["eta"])}


def confidences(inputs: Json) -> Json:
    p, y = inputs["p"], inputs["y"]
    return {
        "brier": calibration.brier(p, y),
        "ece5": calibration.calibration_error(p, y, bins=5),
        "spearman": calibration.spearman(p, y),
        "kendall_tau_b": calibration.kendall(p, y),
    }
