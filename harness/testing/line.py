"""A line to no gateway at all: what an agent reads off one, written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harness.domain.model import Budget, ModelRef, ModelUse
from harness.gateway.base import Access, Refusal


def some_access() -> Access:
    """A run's, without limits."""
    return Access("a-run", ModelRef("anthropic", "some-model"), Budget())


@dataclass(frozen=True, slots=True)
class FakeLine:
    """Says that `used` is used, whatever was asked."""

    access: Access = field(default_factory=some_access)
    socket: Path = Path("/nowhere/gateway.sock")
    token: str = "fake-line-token"  # noqa: S105  # opens nothing
    spent: Refusal | None = None
    spent_why: str = ""
    cut_by_batch: bool = False
    fault: str | None = None
    used: ModelUse = field(default_factory=ModelUse)

    def settle(self) -> None:
        """Nothing is under way."""

    def use(self) -> ModelUse:
        """What was written down."""
        return self.used

    def recording(self) -> bytes:
        """Nothing was recorded."""
        return b""
