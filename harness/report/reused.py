"""Runs that several batches count as their own: each is one piece of evidence, and paid once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from harness.domain.ids import RunId
from harness.domain.outline import Run

R = TypeVar("R", bound=Run)


def origin(record: Run) -> RunId:
    """The run that was made."""
    return record.reused.run if record.reused else record.id


def made(records: Iterable[R]) -> tuple[R, ...]:
    """Those that were made, and paid, for their own batch."""
    return tuple(record for record in records if not record.reused)


def each_once(records: Iterable[R]) -> tuple[R, ...]:
    """The records of several batches, without those that show again what another of them shows."""
    known = tuple(records)
    seen = {record.id for record in made(known)}
    kept = []
    for record in known:
        if record.reused:
            if record.reused.run in seen:
                continue
            seen.add(record.reused.run)
        kept.append(record)
    return tuple(kept)


def apart(first: Sequence[R], second: Sequence[R]) -> tuple[tuple[R, ...], tuple[R, ...]]:
    """Two sides of which no run is on both: where one was made and reused, it is where it was made.

    A run beside itself would say that nothing varies.
    """
    kept = {record.id for record in each_once((*first, *second))}
    one, other = ([record for record in side if record.id in kept] for side in (first, second))
    return tuple(one), tuple(other)
