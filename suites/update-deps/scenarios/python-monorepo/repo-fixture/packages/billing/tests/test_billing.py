"""The visible half of office_billing's contract."""

from decimal import Decimal

import pytest
from office_billing.instalments import instalments
from office_billing.invoice import Invoice, Line
from office_billing.ledger import Ledger
from office_billing.prices import read_prices
from office_notify.hub import Hub

INVOICE = Invoice(
    "2024-001", (Line("rope", 1999, 2), Line("tar", 450)), vat_rate=Decimal("0.19")
)


def test_an_invoice_adds_up_in_whole_cents() -> None:
    assert INVOICE.as_facts() == {
        "number": "2024-001",
        "currency": "EUR",
        "net_cents": 4448,
        "vat_cents": 845,
        "total_cents": 5293,
    }


def test_an_invoice_is_printed() -> None:
    assert INVOICE.as_text().splitlines() == [
        "Invoice 2024-001",
        "2 x rope: EUR 39.98",
        "1 x tar: EUR 4.50",
        "VAT: EUR 8.45",
        "Total: EUR 52.93",
    ]


def test_instalments_add_up() -> None:
    plan = instalments(9000, 3)
    assert [part["cents"] for part in plan] == [3000, 3000, 3000]
    assert plan[0]["text"] == "EUR 30.00"


def test_prices_are_cents() -> None:
    assert read_prices("A-17;12.50\nB-2;3\n") == {"A-17": 1250, "B-2": 300}
    with pytest.raises(ValueError, match="not an amount"):
        read_prices("A-17;twelve\n")


def test_a_posted_invoice_is_open_until_it_is_paid() -> None:
    ledger = Ledger(Hub())
    assert ledger.post(INVOICE) == 0
    assert ledger.open_cents == {"2024-001": 5293}
