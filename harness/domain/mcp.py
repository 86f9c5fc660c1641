"""Servers of the Model Context Protocol that a specialist's template names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


class McpTransport(StrEnum):
    """How a server is spoken to."""

    STDIO = "stdio"
    """It is a program: lines on its standard streams."""
    HTTP = "http"
    """Streamable HTTP at a URL that the sandbox reaches."""


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server that runs in the agent's sandbox, and what of it may be used."""

    name: str
    transport: McpTransport = McpTransport.STDIO
    command: str | None = None
    """A program that the image has; over HTTP it is started when nobody listens at the URL yet."""
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    url: str | None = None
    allowed_tools: tuple[str, ...] | None = None
    """None allows all."""
    required: bool = False
    """Without it the run does not start."""

    @property
    def identifier(self) -> str:
        """The name as providers and agents' programs take it."""
        return _NOT_IN_NAMES.sub("_", self.name)

    @property
    def argv(self) -> tuple[str, ...]:
        """The command and its arguments; empty where nothing is started."""
        return (self.command, *self.args) if self.command else ()
