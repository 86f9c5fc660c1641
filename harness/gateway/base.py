"""What the rest of the harness knows about the model gateway."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelUse

REFUSAL = "x-mintmark-refusal"
"""The header of an answer that the gateway gave itself; its value is a Refusal."""


class Refusal(StrEnum):
    """Why the gateway did not pass a request on."""

    BUDGET = "budget"
    TURNS = "turns"
    MODEL = "model"
    PATH = "path"
    TOKEN = "token"  # noqa: S105  # the word, not one
    TOOL = "tool"
    """A tool that the provider would run itself, beyond the sandbox: web search and the like."""
    MALFORMED = "malformed"
    REPLAY = "replay"
    """A recording is played, and it does not hold this request."""
    PROVIDER = "provider"
    """The provider did not answer, after every retry."""


@dataclass(frozen=True, slots=True)
class Access:
    """What one run may ask of the gateway."""

    name: str
    """The run's id, or who else asks."""
    model: ModelRef
    budget: Budget
    batch: BatchId | None = None
    """Whose common budget the run draws on too."""
    replay: bytes | None = None
    """A recording to answer from; then nothing leaves this machine."""
    tell: Callable[[str], None] = lambda _text: None
    """Hears of every turn."""


class Line(Protocol):
    """One run's way to its model: an HTTP server on a unix socket that asks for a token."""

    @property
    def access(self) -> Access:
        """What it lets through."""
        ...

    @property
    def socket(self) -> Path:
        """Where it listens, on this machine."""
        ...

    @property
    def token(self) -> str:
        """What a request must carry as its API key; worth nothing once the line is closed."""
        ...

    @property
    def spent(self) -> Refusal | None:
        """BUDGET or TURNS once a request was refused for it."""
        ...

    @property
    def spent_why(self) -> str:
        """What was said when that request was refused."""
        ...

    @property
    def cut_by_batch(self) -> bool:
        """It was not the run's own budget that was spent, but one that it has with others."""
        ...

    @property
    def fault(self) -> str | None:
        """Why the model cannot be reached, when the last request failed in the world."""
        ...

    def settle(self) -> None:
        """Wait until what is under way is booked; what takes longer than a moment is cut off."""
        ...

    def use(self) -> ModelUse:
        """What was metered so far."""
        ...

    def recording(self) -> bytes:
        """Every exchange so far, without keys: enough for `Access.replay`."""
        ...


class Gateway(Protocol):
    """Opens lines."""

    def open(self, access: Access) -> AbstractContextManager[Line]:
        """A line that works until the block ends; raises UsageError when there is no key."""
        ...

    def stopped(self, batch: BatchId) -> str | None:
        """Why no further run of a batch can ask a model.

        Its budget is spent, or a provider takes a line's key, address or model for wrong.
        """
        ...

    def close(self) -> None:
        """End every line."""
        ...
