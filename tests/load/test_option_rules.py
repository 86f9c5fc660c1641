from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources

import pytest

from evaluators import performance
from harness.load.gitignore import glob_problem
from harness.load.option_rules import GLOBS, TARGET, WORST, option_rules
from harness.load.rules import rule_problems
from harness.load.source import read_source
from tests.load.project import MINIMAL, Project


def said(kind: str, **options: object) -> list[tuple[object, ...]]:
    return [(*problem.place, problem.text) for problem in option_rules(kind, options)]


@pytest.mark.parametrize("glob", ["[z-a]", "!", "[a-", "src/[", "[!]", "a\\", "[]", "a\nb"])
def test_a_pattern_that_gitignore_could_not_read_is_named(glob: str) -> None:
    assert "is no glob as .gitignore writes it" in glob_problem(glob)


@pytest.mark.parametrize("glob", ["# tests", "/", "  "])
def test_a_pattern_that_means_no_path_is_named(glob: str) -> None:
    assert "means no path" in glob_problem(glob)


@pytest.mark.parametrize(
    "glob",
    [
        "src/",
        "!src/a",
        "**/*.py",
        "[a-z].py",
        "[]a]",
        "[!]]",
        "[[:alpha:]]x",
        r"\[a",
        "[\\]]",
        "a]",
    ],
)
def test_a_pattern_as_people_write_them_is_none_the_worse(glob: str) -> None:
    assert glob_problem(glob) == ""


@pytest.mark.parametrize(("kind", "key"), [(k, key) for k in GLOBS for key in GLOBS[k]])
def test_every_option_that_holds_patterns_is_looked_at(kind: str, key: str) -> None:
    ((*place, text),) = said(kind, **{key: ["src/", "[z-a]"]})
    assert place == [key, 1]
    assert "'[z-a]' is no glob" in str(text)


def test_no_option_that_a_schema_calls_patterns_is_forgotten() -> None:
    folder = resources.files("harness.load").joinpath("schemas", "options")
    for file in folder.iterdir():
        properties = json.loads(file.read_text()).get("properties", {})
        kind = file.name.removesuffix(".schema.json")
        found = {key for key, value in properties.items() if value.get("$ref") == "#/$defs/globs"}
        assert found <= set(GLOBS.get(kind, ()))
        assert set(GLOBS.get(kind, ())) <= set(properties)


def test_what_holds_where_nothing_is_given_is_what_the_evaluator_takes() -> None:
    assert (TARGET, WORST) == (performance.TARGET, performance.WORST)


def test_protected_paths_are_held_to_the_same(project: Callable[..., Project]) -> None:
    made = project(MINIMAL + "protected: [tests/, '[a-']\n")
    (problem,) = rule_problems(read_source(made.folder / "scenario.yaml"))
    assert problem == (("protected", 1), "'[a-' is no glob as .gitignore writes it", False)


@pytest.mark.parametrize(
    ("options", "key", "text"),
    [
        ({"metric": "took (["}, "metric", "is no regular expression"),
        ({"metric": "took [0-9]+"}, "metric", "has no group"),
        ({"worst": 1}, "worst", "has to be above that"),
        ({"target": 0.5, "worst": 2}, "worst", "a cost of 2 scores 0 and one of 2 (1 ÷ target)"),
        ({"target": 0.4}, "target", "a cost of 2 scores 0 and one of 2.5"),
    ],
)
def test_a_benchmark_that_could_not_be_scored_is_refused(
    options: dict[str, object], key: str, text: str
) -> None:
    ((place, told),) = said("performance", command="x", **options)
    assert place == key
    assert text in str(told)


def test_what_can_be_scored_is_let_through() -> None:
    assert said("performance", command="x", metric="([0-9.]+) ms", target=0.9, worst=1.2) == []
    assert said("diff_size", expected=2, most=6, exclude=["dist/"]) == []
    assert said("diff_size", most=6) == []


def test_a_size_that_scores_nothing_lies_above_the_one_that_is_expected() -> None:
    ((place, text),) = said("diff_size", expected=10, most=10)
    assert place == "most"
    assert "10 lines score 0, but 10 are `expected`" in str(text)


def test_what_the_schema_refuses_is_left_to_it() -> None:
    assert said("diff_size", expected="ten", most=1) == []
    assert said("scope", allowed="src", forbidden=[3]) == []
    assert said("performance", metric=3, target="x", worst=-1) == []
