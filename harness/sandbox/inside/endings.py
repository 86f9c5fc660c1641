"""Ends every process of a uid, whatever session or parent it hid behind, and reaps the dead.

`kill(-1)` reaches all processes of a uid in one system call, so that no fork can slip between two
kills. It needs no fork of its own, which a full pids limit would refuse.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time

MYPY = False
if MYPY:
    from collections.abc import Iterator

PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
FIRST_PID_NAMESPACE = "pid:[4026531836]"
PATIENCE_S = 2.0


class _Seen:
    def __init__(self, pid: int, parent: int, uids: frozenset[int]) -> None:
        self.pid = pid
        self.parent = parent
        self.uids = uids


class Prctl:
    """The one system call that Python has no function for; built before any fork."""

    def __init__(self) -> None:
        self._call = ctypes.CDLL(None, use_errno=True).prctl

    def __call__(self, option: int, value: int) -> None:
        """Set an option; raises OSError."""
        if self._call(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


class Warden:
    """Knows which children ended and how, and ends all processes of a uid."""

    def __init__(self, prctl: Prctl) -> None:
        self._uid = os.getuid()
        self._alone = _owns_the_container()
        self._watched: dict[int, int | None] = {}
        if not self._alone:
            prctl(PR_SET_CHILD_SUBREAPER, 1)

    def watch(self, pid: int) -> None:
        """Keep this child's status until it is forgotten."""
        self._watched[pid] = None

    def forget(self, pid: int) -> None:
        """Stop keeping it."""
        self._watched.pop(pid, None)

    def status(self, pid: int) -> int | None:
        """How a watched child ended, as waitpid says it; None while it runs."""
        self.reap()
        return self._watched[pid]

    def reap(self) -> None:
        """Collect every dead child; orphans too, where this process is their new parent."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._watched:
                self._watched[pid] = status

    def end(self, uid: int) -> int:
        """Kill all of a uid but this process; the number that outlived the patience."""
        until = time.monotonic() + PATIENCE_S
        while True:
            self._kill(uid)
            self.reap()
            left = sum(1 for _ in self._living(uid))
            if left == 0 or time.monotonic() > until:
                return left
            time.sleep(0.002)

    def _kill(self, uid: int) -> None:
        if uid != self._uid:
            _kill_as(uid)
        elif self._alone:
            _kill_everyone()
        else:
            for seen in self._living(uid):
                _kill_one(seen.pid)

    def _living(self, uid: int) -> Iterator[_Seen]:
        if uid != self._uid:
            return (seen for seen in _processes() if uid in seen.uids)
        if self._alone:
            own = (1, os.getpid())
            return (seen for seen in _processes() if seen.pid not in own and self._may(seen))
        return _descendants(os.getpid())

    def _may(self, seen: _Seen) -> bool:
        return self._uid in seen.uids or self._uid == 0


def _owns_the_container() -> bool:
    """Whether all other processes are ours to kill: this is the container's command.

    It is then the first process, or the child of an init that was told to start just this. A
    development machine must never answer yes: there, only descendants are ended.
    """
    if 1 not in (os.getpid(), os.getppid()):
        return False
    try:
        with open("/proc/1/cmdline", "rb") as first, open("/proc/self/cmdline", "rb") as own:
            told = first.read().endswith(own.read())
        return told and os.readlink("/proc/self/ns/pid") != FIRST_PID_NAMESPACE
    except OSError:
        return False


def _kill_as(uid: int) -> None:
    """kill(-1) with the rights of that uid, and of nobody else.

    The real uid is one that nobody has, so that neither root's processes are hit nor the victims
    can strike first; the saved uid stays root, the way back.
    """
    nobody_has = uid + 1
    try:
        os.setresuid(nobody_has, uid, 0)
        _kill_everyone()
    finally:
        os.setresuid(0, 0, 0)


def _kill_everyone() -> None:
    try:
        os.kill(-1, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _kill_one(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _descendants(root: int) -> Iterator[_Seen]:
    everyone = list(_processes())
    family = {root}
    grown = True
    while grown:
        young = {seen.pid for seen in everyone if seen.parent in family} - family
        grown = bool(young)
        family |= young
    return (seen for seen in everyone if seen.pid in family and seen.pid != root)


def _processes() -> Iterator[_Seen]:
    """Every process that still runs; zombies are dead."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            seen = _look_at(int(name))
            if seen is not None:
                yield seen


def _look_at(pid: int) -> _Seen | None:
    try:
        with open("/proc/{}/status".format(pid), "rb") as file:
            text = file.read()
    except OSError:
        return None
    fields = {}
    for line in text.split(b"\n"):
        key, _, value = line.partition(b":")
        fields[key] = value.split()
    if not fields.get(b"Uid") or fields[b"State"][0] in (b"Z", b"X"):
        return None
    return _Seen(pid, int(fields[b"PPid"][0]), frozenset(int(uid) for uid in fields[b"Uid"]))
