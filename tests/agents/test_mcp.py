"""Tools of MCP servers for agents that work from here, over a bridge that runs on the host."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.agents.base import Workbench
from harness.agents.mcp import AGAIN, BRIDGE, HUB, connect, usable
from harness.agents.tools import ToolContext, toolbox
from harness.domain.mcp import McpServer
from harness.domain.scenario import Limits, Oracle
from harness.domain.session import Role
from harness.errors import UsageError
from harness.sandbox.base import HOME, Completed, User
from harness.testing.sandbox import FakeBox
from tests.inside.bridging import SERVER, hub_of
from tests.inside.talking import INSIDE


@dataclass(slots=True)
class HostBox(FakeBox):
    """Runs the bridge on this machine, with a home of its own."""

    home: Path = Path()
    sent: list[bytes] = field(default_factory=list)

    def run(
        self,
        command: str | Sequence[str],
        *,
        timeout_s: float,
        user: User = User.AGENT,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        output_bytes: int | None = None,
    ) -> Completed:
        """What the bridge says."""
        del user, env, output_bytes
        assert tuple(command[: len(BRIDGE)]) == BRIDGE
        self.sent.append(stdin)
        words = [sys.executable, *(self.here(word) for word in command[1:])]
        try:
            done = subprocess.run(
                words, input=stdin, capture_output=True, check=False, timeout=timeout_s
            )
        except subprocess.TimeoutExpired:
            return Completed(None, "", "", timeout_s)
        return Completed(done.returncode, done.stdout.decode(), done.stderr.decode(), 0.1)

    def here(self, word: str) -> str:
        """A path of the sandbox, on this machine."""
        return word.replace("/mintmark", str(INSIDE)).replace(HOME, str(self.home))


@pytest.fixture
def box(tmp_path: Path) -> Iterator[HostBox]:
    box = HostBox({}, {}, home=tmp_path)
    yield box
    with suppress(OSError):
        os.kill(hub_of(box.here(HUB)), signal.SIGTERM)


def bench_of(box: FakeBox, **limits: int) -> Workbench:
    return Workbench(toolbox(), ToolContext(box, Limits(**limits), Oracle()), wall_clock_s=60)


def server(*flags: str, name: str = "test", required: bool = False, **more: object) -> McpServer:
    allowed = more.get("allowed")
    return McpServer(
        name,
        command=sys.executable,
        args=(str(SERVER), *flags),
        allowed_tools=tuple(allowed) if isinstance(allowed, list) else None,
        required=required,
    )


def notes(bench: Workbench) -> list[str]:
    return [entry.text for entry in bench.transcript if entry.role is Role.NOTE]


def test_tools_are_offered_under_their_servers_name_with_their_whole_schema(box: HostBox) -> None:
    bench = bench_of(box)
    bench.tools = {**bench.tools, **toolbox(connect([server(allowed=["echo", "count"])], bench))}
    assert list(bench.tools)[-2:] == ["test_echo", "test_count"]
    assert bench.tools["test_echo"].schema == {"type": "object", "properties": {}}
    assert bench.tools["test_echo"].description == "ECHO"
    reply = bench.call("test_echo", '{"deep": {"er": [1, null]}}')
    assert (reply.text, reply.is_error) == ('{"deep": {"er": [1, null]}}', False)
    assert bench.call("test_count", "{}").text == "2"
    assert [entry.tool for entry in bench.transcript] == ["test_echo"] * 2 + ["test_count"] * 2
    assert notes(bench) == []


def test_arguments_that_are_no_object_are_refused_before_they_leave(box: HostBox) -> None:
    (tool,) = connect([server(allowed=["echo"])], bench_of(box))
    sent = len(box.sent)
    for wrong in ("[]", "{", '{"a": NaN}', '{"a": "\\ud800"}'):
        assert tool.refuses(wrong)
        assert tool.call(bench_of(box).context, wrong, 10).is_error
    assert len(box.sent) == sent


def test_a_long_answer_is_cut_and_a_failed_one_told_apart(box: HostBox) -> None:
    bench = bench_of(box, output_bytes=1000)
    tools = {t.name: t for t in connect([server(allowed=["large", "fail", "blocks"])], bench)}
    large = tools["test_large"].call(bench.context, "", 10)
    assert len(large.text) < 1100
    assert "characters left out" in large.text
    assert tools["test_fail"].call(bench.context, "", 10).is_error
    # what is stored is text, halves of characters are none
    assert tools["test_blocks"].call(bench.context, "", 10).text.encode()


def test_a_required_server_that_cannot_be_used_keeps_the_run_from_starting(box: HostBox) -> None:
    broken = server("die", "initialize", name="figma", required=True)
    for ask in (connect, usable):
        with pytest.raises(
            UsageError, match=r"(?s)'figma', which the specialist requires.*no licence"
        ):
            ask([broken], bench_of(box))


def test_another_is_left_out_with_a_note(box: HostBox) -> None:
    bench = bench_of(box)
    broken = McpServer("figma", command="no-such-program")
    tools = connect([broken, server(allowed=["echo", "nothing"])], bench)
    assert [tool.name for tool in tools] == ["test_echo"]
    assert "'figma' is left out: there is no program 'no-such-program'" in notes(bench)[0]
    assert notes(bench)[1] == "the MCP server 'test' has no tool nothing"


def test_servers_are_tried_for_a_program_that_starts_them_itself(box: HostBox) -> None:
    bench = bench_of(box)
    good = server()
    assert usable([McpServer("figma", command="no-such-program"), good], bench) == (good,)
    assert len(notes(bench)) == 1
    assert not Path(box.here(HUB)).exists()


def test_servers_that_a_killed_command_took_along_are_started_again(box: HostBox) -> None:
    bench = bench_of(box)
    (tool,) = connect([server(allowed=["count"])], bench)
    assert tool.call(bench.context, "", 10).text == "1"
    assert tool.call(bench.context, "", 10).text == "2"
    os.kill(hub_of(box.here(HUB)), signal.SIGKILL)
    assert tool.call(bench.context, "", 10).text == f"{AGAIN}\n1"
    assert tool.call(bench.context, "", 10).text == "2"


def test_names_fit_what_providers_take_and_never_meet() -> None:
    listed = [
        {"name": name, "inputSchema": {"type": "object", "properties": {"a": {}}}}
        for name in ("get.it", "get/it", "x" * 100, "x" * 101, "é")
    ]
    box = saying([{"name": "a b", "error": None, "tools": listed}])
    names = [tool.name for tool in connect([McpServer("a b", command="x")], bench_of(box))]
    assert names[0] == "a_b_get_it"
    assert len({*names}) == 5
    assert all(len(name) <= 64 and name.replace("_", "").isalnum() for name in names)
    assert all(name.isascii() for name in names)


def test_no_tool_takes_the_name_of_a_standard_one() -> None:
    box = saying([{"name": "read", "error": None, "tools": [{"name": "file"}]}])
    (tool,) = connect([McpServer("read", command="x")], bench_of(box))
    assert tool.name.startswith("read_file_")


@pytest.mark.parametrize(
    "said",
    [
        None, 1, "x", [], {}, {"servers": 1}, {"servers": [1, None, {}]},
        {"servers": [{"name": "test", "error": ["x"]}]},
        {"servers": [{"name": "other", "tools": [{"name": "echo"}]}]},
    ],
)  # fmt: skip
def test_a_catalogue_that_is_none_is_a_reason_and_no_crash(said: object) -> None:
    box = FakeBox({}, {"start": Completed(0, json.dumps(said), "", 0.1)})
    bench = bench_of(box)
    assert connect([McpServer("test", command="x")], bench) == ()
    assert "'test' is left out" in notes(bench)[0]


@pytest.mark.parametrize(
    "tools", [None, {}, [1], [{"name": 1}], [{"name": "secret"}], [{"description": "x"}]]
)
def test_a_list_of_tools_is_read_with_suspicion(tools: object) -> None:
    bench = bench_of(saying([{"name": "test", "error": None, "tools": tools}]))
    assert connect([McpServer("test", command="x", allowed_tools=("echo",))], bench) == ()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Completed(0, "{", "oh", 0.1), "no answer: oh"),
        (Completed(0, '{"text": 1}', "", 0.1), "no answer"),
        (Completed(None, "", "", 9), "no answer within 9 s"),
        (Completed(3, "", "", 0.1), "cannot be started again"),
    ],
)
def test_an_answer_that_is_none_is_an_error_for_the_agent(answer: Completed, said: str) -> None:
    box = saying([{"name": "test", "error": None, "tools": [{"name": "echo"}]}], answer)
    bench = bench_of(box)
    (tool,) = connect([McpServer("test", command="x")], bench)
    reply = tool.call(bench.context, "{}", 9)
    assert reply.is_error
    assert said in reply.text


def test_without_servers_nothing_is_started() -> None:
    box = FakeBox({}, {})
    assert (connect([], bench_of(box)), usable([], bench_of(box))) == ((), ())
    assert box.asked == []


def saying(servers: object, answer: Completed | None = None) -> FakeBox:
    """A sandbox whose bridge says so."""
    started = Completed(0, json.dumps({"servers": servers}), "", 0.1)
    return FakeBox({}, {"py start": started, "py call": answer or Completed(3, "", "", 0.1)})
