"""The filter between an agent's own program and a server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.inside.bridging import Message, Program, filtering, over_http, server

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t"}}
GREETED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def greet(program: Program) -> None:
    assert program.ask("initialize", **HELLO)["result"]["serverInfo"]["name"] == "test"
    program.say(GREETED)


@pytest.fixture(scope="module", params=["stdio", "http"])
def program(request: pytest.FixtureRequest) -> Iterator[Program]:
    make = server if request.param == "stdio" else over_http
    with filtering(make(allow=["echo", "count"])) as opened:
        greet(opened)
        yield opened


def heard(program: Program, name: object) -> Message:
    """The answer to a request, past what is told in between."""
    while True:
        message = program.hear()
        if message.get("id") == name:
            return message


def calls(program: Program) -> int:
    """How many calls the server saw, this one among them."""
    program.say({"id": 8, "method": "tools/call", "params": {"name": "count", "arguments": {}}})
    return int(heard(program, 8)["result"]["content"][0]["text"])


def test_allowed_tools_pass_and_others_are_taken_out_of_every_page(program: Program) -> None:
    program.say({"jsonrpc": "2.0", "id": "1", "method": "tools/list"})
    first = heard(program, "1")["result"]
    program.say({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": "3"}})
    second = heard(program, 1)["result"]
    assert [tool["name"] for tool in first["tools"]] == ["echo", "count"]
    assert first["nextCursor"] == "3"
    assert second["tools"] == []


@pytest.mark.parametrize(
    "params",
    [{"name": "secret", "arguments": {}}, {"name": ["echo"]}, {"name": None}, {}, [], "echo"],
)
def test_a_tool_that_is_not_allowed_never_reaches_the_server(
    program: Program, params: object
) -> None:
    before = calls(program)
    for message in (
        {"method": "tools/call", "params": params},
        [{"id": 7, "method": "tools/call", "params": params}],
    ):
        program.say(message)
    answer = heard(program, 7)
    assert answer["error"]["code"] == -32602
    assert calls(program) == before + 1


def test_a_name_that_stands_twice_is_judged_as_it_is_passed_on(program: Program) -> None:
    program.say_raw(
        b'{"id": 9, "method": "tools/call", "params": {"name": "echo", "name": "secret"}}'
    )
    assert "secret" in json.dumps(heard(program, 9)["error"])


def test_what_is_no_message_is_answered_and_harms_nothing(program: Program) -> None:
    for line in (b"{", b"[1]", b"\xff"):
        program.say_raw(line)
        assert program.hear()["error"]["code"] == -32700
    program.say({"id": 2, "method": "ping"})
    assert "result" in heard(program, 2)


def test_questions_of_the_server_reach_the_program() -> None:
    with filtering(server("ask")) as program:
        greet(program)
        program.say({"id": 5, "method": "tools/call", "params": {"name": "echo", "arguments": {}}})
        assert program.hear()["method"] == "ping"
        program.say({"jsonrpc": "2.0", "id": "p", "result": {"ours": 1}})
        assert program.hear()["method"] == "sampling/createMessage"
        program.say({"jsonrpc": "2.0", "id": "s", "error": {"code": -1, "message": "no"}})
        assert program.hear()["method"] == "notifications/message"
        answers = json.loads(program.hear()["result"]["content"][0]["text"])
    assert answers[0]["result"] == {"ours": 1}


@pytest.mark.parametrize("method", ["server/discover", "resources/list", "prompts/get"])
def test_what_is_no_tool_and_newer_protocols_are_declined(program: Program, method: str) -> None:
    program.say({"id": 3, "method": method, "params": {}})
    assert heard(program, 3)["error"] == {"code": -32601, "message": "Method not found"}


def test_a_server_seems_to_have_nothing_but_tools() -> None:
    with filtering(server()) as program:
        assert program.ask("initialize", **HELLO)["result"]["capabilities"] == {"tools": {}}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"name": "test", "argv": ["no-such-program"]}, "no program 'no-such-program'"),
        (server("die", "initialize"), "exit code 3; it said:\nno licence"),
        ({"name": "test", "argv": ["false"]}, "ended with exit code 1"),
    ],
)
def test_a_program_hears_why_a_server_cannot_be_used(told: dict[str, object], said: str) -> None:
    with filtering(told) as program:
        answer = program.ask("initialize", **HELLO)
        assert said in answer["error"]["message"]
        assert program.process.wait(10) == 1


def test_a_call_on_which_the_server_dies_is_answered() -> None:
    with filtering(server("die", "tools/call")) as program:
        greet(program)
        answer = program.ask("tools/call", name="echo", arguments={})
        assert "no licence" in answer["error"]["message"]


def test_the_server_ends_with_the_program() -> None:
    with filtering(server("hang", "tools/list")) as program:
        greet(program)
        program.say({"jsonrpc": "2.0", "id": 4, "method": "tools/list"})
    assert program.process.returncode == 0
