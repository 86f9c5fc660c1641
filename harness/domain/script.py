"""A scripted agent's part: tool calls written down beforehand."""

from __future__ import annotations

from dataclasses import dataclass

from harness.domain.ids import Digest


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call; `arguments` is JSON text."""

    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Play:
    """What is played when its conditions hold; None means always."""

    calls: tuple[ToolCall, ...]
    says: str
    specialist: bool | None = None
    iterations: tuple[int, ...] | None = None

    def fits(self, *, specialist: bool, iteration: int) -> bool:
        """Whether this play is the one for such a run."""
        return self.specialist in (None, specialist) and (
            self.iterations is None or iteration in self.iterations
        )


@dataclass(frozen=True, slots=True)
class Script:
    """Plays in order of preference: the first that fits is played."""

    name: str
    description: str
    plays: tuple[Play, ...]
    digest: Digest
