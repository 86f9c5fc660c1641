"""MCP servers for agents: tools for those that work from here, configurations for programs inside.

The servers run in the agent's sandbox, started by `mcp_bridge.py` there. What is allowed of them
is decided there too, so that a tool that is not allowed is neither offered nor answered.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.agents.base import Agent, Workbench
from harness.agents.tools import Arguments, JsonValue, Reply, Tool, ToolContext, cut_middle, toolbox
from harness.domain.mcp import McpServer
from harness.domain.session import Role
from harness.errors import UsageError
from harness.sandbox.base import HOME, Box, BoxError

BRIDGE = ("python3", "-I", "-S", "/mintmark/mcp_bridge.py")
HUB = f"{HOME}/.mintmark/mcp.sock"

START_S = 60.0
SPARE_S = 5.0
"""A command that is killed at its deadline takes the hub along: the bridge gives up before."""
PROGRAM_START_S = 60
PROGRAM_CALL_S = 600

NAME_CHARS = 64
DESCRIPTION_CHARS = 4096
ANSWER_BYTES = 16 * 1024 * 1024
STDERR_CHARS = 500
NOBODY = 3
AGAIN = "(The MCP servers had ended with a command that was killed; they were started again.)"

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool as its server describes it."""

    name: str
    description: str
    schema: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a server: its allowed tools, or why there are none."""

    server: McpServer
    tools: tuple[Offered, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Hub:
    """The servers of one run, kept running in its sandbox."""

    servers: tuple[McpServer, ...]

    def start(self, box: Box, limit_s: float) -> tuple[Found, ...]:
        """Start them all and see what they offer; raises BoxClosed."""
        return _ask_bridge(box, self.servers, ("start", HUB), limit_s)

    def call(self, context: ToolContext, request: JsonValue, limit_s: float) -> Reply:
        """One call through the hub, which is started again when it was killed."""
        reply = self._pass_on(context, request, limit_s)
        if reply is not None:
            return reply
        self.start(context.box, limit_s)
        reply = self._pass_on(context, request, limit_s)
        if reply is None:
            return Reply("the MCP servers ended and cannot be started again", is_error=True)
        return Reply(f"{AGAIN}\n{reply.text}", is_error=reply.is_error)

    def _pass_on(self, context: ToolContext, request: JsonValue, limit_s: float) -> Reply | None:
        most_s = min(context.limits.command_s, limit_s)
        patience_s = max(most_s - SPARE_S, most_s / 2)
        done = context.box.run(
            [*BRIDGE, "call", HUB, f"{patience_s + 1:g}"],
            timeout_s=most_s,
            stdin=json.dumps({**_table(request), "timeout_s": patience_s}).encode(),
            output_bytes=ANSWER_BYTES,
        )
        if done.timed_out:
            return Reply(f"no answer within {most_s:g} s", is_error=True)
        if done.exit_code == NOBODY:
            return None
        answer = _table(_parsed(done.stdout))
        text = answer.get("text")
        if not isinstance(text, str):
            return Reply(f"no answer: {done.stderr[-STDERR_CHARS:]}", is_error=True)
        return Reply(
            cut_middle(text, context.limits.output_bytes),
            is_error=answer.get("is_error") is not False,
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """What a tool of a server does."""

    hub: Hub
    server: str
    tool: str

    def __call__(self, context: ToolContext, args: Arguments, limit_s: float, /) -> Reply:
        """Pass the call on."""
        request: dict[str, JsonValue] = {
            "server": self.server,
            "tool": self.tool,
            "arguments": dict(args.values),
            "limit": context.limits.output_bytes,
        }
        return self.hub.call(context, request, limit_s)


def equip(agent: Agent, servers: Sequence[McpServer], bench: Workbench) -> tuple[McpServer, ...]:
    """Servers that the agent's own program connects to; others' tools are laid on the bench.

    Raises UsageError for a required one that does not work.
    """
    if servers and agent.needs.inside:
        return usable(servers, bench)
    if servers:
        bench.tools = {**bench.tools, **toolbox(connect(servers, bench))}
    return ()


def connect(servers: Sequence[McpServer], bench: Workbench) -> tuple[Tool, ...]:
    """Start the servers in the bench's sandbox: their allowed tools, named `<server>_<tool>`.

    What is wrong with one that is not required is noted in the transcript; raises UsageError for
    one that is.
    """
    if not servers:
        return ()
    hub = Hub(tuple(servers))
    found = hub.start(bench.context.box, min(START_S, bench.remaining_s))
    tools: dict[str, Tool] = {}
    for each in _usable(found, bench):
        for offered in each.tools:
            name = _free_name(each.server.identifier, offered.name, {*bench.tools, *tools})
            call = _Call(hub, each.server.name, offered.name)
            tools[name] = Tool(name, offered.description, (), call, offered.schema)
    return tuple(tools.values())


def usable(servers: Sequence[McpServer], bench: Workbench) -> tuple[McpServer, ...]:
    """The servers that answer, for an agent whose own program starts them; they end again.

    Notes and raises as `connect` does.
    """
    if not servers:
        return ()
    limit_s = min(START_S, bench.remaining_s)
    found = _ask_bridge(bench.context.box, tuple(servers), ("look",), limit_s)
    return tuple(each.server for each in _usable(found, bench))


def claude_config(servers: Sequence[McpServer]) -> dict[str, JsonValue]:
    """What Claude Code takes as `--mcp-config`."""
    listed: dict[str, JsonValue] = {
        server.identifier: {
            "type": "stdio",
            "command": BRIDGE[0],
            "args": [*BRIDGE[1:], *_filter(server)],
            "env": {},
        }
        for server in servers
    }
    return {"mcpServers": listed}


def codex_config(servers: Sequence[McpServer]) -> str:
    """What stands in Codex's `config.toml`."""
    return "\n".join(
        f"[mcp_servers.{_toml(server.identifier)}]\n"
        f"command = {_toml(BRIDGE[0])}\n"
        f"args = [{', '.join(_toml(word) for word in (*BRIDGE[1:], *_filter(server)))}]\n"
        f"startup_timeout_sec = {PROGRAM_START_S}\n"
        f"tool_timeout_sec = {PROGRAM_CALL_S}\n"
        for server in servers
    )


def _filter(server: McpServer) -> tuple[str, str]:
    return "filter", json.dumps(_told(server), ensure_ascii=False)


def _toml(text: str) -> str:
    """A basic string of TOML, which escapes as JSON does, but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _told(server: McpServer) -> dict[str, JsonValue]:
    """A server as the bridge wants it."""
    allowed = server.allowed_tools
    return {
        "name": server.name,
        "argv": list(server.argv),
        "env": dict(server.env),
        "url": server.url,
        "allow": None if allowed is None else list(allowed),
    }


def _ask_bridge(
    box: Box, servers: tuple[McpServer, ...], words: Sequence[str], limit_s: float
) -> tuple[Found, ...]:
    patience_s = max(limit_s - SPARE_S, limit_s / 2)
    told: JsonValue = {"servers": [_told(each) for each in servers], "timeout_s": patience_s}
    try:
        done = box.run(
            [*BRIDGE, *words],
            timeout_s=limit_s,
            stdin=json.dumps(told).encode(),
            output_bytes=ANSWER_BYTES,
        )
    except BoxError as error:
        return tuple(Found(each, problem=str(error)) for each in servers)
    said = _table(_parsed(done.stdout)).get("servers")
    listed = {_table(each).get("name"): _table(each) for each in _items(said)}
    why = f"it did not start within {limit_s:g} s" if done.timed_out else done.stderr
    return tuple(_found(each, listed.get(each.name), why) for each in servers)


def _found(server: McpServer, said: Mapping[str, JsonValue] | None, otherwise: str) -> Found:
    if said is None:
        return Found(server, problem=otherwise[-STDERR_CHARS:] or "the bridge says nothing of it")
    if said.get("error") is not None:
        return Found(server, problem=str(said["error"]))
    return Found(server, tuple(_offered(server, _items(said.get("tools")))))


def _offered(server: McpServer, tools: Sequence[JsonValue]) -> Iterator[Offered]:
    for tool in map(_table, tools):
        name, described = tool.get("name"), tool.get("description")
        if not isinstance(name, str) or name not in (server.allowed_tools or (name,)):
            continue
        text = described if isinstance(described, str) else ""
        # providers insist on these two, servers do not
        whole: dict[str, JsonValue] = {"properties": {}, **_table(tool.get("inputSchema"))}
        whole["type"] = "object"
        yield Offered(name, cut_middle(text, DESCRIPTION_CHARS) or name, whole)


def _usable(found: Sequence[Found], bench: Workbench) -> Iterator[Found]:
    for each in found:
        server = each.server
        if each.problem and server.required:
            raise UsageError(
                f"the MCP server {server.name!r}, which the specialist requires, cannot be used"
                f" in the sandbox: {each.problem}"
            )
        if each.problem:
            bench.say(Role.NOTE, f"the MCP server {server.name!r} is left out: {each.problem}")
            continue
        missing = set(server.allowed_tools or ()) - {tool.name for tool in each.tools}
        if missing:
            names = ", ".join(sorted(missing))
            bench.say(Role.NOTE, f"the MCP server {server.name!r} has no tool {names}")
        yield each


def _free_name(server: str, tool: str, taken: set[str]) -> str:
    """A name that providers take and no other tool has; the same tool always gets the same one."""
    whole = f"{server}_{tool}"
    name = _NOT_IN_NAMES.sub("_", whole)
    if name in taken or len(name) > NAME_CHARS:
        mark = hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:8]
        name = f"{name[: NAME_CHARS - len(mark) - 1]}_{mark}"
    return name


def _parsed(text: str) -> JsonValue:
    """JSON out of a sandbox, or None; halves of characters cannot be stored and are replaced."""
    try:
        plain = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace")
        value: JsonValue = json.loads(plain)
    except (ValueError, RecursionError):
        return None
    return value


def _table(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _items(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
