from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from harness.agents.context import DROPPED, Conversation, shrunk, size_of
from harness.llm.base import Message, ToolResult, ToolResults, ToolUse, Turn, User

TASK = User("The task. " * 10)


def exchange(number: int, output: str, *, tools: int = 1) -> list[Message]:
    uses = tuple(ToolUse(f"{number}-{i}", "read_file", '{"path": "x"}') for i in range(tools))
    results = ToolResults(tuple(ToolResult(use, output) for use in uses))
    return [Turn(f"turn {number}", uses), results]


def talk(count: int, output: str = "line\n" * 200) -> list[Message]:
    return [TASK, *(message for n in range(count) for message in exchange(n, output, tools=2))]


def is_paired(messages: Sequence[Message]) -> bool:
    """Every use has its result in the next message, and no result is without its use."""
    asked: tuple[ToolUse, ...] = ()
    for message in messages:
        if isinstance(message, ToolResults):
            if tuple(result.use for result in message.results) != asked:
                return False
            asked = ()
        elif asked:
            return False
        elif isinstance(message, Turn):
            asked = message.tool_uses
    return not asked


@pytest.mark.parametrize("share", [0.9, 0.6, 0.3, 0.1, 0.02, 0.0])
def test_however_little_room_there_is_the_conversation_stays_valid(share: float) -> None:
    messages = talk(12)
    shorter, what = shrunk(messages, int(size_of(messages) * share))
    assert what
    assert is_paired(shorter)
    assert shorter[0] == TASK
    assert size_of(shorter) < size_of(messages)
    again, _ = shrunk(shorter, 0)
    assert is_paired(again)
    assert again.count(DROPPED) <= 1
    assert [m.text for m in shorter if isinstance(m, Turn)][-3:] == ["turn 9", "turn 10", "turn 11"]


def test_the_oldest_outputs_go_first_and_say_so() -> None:
    messages = talk(8)
    shorter, what = shrunk(messages, int(size_of(messages) * 0.7))
    assert what == "6 old tool outputs"
    assert len(shorter) == len(messages)
    first, *_, last = [m for m in shorter if isinstance(m, ToolResults)]
    assert first.results[0].text == (
        "[output of read_file left out to save room; call again if needed]"
    )
    assert last == messages[-1]


def test_what_is_short_anyway_is_kept() -> None:
    messages = [TASK, *exchange(0, "ok"), *talk(6)[1:]]
    shorter, _ = shrunk(messages, int(size_of(messages) * 0.7))
    assert isinstance(shorter[2], ToolResults)
    assert shorter[2].results[0].text == "ok"


def test_whole_turns_go_when_their_outputs_are_not_enough() -> None:
    wordy = [Turn("word " * 500), User("Go on.")]
    messages: list[Message] = [TASK, *wordy * 6, *talk(3, "ok")[1:]]
    shorter, what = shrunk(messages, size_of(messages) // 3)
    assert what == "5 old turns"
    assert shorter[:2] == [TASK, DROPPED]
    assert shorter[-6:] == messages[-6:]


def test_long_outputs_of_the_last_turns_lose_their_middle_when_nothing_else_helps() -> None:
    messages = [TASK, *exchange(0, "a" * 5000 + "z" * 5000)]
    shorter, what = shrunk(messages, 2000)
    assert what == "1 middles of long outputs"
    assert isinstance(shorter[-1], ToolResults)
    text = shorter[-1].results[0].text
    assert text.startswith("aaa")
    assert text.endswith("zzz")
    assert "left out" in text


def test_a_task_that_fills_the_window_alone_cannot_be_helped() -> None:
    assert shrunk([TASK], 1) == ([TASK], None)


def test_room_is_made_rarely_and_then_in_a_big_step() -> None:
    said = Conversation([TASK], window_tokens=10_000)
    when = []
    for number in range(100):
        said.add(*exchange(number, "line\n" * 200))
        if said.make_room():
            when.append(number)
            assert said.tokens <= 5_100
        assert said.tokens < 10_000
    gaps = [b - a for a, b in itertools.pairwise(when)]
    assert gaps
    assert min(gaps) >= 5, "each time costs the provider's cache"


def test_the_estimate_follows_what_the_provider_counted() -> None:
    said = Conversation([User("a" * 1000)], around=1000)
    assert said.tokens == 500
    said.add(Turn("b" * 1000, prompt_tokens=1000))
    assert said.tokens == 1500
    said.add(User("c" * 1000))
    assert said.tokens == 2000


@pytest.mark.parametrize("counted", [1, 10**9])
def test_a_server_that_cannot_count_is_not_believed(counted: int) -> None:
    said = Conversation([User("a" * 1000)])
    said.add(Turn("b", prompt_tokens=counted))
    assert 100 <= said.tokens <= 2002


def test_a_conversation_that_was_too_long_is_a_third_shorter_and_stays_so() -> None:
    said = Conversation(talk(20), window_tokens=1_000_000)
    before = said.tokens
    assert said.overflowed()
    assert said.tokens <= before * 2 / 3
    assert said.window_tokens <= before
