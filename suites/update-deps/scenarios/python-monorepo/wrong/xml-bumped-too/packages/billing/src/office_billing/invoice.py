"""Invoices: what is asked for, and how it is printed."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from saltern_money import render, scale
from saltern_money_tax import vat

from office_billing.amounts import to_cents, to_units


@dataclass(frozen=True)
class Line:
    """So many of something; the discount is in per cent and rounded for the whole line."""

    text: str
    unit_cents: int
    quantity: int = 1
    discount: Decimal = Decimal(0)

    @property
    def net_cents(self) -> int:
        """What the line costs without tax, half a cent rounded up."""
        full = to_units(self.unit_cents * self.quantity)
        return to_cents(scale(full, 1 - self.discount / 100, rounding=ROUND_HALF_UP))


@dataclass(frozen=True)
class Invoice:
    """Lines with one rate of tax, such as Decimal("0.19"); tax is rounded once, half a cent up."""

    number: str
    lines: tuple[Line, ...]
    vat_rate: Decimal
    currency: str = "EUR"

    @property
    def net_cents(self) -> int:
        """All lines."""
        return sum(line.net_cents for line in self.lines)

    @property
    def vat_cents(self) -> int:
        """The tax on all lines."""
        return to_cents(vat(to_units(self.net_cents), self.vat_rate, rounding=ROUND_HALF_UP))

    @property
    def total_cents(self) -> int:
        """What is to be paid."""
        return self.net_cents + self.vat_cents

    def as_facts(self) -> dict[str, Any]:
        """For announcements and for the archive, which keeps it as JSON, in whole cents."""
        return {
            "number": self.number,
            "currency": self.currency,
            "net_cents": self.net_cents,
            "vat_cents": self.vat_cents,
            "total_cents": self.total_cents,
        }

    def as_text(self) -> str:
        """For the printer: no separators but the decimal point, which the form is cut for."""
        rows = []
        for line in self.lines:
            rows.append(f"{line.quantity} x {line.text}: {self._printed(line.net_cents)}")
        rows.append(f"VAT: {self._printed(self.vat_cents)}")
        rows.append(f"Total: {self._printed(self.total_cents)}")
        return "\n".join([f"Invoice {self.number}", *rows])

    def _printed(self, cents: int) -> str:
        return render(self.currency, to_units(cents), grouping=False)
