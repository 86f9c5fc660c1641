"""Our cents, the money library's decimals."""

from decimal import Decimal


def to_units(cents: int) -> Decimal:
    """1234 is Decimal("12.34")."""
    return Decimal(cents).scaleb(-2)


def to_cents(units: Decimal) -> int:
    """Decimal("12.34") is 1234; raises ValueError for fractions of a cent."""
    cents = units.scaleb(2)
    if cents != cents.to_integral_value():
        raise ValueError(f"not whole cents: {units}")
    return int(cents)
