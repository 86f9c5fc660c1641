"""Whether a replayed run came out as it was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from harness.domain.record import RunRecord
from harness.domain.session import Entry, Role

LONGEST = 60


@dataclass(frozen=True, slots=True)
class Side:
    """A run and all that was said in it."""

    run: RunRecord
    transcript: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that has to be equal."""

    what: str
    recorded: str
    replayed: str

    @property
    def same(self) -> bool:
        """It is."""
        return self.recorded == self.replayed


def compare_replay(recorded: Side, replayed: Side, changed_files: int) -> tuple[Point, ...]:
    """Every point; `changed_files` is by how many files the two final trees differ."""
    files = f"{changed_files} files differ" if changed_files else "the same"
    return (
        Point("ending", recorded.run.status, replayed.run.status),
        *_calls(recorded.transcript, replayed.transcript),
        Point("final files", "the same", files),
        *_checks(recorded.run, replayed.run),
        Point("score", _score(recorded.run.total_score), _score(replayed.run.total_score)),
        Point("tokens", _tokens(recorded.run), _tokens(replayed.run)),
        Point("cost", _cost(recorded.run), _cost(replayed.run)),
    )


def _calls(recorded: Sequence[Entry], replayed: Sequence[Entry]) -> Iterator[Point]:
    before, after = (_called(entries) for entries in (recorded, replayed))
    yield Point("tool calls", str(len(before)), str(len(after)))
    for number, (one, other) in enumerate(zip_longest(before, after, fillvalue="none"), start=1):
        if one != other:
            yield Point(f"tool call {number}", _short(one), _short(other))
            return


def _called(entries: Sequence[Entry]) -> list[str]:
    return [f"{e.tool} {e.text}" for e in entries if e.role is Role.TOOL_CALL]


def _checks(recorded: RunRecord, replayed: RunRecord) -> Iterator[Point]:
    after = {check.name: check.score for check in replayed.checks}
    for check in recorded.checks:
        yield Point(f"check {check.name}", _score(check.score), _score(after.get(check.name)))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _score(value: float | None) -> str:
    return "not run" if value is None else f"{value:.4f}"


def _tokens(run: RunRecord) -> str:
    usage = run.session.usage if run.session else None
    return f"{usage.total:,}" if usage else "none"


def _cost(run: RunRecord) -> str:
    cost = run.session.cost_usd if run.session else None
    return "unknown" if cost is None else f"${cost:.6f}"
