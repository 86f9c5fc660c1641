"""How the measures of a comparison are written, on the terminal and on a snapshot's card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.report.effects import COST, SCORE, SUCCESS, TIME
from harness.report.words import dollars, outward


@dataclass(frozen=True, slots=True)
class Shown:
    """How a measure is written."""

    title: str
    value: Callable[[float], str]
    digits: int
    unit: str = ""
    sign: str = ""
    scale: float = 1.0

    def change(self, value: float) -> str:
        """A difference, with its sign."""
        return self._signed(round(value * self.scale, self.digits) + 0.0) + self.unit

    def between(self, low: float, high: float) -> str:
        """An interval, rounded outwards as in the claim."""
        ends = [
            self._signed(outward(end * self.scale, self.digits, up=up))
            for end, up in ((low, False), (high, True))
        ]
        return f"{' to '.join(ends)}{self.unit}"

    def _signed(self, value: float) -> str:
        return f"{'-' if value < 0 else '+'}{self.sign}{abs(value):.{self.digits}f}"


ROWS: Mapping[str, Shown] = {
    SCORE: Shown("Score", "{:.2f}".format, 2),
    SUCCESS: Shown("Success", "{:.0%}".format, 0, " pp", scale=100),
    COST: Shown("Cost of a run", dollars, 4, sign="$"),
    TIME: Shown("Agent time", "{:.1f}s".format, 1, "s"),
}
