"""Numbers that other libraries computed, each to the tolerance it came with."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.stats import comparing, judging

STATS = Path(__file__).parents[2] / "harness/stats"
VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
KNOWN = {vector["id"]: vector for vector in VECTORS["vectors"]}
Json = Any
"""Whatever a vector holds: its shape is the vector's own."""
COMPUTED: dict[str, Callable[[Json], Json]] = {
    "run_score.basic": comparing.run_score,
    "run_score.skipped_and_gate": comparing.run_score,
    "run_score.evaluator_error": comparing.run_score,
    "batch.summary": comparing.batch_summary,
    "pass_k": comparing.pass_k,
    "compare.paired_clustered": comparing.paired_clustered,
    "compare.mcnemar": comparing.mcnemar_test,
    "bootstrap.cluster_percentile": comparing.numpy_bootstrap,
    "bootstrap.sha256_counter": comparing.sha256_bootstrap,
    "bootstrap.bca_reference": comparing.bca_reference,
    "bayes.beta_binomial": comparing.beta_binomial,
    "multiplicity": comparing.multiplicity,
    "power.mde": comparing.power_mde,
    "gate.worst_segment": judging.worst_segment,
    "gate.zero_failures": judging.zero_failures,
    "gate.small_G_guard": judging.small_g,
    "gate.planning": judging.planning,
    "judges.kappa_matrix": judging.kappa_matrix,
    "judges.prevalence_paradox": judging.prevalence,
    "judge.calibration_ppi": judging.ppi,
    "judge.active_inference": judging.active,
    "judge.confidence_calibration": judging.confidences,
    "score.cost_asymmetric": judging.asymmetric,
    "sequential.empirical_bernstein_cs": judging.empirical_bernstein,
    "sequential.normal_mixture": judging.normal_mixture,
    "drift.cusum_bernoulli": judging.cusum,
    "drift.slo_burn_rate": judging.slo_burn,
    "drift.judge_anchor_set": judging.judge_anchor,
    "ranking.bradley_terry": judging.ranking,
    "strata.holdout_split": judging.holdout,
    "holdout.ladder": judging.ladder,
}
UNSAID = {
    "run_score.skipped_and_gate": {"reason"},
    "run_score.evaluator_error": {"status", "weighted_score"},
    "bootstrap.cluster_percentile": {"replicates_sha256_le_f64_B1000"},
    "judges.prevalence_paradox": {"kappa_all_same_category"},
}
"""Words of a vector, and one digest that it leaves open."""


def close(found: Json, expected: Json, tolerance: float, where: str) -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key, value in expected.items():
            close(found[key], value, tolerance, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for n, value in enumerate(expected):
            close(found[n], value, tolerance, f"{where}[{n}]")
    elif isinstance(expected, float):
        limit = tolerance * max(1.0, abs(expected))
        assert abs(found - expected) <= limit, f"{where}: {found!r}, not {expected!r}"
    else:
        assert found == expected, where


@pytest.mark.parametrize("name", COMPUTED)
def test_every_number_agrees_with_other_libraries(name: str) -> None:
    vector = KNOWN[name]
    unsaid = UNSAID.get(name, set())
    expected = {key: value for key, value in vector["expected"].items() if key not in unsaid}
    close(COMPUTED[name](vector["inputs"]), expected, vector["tolerance"], name)


def test_no_vector_is_left_out() -> None:
    assert {name for name in KNOWN if not name.startswith("prov.")} == set(COMPUTED)


@pytest.mark.parametrize("path", sorted(STATS.glob("*.py")), ids=lambda path: path.name)
def test_the_formulas_need_nothing_but_the_standard_library(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    outside = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
    assert all(name.startswith("harness.stats.") for name in outside)
