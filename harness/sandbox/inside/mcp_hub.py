"""Keeps servers of the Model Context Protocol running and passes single calls on to them.

A command of the tool daemon ends with its reply, so the hub stays behind as a process of its own:
`start` returns once every server answered or failed, `call` talks to the hub over a unix socket.
It dies with everything else when a command is killed at its deadline; then `call` ends with
NOBODY, and whoever started it starts it again.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time

from mcp_call import NOBODY, PIECE, line_of, reply, write_all
from mcp_session import Refused, Server, Session
from mcp_text import as_text, cut_middle
from mcp_wire import Gone, Late, encoded, messages

MYPY = False
if MYPY:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn

    from mcp_wire import Message

IDLE_S = 1.0
GREETING_S = 5.0
CATALOGUE_BYTES = 8 * 1024 * 1024


def look(told: Mapping[str, Any]) -> int:
    """Print what the servers offer, and end them again."""
    sessions, catalogue = _open_all(told)
    for session in sessions.values():
        session.close()
    write_all(1, encoded(catalogue))
    return 0


def start(told: Mapping[str, Any], path: str) -> int:
    """Print what the servers offer, and leave a hub behind that goes on talking to them."""
    read, write = os.pipe()
    sys.stdout.flush()
    if os.fork() == 0:
        os.close(read)
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nowhere, fd)
        _stay(told, path, write)
    os.close(write)
    said = b"".join(iter(lambda: os.read(read, PIECE), b""))
    write_all(1, said)
    return 0 if said else NOBODY


def _stay(told: Mapping[str, Any], path: str, write: int) -> NoReturn:
    sessions, catalogue = _open_all(told)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        os.unlink(path)  # of a hub that was killed
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(path)
            listener.listen(8)
            listener.settimeout(IDLE_S)
            write_all(write, encoded(catalogue))
            os.close(write)
            while True:
                _turn(listener, sessions)
    finally:
        for session in sessions.values():
            session.close()


def _turn(listener: socket.socket, sessions: Mapping[str, Session]) -> None:
    try:
        caller, _ = listener.accept()
    except socket.timeout:
        for session in sessions.values():
            session.answer_waiting()
        return
    with caller:
        caller.settimeout(GREETING_S)
        _attend(caller, sessions)


def _attend(caller: socket.socket, sessions: Mapping[str, Session]) -> None:
    try:
        asked = messages(line_of(caller))
        if asked:
            caller.sendall(encoded(_answer(asked[0], sessions)))
    except OSError:
        return  # whoever called is gone


def _answer(asked: Message, sessions: Mapping[str, Session]) -> Message:
    try:
        session = sessions[str(asked["server"])]
        deadline = time.monotonic() + float(asked["timeout_s"])
        arguments = dict(asked["arguments"])
        limit = int(asked["limit"])
        tool = str(asked["tool"])
    except (KeyError, TypeError, ValueError) as error:
        return reply("no call: {!r}".format(error), is_error=True)
    try:
        said = session.call(tool, arguments, deadline)
    except Late as error:
        problem = "{!r} gave {} within {:g} s".format(
            session.server.name, error, float(asked["timeout_s"])
        )
        return reply(problem, is_error=True)
    except (Gone, Refused) as error:
        problem = "{!r}: {}".format(session.server.name, error)
        return reply(cut_middle(problem, limit), is_error=True)
    return reply(cut_middle(as_text(said), limit), is_error=said.get("isError") is True)


def _open_all(told: Mapping[str, Any]) -> tuple[Mapping[str, Session], Message]:
    """Servers start side by side; one that cannot be used is told with its reason."""
    deadline = time.monotonic() + float(told["timeout_s"])
    sessions = [Session(Server(each)) for each in told["servers"]]
    problems: dict[str, str] = {}
    threads = [
        threading.Thread(target=_open, args=(session, deadline, problems), daemon=True)
        for session in sessions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    catalogue = [_listed(session, problems.get(session.server.name)) for session in sessions]
    for each in catalogue:
        if len(json.dumps(each)) > CATALOGUE_BYTES:
            each.update(tools=[], missing=[], error="its list of tools is too long")
    return {session.server.name: session for session in sessions}, {"servers": catalogue}


def _open(session: Session, deadline: float, problems: dict[str, str]) -> None:
    try:
        session.open(deadline)
    except (Gone, Late, Refused) as error:
        session.close()
        problems[session.server.name] = str(error) or "it does not answer"


def _listed(session: Session, problem: str | None) -> Message:
    tools: Sequence[Message] = () if problem else session.tools
    offered = [
        {key: tool.get(key) for key in ("name", "description", "inputSchema")}
        for tool in tools
        if isinstance(tool.get("name"), str) and session.server.allows(tool["name"])
    ]
    return {"name": session.server.name, "error": problem, "tools": offered}
