"""Agents whose own program works inside the sandbox: how it is started, heard and judged."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from harness.agents.base import Outcome, OutOfTimeError, Workbench
from harness.domain.model import Api, ModelRef, ModelSettings
from harness.domain.provider import PROVIDERS
from harness.domain.scenario import MIB
from harness.domain.session import Ending, Entry, Reported, Role
from harness.errors import Interrupted, SandboxFault, UsageError
from harness.gateway.base import Line
from harness.gateway.loose import Object, parse
from harness.sandbox.base import SOCKET, BoxError, Completed

PORT = 41417
"""Every sandbox has a loopback of its own."""
URL = f"http://127.0.0.1:{PORT}"
FORWARD = ("python3", "-I", "-S", "/mintmark/forward.py")
OUTPUT_BYTES = 16 * MIB
"""The most that the sandbox's daemon hands over."""
LAST_CHARS = 2000
MOST_STRAY = 1000
"""Lines of no known shape that are noted; each costs far more than its bytes."""
SIGNAL_BASE = 128
ENDED: Mapping[int, str] = {
    71: "could not be given a port",
    75: "was ended: its gateway had refused for good",
    76: "was ended: its gateway did not answer any more",
    126: "could not be run",
    127: "is not there",
}
"""The forwarder's own exit codes, and a shell's."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What to run, and what has to be there before."""

    command: str | Sequence[str]
    """A text is a shell line."""
    stdin: bytes
    env: Mapping[str, str]
    files: Mapping[str, bytes] = field(default_factory=dict)
    forwarded: bool = True
    """It has a model, and the forwarder to reach it."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a program told of its session."""

    role: Role
    text: str
    tool: str | None = None
    is_error: bool = False
    at: float | None = None
    """Seconds since the epoch, by the sandbox's clock."""


class Reader(Protocol):
    """Understands what one kind of program prints; nothing that it prints can make it fail."""

    def heard(self, stdout: str) -> Iterable[Said]:
        """Everything that was printed, in its order."""
        ...

    @property
    def ended(self) -> bool:
        """The session has come to its end, whatever the program does after it."""
        ...

    def outcome(self, done: Completed) -> Outcome:
        """How the session ended, once everything was heard."""
        ...


def line_of(bench: Workbench) -> Line:
    """The way to the model that every run of such an agent has."""
    if bench.line is None:
        raise SandboxFault("the agent needs a line to its model, and none was opened")
    return bench.line


def run_program(bench: Workbench, call: Invocation, reader: Reader) -> Outcome:
    """Run it to its end; raises OutOfTimeError, with what it said by then in the transcript."""
    box = bench.context.box
    began = _Clock(bench.elapsed_s, time.time())
    shell = ("sh", "-c", call.command) if isinstance(call.command, str) else call.command
    forward = (*FORWARD, "--socket", SOCKET, "--port", str(PORT), "--")
    argv = (*forward, *shell) if call.forwarded else shell
    try:
        for path, data in call.files.items():
            box.write(path, data)
        done = box.run(
            argv,
            timeout_s=bench.remaining_s,
            env=call.env,
            stdin=call.stdin,
            output_bytes=OUTPUT_BYTES,
        )
    except BoxError as error:
        raise SandboxFault(f"the agent's program could not be started: {error}") from error
    except (Interrupted, KeyboardInterrupt):
        # its output comes with its end; what it asked its model the recording has
        bench.say(Role.NOTE, "its program was interrupted, and what it had printed is lost")
        raise
    said = list(reader.heard(done.stdout))
    if done.dropped_bytes:
        said.append(Said(Role.NOTE, f"{done.dropped_bytes} bytes of its output were left out"))
    if done.timed_out and reader.ended:
        said.append(Said(Role.NOTE, "its program went on running after the end of the session"))
    bench.transcript.extend(_entries(said, began, bench.elapsed_s))
    if done.timed_out and not reader.ended:
        raise OutOfTimeError
    return reader.outcome(done)


def _entries(said: Sequence[Said], clock: _Clock, ended_s: float) -> Iterator[Entry]:
    """With times: one that tells none has that of its neighbour."""
    times = (clock.at_s(one.at, ended_s) for one in said if one.at is not None)
    at_s = next(times, ended_s)
    for one in said:
        at_s = at_s if one.at is None else clock.at_s(one.at, ended_s)
        yield Entry(one.role, one.text, at_s, tool=one.tool, is_error=one.is_error)


def json_lines(stdout: str, read: Callable[[Object], Iterable[Said]]) -> Iterator[Said]:
    """What every line says; one that is no JSON object is noted as it is."""
    stray = 0
    for text in stdout.split("\n"):  # splitlines would also part at what may stand in a string
        event = parse(text)
        if isinstance(event, dict):
            yield from read(event)
        elif text.strip():
            stray += 1
            if stray <= MOST_STRAY:
                yield Said(Role.NOTE, f"it printed: {_last(text)}")
    if stray > MOST_STRAY:
        yield Said(Role.NOTE, f"{stray - MOST_STRAY} more lines that it printed were left out")


def broken(done: Completed, why: str, reported: Reported | None = None) -> Outcome:
    """The outcome of a program that did not do what it should, with its last words."""
    code = done.exit_code or 0
    how = ENDED.get(code)
    if how is None and code > SIGNAL_BASE:
        how = f"was ended by signal {code - SIGNAL_BASE}"
    words = _last(done.stderr) or _last(done.stdout)
    parts = [f"the agent's program {how or why}", f"exit code {code}", words]
    return Outcome(Ending.AGENT_ERROR, reported, "; ".join(part for part in parts if part))


def refuse_settings(agent: str, settings: ModelSettings, takes: Mapping[str, object]) -> None:
    """Raise UsageError for a setting that the program cannot be told.

    `takes` names the settings that it can; a tuple lists the values.
    """
    for name in ModelSettings.__dataclass_fields__:
        value = getattr(settings, name)
        if value is None:
            continue
        label = name.replace("_", " ")
        if name not in takes:
            raise UsageError(f"agent {agent!r} takes no {label}; leave {value!r} out")
        known = takes[name]
        if isinstance(known, tuple) and value not in known:
            listed = ", ".join(known)
            raise UsageError(f"agent {agent!r} knows no {label} {value!r}; there is {listed}")


def refuse_model(agent: str, model: ModelRef, api: Api) -> None:
    """Raise UsageError for a provider that does not speak what the program does."""
    provider = PROVIDERS.get(model.provider)
    if provider is not None and api not in provider.apis:
        able = ", ".join(name for name, one in PROVIDERS.items() if api in one.apis)
        raise UsageError(
            f"agent {agent!r} speaks the {api.value} protocol, which {model.provider!r} does not;"
            f" name a model of {able}"
        )


def text_of(value: object) -> str:
    """A text that can be stored, or nothing where there is none."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def json_of(value: object) -> str:
    """A value as JSON text."""
    try:
        return text_of(json.dumps(value, ensure_ascii=False))
    except RecursionError:
        return "{}"


def amount(value: object) -> float | None:
    """A number that is finite and not negative; true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def moment(value: object) -> float | None:
    """An ISO time as seconds since the epoch."""
    try:
        return datetime.fromisoformat(text_of(value)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class _Clock:
    """The session's time and the wall clock's at one moment."""

    elapsed_s: float
    wall: float

    def at_s(self, wall: float, most: float) -> float:
        """A wall time in the session; never outside of it, however the sandbox's clock goes."""
        return min(max(self.elapsed_s + wall - self.wall, self.elapsed_s), most)


def _last(text: str) -> str:
    text = text.strip()
    return text if len(text) <= LAST_CHARS else f"…{text[-LAST_CHARS:]}"
