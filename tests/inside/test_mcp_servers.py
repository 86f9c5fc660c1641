"""Servers as the bridge meets them: well-behaved, odd, broken, silent."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.inside.bridging import Message, call, free_port, hub, look, over_http, server
from tests.inside.talking import INSIDE

OFFERED = ["echo", "count", "secret", "where", "blocks", "fail", "large"]


def test_every_page_of_tools_is_read() -> None:
    (found,) = look(server())
    assert found["error"] is None
    assert [tool["name"] for tool in found["tools"]] == OFFERED
    assert found["tools"][0] == {
        "name": "echo",
        "description": "ECHO",
        "inputSchema": {"type": "object"},
    }


def test_http_is_spoken_too_and_a_redirect_followed() -> None:
    for found in look(over_http(), over_http(path="/moved", name="moved")):
        assert (found["error"], len(found["tools"])) == (None, len(OFFERED))


def test_only_allowed_tools_are_offered() -> None:
    (found,) = look(server(allow=["secret", "nothing"]))
    assert [tool["name"] for tool in found["tools"]] == ["secret"]


def test_odd_servers_are_understood() -> None:
    odd = (("noise",), ("version", "2024-11-05"), ("version", "2025-11-25"))
    for found in look(*(server(*flags, name=flags[-1]) for flags in odd)):
        assert (found["error"], len(found["tools"])) == (None, len(OFFERED))


def test_a_server_without_tools_is_not_asked_for_them() -> None:
    (found,) = look(server("toolless", "die", "tools/list"))
    assert (found["error"], found["tools"]) == (None, [])


BROKEN: tuple[tuple[Message, str], ...] = (
    ({"argv": ["no-such-program"]}, "no program 'no-such-program' in the sandbox"),
    ({"argv": ["/"]}, "'/' does not start: Permission denied"),
    (server("die", "initialize"), "ended with exit code 3; it said:\nno licence"),
    (server("die", "tools/list"), "ended with exit code 3; it said:\nno licence"),
    (server("die", "notifications/initialized"), "ended with exit code 3"),
    ({"argv": ["echo", "usage: x"]}, "ended with exit code 0; it said:\nusage: x"),
    (server("version", "1999-01-01"), "speaks protocol '1999-01-01'"),
    (server("endless"), "its list of tools does not end"),
    (server("raw", "tools/list", '{"id": 2, "result": []}'), "an answer without a result"),
    (
        server("raw", "tools/list", '{"id": 2, "error": {"code": 7, "message": "no"}}'),
        "no (error 7)",
    ),
    (server("raw", "tools/list", '{"id": 2, "result": {}}'), "its list of tools is none"),
    (over_http(path="/elsewhere"), "HTTP 404: no such place"),
    (over_http("cut", "tools/list"), "the stream ended before the answer"),
    ({"url": f"http://127.0.0.1:{free_port()}/mcp"}, "nobody listens at http://127.0.0.1"),
    (
        {"url": f"http://127.0.0.1:{free_port()}/mcp", "argv": ["sh", "-c", "echo oh; exit 4"]},
        "ended with exit code 4; it said:\noh",
    ),
)


@pytest.fixture(scope="module")
def told_of_broken() -> list[Message]:
    return look(*({**told, "name": str(number)} for number, (told, _) in enumerate(BROKEN)))


@pytest.mark.parametrize(("number", "said"), [*enumerate(said for _, said in BROKEN)])
def test_a_server_that_cannot_be_used_says_why(
    told_of_broken: list[Message], number: int, said: str
) -> None:
    assert said in told_of_broken[number]["error"]
    assert told_of_broken[number]["tools"] == []


def test_servers_start_side_by_side_and_a_silent_one_costs_the_others_nothing() -> None:
    silent = server("hang", "initialize", name="silent")
    quiet = server("hang", "tools/list", name="quiet")
    found = {each["name"]: each for each in look(silent, quiet, server(), timeout_s=0.8)}
    assert found["silent"]["error"] == "no answer to initialize"
    assert found["quiet"]["error"] == "no answer to tools/list"
    assert len(found["test"]["tools"]) == len(OFFERED)


def test_a_server_inherits_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "canary")
    with hub(tmp_path, server(env={"GIVEN": "1"})) as path:
        text, _ = call(path, "where")
    assert "GIVEN" in text
    assert "PATH" in text
    assert "SOME_API_KEY" not in text


@pytest.mark.parametrize("path", sorted(INSIDE.glob("mcp_*.py")), ids=lambda path: path.name)
def test_the_oldest_python_that_images_may_have_reads_it(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))
