"""The provider double in a process of its own, and what is asked of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from harness import wiring
from harness.gateway.base import Gateway
from harness.settings import Secrets, Settings
from harness.testing.provider import KEY

MODEL = "claude-sonnet-4-5"
"""A name that the price table knows: what is measured computes prices too."""
TOOLS = 20
HISTORY_TURNS = 40
RESULT_LINES = 64
"""So that a conversation has about 200 kB."""

COMMAND = {"tool": "run_command", "input": {"command": "true"}}
ANSWER = {"says": "I will look at the tests first. " * 8, "calls": [COMMAND]}
ANSWERING = [ANSWER] * (HISTORY_TURNS + 2)
"""An answer to conversations of every length up to the long one."""


def looping(turns: int) -> list[dict[str, Any]]:
    """A tool loop's answers: a command in every turn but the last."""
    return [{"says": "Next.", "calls": [COMMAND]}] * (turns - 1) + [{"says": "Done."}]


@dataclass(frozen=True, slots=True)
class Provider:
    """A double that answers."""

    url: str
    settings: Settings
    """Those of the project, with this double as the models' home."""

    @contextmanager
    def gateway(self) -> Iterator[Gateway]:
        """A gateway before it, in a thread of this process as in a run."""
        with closing(wiring.open_gateway(self.settings, {})) as gateway:
            yield gateway


@contextmanager
def provider(
    settings: Settings, turns: Sequence[dict[str, Any]], delay_s: float = 0
) -> Iterator[Provider]:
    """The double, started as its users start it; gone when the block ends."""
    script = settings.root / f"turns-{len(turns)}-{delay_s:g}.yaml"
    # JSON is YAML
    script.write_text(json.dumps({"turns": list(turns)}), encoding="utf-8")
    options = ("--script", str(script), "--delay", str(delay_s))
    with subprocess.Popen(
        [sys.executable, "-m", "harness.testing.provider", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            url = (process.stdout.readline() if process.stdout else "").partition(" ")[0]
            if not url:
                raise RuntimeError(f"the provider double ended with {process.wait()}")
            yield Provider(url, _pointed_at(url, settings))
        finally:
            process.terminate()


def _pointed_at(url: str, settings: Settings) -> Settings:
    keys = Secrets({"ANTHROPIC_API_KEY": KEY})
    return replace(settings, keys=keys, keys_file=None, urls={"ANTHROPIC_BASE_URL": url})


def request(number: int, *, history: int, streamed: bool) -> bytes:
    """A request of a tool loop after so many turns; its end differs from all others', as it does.

    What went before is the same, as it is in a conversation.
    """
    said: list[dict[str, Any]] = [{"role": "user", "content": "Mend the tests that fail. " * 20}]
    for turn in range(history):
        said += _turn(turn, _listing(turn))
    # the newest result is another one each time
    said += _turn(history, f"run {number}\n{_listing(history)[:1500]}")
    body = {
        "model": MODEL,
        "max_tokens": 8192,
        "system": "You are an engineer who works with tools. " * 20,
        "messages": said,
        "tools": [_tool(tool) for tool in range(TOOLS)],
        "stream": streamed,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _turn(number: int, result: str) -> list[dict[str, Any]]:
    call_id = f"toolu_{number:06}"
    command = {"command": f'sed -n "1,80p" src/module_{number}.py'}
    use = {"type": "tool_use", "id": call_id, "name": "tool_0", "input": command}
    told = {"type": "tool_result", "tool_use_id": call_id, "content": result}
    words = {"type": "text", "text": f"I look at module {number}, which the failing test imports."}
    return [{"role": "assistant", "content": [words, use]}, {"role": "user", "content": [told]}]


def _listing(number: int) -> str:
    """What commands print: quotes, tabs, line ends and now and then a sign beyond ASCII."""
    lines = (
        f'\tvalue_{line} = read("data/{number:03}/{line}.txt")  # {number}, line {line} of "all"'
        for line in range(RESULT_LINES)
    )
    return "\n".join((f"# module {number} – read at start", *lines))


def _tool(number: int) -> dict[str, Any]:
    text = {"type": "string", "description": "A path, relative to the root of the workspace."}
    return {
        "name": f"tool_{number}",
        "description": "Do one thing to the files of the workspace, and say how it went. " * 6,
        "input_schema": {
            "type": "object",
            "properties": {"command": text, "path": text, "pattern": text},
            "required": ["command"],
            "additionalProperties": False,
        },
    }
