"""A box as the host sees it: methods that become requests to the tool daemon."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from harness.domain.changes import Change
from harness.errors import BoxClosed, BoxDied, SandboxFault
from harness.interrupts import INTERRUPTS
from harness.sandbox.base import (
    AGENT_UID,
    GRADING,
    WORKSPACE,
    BoxError,
    BoxSpec,
    Completed,
    FileEntry,
    Match,
    Purpose,
    TreeEntry,
    User,
)
from harness.sandbox.channel import Channel

GRACE_S = 15.0
"""How long the daemon may take beyond a command's own deadline, on a busy machine."""
FILE_OP_S = 60.0
HEARD_S = 2.0
"""So long after a stream has ended the engine may still take its container for running."""
ENTRY_BYTES = 200
APPLY_BYTES = 16 * 1024 * 1024
"""Changes go in requests of about this size."""
PIECE_BYTES = 16 * 1024 * 1024
MAX_HASHED_BYTES = 1024 * 1024 * 1024


class DaemonBox:
    """One running sandbox."""

    def __init__(self, channel: Channel, spec: BoxSpec, why_closed: Callable[[], str]) -> None:
        self._channel = channel
        self._spec = spec
        self._why_closed = why_closed
        self._last = 0

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
        """Run a command; everything it began dies at the deadline, and when grading, at its end."""
        how = {"shell": command} if isinstance(command, str) else {"argv": list(command)}
        reply = self._ask(
            "run",
            timeout_s + GRACE_S,
            **how,
            cwd=WORKSPACE,
            env=dict(env or {}),
            stdin=_pack(stdin),
            timeout_s=timeout_s,
            output_bytes=output_bytes or self._spec.limits.output_bytes,
            kill_after=self._spec.purpose is Purpose.GRADE,
            **self._as(user),
        )
        exit_code = reply["exit_code"]
        return Completed(
            exit_code=None if reply["timed_out"] else int(str(exit_code)),
            stdout=_text(reply["stdout"]),
            stderr=_text(reply["stderr"]),
            duration_s=float(str(reply["duration_s"])),
            dropped_bytes=int(str(reply["stdout_dropped"])) + int(str(reply["stderr_dropped"])),
        )

    def read(self, path: str, *, limit: int, user: User = User.AGENT) -> bytes:
        """A regular file's first bytes."""
        reply = self._ask(
            "read", FILE_OP_S, path=_place(path), offset=0, limit=limit, **self._as(user)
        )
        return _unpack(reply["data"])

    def write(self, path: str, data: bytes) -> None:
        """Replace a file."""
        self._ask(
            "write",
            FILE_OP_S,
            path=_place(path),
            data=_pack(data),
            mkdirs=True,
            **self._as(User.AGENT),
        )

    def list(self, path: str, *, depth: int, limit: int) -> Sequence[FileEntry]:
        """Names below a folder."""
        reply = self._ask(
            "list", FILE_OP_S, path=_place(path), depth=depth, limit=limit, **self._as(User.AGENT)
        )
        return [
            FileEntry(str(e["name"]), str(e["kind"]), int(str(e["size"])))
            for e in _records(reply["entries"])
        ]

    def search(self, pattern: str, *, path: str, glob: str | None, limit: int) -> Sequence[Match]:
        """Lines that match."""
        reply = self._ask(
            "search",
            FILE_OP_S,
            pattern=pattern,
            path=_place(path),
            glob=glob,
            limit=limit,
            **self._as(User.AGENT),
        )
        prefix = f"{WORKSPACE}/"
        return [
            Match(str(m["path"]).removeprefix(prefix), int(str(m["line"])), str(m["text"]))
            for m in _records(reply["matches"])
        ]

    def apply(self, changes: Sequence[Change]) -> None:
        """Make the workspace so, in requests of a bounded size."""
        for group in _groups(changes):
            packed = [
                {
                    "path": _pack(c.path),
                    "kind": c.kind.value,
                    "mode": c.mode & 0o777,
                    "data": _pack(c.data),
                }
                for c in group
            ]
            self._ask("apply", FILE_OP_S, root=WORKSPACE, changes=packed, **self._as(User.AGENT))

    def put_hidden(self, files: Mapping[str, bytes]) -> None:
        """Put files where only the grader reads them."""
        packed = [
            {"path": name, "data": _pack(data), "mode": 0o600} for name, data in files.items()
        ]
        self._ask("put", FILE_OP_S, root=GRADING, files=packed)

    def scan(
        self, root: str, *, skip: Iterable[str], max_entries: int, max_hashed_bytes: int
    ) -> Iterator[TreeEntry]:
        """All below a folder, parents first; raises BoxError, also when there is more of it."""
        self._send(
            "scan",
            root=_place(root),
            skip=sorted(skip),
            max_entries=max_entries,
            max_bytes=min(max_hashed_bytes, MAX_HASHED_BYTES),
            max_total=max_hashed_bytes,
        )
        page = self._receive(FILE_OP_S)
        while not page.get("done"):
            yield from map(_entry, _records(page["entries"]))
            page = self._receive(FILE_OP_S)
        if page["truncated"]:
            raise BoxError("too_many", f"{root} has more than {max_entries} files")

    def fetch(self, path: str) -> bytes:
        """A whole regular file, as the trusted user."""
        data = bytearray()
        while True:
            reply = self._ask(
                "read", FILE_OP_S, path=_place(path), offset=len(data), limit=PIECE_BYTES
            )
            piece = _unpack(reply["data"])
            data += piece
            if len(piece) < PIECE_BYTES:
                return bytes(data)

    def _as(self, user: User) -> dict[str, object]:
        drops = self._spec.purpose is not Purpose.WORK and user is User.AGENT
        return {"as": [AGENT_UID, AGENT_UID] if drops else None}

    def _ask(self, op: str, wait_s: float, **fields: object) -> dict[str, object]:
        self._send(op, **fields)
        return self._receive(wait_s)

    def _send(self, op: str, **fields: object) -> None:
        self._last += 1
        with self._reasons():
            self._channel.send({"id": self._last, "op": op, **fields})

    def _receive(self, wait_s: float) -> dict[str, object]:
        with self._reasons():
            reply = self._channel.receive(wait_s)
        if reply.get("id") != self._last:
            raise BoxClosed(f"the sandbox answered request {reply.get('id')!r}, not {self._last}")
        problem = reply.get("error")
        if isinstance(problem, dict):
            raise BoxError(str(problem.get("kind")), str(problem.get("message")))
        return reply

    @contextmanager
    def _reasons(self) -> Iterator[None]:
        try:
            yield
        except BoxClosed as error:
            if reason := self._reason():
                raise BoxDied(f"{error}: {reason}") from error
            if self._channel.is_cut and not INTERRUPTS.stopping:
                # whoever works inside ends a stream only by ending the container
                raise SandboxFault(
                    f"the Docker engine broke off the connection to {self._spec.name}, which runs"
                ) from error
            raise

    def _reason(self) -> str:
        """What ended the container; the engine may hear of it later than we see the stream end."""
        until = time.monotonic() + HEARD_S
        while not (reason := self._why_closed()):
            if not self._channel.is_cut or INTERRUPTS.stopping or time.monotonic() > until:
                return ""
            time.sleep(HEARD_S / 20)
        return reason


def _groups(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    group: list[Change] = []
    size = 0
    for change in changes:
        cost = len(change.path) + len(change.data) + ENTRY_BYTES
        if group and size + cost > APPLY_BYTES:
            yield group
            group, size = [], 0
        group.append(change)
        size += cost
    if group:
        yield group


def _place(path: str) -> str:
    return path if path.startswith("/") else f"{WORKSPACE}/{path}"


def _pack(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unpack(value: object) -> bytes:
    return base64.b64decode(str(value))


def _text(value: object) -> str:
    return _unpack(value).decode("utf-8", "replace")


def _records(value: object) -> Iterable[Mapping[str, object]]:
    return value if isinstance(value, list) else []


def _entry(raw: Mapping[str, object]) -> TreeEntry:
    return TreeEntry(
        path=_unpack(raw["path"]),
        kind=str(raw["kind"]),
        mode=int(str(raw["mode"])),
        size_bytes=int(str(raw["size"])),
        sha256=str(raw.get("sha256", "")),
        target=_unpack(raw.get("target", "")),
    )
