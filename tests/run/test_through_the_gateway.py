"""Whole runs through the real gateway, against a provider made of a script."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from evaluators.command import CommandEvaluator
from harness import roster
from harness.agents.asking import NO_ANSWER
from harness.agents.base import Needs
from harness.agents.tool_loop import ToolLoop
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelSettings, Usage
from harness.domain.record import RunRecord
from harness.domain.scenario import Oracle, Scenario
from harness.domain.session import Ending, Role
from harness.domain.spec import AgentRef, RunSpec
from harness.gateway.budget import Purse
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.llm.anthropic import AnthropicChat
from harness.llm.wire import Connection, Patience
from harness.run import attempt
from harness.sandbox.owner import this_process
from harness.settings import Secrets
from harness.store.transcripts import read
from harness.testing.builders import Fakes, a_scenario, a_spec, some_tools
from harness.testing.provider import (
    KEY,
    Answer,
    Call,
    Fails,
    ProviderDouble,
    Says,
    Script,
    Seen,
    by_turn,
)

BATCH = BatchId("batch")
DAY = datetime(2026, 11, 1, tzinfo=UTC)
MODEL = "claude-opus-4-5"
FIRST = Usage(input_tokens=1200, output_tokens=90, cached_tokens=0, cache_write_tokens=4000)
SECOND = Usage(input_tokens=300, output_tokens=450, cached_tokens=4000, cache_write_tokens=700)
THIRD = Usage(input_tokens=25, output_tokens=110, cached_tokens=4700, cache_write_tokens=0)
# Claude Opus 4.5, USD for a million: 5 in, 25 out, 0.50 from the cache, 6.25 into it
#   in   1525 * 5.00 =  7625      out    650 * 25.00 = 16250
#   read 8700 * 0.50 =  4350      write 4700 *  6.25 = 29375      all 57600
COST_USD = 0.0576

WRITE = Call("write_file", {"path": "app.py", "content": "x = 2\n"})
WORK = by_turn(
    Says("I look.", calls=(Call("list_directory"), Call("read_file", {"path": "app.py"})),
         usage=FIRST, pieces=5),
    Says("I write.", calls=(WRITE,), usage=SECOND),
    Says("Done.", usage=THIRD),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs specs with the real roster and a real gateway in front of a script."""

    fakes: Fakes
    scenario: Scenario

    @property
    def spec(self) -> RunSpec:
        return replace(a_spec(self.scenario), agent=AgentRef("anthropic", model=MODEL))

    def __call__(
        self,
        script: Script | None,
        *,
        replay: bytes | None = None,
        spec: RunSpec | None = None,
        purse: Purse | None = None,
    ) -> RunRecord:
        with ProviderDouble(script or nobody) as double:
            urls = {"ANTHROPIC_BASE_URL": double.url, "OPENAI_BASE_URL": double.url}
            keys = {} if replay else {"ANTHROPIC_API_KEY": KEY, "OPENAI_API_KEY": KEY}
            targets = Targets(Secrets(keys), None, urls)
            purses = {BATCH: purse} if purse else {}
            with ModelGateway(targets, Prices({}), lambda: DAY, this_process(), purses) as gateway:
                tools = replace(
                    self.fakes.tools,
                    models=gateway,
                    agent=roster.make_agent,
                    chat=roster.open_chat,
                    replay=replay,
                )
                return attempt(spec or self.spec, BATCH, tools)

    def recording(self, record: RunRecord) -> bytes:
        assert record.session is not None
        assert record.session.recording is not None
        return self.fakes.tools.artifacts.get(record.session.recording)

    def said(self, record: RunRecord) -> list[tuple[Role, str | None, str]]:
        assert record.session is not None
        entries = read(record.session, self.fakes.tools.artifacts)
        return [(entry.role, entry.tool, entry.text) for entry in entries]


@pytest.fixture
def fakes() -> Fakes:
    return some_tools({"build": CommandEvaluator()})


@pytest.fixture
def run(fakes: Fakes, tmp_path: Path) -> Runner:
    oracle = Oracle((("Which colour?", "Blue."),))
    return Runner(fakes, a_scenario(tmp_path, oracle=oracle))


def nobody(_seen: Seen, _number: int) -> Answer:
    raise AssertionError("a replay asked the provider")


def test_tokens_and_cost_of_a_streamed_cached_conversation_are_those_computed_by_hand(
    run: Runner,
) -> None:
    record = run(WORK)
    session = record.session
    assert session is not None
    assert session.ending is Ending.FINISHED
    assert session.usage == Usage(1525, 650, 8700, 4700)
    assert session.cost_usd == pytest.approx(COST_USD, abs=1e-12)
    assert session.model_use is not None
    assert (session.model_use.requests, session.model_use.turns) == (3, 3)
    assert [(c.tool, c.calls) for c in session.calls] == [
        ("list_directory", 1),
        ("read_file", 1),
        ("write_file", 1),
    ]
    assert [role for role, _, _ in run.said(record)].count(Role.TOOL_RESULT) == 3


def test_a_replay_without_key_and_provider_is_the_same_session(run: Runner) -> None:
    recorded = run(WORK)
    replayed = run(None, replay=run.recording(recorded))
    assert run.said(replayed) == run.said(recorded)
    assert recorded.session is not None
    assert replayed.session is not None
    assert replayed.session.usage == recorded.session.usage
    assert replayed.session.cost_usd == recorded.session.cost_usd
    assert (replayed.simulated, recorded.simulated) == (True, False)


def test_a_replay_of_other_work_is_a_fault_that_shows_the_nearest_request(run: Runner) -> None:
    recording = run.recording(run(WORK))
    other = replace(run.scenario.prompts[0], text="Please break it.")
    replayed = run(None, replay=recording, spec=replace(run.spec, prompt=other))
    assert replayed.fault is not None
    assert "does not hold" in replayed.fault.message
    assert "Please mend it." in replayed.fault.message


def test_a_model_that_plays_the_user_is_metered_apart(run: Runner) -> None:
    def script(seen: Seen, number: int) -> Answer:
        if not seen.offers_tools:
            return Says("Green, I think.", usage=Usage(70, 7))
        questions = [
            Call("ask_user", {"question": text}) for text in ("Which colour?", "What about size?")
        ]
        turns = (Says("I ask.", calls=tuple(questions), usage=FIRST), Says("Done.", usage=THIRD))
        return by_turn(*turns)(seen, number)

    spec = replace(run.spec, user=ModelRef("openai", "gpt-4o"))
    purse = Purse(Budget(tokens=1_000_000))
    recorded = run(script, spec=spec, purse=purse)
    session = recorded.session
    assert session is not None
    assert [(q.answer, q.by_model) for q in session.questions] == [
        ("Blue.", False),
        ("Green, I think.", True),
    ]
    assert session.usage == FIRST + THIRD
    assert session.user_use is not None
    assert session.user_use.usage == Usage(70, 7)
    # but from the same purse: a batch's budget is for all that its runs cost
    assert purse.tokens == (FIRST + THIRD).total + 77
    assert sum(use.usage.total for use in recorded.drawn) == purse.tokens
    replayed = run(None, replay=run.recording(recorded), spec=spec).session
    assert replayed is not None
    assert replayed.questions == session.questions


def test_a_question_that_the_batch_cannot_pay_for_leaves_no_score(run: Runner) -> None:
    ask = Says("I ask.", calls=(Call("ask_user", {"question": "What size?"}),), usage=FIRST)
    script = by_turn(ask, Says("Done.", usage=THIRD))
    spec = replace(run.spec, user=ModelRef("openai", "gpt-4o"))
    record = run(script, spec=spec, purse=Purse(Budget(tokens=FIRST.total)))
    assert record.session is not None
    assert [question.answer for question in record.session.questions] == [NO_ANSWER]
    assert record.status == "interrupted"
    assert record.total_score is None


def test_a_provider_that_is_down_makes_a_fault_with_what_was_done_until_then(run: Runner) -> None:
    def script(seen: Seen, number: int) -> Answer:
        return WORK(seen, number) if number == 0 else Fails(401, "this key was revoked")

    record = run(script)
    assert record.fault is not None
    assert record.fault.cause is Cause.PROVIDER
    assert "revoked" in record.fault.message
    assert record.session is not None
    assert record.session.usage == FIRST
    assert run.fakes.store.run(record.id) == record


def test_a_gateway_that_dies_makes_a_fault(fakes: Fakes, tmp_path: Path) -> None:
    gateways: list[ModelGateway] = []

    def script(seen: Seen, number: int) -> Answer:
        if number == 1:
            gateways[0].close()
        return WORK(seen, number)

    with ProviderDouble(script) as double:
        targets = Targets(
            Secrets({"ANTHROPIC_API_KEY": KEY}), None, {"ANTHROPIC_BASE_URL": double.url}
        )
        with ModelGateway(targets, Prices({}), lambda: DAY, this_process()) as gateway:
            gateways.append(gateway)
            agent = ToolLoop(
                Needs(ModelRef("anthropic", MODEL)),
                lambda line: AnthropicChat(
                    Connection("http://gateway", line.token, line.socket),
                    MODEL,
                    ModelSettings(),
                    Patience(tries=1),
                ),
                Budget(turns=9),
            )
            tools = replace(fakes.tools, models=gateway, agent=lambda _spec: agent)
            record = attempt(a_spec(a_scenario(tmp_path)), BATCH, tools)
    assert record.fault is not None
    assert record.fault.cause is Cause.PROVIDER
