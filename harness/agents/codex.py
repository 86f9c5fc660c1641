"""Codex: OpenAI's own program, in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.agents.base import Needs, Outcome, Task, Workbench
from harness.agents.codex_stream import CodexReader
from harness.agents.external import (
    URL,
    Invocation,
    line_of,
    refuse_model,
    refuse_settings,
    run_program,
)
from harness.agents.mcp import codex_config
from harness.domain.model import Api, Budget, ModelRef, ModelSettings
from harness.sandbox.base import HOME, Program

NAME = "codex"
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
CONFIG = f"{HOME}/.codex"
TOKEN_VARIABLE = "MINTMARK_TOKEN"  # noqa: S105  # a name
FLAGS = (
    *("exec", "--json", "--ephemeral", "--skip-git-repo-check", "--ignore-rules"),
    # the sandbox is what confines it; asked for approval, nobody would answer
    "--dangerously-bypass-approvals-and-sandbox",
    "-",
)
# a fixture's .codex is not trusted, which is the default: what it configures is not read;
# the gateway has tried again already, and what is left to repeat is a stream that was cut
SETTINGS = f"""\
model_provider = "mintmark"
check_for_update_on_startup = false
web_search = "disabled"

[model_providers.mintmark]
name = "Mintmark"
base_url = "{URL}/v1"
env_key = "{TOKEN_VARIABLE}"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 1

[analytics]
enabled = false

[feedback]
enabled = false

[otel]
exporter = "none"
"""


def check(model: ModelRef, settings: ModelSettings) -> None:
    """Raise UsageError for a model or a setting that Codex cannot be given."""
    refuse_model(NAME, model, Api.RESPONSES)
    refuse_settings(NAME, settings, {"reasoning_effort": EFFORTS})


@dataclass(frozen=True, slots=True)
class Codex:
    """Runs `codex exec` and reads its JSON lines; only the gateway counts its turns."""

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
        call = Invocation(
            command=(self.program.path, *FLAGS),
            stdin=task.prompt.encode(),
            env={"CODEX_HOME": CONFIG, TOKEN_VARIABLE: line_of(bench).token},
            files={f"{CONFIG}/config.toml": self.configuration(task).encode()},
        )
        return run_program(bench, call, CodexReader())

    def configuration(self, task: Task) -> str:
        """Its config.toml; what stands before the first table differs from run to run."""
        return f"{''.join(self._top(task))}{SETTINGS}\n{codex_config(task.mcps)}"

    def _top(self, task: Task) -> Iterator[str]:
        yield f"model = {toml_string(self.model.name)}\n"
        if self.settings.reasoning_effort is not None:
            yield f"model_reasoning_effort = {toml_string(self.settings.reasoning_effort)}\n"
        if task.system_prompt:
            yield f"developer_instructions = {toml_string(task.system_prompt)}\n"


def toml_string(text: str) -> str:
    """A basic string; JSON's differs only in one character that TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
