from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.companions import CompanionsEvaluator
from harness.domain.dependencies import EXACT, MAJOR, MINOR, Companion, DependencyRules
from tests.evaluators.projects import Given, everything_deleted, judge, package


def given(
    rule: str, *, main: str = "react", name: str = "@types/react", node: str = ""
) -> DependencyRules:
    return DependencyRules(companions=(Companion(main, name, rule),), node=node)


@pytest.mark.parametrize(
    ("rule", "spec", "score"),
    [
        (MAJOR, "^18.0.1", 1.0),
        (MAJOR, "^17.0.0", 0.0),
        (MAJOR, "latest", 0.0),
        (MINOR, "~18.2.9", 1.0),
        (MINOR, "~18.3.0", 0.0),
        (EXACT, "18.2.0", 1.0),
        (EXACT, "18.2.1", 0.0),
        ("^18.1", "18.2.1", 1.0),
        ("^18.1", "18.0.1", 0.0),
    ],
)
def test_a_companion_follows_by_its_rule(
    tmp_path: Path, rule: str, spec: str, score: float
) -> None:
    files = {"package.json": package({"react": "^18.2.0", "@types/react": spec})}
    assert judge(tmp_path, CompanionsEvaluator(), Given(files, given(rule))).score == score


def test_the_nearest_main_version_is_followed(tmp_path: Path) -> None:
    files = {
        "package.json": package({"react": "^17.0.0"}),
        "a/package.json": package({"react": "^18.0.0", "@types/react": "^18.0.0"}),
        "b/package.json": package({"@types/react": "^17.0.0"}),
    }
    result = judge(tmp_path, CompanionsEvaluator(), Given(files, given(MAJOR)))
    assert result.score == 1.0, result.details


@pytest.mark.parametrize(
    ("extra", "node"),
    [
        ({}, "18.20.x"),
        ({"engines": {"node": ">=18.17"}}, ""),
        ({"engines": {"node": ">=99"}}, "18.20.x"),
    ],
    ids=["scenario", "engines", "the scenario before engines"],
)
def test_node_is_what_runs_the_project(tmp_path: Path, extra: dict[str, object], node: str) -> None:
    rules = given(MAJOR, main="node", name="@types/node", node=node)
    files = {"package.json": package({"@types/node": "^20.0.0"}, **extra)}
    changed = {"package.json": package({"@types/node": "^18.19.0"}, **extra)}
    assert judge(tmp_path / "old", CompanionsEvaluator(), Given(files, rules)).score == 0.0
    assert judge(tmp_path / "new", CompanionsEvaluator(), Given(files, rules), changed).score == 1.0


def test_a_version_file_says_which_node_runs_the_project(tmp_path: Path) -> None:
    rules = given(MAJOR, main="node", name="@types/node")
    files = {"package.json": package({"@types/node": "^18.0.0"}), ".nvmrc": "v18.20.4\n"}
    assert judge(tmp_path, CompanionsEvaluator(), Given(files, rules)).score == 1.0


def test_a_companion_that_was_dropped_counts_as_wrong(tmp_path: Path) -> None:
    files = {"package.json": package({"react": "^18.2.0", "@types/react": "^18.0.0"})}
    work = Given(files, given(MAJOR))
    dropped = {"package.json": package({"react": "^18.2.0"})}
    assert judge(tmp_path / "a", CompanionsEvaluator(), work, dropped).score == 0.0
    assert judge(tmp_path / "b", CompanionsEvaluator(), work, everything_deleted(work)).score == 0.0


def test_companions_that_nobody_uses_leave_nothing_to_look_at(tmp_path: Path) -> None:
    files = {"package.json": package({"vue": "^3.0.0"})}
    assert judge(tmp_path, CompanionsEvaluator(), Given(files, given(MAJOR))).score is None
