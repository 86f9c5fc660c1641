"""Paying bit by bit."""

from typing import TypedDict

from saltern_money import render, share


class Instalment(TypedDict):
    """One month's part."""

    month: int
    cents: int
    text: str


def instalments(total_cents: int, months: int, currency: str = "EUR") -> list[Instalment]:
    """Parts that differ by a cent at most; odd cents are paid in the first months."""
    return [
        {"month": month, "cents": cents, "text": render(currency, cents)}
        for month, cents in enumerate(share(total_cents, months), start=1)
    ]
