"""Numbers in words, the same wherever they are shown."""

from __future__ import annotations

import math

MINUTE_S = 60
_SLACK = 1e-9


def printable(text: str) -> str:
    """Text from a sandbox made safe to show: control and bidi characters are escaped."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )


def line(text: str, most: int) -> str:
    """A text on one line, and no longer than so many characters."""
    flat = printable(" ".join(text[: 4 * most].split()))
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 file`, `2 files`; `many` where an s does not do."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def span(seconds: float) -> str:
    """How long something takes, as exactly as one wants to know it."""
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    minutes = round(seconds / MINUTE_S)
    return f"{minutes} min" if minutes < MINUTE_S else f"{minutes // 60} h {minutes % 60:02d} min"


def dollars(value: float) -> str:
    """Money; four digits, because a run may cost less than a cent."""
    return f"${value:,.4f}"


def outward(value: float, digits: int, *, up: bool) -> float:
    """The end of an interval, rounded so that the interval only grows."""
    unit = 10.0**digits
    near = round(value * unit)
    if abs(value * unit - near) < _SLACK:
        return near / unit + 0.0
    return (math.ceil(value * unit) if up else math.floor(value * unit)) / unit + 0.0
