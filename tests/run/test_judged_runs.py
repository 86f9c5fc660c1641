"""A run that models judge, through the real gateway: metered apart, recorded, replayed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evaluators.llm_judge import JudgeEvaluator
from harness import roster
from harness.agents.base import Outcome, Task, Workbench
from harness.domain.grading import Grading
from harness.domain.ids import BatchId
from harness.domain.model import ModelRef, Usage
from harness.domain.record import CheckResult, RunRecord
from harness.domain.rubric import Category, Rubric
from harness.domain.scenario import CheckSpec, Scenario
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.run import attempt
from harness.sandbox.owner import this_process
from harness.settings import Secrets
from harness.testing.builders import FakeAgent, Fakes, a_scenario, a_spec, some_tools
from harness.testing.provider import KEY, Answer, ProviderDouble, Says, Seen

DAY = datetime(2026, 11, 1, tzinfo=UTC)
JUDGE = ModelRef("anthropic", "claude-opus-4-5")
MARKS = {"category": "Correctness", "score": 4, "reasoning": "it is right", "quotes": ["x = 2 + 2"]}
USED = Usage(input_tokens=1000, output_tokens=100)
# Claude Opus 4.5, USD for a million: 5 in, 25 out
COST_USD = 0.0075


def work(_task: Task, bench: Workbench) -> Outcome:
    bench.call("write_file", json.dumps({"path": "app.py", "content": "x = 2 + 2\n"}))
    return Outcome()


@pytest.fixture
def fakes() -> Fakes:
    return some_tools({"llm_judge": JudgeEvaluator()}, agent=FakeAgent(work))


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    made = a_scenario(tmp_path, checks=(CheckSpec("review", "llm_judge", 1.0),))
    return replace(made, rubric=Rubric((Category("Correctness", 1.0, "sums are right"),)))


def run(
    fakes: Fakes, scenario: Scenario, answer: Answer, *, replay: bytes | None = None
) -> RunRecord:
    asked: list[Seen] = []

    def script(seen: Seen, _number: int) -> Answer:
        assert replay is None, "a replay asked the provider"
        asked.append(seen)
        return answer

    with ProviderDouble(script) as double:
        keys = {} if replay else {"ANTHROPIC_API_KEY": KEY}
        targets = Targets(Secrets(keys), None, {"ANTHROPIC_BASE_URL": double.url})
        with ModelGateway(targets, Prices({}), lambda: DAY, this_process()) as gateway:
            tools = replace(fakes.tools, models=gateway, chat=roster.open_chat, replay=replay)
            spec = replace(a_spec(scenario), grading=Grading(judges=(JUDGE,)))
            return attempt(spec, BatchId("b"), tools)


def review(record: RunRecord) -> CheckResult:
    (check,) = record.checks
    return check


def test_what_a_judge_costs_is_no_part_of_the_agents_cost(fakes: Fakes, scenario: Scenario) -> None:
    record = run(fakes, scenario, Says(json.dumps({"scores": [MARKS]}), usage=USED))
    assert review(record).score == 0.75
    assert record.passed
    (use,) = record.judging
    assert (use.usage, use.cost_usd) == (USED, pytest.approx(COST_USD))
    assert record.session is not None
    assert (record.session.cost_usd, record.session.usage) == (None, None)
    assert record.drawn == (use,)


def test_a_judged_run_replays_without_a_key(fakes: Fakes, scenario: Scenario) -> None:
    record = run(fakes, scenario, Says(json.dumps({"scores": [MARKS]}), usage=USED))
    assert record.session is not None
    assert record.session.recording is not None
    recording = fakes.tools.artifacts.get(record.session.recording)
    again = run(fakes, scenario, Says("never"), replay=recording)
    assert review(again).score == review(record).score == 0.75


def test_a_judge_that_talks_nonsense_leaves_no_score_and_costs_all_the_same(
    fakes: Fakes, scenario: Scenario
) -> None:
    record = run(fakes, scenario, Says("I think it is great: 5/5!", usage=USED))
    assert review(record).score is None
    assert record.total_score is None
    assert not record.passed
    (use,) = record.judging
    assert use.requests == 3
