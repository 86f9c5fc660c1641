"""Calls through the hub, which stays when the command that started it has ended."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inside.bridging import bridge, call, hub, hub_of, over_http, server


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    told = server(allow=["echo", "count", "fail", "large", "blocks"])
    with hub(tmp_path_factory.mktemp("hub"), told) as socket:
        yield socket


def calls(path: str) -> int:
    """How many calls the server saw, this one among them."""
    return int(call(path, "count")[0])


def test_a_server_lives_from_one_call_to_the_next(path: str) -> None:
    assert call(path, "echo", a=[1, {"b": None}]) == ('{"a": [1, {"b": null}]}', False)
    assert calls(path) + 1 == calls(path)


def test_a_server_at_a_url_lives_as_long(tmp_path: Path) -> None:
    with hub(tmp_path, over_http()) as path:
        assert (calls(path), calls(path)) == (1, 2)


def test_a_tool_that_is_not_allowed_never_reaches_the_server(path: str) -> None:
    before = calls(path)
    text, is_error = call(path, "secret")
    assert is_error
    assert "'secret' is not among the tools that are allowed here" in text
    assert calls(path) == before + 1


def test_a_tool_can_fail(path: str) -> None:
    assert call(path, "fail") == ("it went wrong", True)


def test_a_long_answer_loses_its_middle_and_says_so(path: str) -> None:
    text, _ = call(path, "large", limit=1000)
    assert text.startswith("a" * 500)
    assert text.endswith("ab")
    assert "99001 characters left out" in text


def test_every_kind_of_content_becomes_text(path: str) -> None:
    text, is_error = call(path, "blocks")
    assert not is_error
    assert text.splitlines() == [
        "one \ud800",
        "[image image/png, 3 bytes: it cannot be shown here]",
        "[resource file:///a]",
        "two",
        "[resource file:///b None, 3 bytes: it cannot be shown here]",
        "[resource file:///c c]",
        '{"type": "novelty", "x": 1}',
    ]


def test_what_the_server_asks_of_the_client_is_answered_or_refused(tmp_path: Path) -> None:
    with hub(tmp_path, server("ask")) as path:
        pong, no = json.loads(call(path, "echo")[0])
    assert (pong["id"], pong["result"]) == ("p", {})
    assert (no["id"], no["error"]["code"]) == ("s", -32601)


def test_a_call_without_an_answer_ends_in_time_and_the_hub_goes_on(tmp_path: Path) -> None:
    with hub(tmp_path, server("hang", "tools/call")) as path:
        text, is_error = call(path, "echo", timeout_s=0.3)
        assert (is_error, text) == (True, "'test' gave no answer to tools/call within 0.3 s")
        assert call(path, "unheard", timeout_s=0.3)[1]


def test_a_server_that_dies_tells_its_last_words_to_every_call(tmp_path: Path) -> None:
    with hub(tmp_path, server("die", "tools/call")) as path:
        for _ in range(2):
            text, is_error = call(path, "echo")
            assert is_error
            assert "it ended with exit code 3; it said:\nno licence" in text


@pytest.mark.parametrize(
    "request_",
    [{}, {"server": "other", "tool": "echo", "arguments": {}, "timeout_s": 1, "limit": 9}, [], 1],
)
def test_a_call_that_is_none_harms_nobody(path: str, request_: object) -> None:
    done = bridge(["call", path, "5"], request_)
    assert done.returncode == 3 or json.loads(done.stdout)["is_error"]
    assert calls(path)


def test_where_no_hub_answers_a_call_says_so_with_its_exit_code(tmp_path: Path) -> None:
    assert bridge(["call", str(tmp_path / "none"), "5"], {}).returncode == 3
    with hub(tmp_path, server()) as path:
        os.kill(hub_of(path), signal.SIGKILL)
        assert bridge(["call", path, "5"], {}).returncode == 3


def test_a_new_hub_takes_the_place_of_one_that_was_killed(tmp_path: Path) -> None:
    with hub(tmp_path, server()) as path:
        os.kill(hub_of(path), signal.SIGKILL)
        with hub(tmp_path, server()) as again:
            assert call(again, "count") == ("1", False)
