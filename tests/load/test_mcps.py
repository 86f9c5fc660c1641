from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.domain.mcp import McpServer, McpTransport
from harness.errors import BadFile
from harness.load.mcps import mcp_problems, mcp_servers, unused_dependencies
from harness.load.templates import load_template


def template(*servers: object, **more: object) -> dict[str, Any]:
    return {
        "name": "a",
        "version": "1.0.0",
        "persona": {"purpose": "p"},
        "capabilities": {"tags": ["t"]},
        "dependencies": {"mcps": list(servers), **more},
    }


def refused(folder: Path, *servers: object) -> str:
    path = folder / "a.json5"
    path.write_text(json.dumps(template(*servers)), encoding="utf-8")
    with pytest.raises(BadFile) as caught:
        load_template(path)
    return str(caught.value)


def test_a_server_in_the_originals_shape_is_a_program_of_its_name() -> None:
    given = template(
        {"name": "figma", "version": "^0.1.0", "permissions": ["read"], "required": True,
         "description": "x", "allowed_tools": ["figma_get_me"]}
    )  # fmt: skip
    assert list(mcp_problems(given)) == []
    (server,) = mcp_servers(given)
    assert server == McpServer(
        "figma", command="figma", allowed_tools=("figma_get_me",), required=True
    )
    assert server.argv == ("figma",)


def test_a_server_can_be_a_command_or_listen_at_a_url() -> None:
    given = template(
        {"name": "@a/files", "command": "python3", "args": ["-m", "files", "."], "env": {"A": "1"}},
        {"name": "web", "url": "http://127.0.0.1:8000/mcp"},
        {"name": "both", "transport": "http", "url": "http://[::1]:80/", "command": "serve"},
    )
    assert list(mcp_problems(given)) == []
    files, web, both = mcp_servers(given)
    assert files.argv == ("python3", "-m", "files", ".")
    assert (files.identifier, files.env) == ("_a_files", (("A", "1"),))
    assert (files.allowed_tools, files.required) == (None, False)
    assert (web.transport, web.argv) == (McpTransport.HTTP, ())
    assert (both.transport, both.argv) == (McpTransport.HTTP, ("serve",))


def test_a_template_without_servers_has_none() -> None:
    for given in ({}, {"dependencies": {}}, {"dependencies": {"mcps": []}}):
        assert mcp_servers(given) == ()
        assert list(mcp_problems(given)) == []


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ({"name": "@scope/server"}, "0/name (line 1): '@scope/server' names no program; no pack"),
        ({"name": "a b"}, "'a b' names no program"),
        ({"name": "-x"}, "'-x' names no program"),
        ({"name": "a", "command": "npx -y a"}, "0/command (line 1): 'npx -y a' is not one program"),
        ({"name": "a", "command": "x", "url": "http://x"}, None),
        ({"name": "a", "transport": "stdio", "url": "http://x"}, "0/url (line 1): a server that"),
        ({"name": "a", "transport": "http"}, "mcps/0 (line 1): 'url' is missing, where the server"),
        ({"name": "a", "url": "127.0.0.1:80"}, "is not a URL such as http://127.0.0.1:8000/mcp"),
        ({"name": "a", "url": "ftp://x"}, "is not a URL"),
        ({"name": "a", "url": "http://u:p@x"}, "is not a URL"),
        ({"name": "a", "url": "http://x:99999"}, "is not a URL"),
        ({"name": "a", "url": "http://x/\n"}, "is not a URL"),
        ({"name": "a", "url": "http://x", "args": ["b"]}, "no 'command' that they could be given"),
        ({"name": "a", "env": {"K": "${A_KEY}"}}, "0/env/K (line 1): '${A_KEY}' is not filled"),
        ({"name": "a", "env": {"A=B": "1"}}, "'A=B' cannot be set to '1'"),
        ({"name": "a", "args": ["\0"]}, "a command cannot hold a NUL character"),
        ({"name": "a", "allowed_tools": []}, "0/allowed_tools (line 1): the list is empty"),
        ({"name": "a", "transport": "sse"}, "'sse' is unknown here; there is 'http', 'stdio'"),
        ({"name": "a", "env": {"A": 1}}, "0/env/A (line 1): 1 is not text"),
        ({"name": "a", "comand": "x"}, "unknown key 'comand'; did you mean 'command'?"),
        ({"name": 1}, "1 is not text"),
    ],
)  # fmt: skip
def test_what_no_sandbox_can_make_anything_of_is_refused_with_its_place(
    tmp_path: Path, server: dict[str, object], said: str | None
) -> None:
    if said is None:
        assert list(mcp_problems(template(server))) == []
        return
    assert said in refused(tmp_path, server)


def test_two_servers_that_providers_could_not_tell_apart_are_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, {"name": "a.b"}, {"name": "a-b"}, {"name": "a_b"})
    assert "1 problem" not in said
    assert "mcps/2/name (line 1): 'a_b' is the name of 'a.b' to a provider" in said


def test_what_is_kept_without_being_acted_on_is_noted(tmp_path: Path) -> None:
    given = template({"name": "a", "version": "1", "permissions": []}, available_tools=["terminal"])
    assert unused_dependencies(given) == ("available_tools", "mcps.version", "mcps.permissions")
    path = tmp_path / "a.json5"
    path.write_text(json.dumps(given), encoding="utf-8")
    assert [note.partition(":")[0] for note in load_template(path).notes] == ["dependencies"]
    path.write_text(json.dumps(template({"name": "a"})), encoding="utf-8")
    assert load_template(path).notes == ()
