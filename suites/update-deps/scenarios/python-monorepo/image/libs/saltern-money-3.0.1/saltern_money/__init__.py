"""Reads, shares, scales and prints amounts of money. An amount is a Decimal of whole units."""

import re
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

__version__ = "3.0.1"

CENT = Decimal("0.01")
_AMOUNT = re.compile(r"-?\d+(?:\.(\d{1,6}))?")


def parse(text: str, *, places: int | None = None) -> Decimal:
    """The amount in "12", "12.3" or "-12.345"; with `places`, more decimals are a ValueError."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or (places is not None and len(found[1] or "") > places):
        raise ValueError(f"not an amount: {text!r}")
    return Decimal(found[0])


def render(currency: str, amount: Decimal | int, *, grouping: bool = True) -> str:
    """Such as "EUR 1,234.50", or without grouping "EUR 1234.50"."""
    value = Decimal(amount).quantize(CENT, ROUND_HALF_EVEN)
    return f"{currency} {value:,.2f}" if grouping else f"{currency} {value:.2f}"


def share(amount: Decimal | int, parts: int) -> list[Decimal]:
    """Parts that differ by one cent at most and add up to the amount; the last ones are larger."""
    base = (Decimal(amount) / parts).quantize(CENT, ROUND_FLOOR)
    rest = int((Decimal(amount) - base * parts) / CENT)
    return [base] * (parts - rest) + [base + CENT] * rest


def scale(
    amount: Decimal | int, factor: Decimal, *, rounding: str = ROUND_HALF_EVEN
) -> Decimal:
    """The amount times a factor, rounded to cents."""
    return (Decimal(amount) * factor).quantize(CENT, rounding)
