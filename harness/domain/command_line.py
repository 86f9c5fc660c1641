"""An agent that is any command line: how it is told its task, and how its output is read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.domain.ids import Digest
from harness.domain.model import Api
from harness.domain.session import Role

Path = tuple[str, ...]
"""Keys of objects and places in lists, down to a value."""
Scalar = str | int | float | bool | None

PLACEHOLDERS = ("prompt", "system_prompt", "model", "url", "mcp_config")
SETTINGS = ("temperature", "max_output_tokens", "reasoning_effort", "seed")
PLACEHOLDER = re.compile(r"\{(" + "|".join((*PLACEHOLDERS, *SETTINGS)) + r")\}")
"""What a command may have in braces; other braces are the shell's."""


@dataclass(frozen=True, slots=True)
class EntryRule:
    """Which lines of output become which entries of the transcript."""

    when: tuple[tuple[Path, Scalar], ...]
    role: Role
    text: Path
    tool: Path | None = None
    error: Path | None = None


@dataclass(frozen=True, slots=True)
class UsageRule:
    """Where the program's own figures stand; the last line that has one counts."""

    input_tokens: Path | None = None
    output_tokens: Path | None = None
    cached_tokens: Path | None = None
    cache_write_tokens: Path | None = None
    reasoning_tokens: Path | None = None
    cost_usd: Path | None = None
    turns: Path | None = None


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Output of which every line is a JSON object."""

    entries: tuple[EntryRule, ...] = ()
    usage: UsageRule = UsageRule()
    error: Path | None = None
    """A line that has something there says that the session failed."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One file of `agents/`."""

    name: str
    command: str
    digest: Digest
    description: str = ""
    api: Api | None = None
    """What it speaks to its model; None when it has none."""
    env: tuple[tuple[str, str], ...] = ()
    output: JsonLines | None = None
    """None for plain text."""

    @property
    def placeholders(self) -> frozenset[str]:
        """What its command and its variables ask to be filled in."""
        texts = (self.command, *(value for _, value in self.env))
        return frozenset(found for text in texts for found in PLACEHOLDER.findall(text))
