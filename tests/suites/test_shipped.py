"""Every shipped scenario tells right from wrong, and its five prompts differ."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path

import pytest

from harness.domain.scenario import TIERS
from harness.load.scenarios import find_scenarios, find_suites, load_scenario, validate_scenario
from harness.wiring import evaluator_kinds

ROOT = Path(__file__).parents[2]
SHIPPED = [(suite, name) for suite in find_suites(ROOT) for name in find_scenarios(ROOT, suite)]
EACH = pytest.mark.parametrize(("suite", "name"), SHIPPED, ids=["/".join(s) for s in SHIPPED])
ALIKE = 0.7


def test_there_are_at_least_eight_in_three_suites() -> None:
    assert len(SHIPPED) >= 8
    assert len({suite for suite, _ in SHIPPED}) >= 3


@EACH
def test_it_is_complete_and_without_warnings(suite: str, name: str) -> None:
    report = validate_scenario(ROOT, suite, name, evaluator_kinds())
    assert report.errors == ()
    assert report.warnings == ()


@EACH
def test_its_tiers_are_worded_differently(suite: str, name: str) -> None:
    scenario = load_scenario(ROOT, suite, name, evaluator_kinds())
    assert scenario.tiers == tuple(TIERS)
    for one, other in combinations(scenario.prompts, 2):
        likeness = SequenceMatcher(None, one.text, other.text).ratio()
        assert likeness < ALIKE, (one.tier, other.tier)


@EACH
def test_it_has_answers_hidden_tests_a_solution_and_three_wrong_ones(suite: str, name: str) -> None:
    scenario = load_scenario(ROOT, suite, name, evaluator_kinds())
    wrong = [p for p in (scenario.folder / "wrong").iterdir() if p.is_dir()]
    assert scenario.oracle.answers
    assert scenario.hidden is not None
    assert scenario.solution is not None
    assert len(wrong) >= 3
    assert all((folder / "WHY.md").read_text(encoding="utf-8").strip() for folder in wrong)


@pytest.mark.docker
@EACH
def test_it_is_proved(suite: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "suites").symlink_to(ROOT / "suites")
    code = "from harness.cli.bench import main; main()"
    arguments = ["validate", suite, name, "--prove", "--json", "--root", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    (found,) = json.loads(done.stdout)["scenarios"]
    assert found["errors"] == []
    assert done.returncode == 0
