"""Which backups to keep."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime

from snapkeep.config import Config
from snapkeep.snapshots import Snapshot


@dataclass(frozen=True)
class Decision:
    """A backup and why it is kept; no reasons: it goes."""

    snapshot: Snapshot
    reasons: tuple[str, ...]

    @property
    def keep(self) -> bool:
        return bool(self.reasons)


def decide(snapshots: Sequence[Snapshot], config: Config, now: datetime) -> list[Decision]:
    """One decision per backup, in the same order; the newest come first."""
    daily = _newest_of_each(snapshots, config.keep_daily, lambda taken: taken.date())
    weekly = _newest_of_each(
        snapshots, config.keep_weekly, lambda taken: taken.isocalendar()[:2]
    )
    decisions = []
    for snapshot in snapshots:
        reasons = []
        if snapshot in daily:
            reasons.append("daily")
        if snapshot in weekly:
            reasons.append("weekly")
        if now - snapshot.taken < config.min_age:
            reasons.append("young")
        decisions.append(Decision(snapshot, tuple(reasons)))
    return decisions


def _newest_of_each(
    snapshots: Sequence[Snapshot], limit: int, period: Callable[[datetime], Hashable]
) -> set[Snapshot]:
    newest: dict[Hashable, Snapshot] = {}
    for snapshot in snapshots:
        newest.setdefault(period(snapshot.taken), snapshot)
    return set(list(newest.values())[:limit])
