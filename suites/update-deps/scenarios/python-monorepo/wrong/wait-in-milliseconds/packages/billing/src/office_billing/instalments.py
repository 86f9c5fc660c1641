"""Paying bit by bit."""

from typing import TypedDict

from saltern_money import render, share

from office_billing.amounts import to_cents, to_units


class Instalment(TypedDict):
    """One month's part."""

    month: int
    cents: int
    text: str


def instalments(total_cents: int, months: int, currency: str = "EUR") -> list[Instalment]:
    """Parts that differ by a cent at most; odd cents are paid in the first months."""
    parts = sorted(share(to_units(total_cents), months), reverse=True)
    return [
        {
            "month": month,
            "cents": to_cents(part),
            "text": render(currency, part, grouping=False),
        }
        for month, part in enumerate(parts, start=1)
    ]
