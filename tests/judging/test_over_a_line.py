"""A whole run whose judge is asked through the real gateway, of a provider made of a script."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evaluators.llm_judge import JudgeEvaluator
from harness import roster
from harness.agents.base import Outcome, Task, Workbench
from harness.domain.ids import BatchId
from harness.domain.model import ModelSettings, Usage
from harness.domain.record import RunRecord
from harness.domain.rubric import Rubric
from harness.domain.scenario import CheckSpec, Scenario
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.run import attempt
from harness.sandbox.owner import this_process
from harness.settings import Secrets
from harness.testing.builders import FakeAgent, Fakes, a_scenario, a_spec, some_tools
from harness.testing.provider import KEY, Answer, Fails, ProviderDouble, Says, Script, Seen
from tests.judging.works import CATEGORIES

DAY = datetime(2026, 11, 1, tzinfo=UTC)
JUDGES = ("anthropic:claude-opus-4-5", "openai:gpt-4o")
USAGE = Usage(input_tokens=1000, output_tokens=200)
RUBRIC = Rubric(CATEGORIES, JUDGES, ModelSettings(temperature=0.1, max_output_tokens=2000), 2)
Run = Callable[..., RunRecord]


def act(_task: Task, bench: Workbench) -> Outcome:
    bench.call("write_file", json.dumps({"path": "app.py", "content": "answer = 42\n"}))
    return Outcome()


def answer(score: float) -> Says:
    items = [
        {"category": c.name, "reasoning": "r", "quotes": ["answer = 42"], "score": score}
        for c in CATEGORIES
    ]
    return Says(json.dumps({"scores": items}), usage=USAGE)


def nobody(_seen: Seen, _number: int) -> Answer:
    raise AssertionError("a replay asked the provider")


@pytest.fixture
def fakes() -> Fakes:
    return some_tools({"llm_judge": JudgeEvaluator()}, agent=FakeAgent(act))


@pytest.fixture
def run(fakes: Fakes, tmp_path: Path) -> Run:
    checks = (CheckSpec("llm_judge", "llm_judge", 1.0),)
    scenario: Scenario = replace(a_scenario(tmp_path, checks=checks), rubric=RUBRIC)

    def go(
        script: Script, replay: bytes | None = None, keys: tuple[str, ...] = JUDGES
    ) -> RunRecord:
        with ProviderDouble(script) as double:
            urls = {"ANTHROPIC_BASE_URL": double.url, "OPENAI_BASE_URL": double.url}
            known = {f"{k.partition(':')[0].upper()}_API_KEY": KEY for k in keys}
            targets = Targets(Secrets({} if replay else known), None, urls)
            with ModelGateway(targets, Prices({}), lambda: DAY, this_process()) as gateway:
                tools = replace(fakes.tools, models=gateway, chat=roster.open_chat, replay=replay)
                return attempt(a_spec(scenario), BatchId("batch"), tools)

    return go


def two_judges(seen: Seen, _number: int) -> Answer:
    """One is always high; the other's first words are of no use."""
    if seen.body["model"] == "gpt-4o":
        return answer(5)
    return answer(2) if len(seen.body["messages"]) > 1 else Says("Looks good!", usage=USAGE)


def test_two_judges_over_their_own_lines_with_their_cost_apart(run: Run) -> None:
    record = run(two_judges)
    (check,) = record.checks
    assert check.judgement is not None, check.reason
    assert sorted(check.judgement.by) == sorted(JUDGES)
    assert check.judgement.marks[0].samples == (2.0, 2.0, 5.0, 5.0)
    assert (check.judgement.marks[0].score, check.judgement.disputed) == (3.5, True)
    use = check.judgement.use
    assert use is not None
    assert (use.requests, use.usage) == (6, Usage(6000, 1200))
    # four answers of Claude Opus 4.5 (5 and 25 USD for a million), two of GPT-4o (2.50 and 10)
    assert use.cost_usd == pytest.approx(4 * 0.01 + 2 * 0.0045)
    assert record.judging == (use,)
    assert record.session is not None
    assert record.session.cost_usd in (None, 0.0)


def test_a_replay_judges_the_same_without_a_provider(run: Run, fakes: Fakes) -> None:
    first = run(two_judges)
    assert first.session is not None
    assert first.session.recording is not None
    recording = fakes.tools.artifacts.get(first.session.recording)
    again = run(nobody, recording)
    (one,), (two,) = first.checks, again.checks
    assert one.judgement is not None
    assert two.judgement is not None, two.reason
    assert two.judgement.marks == one.judgement.marks


def test_a_judge_without_a_key_and_one_that_is_down_are_no_verdict(run: Run) -> None:
    record = run(lambda *_: Fails(400, "no such model"), keys=JUDGES[1:])
    (check,) = record.checks
    assert check.score is None
    assert "ANTHROPIC_API_KEY" in check.reason
    assert "no such model" in check.reason
    assert record.total_score is None
