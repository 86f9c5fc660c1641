"""Which checks are made, in what order, and what becomes of one that breaks down."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn, cast

import pytest

from harness.agents.base import Outcome
from harness.domain.changes import Changes
from harness.domain.grading import Grading, graded
from harness.domain.ids import BatchId
from harness.domain.model import ModelRef
from harness.domain.record import CheckResult, RunRecord
from harness.domain.scenario import CheckSpec, Scenario, TierProfile
from harness.domain.spec import AgentRef
from harness.errors import Interrupted, UsageError
from harness.evaluate import Cost, Evaluator, Evidence, evaluate, not_run, scored
from harness.plan import Selection, plan
from harness.run import attempt
from harness.testing.builders import FakeAgent, a_scenario, a_spec, some_tools
from harness.testing.judge import FakeJudges
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts


@dataclass
class Scores:
    """Gives what it was told to give, and remembers who was asked when."""

    score: float = 1.0
    cost: Cost = Cost.DATA
    asked: list[str] = field(default_factory=list)

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        self.asked.append(check.name + ("!" if evidence.untouched else ""))
        return scored(check, self.score)


class Breaks:
    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        raise ZeroDivisionError(f"a bug of ours in {check.name} of {evidence.scenario.key}")


def run(scenario: Scenario, **evaluators: Evaluator) -> RunRecord:
    return attempt(a_spec(scenario), BatchId("b"), some_tools(evaluators, agent=FakeAgent()).tools)


def by_name(record: RunRecord, name: str) -> CheckResult:
    return next(check for check in record.checks if check.name == name)


def test_an_evaluator_that_crashes_leaves_the_run_partly_graded(tmp_path: Path) -> None:
    checks = (CheckSpec("good", "good", 1.0), CheckSpec("bad", "bad", 1.0))
    record = run(a_scenario(tmp_path, checks=checks), good=Scores(), bad=Breaks())
    bad = by_name(record, "bad")
    assert (bad.score, bad.crashed) == (None, True)
    assert "ZeroDivisionError: a bug of ours" in bad.reason
    assert bad.artifacts[0].name == "bad.traceback"
    # the total is of what ran, and a work that broke an evaluator does not pass
    assert (record.total_score, record.passed, record.partly_graded) == (1.0, False, True)


def test_a_gate_that_is_not_reached_scores_zero(tmp_path: Path) -> None:
    checks = (
        CheckSpec("dear", "dear", 1.0, after=(("cheap", 0.8),)),
        CheckSpec("cheap", "cheap", 1.0),
    )
    dear = Scores()
    record = run(a_scenario(tmp_path, checks=checks), dear=dear, cheap=Scores(0.5))
    # left out, it would have raised the total of worse work
    assert record.total_score == 0.25
    assert "it is made after cheap scores 0.8, which has 0.5" in by_name(record, "dear").details[0]
    assert dear.asked == ["dear!"]


def test_a_gate_that_has_no_score_leaves_the_check_out(tmp_path: Path) -> None:
    checks = (
        CheckSpec("dear", "dear", 1.0, after=(("gone", 1.0),)),
        CheckSpec("gone", "gone", 1.0),
    )
    assert by_name(run(a_scenario(tmp_path, checks=checks), dear=Scores()), "dear").score is None


def test_cheap_checks_come_first_and_results_stand_in_the_scenarios_order(tmp_path: Path) -> None:
    asked: list[str] = []
    kinds = {cost.value: Scores(cost=cost, asked=asked) for cost in reversed(Cost)}
    checks = tuple(CheckSpec(kind, kind, 1.0) for kind in kinds)
    record = run(a_scenario(tmp_path, checks=checks), **kinds)
    # the untouched fixture is not judged: that would cost money
    assert asked == ["data!", "sandbox!", "data", "sandbox", "model"]
    assert [check.name for check in record.checks] == ["model", "sandbox", "data"]


def test_a_cheap_check_can_wait_for_a_dear_one(tmp_path: Path) -> None:
    asked: list[str] = []
    checks = (
        CheckSpec("cheap", "cheap", 1.0, after=(("dear", 1.0),)),
        CheckSpec("dear", "dear", 1.0),
    )
    dear, cheap = Scores(cost=Cost.SANDBOX, asked=asked), Scores(asked=asked)
    assert run(a_scenario(tmp_path, checks=checks), dear=dear, cheap=cheap).total_score == 1.0
    assert asked == ["dear!", "cheap!", "dear", "cheap"]


@pytest.mark.parametrize("cost", [Cost.DATA, Cost.SANDBOX])
def test_a_check_sees_those_that_were_made_before_it(tmp_path: Path, cost: Cost) -> None:
    seen: list[list[str]] = []

    class Looks:
        def __init__(self) -> None:
            self.cost = cost

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            seen.append(sorted(evidence.earlier))
            return scored(check, 1.0)

    checks = tuple(CheckSpec(name, "looks", 1.0) for name in ("a", "b", "c"))
    run(a_scenario(tmp_path, checks=checks), looks=Looks())
    assert seen[3:] == [[], ["a"], ["a", "b"]]


ANSWERS: dict[str, Callable[[CheckSpec], object]] = {
    "too much": lambda check: scored(check, 2.5),
    "less than nothing": lambda check: scored(check, -0.1),
    "no number": lambda check: scored(check, float("nan")),
    "nothing": lambda _check: None,
    "a dictionary": lambda check: {"name": check.name, "score": 1.0},
    "another's": lambda check: scored(replace(check, name="other"), 1.0),
    "an exit": lambda _check: sys.exit(3),
    "a complaint": lambda _check: _raise(UsageError("options.how makes no sense")),
}


def _raise(error: Exception) -> NoReturn:
    raise error


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_is_none_is_a_breakdown_and_no_score(tmp_path: Path, answer: str) -> None:
    class Plugin:
        cost = Cost.DATA

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            if evidence.untouched:
                return scored(check, 0.0)
            return cast("CheckResult", ANSWERS[answer](check))

    checks = (CheckSpec("good", "good", 1.0), CheckSpec("odd", "odd", 1.0))
    record = run(a_scenario(tmp_path, checks=checks), good=Scores(), odd=Plugin())
    assert record.fault is None
    assert (by_name(record, "odd").score, record.partly_graded, record.passed) == (
        None,
        True,
        False,
    )


def test_a_complaint_about_options_ends_the_run_before_anybody_works(tmp_path: Path) -> None:
    class Complains:
        cost = Cost.DATA

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            raise UsageError(f"options.how of {check.kind} makes no sense ({evidence.untouched})")

    worked: list[str] = []
    agent = FakeAgent(lambda _task, _bench: worked.append("x") or Outcome())
    tools = some_tools({"c": Complains()}, agent=agent).tools
    scenario = a_scenario(tmp_path, checks=(CheckSpec("c", "c", 1.0),))
    with pytest.raises(UsageError, match=r"suite/scenario, check 'c': options\.how of c"):
        attempt(a_spec(scenario), BatchId("b"), tools)
    assert worked == []


def test_what_is_compared_with_a_breakdown_breaks_down_too(tmp_path: Path) -> None:
    class Compares:
        cost = Cost.DATA

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            if evidence.untouched:
                raise ZeroDivisionError
            return not_run(check, "it could not run on the untouched fixture")

    checks = (CheckSpec("good", "good", 1.0), CheckSpec("c", "c", 1.0))
    record = run(a_scenario(tmp_path, checks=checks), good=Scores(), c=Compares())
    assert (record.partly_graded, record.passed) == (True, False)


def test_judges_work_at_the_same_time(tmp_path: Path) -> None:
    both = threading.Barrier(2)

    class Waits:
        cost = Cost.MODEL

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            del evidence
            both.wait(30)
            return scored(check, 1.0)

    checks = (CheckSpec("one", "waits", 1.0), CheckSpec("two", "waits", 1.0))
    assert run(a_scenario(tmp_path, checks=checks), waits=Waits()).total_score == 1.0


def test_who_stops_waits_for_no_judge(tmp_path: Path) -> None:
    gone = threading.Event()

    class Cut(FakeJudges):
        def cut(self) -> None:
            gone.set()

    class Waits:
        cost = Cost.MODEL

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            del evidence
            if check.name == "one":
                raise Interrupted
            assert gone.wait(30)
            return scored(check, 1.0)

    checks = (CheckSpec("one", "waits", 1.0), CheckSpec("two", "waits", 1.0))
    evidence = Evidence(
        a_scenario(tmp_path, checks=checks),
        Changes(),
        FakeBox({}, {}),
        (),
        None,
        {},
        MemoryArtifacts().put,
        judges=Cut(),
    )
    with pytest.raises(Interrupted):
        evaluate(evidence, {"waits": Waits()}, print)


@pytest.mark.parametrize(("threshold", "passes"), [(1.0, False), (0.8, True)])
def test_a_required_check_has_a_threshold_of_its_own(
    tmp_path: Path, threshold: float, *, passes: bool
) -> None:
    checks = (CheckSpec("c", "c", 1.0, required=True, threshold=threshold),)
    assert run(a_scenario(tmp_path, checks=checks), c=Scores(0.9)).passed is passes


def test_only_and_skip_choose_among_the_checks(tmp_path: Path) -> None:
    checks = tuple(CheckSpec(name, "c", 1.0) for name in ("a", "b", "c"))
    scenario = a_scenario(tmp_path, checks=checks)

    def chosen(grading: Grading) -> list[str]:
        return [check.name for check in graded(scenario, "L1", grading).checks]

    assert chosen(Grading(only=("c", "a"))) == ["a", "c"]
    assert chosen(Grading(skip=("b",))) == ["a", "c"]
    with pytest.raises(UsageError, match=r"--only 'd': suite/scenario has no such check"):
        chosen(Grading(only=("d",)))
    gated = replace(scenario, checks=(*checks, CheckSpec("d", "c", 1.0, after=(("a", 1.0),))))
    with pytest.raises(UsageError, match="'d' waits for 'a', which --only and --skip leave out"):
        graded(gated, "L1", Grading(skip=("a",)))
    with pytest.raises(UsageError, match="leave no check that has a weight"):
        chosen(Grading(only=("a",), skip=("a",)))


def test_other_checks_are_another_task(tmp_path: Path) -> None:
    checks = tuple(CheckSpec(name, "c", 1.0) for name in ("a", "b"))
    scenario = a_scenario(tmp_path, checks=checks)
    agents = (a_spec(scenario).agent,)
    (whole,) = plan(Selection((scenario,), ("L1",), agents))
    (part,) = plan(Selection((scenario,), ("L1",), agents, grading=Grading(skip=("b",))))
    assert whole.task_digest != part.task_digest


def test_judges_need_somebody_to_judge_for(tmp_path: Path) -> None:
    grading = Grading(judges=(ModelRef("openai", "judge"),))
    agents = (AgentRef("echo"),)
    judged = (CheckSpec("review", "llm_judge", 1.0),)
    assert plan(Selection((a_scenario(tmp_path, checks=judged),), ("L1",), agents, grading=grading))
    with pytest.raises(UsageError, match=r"bench judge last --judge"):
        plan(Selection((a_scenario(tmp_path),), ("L1",), agents, grading=grading))


def test_a_tiers_profile_shifts_the_weights(tmp_path: Path) -> None:
    kinds = ("test", "efficiency", "user_questions_quality")
    checks = tuple(CheckSpec(kind, kind, 1.0) for kind in kinds)
    profiles = (TierProfile("L0", ask_user_bonus=0.2, efficiency_weight=0.8),)
    scenario = replace(a_scenario(tmp_path, checks=checks), profiles=profiles)

    def weights(tier: str) -> list[float]:
        return [check.weight for check in graded(scenario, tier, Grading()).checks]

    assert weights("L0") == [1.0, 0.8, pytest.approx(1.4)]
    assert weights("L1") == [1.0, 1.0, 1.0]


def test_a_name_that_no_file_can_have_is_none_of_the_fixtures(tmp_path: Path) -> None:
    seen: list[bytes | None] = []

    class Looks:
        cost = Cost.DATA

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            seen.extend(evidence.original(name) for name in ("x" * 5000, "a\0b", "app.py", "gone"))
            return scored(check, 1.0)

    run(a_scenario(tmp_path, checks=(CheckSpec("c", "c", 1.0),)), c=Looks())
    assert seen[:4] == [None, None, b"x = 1\n", None]
