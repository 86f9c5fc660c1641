"""Numbers in words, the same wherever they are shown."""

from __future__ import annotations


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 file`, `2 files`; `many` where an s does not do."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def dollars(value: float) -> str:
    """Money; four digits, because a run may cost less than a cent."""
    return f"${value:,.4f}"
