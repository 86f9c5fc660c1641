"""Claude Code: Anthropic's own program, in the sandbox, on its default tools."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.agents.base import Needs, Outcome, Task, Workbench
from harness.agents.claude_stream import ClaudeReader
from harness.agents.external import (
    URL,
    Invocation,
    line_of,
    refuse_model,
    refuse_settings,
    run_program,
)
from harness.agents.mcp import claude_config
from harness.domain.model import Api, Budget, ModelRef, ModelSettings
from harness.sandbox.base import HOME, WORKSPACE, Program

NAME = "claude-code"
EFFORTS = ("low", "medium", "high", "xhigh", "max")
CONFIG = f"{HOME}/.claude"
SYSTEM_PROMPT = f"{CONFIG}/system-prompt.md"
SERVERS = f"{CONFIG}/servers.json"
FLAG_OF = {SYSTEM_PROMPT: "--append-system-prompt-file", SERVERS: "--mcp-config"}
NOT_HERE = "WebFetch,WebSearch,ScheduleWakeup,CronCreate,Monitor"
"""What leads out of the sandbox, and what the program would wait for after its last answer."""
FLAGS = (
    *("-p", "--output-format", "stream-json", "--verbose", "--no-session-persistence"),
    # the sandbox is what confines it; asked for permission, nobody would answer
    "--dangerously-skip-permissions",
    # a fixture's hooks and servers would run with nobody having looked at them
    *("--setting-sources", "user", "--strict-mcp-config"),
    # its CLAUDE.md is only read, and would be left out with its settings
    *("--add-dir", WORKSPACE),
    *("--disallowedTools", NOT_HERE),
)
ENV = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    # the gateway has tried again already; what is left to repeat is a stream that was cut
    "CLAUDE_CODE_MAX_RETRIES": "1",
    "CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD": "1",
    # it would wait for a server that was left running until its time is out
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    "IS_SANDBOX": "1",
}
MODEL_VARIABLES = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_FABLE_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL",
)
"""Whatever it wants a model for, it asks for the one of the plan."""


def check(model: ModelRef, settings: ModelSettings) -> None:
    """Raise UsageError for a model or a setting that Claude Code cannot be given."""
    refuse_model(NAME, model, Api.MESSAGES)
    refuse_settings(NAME, settings, {"reasoning_effort": EFFORTS, "max_output_tokens": int})


@dataclass(frozen=True, slots=True)
class ClaudeCode:
    """Runs `claude -p` and reads its stream of JSON lines."""

    program: Program
    model: ModelRef
    settings: ModelSettings = field(default_factory=ModelSettings)
    budget: Budget = field(default_factory=Budget)

    @property
    def simulated(self) -> bool:
        """A model is behind it."""
        return False

    @property
    def needs(self) -> Needs:
        """Its program, and the gateway within the sandbox."""
        return Needs(self.model, inside=True, programs=(self.program,))

    def work(self, task: Task, bench: Workbench) -> Outcome:
        """Have the program do the task."""
        token = line_of(bench).token
        files = dict(_files(task))
        return run_program(bench, self._call(task, token, files), ClaudeReader())

    def _call(self, task: Task, token: str, files: Mapping[str, bytes]) -> Invocation:
        env = {
            **ENV,
            **dict.fromkeys(MODEL_VARIABLES, self.model.name),
            "CLAUDE_CONFIG_DIR": CONFIG,
            "ANTHROPIC_BASE_URL": URL,
            "ANTHROPIC_API_KEY": token,
        }
        if self.settings.max_output_tokens is not None:
            env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] = str(self.settings.max_output_tokens)
        flags = [word for path in files for word in (FLAG_OF[path], path)]
        command = (self.program.path, *FLAGS, *self._flags(), *flags)
        return Invocation(command, task.prompt.encode(), env, files)

    def _flags(self) -> Iterator[str]:
        yield from ("--model", self.model.name)
        if self.budget.turns is not None:
            yield from ("--max-turns", str(self.budget.turns))
        if self.settings.reasoning_effort is not None:
            yield from ("--effort", self.settings.reasoning_effort)


def _files(task: Task) -> Iterator[tuple[str, bytes]]:
    if task.system_prompt:
        yield SYSTEM_PROMPT, task.system_prompt.encode()
    if task.mcps:
        yield SERVERS, json.dumps(claude_config(task.mcps)).encode()
