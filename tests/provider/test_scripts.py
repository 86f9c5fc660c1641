"""Scripts: which answer a request gets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from harness.testing.provider import KEY, Call, ProviderDouble, Says, Seen, by_turn, plays
from tests.provider.asking import BODIES, PATHS, TOOLS, TURN, Start, ask, post

APIS = pytest.mark.parametrize("api", PATHS)
TWO = (Call("look", {"path": "a"}), Call("look", {"path": "b"}))


def said(api: str, answer: Any) -> str:  # noqa: ANN401  # of three SDK types
    if api == "messages":
        return "".join(b.text for b in answer.content if b.type == "text")
    return answer.choices[0].message.content if api == "chat" else answer.output_text


def tools(api: str) -> dict[str, Any]:
    return {"tools": TOOLS[api]}


def grown(api: str, conversation: list[Any], answer: Any) -> list[Any]:  # noqa: ANN401  # the same
    """The conversation with an answer and the results of its calls."""
    if api == "messages":
        blocks = [b.model_dump(exclude_none=True) for b in answer.content]
        results = [
            {"type": "tool_result", "tool_use_id": b["id"], "content": "ok"}
            for b in blocks
            if b["type"] == "tool_use"
        ]
        return [
            *conversation,
            {"role": "assistant", "content": blocks},
            {"role": "user", "content": results},
        ]
    if api == "chat":
        message = answer.choices[0].message.model_dump(exclude_none=True)
        results = [
            {"role": "tool", "tool_call_id": c["id"], "content": "ok"}
            for c in message.get("tool_calls", ())
        ]
        return [*conversation, message, *results]
    items = [item.model_dump(exclude_none=True) for item in answer.output]
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "ok"}
        for item in items
        if item["type"] == "function_call"
    ]
    return [*conversation, *items, *results]


def play(double: ProviderDouble, api: str, turns: int) -> list[str]:
    """What a whole conversation hears."""
    name = "input" if api == "responses" else "messages"
    conversation: list[Any] = list(TURN)
    heard = []
    for _ in range(turns):
        answer = ask(double, api, **tools(api), **{name: conversation})
        heard.append(said(api, answer))
        conversation = grown(api, conversation, answer)
    return heard


@APIS
def test_plays_answers_in_order_and_then_says_that_it_has_ended(start: Start, api: str) -> None:
    double = start(Says("one"), Says("two")).double
    assert [said(api, ask(double, api)) for _ in range(2)] == ["one", "two"]
    over = post(double, api)
    assert over.status_code == 500
    assert "the script has ended: it holds 2 answers" in over.json()["error"]["message"]
    assert over.headers["x-should-retry"] == "false"


def test_nobody_retries_after_the_end_of_a_script(start: Start) -> None:
    talk = start()
    with pytest.raises(openai.InternalServerError, match="the script has ended"):
        talk.openai.with_options(max_retries=3).chat.completions.create(**BODIES["chat"])
    assert len(talk.double.completions) == 1


@APIS
def test_by_turn_counts_answers_with_calls_and_not_requests(start: Start, api: str) -> None:
    script = by_turn(Says("one", calls=TWO), Says("two", calls=TWO), Says("three"))
    double = start(script=script).double
    for _ in range(2):
        assert play(double, api, 3) == ["one", "two", "three"]


@APIS
def test_by_turn_serves_parallel_conversations(start: Start, api: str) -> None:
    script = by_turn(*[Says(str(n), calls=TWO, pause_s=0.001) for n in range(3)], Says("end"))
    double = start(script=script).double
    with ThreadPoolExecutor(4) as pool:
        heard = list(pool.map(lambda _: play(double, api, 4), range(8)))
    assert heard == [["0", "1", "2", "end"]] * 8
    assert len(double.completions) == 32


@APIS
def test_by_turn_says_that_the_conversation_is_longer_than_the_script(
    start: Start, api: str
) -> None:
    double = start(script=by_turn()).double
    over = post(double, api, **tools(api))
    assert over.status_code == 500
    assert "the script has ended" in over.json()["error"]["message"]


@APIS
def test_a_request_without_tools_is_a_side_request(start: Start, api: str) -> None:
    double = start(script=by_turn(Says("one", calls=TWO))).double
    assert said(api, ask(double, api)) == "All right."
    barred = {"type": "none"} if api == "messages" else "none"
    assert said(api, ask(double, api, **tools(api), tool_choice=barred)) == "All right."


def test_calls_of_others_side_by_side_are_one_turn() -> None:
    call = {"type": "function_call", "call_id": "call_x", "name": "look", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_x", "output": "ok"}
    conversation = [*TURN, call, call, output, output, call, output]
    assert seen_turns(conversation) == 2


def test_calls_of_one_answer_are_one_turn_even_with_their_outputs_between() -> None:
    def pair(call_id: str) -> list[dict[str, str]]:
        return [
            {"type": "function_call", "call_id": call_id, "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": call_id, "output": "ok"},
        ]

    first, second = pair("call_double_000000_0"), pair("call_double_000000_1")
    assert seen_turns([*TURN, *first, *second, *pair("call_double_000007_0")]) == 2


def seen_turns(conversation: list[Any]) -> int:
    with ProviderDouble(plays(Says("Hi."))) as double:
        post(double, "responses", input=conversation)
        return double.completions[0].turns


def test_a_script_may_be_any_function_of_the_request(start: Start) -> None:
    def script(seen: Seen, number: int) -> Says:
        return Says(f"{number} {seen.body['messages'][0]['content']}")

    double = start(script=script).double
    assert [said("chat", ask(double, "chat")) for _ in range(2)] == ["0 Go.", "1 Go."]


def test_what_a_script_raises_is_raised_when_the_block_ends() -> None:
    def script(seen: Seen, _number: int) -> Says:
        return Says(seen.body["no such key"])

    failures: list[httpx2.Response] = []

    def ask_once() -> None:
        with ProviderDouble(script) as double:
            failures.append(post(double, "chat"))

    with pytest.raises(KeyError, match="no such key"):
        ask_once()
    assert failures[0].status_code == 500
    assert "the script raised KeyError" in failures[0].json()["error"]["message"]


def test_an_error_of_the_block_itself_is_not_hidden_by_the_scripts() -> None:
    def script(*_: object) -> Says:
        raise ValueError("of the script")

    def fail() -> None:
        with ProviderDouble(script) as double:
            post(double, "chat")
            raise LookupError("of the block")

    with pytest.raises(LookupError):
        fail()


def test_a_seen_request_holds_what_was_sent(start: Start) -> None:
    double = start(Says("Hi.")).double
    response = post(double, "messages", stream=True)
    [seen] = double.requests
    assert (seen.method, seen.path, seen.api) == ("POST", "/v1/messages", "messages")
    assert seen.headers["anthropic-version"] == "2023-06-01"
    assert seen.body == BODIES["messages"] | {"stream": True}
    assert seen.raw == response.request.content
    assert (seen.key, seen.is_stream, seen.offers_tools, seen.turns) == (KEY, True, False, 0)


def test_a_double_listens_on_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "provider.sock"
    with ProviderDouble(plays(Says("Hi.")), path=path) as double:
        transport = httpx2.HTTPTransport(uds=str(path))
        with httpx2.Client(transport=transport, base_url=double.url) as client:
            headers = {"authorization": f"Bearer {KEY}"}
            assert client.post(PATHS["chat"], json=BODIES["chat"], headers=headers).is_success
    assert not path.exists()


def test_two_doubles_do_not_meet() -> None:
    with ProviderDouble(plays(Says("a"))) as one, ProviderDouble(plays(Says("b"))) as other:
        assert one.url != other.url
        assert said("chat", ask(other, "chat")) == "b"
        assert said("chat", ask(one, "chat")) == "a"


def test_a_closed_double_is_gone() -> None:
    with ProviderDouble(plays(Says("Hi."), Says("Hi."))) as double:
        assert post(double, "chat").is_success
        double.close()
        with pytest.raises(httpx2.TransportError):
            post(double, "chat")


def test_a_socket_path_that_is_taken_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "provider.sock"
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"), ProviderDouble(plays(), path=path):
        pass
    assert path.read_text() == "mine"
