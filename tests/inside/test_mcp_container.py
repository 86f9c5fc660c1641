"""MCP servers where they run: in a sandbox without a network, behind the real daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from harness.agents.base import Workbench
from harness.agents.mcp import AGAIN, claude_config, connect, usable
from harness.agents.tools import ToolContext, toolbox
from harness.domain.mcp import McpServer, McpTransport
from harness.domain.scenario import Limits, Oracle
from harness.errors import UsageError
from harness.sandbox.base import HOME, Completed, User
from harness.testing.sandbox import FakeBox
from tests.inside.bridging import SERVER
from tests.inside.talking import Talk, in_a_container, pack, unpack

pytestmark = pytest.mark.docker

STDIO = McpServer("test", command="python3", args=("mcp_server.py",), allowed_tools=("count",))
HTTP = McpServer(
    "web",
    McpTransport.HTTP,
    command="python3",
    args=("mcp_server.py", "http", "8123"),
    url="http://127.0.0.1:8123/mcp",
)


PROGRAM = """
import subprocess, sys
pipe = subprocess.PIPE
with subprocess.Popen(sys.argv[1:], stdin=pipe, stdout=pipe, bufsize=0) as server:
    server.stdin.write(b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}\\n')
    print(server.stdout.readline().decode())
    server.stdin.close()
"""


@dataclass(slots=True)
class ContainerBox(FakeBox):
    """A box whose commands the daemon of a container runs."""

    daemon: Talk | None = None

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
        """What the daemon says."""
        del user
        assert self.daemon is not None
        # these containers have their home elsewhere
        words = [word.replace(HOME, "/tmp/home") for word in command]
        what = {"shell": command} if isinstance(command, str) else {"argv": words}
        done = self.daemon.ask(
            "run", cwd="/workspace", timeout_s=timeout_s, stdin=pack(stdin), env=env,
            output_bytes=output_bytes, **what,
        )  # fmt: skip
        texts = (unpack(done[name]).decode() for name in ("stdout", "stderr"))
        return Completed(done["exit_code"], *texts, done["duration_s"])


@pytest.fixture(scope="module")
def daemon(image: str) -> Iterator[Talk]:
    assert image
    with in_a_container(grading=False) as talk:
        for path in (SERVER, SERVER.with_name("mcp_http_server.py")):
            data = pack(path.read_bytes())
            assert talk.ask("write", path=f"/workspace/{path.name}", data=data)["size"]
        yield talk


@pytest.fixture
def bench(daemon: Talk) -> Workbench:
    context = ToolContext(ContainerBox({}, {}, daemon=daemon), Limits(), Oracle())
    return Workbench(toolbox(), context, wall_clock_s=120)


def test_tools_of_both_transports_are_called(bench: Workbench) -> None:
    tools = {tool.name: tool for tool in connect([STDIO, HTTP], bench)}
    assert tools["test_count"].call(bench.context, "{}", 20).text == "1"
    assert tools["test_count"].call(bench.context, "{}", 20).text == "2"
    where = json.loads(tools["web_where"].call(bench.context, "{}", 20).text)
    assert where["cwd"] == "/workspace"
    assert "test_echo" not in tools


def test_a_killed_command_ends_the_servers_and_the_next_call_starts_them_again(
    bench: Workbench,
) -> None:
    (tool,) = connect([STDIO], bench)
    assert tool.call(bench.context, "{}", 20).text == "1"
    assert bench.context.box.run("sleep 60", timeout_s=0.5).timed_out
    assert tool.call(bench.context, "{}", 20).text == f"{AGAIN}\n1"


def test_a_call_that_hangs_leaves_the_servers_running(bench: Workbench) -> None:
    silent = McpServer("silent", command="python3", args=(*STDIO.args, "hang", "tools/call"))
    tools = {tool.name: tool for tool in connect([STDIO, silent], bench)}
    assert tools["test_count"].call(bench.context, "{}", 20).text == "1"
    reply = tools["silent_echo"].call(bench.context, "{}", 2)
    assert (reply.is_error, "gave no answer" in reply.text) == (True, True)
    assert tools["test_count"].call(bench.context, "{}", 20).text == "2"


def test_a_program_of_the_agents_gets_a_server_from_its_configuration(bench: Workbench) -> None:
    assert usable([STDIO], bench) == (STDIO,)
    entry = json.loads(json.dumps(claude_config([STDIO])))["mcpServers"]["test"]
    command = ["python3", "-c", PROGRAM, entry["command"], *entry["args"]]
    done = bench.context.box.run(command, timeout_s=20)
    assert [tool["name"] for tool in json.loads(done.stdout)["result"]["tools"]] == ["count"]


def test_a_package_is_not_fetched_and_the_reason_is_told(bench: Workbench) -> None:
    missing = McpServer("figma", command="figma", required=True)
    with pytest.raises(UsageError, match="there is no program 'figma' in the sandbox"):
        connect([missing], bench)
