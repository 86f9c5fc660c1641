from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.gateway import cassette
from harness.gateway.base import Refusal
from harness.gateway.exchange import Exchange
from harness.gateway.matching import Player
from harness.gateway.recording import Recorder
from tests.gateway.questions import (
    PATH,
    Body,
    answered,
    chat,
    counts,
    messages,
    missed,
    player,
    raw,
    responses,
)

PROTOCOLS = [messages, chat, responses]
protocols = pytest.mark.parametrize("build", PROTOCOLS, ids=["messages", "chat", "responses"])
Build = Callable[..., Body]


@protocols
def test_the_same_request_gets_the_recorded_answer(build: Build) -> None:
    plays = player(build())
    assert answered(plays, build()) == "0"
    assert counts(plays) == (1, 0, 0, 0, 0)


def test_order_of_members_and_white_space_do_not_matter() -> None:
    body = messages()
    plays = player(body)
    turned = json.loads(json.dumps(body), object_pairs_hook=lambda pairs: dict(pairs[::-1]))
    assert list(turned) == list(body)[::-1]
    assert answered(plays, json.dumps(turned, indent=2).encode()) == "0"
    assert counts(plays) == (1, 0, 0, 0, 0)


def test_equal_requests_are_answered_in_their_order_each_once() -> None:
    plays = player(messages(), messages(prompt="other"), messages())
    assert [answered(plays, messages()) for _ in range(2)] == ["0", "2"]
    missed(plays, messages())
    assert counts(plays) == (2, 0, 0, 1, 1)


def test_a_request_whose_like_was_played_says_so() -> None:
    plays = player(messages())
    answered(plays, messages())
    assert "exchange 1 of 1 is its like, and was played already" in str(missed(plays, messages()))


def test_an_exact_match_is_taken_before_a_looser_one_that_comes_first() -> None:
    plays = player(messages(printed="in 1.5 s"), messages(printed="in 2.5 s"))
    assert answered(plays, messages(printed="in 2.5 s")) == "1"
    assert answered(plays, messages(printed="in 2.5 s")) == "0"
    assert counts(plays) == (1, 1, 0, 0, 0)


@protocols
def test_other_names_of_calls_and_other_durations_are_volatile(build: Build) -> None:
    plays = player(build(printed="1 passed in 0.03s"))
    assert answered(plays, build(printed="1 passed in 0.12s", call_id="other")) == "0"
    assert counts(plays) == (0, 1, 0, 0, 0)


@protocols
def test_other_tool_output_is_found_by_everything_else(build: Build) -> None:
    plays = player(build(printed="timeout = 3"))
    assert answered(plays, build(printed="timeout = 30")) == "0"
    assert counts(plays) == (0, 0, 1, 0, 0)
    assert "-timeout = 3\n+timeout = 30" in str(plays.report().first_difference)


@protocols
def test_blocks_of_tool_output_may_differ_too(build: Build) -> None:
    plays = player(build(printed=[{"type": "text", "text": "a.py"}]))
    assert answered(plays, build(printed=[{"type": "text", "text": "b.py"}])) == "0"
    assert counts(plays) == (0, 0, 1, 0, 0)


@protocols
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"prompt": "mend timeout = 3"}, {"prompt": "mend timeout = 30"}),
        ({"prompt": "due 2026-01-02"}, {"prompt": "due 2026-01-03"}),
        ({"prompt": "wait 0.03s"}, {"prompt": "wait 0.04s"}),
        ({"prompt": "at 2026-01-02T03:04:05Z"}, {"prompt": "at 2026-01-02T03:04:06Z"}),
        (
            {"prompt": "row 6f1c2e34-0b7a-4b7e-9d3e-1f2a3b4c5d6e"},
            {"prompt": "row 7f1c2e34-0b7a-4b7e-9d3e-1f2a3b4c5d6e"},
        ),
        ({"prompt": "localhost:45000"}, {"prompt": "localhost:45001"}),
        ({"command": "sed s/3/0x1F/"}, {"command": "sed s/3/0x2F/"}),
        ({"command": "sleep 0.03s"}, {"command": "sleep 0.04s"}),
        ({"command": "cat /tmp/tmpabcd1234"}, {"command": "cat /tmp/tmpabcd1235"}),
        ({"command": "date -d 2026-01-02T03:04"}, {"command": "date -d 2026-01-02T03:05"}),
    ],
    ids=lambda case: " ".join(case.values()),
)
def test_another_word_of_the_user_or_the_model_is_a_miss(
    build: Build, one: dict[str, str], other: dict[str, str]
) -> None:
    plays = player(build(**one))
    missed(plays, build(**other))
    assert counts(plays) == (0, 0, 0, 1, 1)


SCHEMA = {"type": "object", "properties": {"command": {"type": "string", "maxLength": 9}}}


def default(day: str) -> Body:
    return {"name": "run", "input_schema": {"default": f"Today's date is {day}"}}


OTHERS = {
    "system": messages(system="You are another agent."),
    "system as text": messages() | {"system": "You are an agent."},
    "model": messages(model="claude-2"),
    "temperature": messages(temperature=0.6),
    "no temperature": {k: v for k, v in messages().items() if k != "temperature"},
    "a member more": messages(max_tokens=9),
    "schema": messages(tools=[{"name": "run", "description": "Runs it.", "input_schema": SCHEMA}]),
    "a default": messages(tools=[default("2026-01-03")]),
    "no tools": messages(tools=[]),
    "tools twice": messages(tools=[*messages()["tools"], *messages()["tools"]]),  # type: ignore[misc]
    "a failed tool": json.loads(
        json.dumps(messages()).replace('"content": "a.py"', '"content": "a.py", "is_error": true')
    ),
    "a shorter conversation": messages() | {"messages": messages()["messages"][:1]},  # type: ignore[index]
    "no conversation": messages(messages=[]),
    "another order": messages() | {"messages": messages()["messages"][::-1]},  # type: ignore[index]
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_question_is_a_miss(other: Body) -> None:
    plays = player(messages(), messages(tools=[default("2026-01-02")]))
    missed(plays, other)
    assert counts(plays) == (0, 0, 0, 1, 2)


def test_who_asks_is_volatile() -> None:
    plays = player(messages(metadata={"user_id": "user_1_session_a"}, prompt_cache_key="a"))
    again = messages(metadata={"user_id": "user_2_session_b"}, prompt_cache_key="b")
    assert answered(plays, again) == "0"
    assert counts(plays) == (0, 1, 0, 0, 0)


def test_metadata_that_the_model_wrote_is_not_who_asks() -> None:
    def call(value: str) -> Body:
        arguments = {"metadata": value, "id": value, "user": value}
        body = messages()
        block = {"type": "tool_use", "id": "1", "name": "run", "input": arguments}
        return body | {"messages": [{"role": "assistant", "content": [block]}]}

    missed(player(call("a")), call("b"))


def test_todays_date_is_volatile_in_a_system_prompt_and_in_a_tools_description() -> None:
    def on(day: str) -> Body:
        body = messages(system=f"cwd: /work\nToday's date: {day}\n")
        tools = [{"name": "web", "description": f"The current date is {day}. Use it."}]
        return body | {"tools": tools}

    plays = player(on("2026-01-02"))
    assert answered(plays, on("2026-01-03")) == "0"
    assert counts(plays) == (0, 1, 0, 0, 0)


def test_another_runs_token_does_not_matter() -> None:
    recorder = Recorder(["token-of-the-first-run"], "m")
    recorder.add(Exchange(PATH, raw(messages(printed="token-of-the-first-run")), 200))
    plays = Player(recorder.recording(), ["and-that-of-the-second"])
    answered(plays, messages(printed="and-that-of-the-second"))
    assert counts(plays) == (1, 0, 0, 0, 0)


def test_another_path_is_a_miss_that_lists_what_there_is() -> None:
    told = str(missed(player(messages()), messages(), "/v1/messages/count_tokens"))
    assert "POST /v1/messages/count_tokens" in told
    assert "what it holds is POST /v1/messages" in told


def test_an_empty_recording_has_nothing() -> None:
    found = missed(player(), messages())
    assert found.nearest is None
    assert "what it holds is nothing" in str(found)


def test_questions_without_a_body_match_by_method_and_path_as_often_as_asked() -> None:
    recorder = Recorder([], "m")
    for method in ("HEAD", "GET"):
        recorder.add(Exchange("/v1/models", b"", 200, body=method.encode(), method=method))
    plays = Player(recorder.recording())
    found = [plays.answer("/v1/models", b"", method) for method in ("GET", "GET", "HEAD", "PUT")]
    assert [isinstance(f, Exchange) and f.body for f in found] == [b"GET", b"GET", b"HEAD", False]


def test_failures_and_refusals_are_played_as_they_were() -> None:
    recorder = Recorder([], "m")
    body = raw(messages())
    told = [
        Exchange(PATH, body, 429, (("retry-after", "3"),), b"slow down", retries=4),
        Exchange(PATH, body, 200, body=b"cut", broken="the stream ended early"),
        Exchange(PATH, body, 400, body=b"no money", refusal=Refusal.BUDGET),
    ]
    for exchange in told:
        recorder.add(exchange)
    plays = Player(cassette.load(recorder.dump()))
    assert [plays.answer(PATH, body) for _ in told] == told


def test_many_threads_get_each_exchange_once() -> None:
    bodies = [messages(printed=f"{number} in 0.{number} s") for number in range(40)] * 2
    plays = player(*bodies)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda body: answered(plays, body), bodies))
    assert sorted(found, key=int) == [str(number) for number in range(80)]
    assert counts(plays) == (80, 0, 0, 0, 0)
