"""Reads, shares, scales and prints amounts of money. An amount is a whole number of cents."""

import re
from decimal import ROUND_HALF_UP, Decimal

__version__ = "2.3.0"

_AMOUNT = re.compile(r"(-?)(\d+)(?:\.(\d{1,2}))?")


def parse(text: str) -> int:
    """Cents of "12", "12.3" or "-12.34"; raises ValueError for anything else."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"not an amount: {text!r}")
    sign, units, cents = found.groups()
    value = int(units) * 100 + int((cents or "0").ljust(2, "0"))
    return -value if sign else value


def render(amount: int, currency: str) -> str:
    """Such as "EUR 1234.50"."""
    sign = "-" if amount < 0 else ""
    return f"{currency} {sign}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def share(amount: int, parts: int) -> list[int]:
    """Parts that differ by one cent at most and add up to the amount; the first ones are larger."""
    base, rest = divmod(amount, parts)
    return [base + 1] * rest + [base] * (parts - rest)


def scale(amount: int, factor: Decimal) -> int:
    """The amount times a factor, half a cent rounded up."""
    return int((amount * factor).quantize(Decimal(1), ROUND_HALF_UP))
