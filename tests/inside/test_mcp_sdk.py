"""The bridge against the protocol's own SDK, as server and as client."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import TextContent

from tests.inside.bridging import BRIDGE, Message, call, free_port, hub

SERVER = Path(__file__).with_name("mcp_sdk_server.py")
ALLOWED = ["add", "picture"]


ARGV = [sys.executable, str(SERVER)]


@pytest.fixture(scope="module")
def at_a_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Message, str]]:
    """A server that listens, started by a hub, and the hub's socket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    told = {"name": "test", "allow": ALLOWED, "argv": [*ARGV, str(port)], "url": url}
    with hub(tmp_path_factory.mktemp("hub"), told) as path:
        yield told, path


def test_a_real_server_is_called_through_the_hub(at_a_url: tuple[Message, str]) -> None:
    _, path = at_a_url
    assert call(path, "add", a=1, b=2) == ("3", False)
    assert call(path, "picture") == ("[image image/png, 300 bytes: it cannot be shown here]", False)
    text, is_error = call(path, "add", a="one")
    assert is_error
    assert "valid integer" in text
    assert call(path, "secret")[1]


def test_a_real_client_sees_a_real_server_through_the_filter() -> None:
    asyncio.run(_talk({"name": "test", "allow": ALLOWED, "argv": ARGV}))


def test_a_real_client_sees_a_server_at_a_url_as_one_on_standard_streams(
    at_a_url: tuple[Message, str],
) -> None:
    asyncio.run(_talk(at_a_url[0]))


async def _talk(told: Message) -> None:
    words = [*BRIDGE[1:], "filter", json.dumps(told)]
    parameters = StdioServerParameters(command=BRIDGE[0], args=words)
    async with asyncio.timeout(20), Client(stdio_client(parameters)) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ALLOWED
        (block,) = (await client.call_tool("add", {"a": 1, "b": 2})).content
        assert isinstance(block, TextContent)
        assert block.text == "3"
        with pytest.raises(MCPError, match="not among the tools"):
            await client.call_tool("secret", {})
