"""The agent that is any command line of the scenario's image."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.agents.base import Needs, Outcome, Task, Workbench
from harness.agents.command_stream import reader_of
from harness.agents.external import (
    URL,
    Invocation,
    Reader,
    Said,
    line_of,
    refuse_model,
    refuse_settings,
    run_program,
    text_of,
)
from harness.agents.mcp import claude_config
from harness.domain.command_line import PLACEHOLDER, SETTINGS, CommandLine
from harness.domain.mcp import McpServer
from harness.domain.model import Budget, ModelRef, ModelSettings
from harness.domain.session import Role
from harness.errors import UsageError
from harness.sandbox.base import HOME, Completed

NAME = "command"
SERVERS = f"{HOME}/.mintmark/servers.json"
"""In the shape that most programs read: `mcpServers`, by name."""
NOT_RUNNABLE, NOT_THERE = 126, 127
"""A shell's exit codes."""
SHOWN = 300
MAX_WORD_BYTES = 128 * 1024 - 1
"""What Linux takes as one argument; a shell line is one too."""


def check(line: CommandLine, model: ModelRef | None, settings: ModelSettings) -> None:
    """Raise UsageError for a model or a setting that the command line has no place for."""
    label = f"{NAME}:{line.name}"
    if line.api is None and model is not None:
        raise UsageError(f"agent {label!r} takes no model, its file names no api; leave it out")
    if line.api is not None and model is None:
        raise UsageError(f"agent {label!r} needs a model; name one as provider:name")
    if line.api is not None and model is not None:
        refuse_model(label, model, line.api)
    wanted = [name for name in SETTINGS if name in line.placeholders]
    for name in wanted:
        if getattr(settings, name) is None:
            raise UsageError(f"agent {label!r} asks for a {name.replace('_', ' ')}; give one")
    refuse_settings(label, settings, dict.fromkeys(wanted, object))


@dataclass(frozen=True, slots=True)
class CommandAgent:
    """Runs a shell line behind the forwarder; no turn of its is counted but by the gateway."""

    line: CommandLine
    model: ModelRef | None
    settings: ModelSettings = field(default_factory=ModelSettings)
    budget: Budget = field(default_factory=Budget)

    @property
    def simulated(self) -> bool:
        """A command line without an api has no model."""
        return self.line.api is None

    @property
    def needs(self) -> Needs:
        """The gateway within the sandbox, where it has a model; its program is the image's."""
        return Needs(self.model, inside=not self.simulated)

    def work(self, task: Task, bench: Workbench) -> Outcome:
        """Have the command do the task."""
        if task.mcps and "mcp_config" not in self.line.placeholders:
            self._leave_out(task.mcps, bench)
        call = self._call(task, None if self.simulated else line_of(bench).token)
        return run_program(bench, call, _Found(self.line.name, bench, reader_of(self.line)))

    def _leave_out(self, servers: Sequence[McpServer], bench: Workbench) -> None:
        """It has no place for servers: said in the transcript, and refused for required ones."""
        names = ", ".join(server.name for server in servers)
        what = f"agent '{NAME}:{self.line.name}' has no {{mcp_config}} for the servers {names}"
        if any(server.required for server in servers):
            raise UsageError(f"{what}, and some are required")
        bench.say(Role.NOTE, f"{what}: it works without them")

    def _call(self, task: Task, token: str | None) -> Invocation:
        prompt, system_prompt = task.prompt, task.system_prompt or ""
        if system_prompt and "system_prompt" not in self.line.placeholders:
            prompt = f"{system_prompt}\n\n{prompt}"
        values = {
            "prompt": prompt,
            "system_prompt": system_prompt,
            "model": self.model.name if self.model else "",
            "url": URL,
            "mcp_config": SERVERS,
            **{name: str(getattr(self.settings, name)) for name in SETTINGS},
        }
        command = filled(self.line.command, {k: shlex.quote(v) for k, v in values.items()})
        if len(command.encode()) > MAX_WORD_BYTES:
            raise UsageError(
                f"the command of agent '{NAME}:{self.line.name}' has {len(command.encode())} bytes"
                f" with its prompt and Linux takes {MAX_WORD_BYTES}; leave {{prompt}} out of it,"
                " and the prompt comes by stdin"
            )
        env = {**dict(_gateway(token)), **{k: filled(v, values) for k, v in self.line.env}}
        stdin = b"" if "prompt" in self.line.placeholders else prompt.encode()
        files = {SERVERS: json.dumps(claude_config(task.mcps)).encode()}
        if "mcp_config" not in self.line.placeholders:
            files.clear()
        return Invocation(command, stdin, env, files, forwarded=token is not None)


@dataclass(frozen=True, slots=True)
class _Found:
    """A reader that tells a command which is not in the image from one that did nothing.

    Only before the first request: later it may be what the model did that is not there.
    """

    name: str
    bench: Workbench
    reader: Reader

    def heard(self, stdout: str) -> Iterable[Said]:
        """What the reader hears."""
        return self.reader.heard(stdout)

    @property
    def ended(self) -> bool:
        """The session has come to its end."""
        return self.reader.ended

    def outcome(self, done: Completed) -> Outcome:
        """How the session ended; raises UsageError when it could not begin."""
        line = self.bench.line
        asked = line is not None and any((line.use().requests, line.use().refused))
        if done.exit_code in {NOT_RUNNABLE, NOT_THERE} and not asked:
            words = text_of(done.stderr).strip()[-SHOWN:] or f"exit code {done.exit_code}"
            raise UsageError(
                f"the program of agent '{NAME}:{self.name}' cannot be run in the scenario's image:"
                f" {words}; install it there, with the image's packages or setup"
            )
        return self.reader.outcome(done)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders filled in; what they are filled with is not looked at."""
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _gateway(token: str | None) -> Iterator[tuple[str, str]]:
    if token is not None:
        for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
            yield name, f"{URL}/v1"
        yield "ANTHROPIC_BASE_URL", URL
        for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
            yield name, token
