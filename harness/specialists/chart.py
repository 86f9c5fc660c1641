"""The paired differences of a snapshot as SVG: one row per compared cell, and all of them below.

Drawn by hand: no script, no font, no colour of its own. The page's style sheet fills the classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, ROW, TOP, BOTTOM = 760, 30, 14, 46
LEFT, RIGHT = 250, 128
"""Room for what was compared, and for the scores of both sides."""
MOST = 40
"""Rows; what is left out is counted."""
LABEL = 34
"""Characters of a label."""
TICKS = 6
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """A difference and what it is of; scores are 0..1."""

    label: str
    difference: float
    baseline: float
    specialist: float
    interval: tuple[float, float] | None = None


def chart(bars: Sequence[Bar], overall: Bar) -> str:
    """An `<svg>` element."""
    shown = bars[:MOST]
    scale = _Scale.around([*shown, overall])
    height = TOP + ROW * (len(shown) + 1) + BOTTOM
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{_summary(overall)}">',
        *_grid(scale, height, len(bars) - len(shown)),
        *(line for n, bar in enumerate(shown) for line in _row(bar, TOP + ROW * n, scale)),
        *_overall(overall, TOP + ROW * len(shown), scale),
        "</svg>",
    ]
    return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    step: float

    @classmethod
    def around(cls, bars: Sequence[Bar]) -> _Scale:
        """Zero is always on it, and every end lies on a tick."""
        values = [0.0, *(bar.difference for bar in bars)]
        values += [end for bar in bars if bar.interval for end in bar.interval]
        low, high = min(values), max(values)
        reach = max(high - low, 0.05)
        step = next((s for s in _STEPS if reach / s <= TICKS), _STEPS[-1])
        floor = step * math.floor(low / step - 0.25)
        return cls(floor, step * math.ceil(high / step + 0.25), step)

    def x(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def ticks(self) -> Iterator[float]:
        for n in range(round(self.low / self.step), round(self.high / self.step) + 1):
            yield n * self.step


def _grid(scale: _Scale, height: int, more: int) -> Iterator[str]:
    end = height - BOTTOM + 4
    for tick in scale.ticks():
        x, kind = scale.x(tick), "zero" if abs(tick) < scale.step / 2 else "grid"
        yield f'<line class="{kind}" x1="{x}" y1="{TOP - 6}" x2="{x}" y2="{end}"/>'
        yield f'<text class="tick" x="{x}" y="{end + 16}">{_signed(tick, scale.step)}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    rest = f"; {more} more not drawn" if more else ""
    said = f"difference in score, specialist minus baseline{rest}"
    yield f'<text class="axis" x="{middle}" y="{end + 34}">{said}</text>'


def _row(bar: Bar, y: float, scale: _Scale) -> Iterator[str]:
    at, zero, x = y + ROW / 2, scale.x(0), scale.x(bar.difference)
    kind = "up" if bar.difference > 0 else "down" if bar.difference < 0 else "same"
    label = bar.label if len(bar.label) <= LABEL else bar.label[: LABEL - 1] + "…"
    yield f"<g><title>{escape(bar.label)}: {bar.difference:+.3f}</title>"
    yield f'<text class="label" x="{LEFT - 14}" y="{at + 4}">{escape(label)}</text>'
    yield f'<line class="stem {kind}" x1="{zero}" y1="{at}" x2="{x}" y2="{at}"/>'
    yield from _whisker(bar, at, scale, kind)
    yield f'<circle class="dot {kind}" cx="{x}" cy="{at}" r="5"/>'
    yield _scores(bar, at)
    yield "</g>"


def _overall(bar: Bar, y: float, scale: _Scale) -> Iterator[str]:
    at, x = y + ROW / 2, scale.x(bar.difference)
    yield f'<line class="rule" x1="0" y1="{y + 1}" x2="{WIDTH}" y2="{y + 1}"/>'
    yield f"<g><title>{escape(_summary(bar))}</title>"
    yield f'<text class="label strong" x="{LEFT - 14}" y="{at + 4}">{escape(bar.label)}</text>'
    yield from _whisker(bar, at, scale, "all")
    points = f"{x - 8},{at} {x},{at - 7} {x + 8},{at} {x},{at + 7}"
    yield f'<polygon class="dot all" points="{points}"/>'
    yield _scores(bar, at)
    yield "</g>"


def _whisker(bar: Bar, at: float, scale: _Scale, kind: str) -> Iterator[str]:
    if bar.interval:
        low, high = map(scale.x, bar.interval)
        yield f'<line class="whisker {kind}" x1="{low}" y1="{at}" x2="{high}" y2="{at}"/>'
        top, foot = at - 5, at + 5
        for x in (low, high):
            yield f'<line class="whisker {kind}" x1="{x}" y1="{top}" x2="{x}" y2="{foot}"/>'


def _scores(bar: Bar, at: float) -> str:
    return (
        f'<text class="scores" x="{WIDTH - 4}" y="{at + 4}">'
        f"{bar.baseline:.2f} → {bar.specialist:.2f}</text>"
    )


def _signed(value: float, step: float) -> str:
    digits = 2 if step < 0.1 or step == 0.25 else 1  # noqa: PLR2004  # as many as the step has
    return f"{value:+.{digits}f}" if abs(value) >= step / 2 else "0"


def _summary(bar: Bar) -> str:
    low, high = bar.interval or (None, None)
    reach = "" if low is None or high is None else f", interval {low:+.3f} to {high:+.3f}"
    return escape(f"{bar.label}: {bar.difference:+.3f}{reach}", quote=True)
