from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.efficiency import EfficiencyEvaluator
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest
from harness.domain.model import ModelUse, Usage
from harness.domain.record import CheckResult, Control
from harness.domain.scenario import CheckSpec
from harness.domain.session import Ending, Session, ToolCount
from harness.evaluate import Evidence, Work
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

CHANGED = Changes((Change(b"app.py", ChangeKind.FILE),))
SESSION = Session(
    Ending.FINISHED,
    duration_s=200.0,
    calls=(ToolCount("run_command", 40),),
    usage=Usage(input_tokens=90_000, output_tokens=10_000),
    cost_usd=0.1,
    model_use=ModelUse(turns=20),
)


def judge(
    tmp_path: Path,
    options: dict[str, float] | None = None,
    *,
    session: Session | None = SESSION,
    changes: Changes = CHANGED,
    earlier: tuple[CheckResult, ...] = (),
    control: tuple[CheckResult, ...] = (),
) -> CheckResult:
    scenario = a_scenario(tmp_path)
    solution = tmp_path / "solution"
    if solution.is_dir():
        scenario = replace(scenario, solution=solution)
    evidence = Evidence(
        scenario,
        changes,
        FakeBox({}, {}),
        (),
        Control(Digest("2" * 64), (), control) if control else None,
        {},
        MemoryArtifacts().put,
        Work(changes, session=session),
        earlier={each.name: each for each in earlier},
    )
    check = CheckSpec("efficiency", "efficiency", 1.0, options=options or {})
    return EfficiencyEvaluator().judge(evidence, check)


def scores(name: str, score: float | None, weight: float = 1.0) -> CheckResult:
    return CheckResult(name, name, score, weight)


@pytest.mark.parametrize(
    ("options", "score"),
    [
        ({"turns": 10}, 0.5),
        ({"turns": 40}, 1.0),
        ({"tool_calls": 10}, 0.25),
        ({"tokens": 50_000}, 0.5),
        ({"usd": 0.2}, 1.0),
        ({"seconds": 100}, 0.5),
        ({"turns": 10, "usd": 0.2}, 0.75),
    ],
)
def test_each_figure_is_held_against_its_par(
    tmp_path: Path, options: dict[str, float], score: float
) -> None:
    assert judge(tmp_path, options).score == score


def test_without_pars_a_quarter_of_the_time_and_a_few_calls_are_expected(tmp_path: Path) -> None:
    assert judge(tmp_path).score == 150 / 200
    (tmp_path / "solution" / "src").mkdir(parents=True)
    (tmp_path / "solution" / "src" / "app.py").write_text("x = 2\n")
    (tmp_path / "solution" / "solution.patch").write_text(
        "diff --git a/b b/b\ndiff --git a/c b/c\n"
    )
    assert judge(tmp_path).score == (150 / 200 + (10 + 3 * 4) / 40) / 2


def test_a_figure_that_is_not_known_does_not_count(tmp_path: Path) -> None:
    bare = Session(Ending.FINISHED, 200.0)
    result = judge(tmp_path, {"seconds": 100, "usd": 1, "tokens": 1, "tool_calls": 9}, session=bare)
    assert result.score == 0.5
    assert "usd: not known of this session" in result.details
    assert judge(tmp_path, {"usd": 1}, session=bare).score is None


def test_doing_nothing_at_once_is_not_efficient(tmp_path: Path) -> None:
    assert judge(tmp_path, {"turns": 99}, changes=Changes()).score == 0.0


def test_quick_work_that_achieves_nothing_scores_nothing(tmp_path: Path) -> None:
    control = (scores("test", 0.0), scores("build", 1.0))
    earlier = (scores("test", 0.0), scores("build", 1.0))
    assert judge(tmp_path, {"turns": 99}, earlier=earlier, control=control).score == 0.0


@pytest.mark.parametrize(
    ("test", "build", "score"),
    [(1.0, 1.0, 1.0), (0.5, 1.0, 0.5), (0.75, 0.75, 0.5), (0.5, 0.0, 0.0), (None, 1.0, 1.0)],
)
def test_what_was_missing_and_is_there_now_counts(
    tmp_path: Path, test: float | None, build: float, score: float
) -> None:
    control = (scores("test", 0.0), scores("build", 1.0))
    earlier = (scores("test", test), scores("build", build))
    found = judge(tmp_path, {"turns": 99}, earlier=earlier, control=control)
    assert found.score == score


def test_breaking_what_was_whole_is_not_efficient(tmp_path: Path) -> None:
    control, earlier = (scores("build", 1.0),), (scores("build", 0.0),)
    assert judge(tmp_path, {"turns": 99}, earlier=earlier, control=control).score == 0.0


def test_how_the_work_was_done_is_no_achievement(tmp_path: Path) -> None:
    control = (scores("test", 0.0),)
    earlier = (scores("test", 0.0), scores("user_questions_quality", 1.0, weight=9.0))
    assert judge(tmp_path, {"turns": 99}, earlier=earlier, control=control).score == 0.0


def test_nobody_worked_on_the_untouched_fixture(tmp_path: Path) -> None:
    assert judge(tmp_path, session=None).score is None


@pytest.mark.parametrize(
    ("took_s", "shown"), [(0.0123456, "0.0"), (61.23456, "61.2"), (1234.5678, "1235")]
)
def test_seconds_are_told_with_digits_that_mean_something(
    tmp_path: Path, took_s: float, shown: str
) -> None:
    session = replace(SESSION, duration_s=took_s)
    result = judge(tmp_path, {"seconds": 100.0, "tokens": 3_000_000.0}, session=session)
    assert result.details[0].startswith(f"seconds: {shown} used, par 100: ")
    assert result.details[1] == "tokens: 100000 used, par 3000000: 1.00"
