"""A server as people write them, on the protocol's own SDK; a port makes it speak HTTP."""

from __future__ import annotations

import sys

from mcp.server.mcpserver import Image, MCPServer

server = MCPServer("real")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def picture() -> Image:
    """Show something."""
    return Image(data=b"x" * 300, format="png")


@server.tool()
def secret() -> str:
    """Tell what nobody asked for."""
    return "secret"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run()
