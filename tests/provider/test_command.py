"""`python -m harness.testing.provider` and the files that it plays."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import pytest

from harness.domain.model import Usage
from harness.errors import BadFile
from harness.testing.provider import Call, Says
from harness.testing.provider.files import load_script
from tests.provider.asking import BODIES, TOOLS, plain_client

SCRIPT = """
description: Two turns.
turns:
  - says: I look first.
    thinking: Hm.
    calls:
      - tool: look
        input: {path: a}
      - tool: look
        input: '{"path": '
    usage: {input_tokens: 1200, output_tokens: 40, cached_tokens: 800}
  - says: Done.
"""


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-m", "harness.testing.provider", *arguments]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def write(folder: Path, text: str) -> Path:
    path = folder / "script.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_what_each_turn_answers(tmp_path: Path) -> None:
    assert load_script(write(tmp_path, SCRIPT)).turns == (
        Says(
            "I look first.",
            calls=(Call("look", {"path": "a"}), Call("look", '{"path": ')),
            thinking="Hm.",
            usage=Usage(input_tokens=1200, output_tokens=40, cached_tokens=800),
        ),
        Says("Done."),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("turns: []", "'turns' is missing or empty, and there are no 'asides'"),
        ("asides: [{calls: []}]", "/asides/0/calls (line 1): unknown key 'calls'"),
        ("asides: [Hm.]", "/asides/0 (line 1): 'Hm.' is not a mapping"),
        ("- says: Hi.", "is not a mapping"),
        ("turns: [{say: Hi.}]", "/turns/0/say (line 1): unknown key 'say'; did you mean 'says'?"),
        ("turns: [{says: 3}]", "3 is not what 'says' takes"),
        ("turns: [{calls: [{input: {}}]}]", "/turns/0/calls/0 (line 1): 'tool' is missing"),
        ("turns: [{usage: {tokens: 3}}]", "unknown key 'tokens'"),
        ("turns: [{usage: {input_tokens: many}}]", "'many' is not what 'input_tokens' takes"),
    ],
)
def test_a_file_that_does_not_fit_says_where(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(BadFile) as caught:
        load_script(write(tmp_path, text))
    assert problem in str(caught.value)


def test_the_command_plays_a_file_until_ctrl_c(tmp_path: Path) -> None:
    path = write(tmp_path, SCRIPT)
    with command("--script", str(path), "--key", "sk-mine") as process:
        assert process.stdout
        url, _, key = process.stdout.readline().split()
        with anthropic.Anthropic(
            base_url=url, api_key=key, max_retries=0, http_client=plain_client()
        ) as client:
            got = client.messages.create(tools=TOOLS["messages"], **BODIES["messages"])
        assert got.content[1].text == "I look first."
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr
        assert process.stderr.read() == ""


def test_asides_answer_what_offers_no_tools_in_order_and_the_last_ever_after(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, "asides: [{says: one}, {says: two}]\nturns: [{says: a turn}]")
    body = BODIES["messages"]
    with command("--script", str(path)) as process:
        assert process.stdout
        url, _, key = process.stdout.readline().split()
        with anthropic.Anthropic(
            base_url=url, api_key=key, max_retries=0, http_client=plain_client()
        ) as client:
            kinds: list[dict[str, Any]] = [{}, {"tools": TOOLS["messages"]}, {}, {}]
            got = [client.messages.create(**{**body, **extra}) for extra in kinds]
    texts = [block.text for answer in got for block in answer.content if block.type == "text"]
    assert texts == ["one", "a turn", "two", "two"]


def test_the_command_s_help_says_what_a_file_holds() -> None:
    with command("--help") as process:
        out, _ = process.communicate(timeout=20)
    assert "asides:" in out
    assert "the last one again and again" in out


def test_the_command_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    with command("--script", str(write(tmp_path, "turns: 3"))) as process:
        _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "/turns" in error
    assert "Traceback" not in error


def test_the_command_says_that_a_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with command("--port", port) as process:
            _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert error.startswith(f"cannot listen on port {port}: ")
