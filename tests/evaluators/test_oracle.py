from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.oracle import OracleEvaluator
from evaluators.reading import Reader
from harness.domain.changes import Changes
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec, Expectation, Oracle
from harness.evaluate import Evidence
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

CHECK = CheckSpec("oracle", "oracle", 1.0)
FILES = {
    "package.json": '{"dependencies": {"a.b": "^2"}, "list": [1, {"x": true}], "none": null}',
    "pyproject.toml": '[project]\nversion = "2.0.0"\n',
    "ci.yaml": "jobs:\n  test:\n    steps: [lint, test]\n",
    "app.py": "import new\n",
    "broken.json": "{",
    "deep.json": "[" * 100_000,
}


def judge(tmp_path: Path, *expected: Expectation) -> CheckResult:
    scenario = a_scenario(tmp_path, files=FILES, oracle=Oracle(expected=expected))
    evidence = Evidence(scenario, Changes(), FakeBox({}, {}), (), None, {}, MemoryArtifacts().put)
    return OracleEvaluator().judge(evidence, CHECK)


@pytest.mark.parametrize(
    ("expected", "holds"),
    [
        (Expectation("e", "package.json", path=("dependencies", "a.b"), equals='"^2"'), True),
        (Expectation("e", "package.json", path=("dependencies", "a.b"), equals='"^3"'), False),
        (Expectation("e", "package.json", path=("list", 1, "x"), equals="true"), True),
        (Expectation("e", "package.json", path=("list", 1, "x"), equals="1"), False),
        (Expectation("e", "package.json", path=("list", 7)), False),
        (Expectation("e", "package.json", path=("none",)), True),
        (Expectation("e", "package.json", path=("none", "x")), False),
        (Expectation("e", "package.json", path=("dependencies", "zod"), absent=True), True),
        (Expectation("e", "pyproject.toml", path=("project", "version"), equals='"2.0.0"'), True),
        (Expectation("e", "ci.yaml", path=("jobs", "test", "steps", 0), equals='"lint"'), True),
        (Expectation("e", "app.py", matches="^import new$"), True),
        (Expectation("e", "app.py", matches="import old", absent=True), True),
        (Expectation("e", "app.py", matches="import new", absent=True), False),
        (Expectation("e", "gone.py", absent=True), True),
        (Expectation("e", "app.py", absent=True), False),
        (Expectation("e", "gone.py"), False),
        (Expectation("e", "broken.json", path=("a",)), False),
        (Expectation("e", "deep.json", path=("a",)), False),
    ],
)  # fmt: skip
def test_an_expected_value_holds_or_not(
    tmp_path: Path, expected: Expectation, *, holds: bool
) -> None:
    assert judge(tmp_path, expected).score == (1.0 if holds else 0.0)


def test_what_commands_make_of_a_file_does_not_count(tmp_path: Path) -> None:
    """A build step of the agent's may write any file; the work is what the agent left."""
    oracle = Oracle(expected=(Expectation("new", "app.py", matches="new"),))
    scenario = a_scenario(tmp_path, files={"app.py": "import old"}, oracle=oracle)
    box = FakeBox({"app.py": b"import new"}, {})
    evidence = Evidence(scenario, Changes(), box, (), None, {}, MemoryArtifacts().put)
    assert OracleEvaluator().judge(evidence, CHECK).score == 0.0


def test_a_pattern_that_backtracks_for_ever_is_ended(tmp_path: Path) -> None:
    oracle = Oracle(expected=(Expectation("n", "a", matches="(a+)+b", absent=True),))
    scenario = a_scenario(tmp_path, files={"a": "a" * 100}, oracle=oracle)
    evidence = Evidence(scenario, Changes(), FakeBox({}, {}), (), None, {}, MemoryArtifacts().put)
    evaluator = OracleEvaluator(lambda: Reader(deadline_s=0.2))
    result = evaluator.judge(evidence, CHECK)
    assert result.score == 0.0
    assert result.details == ("✗ n: a cannot be read: took over 0.2 s",)


def test_expectations_are_weighed(tmp_path: Path) -> None:
    result = judge(
        tmp_path,
        Expectation("right", "app.py", weight=3),
        Expectation("wrong", "gone.py", weight=1),
    )
    assert result.score == 0.75
    assert result.details == ("✓ right", "✗ wrong: no file gone.py")


def test_no_expected_values_is_no_score(tmp_path: Path) -> None:
    assert judge(tmp_path).score is None


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.toml", "a = 0x" + "f" * 9999),
        ("a.toml", ".".join(["a"] * 5000) + " = 1"),
        ("a.yaml", "a: !!int ''"),
        ("a.yaml", "a: !!bool foo"),
        ("a.yaml", "a: !!timestamp foo"),
        ("a.yaml", "a: {1: x, b: y}"),
        ("a.yaml", "a: &a [*a]"),
        ("a.yaml", "a: 0x" + "f" * 9999),
        ("a.json", '{"a": ' + "9" * 9999 + "}"),
    ],
    ids=lambda value: value[:20],
)
def test_no_file_of_an_agent_makes_the_oracle_raise(tmp_path: Path, file: str, text: str) -> None:
    oracle = Oracle(expected=(Expectation("n", file, path=("a",), equals='"x"'),))
    scenario = a_scenario(tmp_path, files={file: text}, oracle=oracle)
    evidence = Evidence(scenario, Changes(), FakeBox({}, {}), (), None, {}, MemoryArtifacts().put)
    assert OracleEvaluator().judge(evidence, CHECK).score == 0.0


@pytest.mark.parametrize("file", ["broken.json", "gone.json"])
def test_a_file_that_cannot_be_read_does_not_prove_absence(tmp_path: Path, file: str) -> None:
    assert judge(tmp_path, Expectation("n", file, path=("a",), absent=True)).score == 0.0


def test_what_is_missing_is_told_as_it_was_written(tmp_path: Path) -> None:
    result = judge(tmp_path, Expectation("n", "app.py", matches=r"it's \d+\.0"))
    assert result.details == (r"✗ n: nothing in app.py matches /it's \d+\.0/",)
