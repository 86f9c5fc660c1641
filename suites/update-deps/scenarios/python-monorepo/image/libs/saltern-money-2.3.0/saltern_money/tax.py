"""Value added tax."""

from decimal import ROUND_HALF_UP, Decimal


def vat(net: int, rate: Decimal) -> int:
    """The tax on a net amount at a rate such as Decimal("0.19"), half a cent rounded up."""
    return int((net * rate).quantize(Decimal(1), ROUND_HALF_UP))
