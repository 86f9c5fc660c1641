"""Value added tax for saltern-money 3."""

from decimal import ROUND_HALF_EVEN, Decimal

__version__ = "3.0.2"


def vat(net: Decimal, rate: Decimal, *, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """The tax on a net amount at a rate such as Decimal("0.19"), rounded to cents."""
    return (net * rate).quantize(Decimal("0.01"), rounding)
