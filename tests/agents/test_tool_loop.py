from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.agents import tool_loop
from harness.agents.base import Needs, Task, Workbench, supervise
from harness.agents.tool_loop import ToolLoop
from harness.agents.tools import STANDARD, ToolContext, toolbox
from harness.domain.model import Budget, ModelRef, ModelSettings, ModelUse, Usage
from harness.domain.scenario import Limits, Oracle
from harness.domain.session import Ending, Role
from harness.gateway.base import Line
from harness.llm.anthropic import AnthropicChat
from harness.llm.base import Chat, ContextTooLong, Message, OutOfBudget, ToolSpec, Turn, User
from harness.llm.openai import OpenAIChat
from harness.llm.wire import Connection, Patience
from harness.testing.line import FakeLine
from harness.testing.provider import (
    Call,
    Cuts,
    Hangs,
    ProviderDouble,
    Says,
    Script,
    Stop,
    TooLong,
    plays,
)
from harness.testing.sandbox import FakeBox

TASK = Task("Please mend it.", iteration=1)
READ = Says("I look.", calls=(Call("read_file", {"path": "app.py"}),))
DONE = Says("It is done.")
FILES = {"app.py": b"x = 1\n", "b.py": b"y = 2\n"}
HURRIED = Patience(sleep=[].append)


def anthropic(double: ProviderDouble) -> Callable[[Line], AbstractContextManager[Chat]]:
    def make(line: Line) -> AnthropicChat:
        connection = Connection(double.url, line.token)
        return AnthropicChat(connection, line.access.model.name, ModelSettings(), HURRIED)

    return make


def openai(double: ProviderDouble) -> Callable[[Line], AbstractContextManager[Chat]]:
    def make(line: Line) -> OpenAIChat:
        connection = Connection(f"{double.url}/v1", line.token)
        return OpenAIChat(connection, line.access.model, ModelSettings(), HURRIED)

    return make


class LateLine:
    """A line that knows what was used only when it was waited for."""

    def __init__(self) -> None:
        self._fake = FakeLine()
        self._booked = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._fake, name)

    def settle(self) -> None:
        self._booked = True

    def use(self) -> ModelUse:
        return ModelUse(turns=9 if self._booked else 0)


@dataclass
class Ran:
    """A session of the loop against a script, and the requests that it made."""

    script: Script
    task: Task = TASK
    budget: Budget = field(default_factory=Budget)
    line: Line = field(default_factory=FakeLine)
    clock_s: float = 60
    window_tokens: int = 128_000
    make: Callable[..., Any] = anthropic
    files: dict[str, bytes] = field(default_factory=lambda: dict(FILES))

    def __post_init__(self) -> None:
        self.box = FakeBox(self.files, {})
        context = ToolContext(self.box, Limits(), Oracle())
        bench = Workbench(toolbox(), context, self.clock_s, line=self.line)
        needs = Needs(model=ModelRef("anthropic", "some-model"))
        with ProviderDouble(self.script, key=self.line.token) as double:
            agent = ToolLoop(needs, self.make(double), self.budget, self.window_tokens)
            self.session = supervise(agent, self.task, bench)
            self.bodies = [seen.body for seen in double.completions]

    def said(self, role: Role) -> list[str]:
        return [entry.text for entry in self.session.transcript if entry.role is role]

    def last_words(self, number: int) -> str:
        """The text of the last block of a request."""
        block = self.bodies[number]["messages"][-1]["content"][-1]
        return str(block.get("text", block))


@pytest.mark.parametrize("make", [anthropic, openai])
def test_it_works_until_the_model_calls_no_more_tools(make: Callable[..., Any]) -> None:
    write = Call("write_file", {"path": "app.py", "content": "x = 2\n"})
    ran = Ran(plays(READ, Says(calls=(write,)), DONE), make=make)
    assert ran.session.ending is Ending.FINISHED
    assert ran.box.files["app.py"] == b"x = 2\n"
    assert [(e.role, e.text) for e in ran.session.transcript] == [
        (Role.USER, "Please mend it."),
        (Role.ASSISTANT, "I look."),
        (Role.TOOL_CALL, '{"path": "app.py"}'),
        (Role.TOOL_RESULT, "x = 1\n"),
        (Role.TOOL_CALL, write.text),
        (Role.TOOL_RESULT, "wrote 6 bytes to app.py"),
        (Role.ASSISTANT, "It is done."),
    ]


def test_every_tool_of_the_bench_is_offered_whole() -> None:
    [body] = Ran(plays(DONE)).bodies
    schemas = {tool["name"]: tool["input_schema"] for tool in body["tools"]}
    assert schemas == {tool.name: tool.schema for tool in STANDARD}


def test_the_baseline_has_no_system_prompt_and_a_specialist_its_own() -> None:
    assert "system" not in Ran(plays(DONE)).bodies[0]
    task = Task("do it", 1, "Be careful.")
    assert Ran(plays(DONE), task=task).bodies[0]["system"][0]["text"] == "Be careful."


def test_calls_of_one_answer_run_in_order_and_go_back_in_one_message() -> None:
    calls = tuple(Call("read_file", {"path": path}) for path in ("app.py", "b.py", "gone.py"))
    ran = Ran(plays(Says(calls=calls), DONE))
    results = ran.bodies[1]["messages"][-1]["content"]
    assert [block["content"] for block in results[:2]] == ["x = 1\n", "y = 2\n"]
    assert [block["is_error"] for block in results] == [False, False, True]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (Call("read_fil", {"path": "app.py"}), "no tool 'read_fil'"),
        (Call("read_file", '{"path": '), "not plain JSON"),
        (Call("read_file", '{"pth": "app.py"}'), "did you mean 'path'?"),
    ],
)
@pytest.mark.parametrize("make", [anthropic, openai])
def test_a_wrong_call_is_answered_and_work_goes_on(
    make: Callable[..., Any], call: Call, said: str
) -> None:
    ran = Ran(plays(Says(calls=(call,)), DONE), make=make)
    assert ran.session.ending is Ending.FINISHED
    [entry] = [e for e in ran.session.transcript if e.role is Role.TOOL_RESULT]
    assert entry.is_error
    assert said in entry.text
    assert said in json.dumps(ran.bodies[1]["messages"][-1]).replace("\\", "")


def test_thinking_is_noted_and_goes_back_with_its_signature() -> None:
    ran = Ran(plays(Says("I look.", calls=READ.calls, thinking="Hm."), DONE))
    assert ran.said(Role.NOTE) == ["thinking: Hm."]
    block = ran.bodies[1]["messages"][1]["content"][0]
    assert (block["thinking"], bool(block["signature"])) == ("Hm.", True)


def test_the_last_turn_is_announced_and_runs_no_tools() -> None:
    ran = Ran(lambda *_: READ, budget=Budget(turns=3))
    assert ran.session.ending is Ending.TURN_LIMIT
    assert len(ran.bodies) == 3
    assert [ran.last_words(n) == tool_loop.LAST_TURN for n in range(3)] == [False, False, True]
    assert ran.session.tool_calls == 2
    assert tool_loop.LAST_TURN in ran.said(Role.USER)


def test_words_in_the_last_turn_are_an_end_like_any_other() -> None:
    assert Ran(plays(READ, DONE), budget=Budget(turns=2)).session.ending is Ending.FINISHED


def test_the_last_request_of_a_budget_is_announced_too() -> None:
    line = FakeLine(used=ModelUse(requests=4))
    ran = Ran(plays(READ), budget=Budget(requests=5), line=line)
    assert ran.session.ending is Ending.BUDGET
    assert ran.last_words(0) == tool_loop.LAST_TURN
    assert ran.session.tool_calls == 0


def test_the_model_is_told_before_a_turn_that_could_use_up_the_rest() -> None:
    spent = iter([0.0, 0.4, 0.8, 0.85, 0.85])

    class Line(LateLine):
        def use(self) -> ModelUse:
            return ModelUse(cost_usd=next(spent))

    ran = Ran(plays(READ, READ, DONE), budget=Budget(usd=1), line=Line())
    assert [ran.last_words(n) == tool_loop.NEARLY_SPENT for n in range(3)] == [False, False, True]


def test_a_turn_that_the_gateway_counted_twice_is_counted_twice_here() -> None:
    line = FakeLine(used=ModelUse(turns=9))
    ran = Ran(plays(DONE), budget=Budget(turns=10), line=line)
    assert ran.last_words(0) == tool_loop.LAST_TURN


@pytest.mark.parametrize(
    ("budget", "used", "told"),
    [
        (Budget(usd=1), ModelUse(cost_usd=0.95), 1),
        (Budget(usd=1), ModelUse(cost_usd=0.5), 0),
        (Budget(usd=1), ModelUse(cost_usd=None), 0),
        (Budget(tokens=1000), ModelUse(Usage(input_tokens=950)), 1),
        (Budget(usd=9, tokens=100), ModelUse(Usage(cached_tokens=95), cost_usd=1), 1),
        (Budget(usd=0), ModelUse(), 1),
        (Budget(), ModelUse(cost_usd=1e9), 0),
    ],
)
def test_the_model_is_told_once_when_its_budget_is_nearly_used(
    budget: Budget, used: ModelUse, told: int
) -> None:
    ran = Ran(plays(READ, READ, DONE), budget=budget, line=FakeLine(used=used))
    assert ran.said(Role.USER).count(tool_loop.NEARLY_SPENT) == told
    assert json.dumps(ran.bodies[-1]).count(tool_loop.NEARLY_SPENT) == told


def test_what_was_used_is_read_when_it_is_booked() -> None:
    ran = Ran(plays(DONE), budget=Budget(turns=10), line=LateLine())
    assert ran.last_words(0) == tool_loop.LAST_TURN


def test_a_refusal_of_the_model_ends_the_session() -> None:
    ran = Ran(plays(Says("I will not.", stop=Stop.REFUSED)))
    assert ran.session.ending is Ending.REFUSED
    assert ran.session.detail == "I will not."
    assert ran.said(Role.ASSISTANT) == ["I will not."]


def test_an_answer_that_was_cut_goes_on() -> None:
    ran = Ran(plays(Says("First I", stop=Stop.LENGTH), DONE))
    assert ran.session.ending is Ending.FINISHED
    assert ran.last_words(1) == tool_loop.CUT


def test_a_call_that_was_cut_is_answered_as_a_bad_one() -> None:
    cut = Says(calls=(Call("write_file", '{"path": "a", "content": "x'),), stop=Stop.LENGTH)
    ran = Ran(plays(cut, DONE))
    assert "a" not in ran.box.files
    assert ran.last_words(1) == tool_loop.CUT
    assert ran.session.ending is Ending.FINISHED


def test_answers_that_are_cut_for_ever_end_the_session() -> None:
    ran = Ran(lambda *_: Says("and", stop=Stop.LENGTH))
    assert ran.session.ending is Ending.AGENT_ERROR
    assert len(ran.bodies) == 4


def test_an_empty_answer_is_asked_about_once() -> None:
    ran = Ran(plays(Says(), Says(" ")))
    assert ran.session.ending is Ending.FINISHED
    assert ran.last_words(1) == tool_loop.EMPTY
    assert len(ran.bodies) == 2


def test_a_cut_stream_is_asked_for_again_and_nothing_runs_twice() -> None:
    ran = Ran(plays(Cuts(READ, after_events=6), READ, DONE))
    assert ran.session.ending is Ending.FINISHED
    assert ran.session.tool_calls == 1


def test_a_provider_that_is_gone_is_a_fault() -> None:
    ran = Ran(lambda *_: Cuts(READ, after_events=2))
    assert ran.session.ending is Ending.PROVIDER_FAILED
    assert len(ran.bodies) == 3


@pytest.mark.parametrize(
    "slow", [Hangs(60), Says("drip " * 100, pieces=100, pause_s=0.05)], ids=["silent", "dripping"]
)
def test_a_provider_that_hangs_does_not_outlive_the_clock(slow: Says | Hangs) -> None:
    ran = Ran(plays(slow), clock_s=0.3)
    assert ran.session.ending is Ending.TIMED_OUT
    assert ran.session.duration_s < 4


@pytest.mark.parametrize("make", [anthropic, openai])
def test_a_conversation_that_is_too_long_gets_shorter_and_goes_on(
    make: Callable[..., Any],
) -> None:
    ran = Ran(
        plays(*[READ] * 8, TooLong(), DONE),
        files={"app.py": b"a long line of text\n" * 200},
        make=make,
    )
    assert ran.session.ending is Ending.FINISHED
    too_long, shorter = (len(json.dumps(body["messages"])) for body in ran.bodies[-2:])
    assert shorter < too_long * 0.75
    [note] = ran.said(Role.NOTE)
    assert "old tool outputs to save room" in note


def test_a_conversation_that_cannot_get_shorter_ends_the_session() -> None:
    ran = Ran(lambda *_: TooLong())
    assert ran.session.ending is Ending.AGENT_ERROR
    assert "prompt is too long" in ran.session.detail
    assert len(ran.bodies) == 1, "there is nothing in it but the task"


def test_shrinking_is_tried_three_times_at_most() -> None:
    ran = Ran(
        lambda _seen, number: READ if number < 12 else TooLong(),
        files={"app.py": b"a long line of text\n" * 2000},
    )
    assert ran.session.ending is Ending.AGENT_ERROR
    assert len(ran.bodies) == 12 + 4


def test_the_conversation_is_kept_below_the_models_window() -> None:
    read = Says(calls=READ.calls, usage=None)
    ran = Ran(
        plays(*[read] * 30, DONE),
        files={"app.py": b"a long line of text\n" * 100},
        window_tokens=6_000,
    )
    assert ran.session.ending is Ending.FINISHED
    assert max(len(json.dumps(body)) / 4 for body in ran.bodies) < 6_000
    assert 1 <= len(ran.said(Role.NOTE)) <= 6, "rarely, because each time costs the cache"


class Saying:
    """A chat that raises what it is given."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __enter__(self) -> Chat:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def send(
        self,
        system: str | None,
        messages: list[Message],
        tools: tuple[ToolSpec, ...] = (),
        *,
        timeout_s: float,
    ) -> Turn:
        assert isinstance(messages[0], User)
        del system, tools, timeout_s
        raise self._error


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (OutOfBudget("2.00 USD are used", turns=False), Ending.BUDGET),
        (OutOfBudget("100 turns are used", turns=True), Ending.TURN_LIMIT),
        (ContextTooLong("210000 tokens"), Ending.AGENT_ERROR),
    ],
)
def test_what_the_gateway_refuses_ends_the_session(error: Exception, ending: Ending) -> None:
    bench = Workbench(toolbox(), ToolContext(FakeBox({}, {}), Limits(), Oracle()), 60)
    bench.line = FakeLine()
    session = supervise(ToolLoop(Needs(), lambda _: Saying(error), Budget()), TASK, bench)
    assert session.ending is ending
    assert str(error) in session.detail


def test_neither_the_lines_token_nor_its_socket_is_in_the_transcript() -> None:
    ran = Ran(plays(READ, TooLong(), READ, DONE))
    assert ran.line.token not in repr(ran.session)
    assert str(ran.line.socket) not in repr(ran.session)
