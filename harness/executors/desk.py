"""Where the nodes of a batch meet its command: its purse, what they tell, and the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import ray
from ray.exceptions import RayError

from harness.domain.ids import RunId
from harness.domain.model import Budget, Usage
from harness.errors import ProviderFault
from harness.gateway.base import Refusal
from harness.gateway.budget import DayPurse, Drawn, Purse
from harness.wiring import utc_now

MOST_KEPT = 10_000
"""So many words wait for the command; those that come then are not shown."""


class Said(NamedTuple):
    """What a run does now: a stage that it enters, or a word within it."""

    run: RunId
    stage: str | None
    text: str = ""


class Heard(NamedTuple):
    """What was said since somebody asked, and what the batch and the day have drawn."""

    said: Sequence[Said]
    usd: float
    tokens: int
    day: Drawn | None = None


class Allowed(NamedTuple):
    """What the nodes may use together."""

    batch: Budget
    day: Budget | None = None
    """Of which other batches take, too."""

    def purse(self) -> Purse:
        """Of which nothing was taken."""
        day = DayPurse(self.day, utc_now) if self.day else None
        return Purse(self.batch, day=day)


class Desk:
    """One actor beside the command; it ends with it."""

    def __init__(self, allowed: Allowed, usd: float, tokens: int, day: Drawn | None = None) -> None:
        self._purse = allowed.purse()
        self._purse.at_least(usd=usd, tokens=tokens)
        if day and self._purse.day:
            self._purse.day.at_least(day)
        self._said: list[Said] = []
        self._is_over = False

    def beat(self, said: Sequence[Said]) -> bool:
        """Pass words on; whether what is under way is to end."""
        self._said += said[: MOST_KEPT - len(self._said)]
        return self._is_over

    def heard(self) -> Heard:
        """What was passed on since the last time."""
        said, self._said = self._said, []
        day = self._purse.day.drawn if self._purse.day else None
        return Heard(said, self._purse.usd, self._purse.tokens, day)

    def end(self) -> None:
        """What is under way is to end."""
        self._is_over = True

    def take(self, *, turn: bool) -> tuple[Refusal, str] | None:
        """As a purse does."""
        return self._purse.take(turn=turn)

    def give_back(self, *, request: bool, turn: bool) -> None:
        """As a purse does."""
        self._purse.give_back(request=request, turn=turn)

    def settle(self, usage: Usage | None, cost_usd: float | None) -> None:
        """As a purse does."""
        self._purse.settle(usage, cost_usd)

    def empty(self) -> str | None:
        """As a purse does."""
        return self._purse.empty()


class FarPurse(Purse):
    """The batch's purse, from a node: every node draws on the same, request by request."""

    __slots__ = ("_desk",)

    def __init__(self, allowed: Allowed, desk: Any) -> None:  # noqa: ANN401  # an actor has no type
        super().__init__(allowed.batch, day=allowed.purse().day)
        self._desk = desk

    def take(self, *, turn: bool) -> tuple[Refusal, str] | None:
        """Ask the desk."""
        return asked(self._desk.take.remote(turn=turn))  # type: ignore[no-any-return]  # as above

    def give_back(self, *, request: bool, turn: bool) -> None:
        """Tell the desk."""
        asked(self._desk.give_back.remote(request=request, turn=turn))

    def settle(self, usage: Usage | None, cost_usd: float | None) -> None:
        """Tell the desk."""
        asked(self._desk.settle.remote(usage, cost_usd))

    def empty(self) -> str | None:
        """Ask the desk."""
        return asked(self._desk.empty.remote())  # type: ignore[no-any-return]  # as above


def asked(answer: Any) -> Any:  # noqa: ANN401  # as above
    """The desk's answer; nothing is asked of a model that cannot be booked."""
    try:
        return ray.get(answer)
    except RayError as error:
        raise ProviderFault(f"the batch's budget cannot be reached: {error}") from error
