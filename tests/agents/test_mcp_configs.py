"""What agents' own programs are told of MCP servers."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib

from harness.agents.mcp import claude_config, codex_config
from harness.domain.mcp import McpServer, McpTransport
from tests.inside.bridging import SERVER
from tests.inside.talking import INSIDE

SERVERS = (
    McpServer(
        "my.server",
        command="python3",
        args=(str(SERVER), 'a "quoted"\n\x7f word é 😀'),
        env=(("MODE", "test"),),
        allowed_tools=("echo",),
    ),
    McpServer("web", McpTransport.HTTP, url="http://127.0.0.1:8000/mcp"),
)


def test_claude_code_gets_the_filter_in_place_of_every_server() -> None:
    config = json.loads(json.dumps(claude_config(SERVERS)))["mcpServers"]
    assert list(config) == ["my_server", "web"]
    for entry, server in zip(config.values(), SERVERS, strict=True):
        assert entry["command"] == "python3"
        assert entry["args"][:4] == ["-I", "-S", "/mintmark/mcp_bridge.py", "filter"]
        told = json.loads(entry["args"][4])
        assert told["name"] == server.name
        assert told["argv"] == list(server.argv)
        assert told["url"] == server.url
        assert told["env"] == dict(server.env)
        assert told["allow"] == (list(server.allowed_tools) if server.allowed_tools else None)


def test_codex_gets_the_same_as_toml() -> None:
    config = tomllib.loads(codex_config(SERVERS))["mcp_servers"]
    claude = json.loads(json.dumps(claude_config(SERVERS)))["mcpServers"]
    for name, entry in claude.items():
        assert config[name]["command"] == entry["command"]
        assert config[name]["args"] == entry["args"]
        assert config[name]["startup_timeout_sec"] > 0
    assert codex_config(()) == ""


def test_the_configured_command_is_a_server_with_only_allowed_tools() -> None:
    config = tomllib.loads(codex_config(SERVERS[:1]))["mcp_servers"]["my_server"]
    words = [word.replace("/mintmark", str(INSIDE)) for word in config["args"]]
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, *words], stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write('{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}\n')
        program.stdin.flush()
        listed = json.loads(program.stdout.readline())["result"]["tools"]
        program.stdin.close()
    assert [tool["name"] for tool in listed] == ["echo"]
