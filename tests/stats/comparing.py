"""What the comparison's formulas make of each vector."""

from __future__ import annotations

import math
from typing import Any

from harness.domain.record import CheckResult
from harness.domain.scoring import is_success, total_score
from harness.stats import power, proportions
from harness.stats.bayes import probability_better
from harness.stats.bootstrap import bca, cluster_bootstrap, percentile, ratios
from harness.stats.clustered import (
    clustered_mean,
    clustered_ratio,
    design_effect,
    effective_size,
)
from harness.stats.exact import mcnemar, wilcoxon
from harness.stats.moments import correlation, mean, quantile, variance
from harness.stats.multiplicity import (
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    hochberg,
    holm,
)
from harness.stats.paired import PairedCell, paired_difference
from harness.stats.passk import pass_at_k, pass_hat_k
from harness.stats.streams import pcg64_indices, sha256_stream
from harness.stats.validity import bounds

Json = Any
"""Whatever a vector holds: its shape is the vector's own."""


def ends(interval: Json) -> list[float]:
    return [interval.low, interval.high]


def run_score(inputs: Json) -> Json:
    given = inputs["evaluators"]
    checks = [
        CheckResult(
            name=each["name"],
            kind="any",
            score=each["score"] / each["max"] if "score" in each else None,
            weight=each["weight"],
            required=each["name"] in inputs.get("must_pass", ()),
        )
        for each in given
    ]
    if any(each.get("status") == "error" for each in given):
        between = bounds([c.score for c in checks], [c.weight for c in checks])
        return {"bounds": [between.worst, between.best]}
    weighted = total_score(checks)
    return {
        "weighted_score": weighted,
        "total_score": mean([c.score for c in checks if c.score is not None]),
        "success": is_success(checks, weighted, inputs["threshold"]),
    }


def batch_summary(inputs: Json) -> Json:
    runs = inputs["runs"]
    n = len(runs)

    def by_scenario(key: str) -> dict[str, list[float]]:
        groups: dict[str, list[float]] = {}
        for run in runs:
            groups.setdefault(run["scenario"], []).append(run[key])
        return groups

    scores = [run["score"] for run in runs]
    found, passed = clustered_mean(by_scenario("score")), clustered_mean(by_scenario("success"))
    successes = sum(run["success"] for run in runs)
    deff = design_effect(passed, passed.mean * (1 - passed.mean) / n)
    effective = effective_size(n, deff)
    lasted = sorted(run["duration_ms"] for run in runs)
    price = clustered_ratio(by_scenario("cost_usd"), by_scenario("success"))
    assert price is not None
    return {
        "n": n,
        "n_clusters": found.clusters,
        "mean": found.mean,
        "sd": math.sqrt(variance(scores)),
        "se_naive": math.sqrt(variance(scores) / n),
        "se_clustered_cr1": found.se,
        "df": found.df,
        "ci95_t_clustered": ends(found),
        "design_effect_score": design_effect(found, variance(scores) / n),
        "success_rate": passed.mean,
        "wilson95": ends(proportions.wilson(successes, n)),
        "clopper_pearson95": ends(proportions.clopper_pearson(successes, n)),
        "jeffreys95": ends(proportions.jeffreys(successes, n)),
        "success_se_clustered": passed.se,
        "deff_success": deff,
        "n_eff": effective,
        "wilson95_effective_n": ends(proportions.success_interval(successes, n, effective)),
        "duration_p50": quantile(lasted, 0.5),
        "duration_p95": quantile(lasted, 0.95),
        "duration_p99": quantile(lasted, 0.99),
        "cost_total": math.fsum(run["cost_usd"] for run in runs),
        "cost_per_success": price.mean,
        "cost_per_success_se_clustered": price.se,
    }


def pass_k(_: Json) -> Json:
    cases = {f"n{n}_c{c}_k{k}": (n, c, k) for n, c in TRIES for k in (1, 3, 5)}
    return {
        name: {"pass_at_k": pass_at_k(*case), "pass_hat_k": pass_hat_k(*case)}
        for name, case in cases.items()
    }


TRIES = ((10, 3), (5, 5), (5, 0), (8, 1))


def paired_clustered(inputs: Json) -> Json:
    cells = [
        PairedCell(cell["scenario"], tuple(cell["baseline"]), tuple(cell["specialist"]))
        for cell in inputs["cells"]
    ]
    found = paired_difference(cells)
    alone = clustered_mean({str(n): [cell.difference] for n, cell in enumerate(cells)})
    means = dict(found.cluster_means)
    return {
        "n_cells": found.cells,
        "n_clusters": found.clusters,
        "baseline_macro": found.baseline,
        "specialist_macro": found.specialist,
        "delta": found.delta,
        "relative_pct": found.relative_pct,
        "se_cr1": found.general.se,
        "t": found.general.t,
        "df": found.general.df,
        "p_two_sided": found.general.p_two_sided,
        "ci95": ends(found.general),
        "lower_one_sided95": found.general.lower_bound(),
        "naive_se_ignoring_clusters": alone.se,
        "se_fixed_scenarios_iteration_noise_only": found.these.se,
        "cluster_means": list(means.values()),
        "sign_flip_exact_p_two_sided": found.check.p_two_sided,
        "sign_flip_exact_p_greater": found.check.p_greater,
        "wilcoxon_exact_p": wilcoxon(list(means.values())),
        "cell_corr_baseline_specialist": correlation(
            [mean(cell.baseline) for cell in cells], [mean(cell.specialist) for cell in cells]
        ),
    }


def mcnemar_test(inputs: Json) -> Json:
    table = inputs["table"]
    found = mcnemar(
        both=table["both_pass"],
        before_only=table["baseline_only"],
        after_only=table["specialist_only"],
        neither=table["both_fail"],
    )
    return {
        "delta": found.delta,
        "p_exact": found.p_exact,
        "p_mid": found.p_mid,
        "chi2_cc": found.chi2_corrected,
        "p_chi2_cc": found.p_chi2_corrected,
        "chi2": found.chi2,
        "p_chi2": found.p_chi2,
        "wald_se": found.wald_se,
    }


def numpy_bootstrap(inputs: Json) -> Json:
    sums, counts = inputs["cluster_sums"], inputs["cluster_counts"]
    size = len(sums)
    few, many = (pcg64_indices(20261121, b * size, size) for b in inputs["resamples"])
    first = ratios(sums, counts, few)
    return {
        "first_rows": [few[at : at + size] for at in (0, size, 2 * size)],
        "replicates_first3": first[:3],
        "ci95_B1000": ends(percentile(sorted(first))),
        "ci95_B10000": ends(percentile(sorted(ratios(sums, counts, many)))),
    }


def sha256_bootstrap(inputs: Json) -> Json:
    sums, counts, b = inputs["cluster_sums"], inputs["cluster_counts"], inputs["resamples"]
    size = len(sums)
    stream = sha256_stream("bench-bootstrap-v1", 20261121)
    drawn = stream.indices(b * size, size)
    return {
        "seed_hex": stream.key.hex(),
        "first_rows": [drawn[at : at + size] for at in (0, size, 2 * size)],
        "replicates_first3": ratios(sums, counts, drawn)[:3],
        "ci95": ends(cluster_bootstrap(sums, counts, resamples=b, seed=20261121)),
    }


def bca_reference(inputs: Json) -> Json:
    values = inputs["values"]
    ones = [1.0] * len(values)
    return {
        "percentile95": ends(cluster_bootstrap(values, ones)),
        "bca95": ends(bca(values, ones)),
    }


def beta_binomial(inputs: Json) -> Json:
    specialist, baseline = inputs["specialist"], inputs["baseline"]
    return {
        "jeffreys95_specialist": ends(proportions.jeffreys(*specialist)),
        "jeffreys95_baseline": ends(proportions.jeffreys(*baseline)),
        "p_specialist_gt_baseline": probability_better(*specialist, over=tuple(baseline)),
    }


def multiplicity(inputs: Json) -> Json:
    ways = {
        "holm": holm,
        "fdr_bh": benjamini_hochberg,
        "fdr_by": benjamini_yekutieli,
        "bonferroni": bonferroni,
        "simes-hochberg": hochberg,
    }
    adjusted = {name: way(inputs["p"]) for name, way in ways.items()}
    return {
        name: {"adjusted": ps, "reject": [p <= inputs["alpha"] for p in ps]}
        for name, ps in adjusted.items()
    }


def power_mde(inputs: Json) -> Json:
    deviation, clusters = inputs["sd_of_cluster_mean_differences"], inputs["n_clusters"]
    target, pairs = inputs["target_delta"], inputs["mcnemar"]
    two_sided = power.clusters_for(target, deviation)
    assert two_sided is not None
    needed = power.pairs_for(pairs["delta"], pairs["discordance"])
    return {
        "mde_noncentral_t": power.detectable(deviation, clusters),
        "mde_normal_approx": power.detectable_roughly(deviation, clusters),
        "required_clusters_two_sided": two_sided,
        "required_clusters_two_sided_ceil": math.ceil(two_sided),
        "required_clusters_one_sided": power.clusters_for(target, deviation, sides=1),
        "mcnemar_pairs": needed,
        "mcnemar_pairs_ceil": math.ceil(needed),
    }
