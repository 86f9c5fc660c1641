"""Value added tax for saltern-money 4."""

from decimal import ROUND_HALF_EVEN, Decimal

__version__ = "4.0.0"


def vat(net: Decimal, rate: Decimal, *, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """The tax on a net amount at a rate in per cent such as Decimal(19), rounded to cents."""
    return (net * rate / 100).quantize(Decimal("0.01"), rounding)
