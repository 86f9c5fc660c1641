"""MCP servers as templates name them: what they mean, and what no sandbox can make of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from harness.domain.mcp import McpServer, McpTransport
from harness.load.places import Place, Problem, shown

PLACE: Place = ("dependencies", "mcps")
NOT_ACTED_ON = ("mcps.version", "mcps.permissions")

_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_FILLED_IN = re.compile(r"\$\{?\w+\}?")
_NO_PACKAGES = (
    "no package is fetched: a sandbox has no network and keeps nothing; install the server with"
    " the scenario's image and name its program as 'command'"
)


def mcp_servers(template: Mapping[str, Any]) -> tuple[McpServer, ...]:
    """The servers of a template that has no `mcp_problems`."""
    return tuple(_server(each) for each in _listed(template))


def mcp_problems(template: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with those servers of a template that its schema has nothing against."""
    seen: dict[str, str] = {}
    for number, each in enumerate(_listed(template)):
        if each is None:
            continue
        place = (*PLACE, number)
        server = _server(each)
        yield from _program_problems(place, each, server)
        yield from _url_problems(place, each, server)
        yield from _value_problems(place, server)
        if server.identifier in seen:
            text = f"{server.name!r} is the name of {seen[server.identifier]!r} to a provider"
            yield Problem((*place, "name"), text)
        seen.setdefault(server.identifier, server.name)


def unused_dependencies(template: Mapping[str, Any]) -> tuple[str, ...]:
    """What is kept of a template's dependencies without being acted on."""
    keys = [key for key, given in template.get("dependencies", {}).items() if given]
    of_servers = {f"mcps.{key}" for each in _listed(template) for key in each}
    return (
        *(key for key in keys if key != "mcps"),
        *(key for key in NOT_ACTED_ON if key in of_servers),
    )


def _listed(template: Mapping[str, Any]) -> list[Any]:
    listed: list[Any] = template.get("dependencies", {}).get("mcps", [])
    return listed


def _server(given: Mapping[str, Any]) -> McpServer:
    transport = McpTransport(given.get("transport", "http" if "url" in given else "stdio"))
    command = given.get("command")
    if command is None and transport is McpTransport.STDIO:
        command = given["name"]
    return McpServer(
        name=given["name"],
        transport=transport,
        command=command,
        args=tuple(given.get("args", ())),
        env=tuple(given.get("env", {}).items()),
        url=given.get("url"),
        allowed_tools=tuple(given["allowed_tools"]) if "allowed_tools" in given else None,
        required=given.get("required", False),
    )


def _program_problems(
    place: Place, given: Mapping[str, Any], server: McpServer
) -> Iterator[Problem]:
    if "command" in given:
        if any(character.isspace() for character in given["command"]):
            text = f"{shown(given['command'])} is not one program; its words belong in 'args'"
            yield Problem((*place, "command"), text)
    elif server.transport is McpTransport.STDIO and not _PROGRAM.fullmatch(server.name):
        yield Problem((*place, "name"), f"{shown(server.name)} names no program; {_NO_PACKAGES}")
    elif server.args and not server.argv:
        yield Problem((*place, "args"), "there is no 'command' that they could be given to")


def _url_problems(place: Place, given: Mapping[str, Any], server: McpServer) -> Iterator[Problem]:
    if server.transport is McpTransport.STDIO:
        if "url" in given:
            text = "a server that is spoken to over stdio has no URL; take it or 'transport' away"
            yield Problem((*place, "url"), text)
        return
    if server.url is None:
        yield Problem(place, "'url' is missing, where the server listens in the sandbox")
    elif not _is_url(server.url):
        text = f"{shown(server.url)} is not a URL such as http://127.0.0.1:8000/mcp"
        yield Problem((*place, "url"), text)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    known = parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0
    return known and not parts.username and text.isprintable() and " " not in text


def _value_problems(place: Place, server: McpServer) -> Iterator[Problem]:
    for key, value in server.env:
        if not key or "=" in key or "\0" in key + value:
            yield Problem((*place, "env", key), f"{shown(key)} cannot be set to {shown(value)}")
        if _FILLED_IN.search(value):
            text = (
                f"{shown(value)} is not filled in: nothing of this machine's environment enters a"
                " sandbox, keys least of all"
            )
            yield Problem((*place, "env", key), text)
    if any("\0" in word for word in server.argv):
        yield Problem(place, "a command cannot hold a NUL character")
    if server.allowed_tools == ():
        text = "the list is empty: leave it out to allow every tool, or leave the server out"
        yield Problem((*place, "allowed_tools"), text)
