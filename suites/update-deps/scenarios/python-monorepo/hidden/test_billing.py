"""office_billing on saltern-money 3."""

from typing import Any

from grading import Raised, cases
from office import drive

MONEY = {"saltern-money": "3", "saltern-money-tax": "3"}

INVOICE = '''
from decimal import Decimal
from office_billing.invoice import Invoice, Line

def main(lines, rate):
    rows = tuple(Line(text, cents, many, Decimal(off)) for text, cents, many, off in lines)
    invoice = Invoice("N-1", rows, Decimal(rate))
    return [invoice.as_facts(), invoice.as_text()]
'''
PLAN = '''
from office_billing.instalments import instalments

def main(total, months):
    return instalments(total, months)
'''
PRICES = '''
from office_billing.prices import read_prices

def main(text):
    return read_prices(text)
'''
SETTLE = '''
from decimal import Decimal
from office_billing.invoice import Invoice, Line
from office_billing.ledger import Ledger
from office_notify.hub import Hub

def main(statement):
    ledger = Ledger(Hub())
    ledger.post(Invoice("N-1", (Line("rope", 1000),), Decimal("0.19")))
    ledger.post(Invoice("N-2", (Line("tar", 150),), Decimal("0.19")))
    unknown = ledger.settle(statement)
    return [ledger.open_cents, unknown]
'''
ROLLBACK = '''
from decimal import Decimal
from office_billing.invoice import Invoice, Line
from office_billing.ledger import Ledger
from office_notify.hub import Hub

def main():
    hub, told = Hub(), []
    def refuse(facts):
        raise PermissionError("books are closed")
    hub.on("invoice.posted", refuse)
    hub.on("invoice.posted", lambda facts: told.append(facts["number"]))
    ledger = Ledger(hub)
    try:
        ledger.post(Invoice("N-1", (Line("rope", 1000),), Decimal("0.19")))
        raised = None
    except Exception as error:
        raised = type(error).__name__
    return [raised, told, ledger.open_cents]
'''


def whole(value: Any) -> bool:
    return type(value) is int


@cases([[150, "0.19", 29], [50, "0.05", 3], [350, "0.19", 67], [1000, "0.19", 190]])
def test_half_a_cent_of_tax_goes_up(case: list[Any]) -> None:
    net, rate, tax = case
    facts, _text = drive(INVOICE, [["rope", net, 1, "0"]], rate, uses=MONEY)
    assert [facts["net_cents"], facts["vat_cents"], facts["total_cents"]] == [net, tax, net + tax]


@cases([[25, 1, "50", 13], [5, 9, "10", 41], [999, 1, "50", 500], [105, 1, "50", 53]])
def test_half_a_cent_of_a_discount_goes_up(case: list[Any]) -> None:
    cents, many, off, net = case
    facts, _text = drive(INVOICE, [["rope", cents, many, off]], "0.19", uses=MONEY)
    assert facts["net_cents"] == net


def test_facts_are_whole_cents() -> None:
    facts, _text = drive(INVOICE, [["rope", 1999, 2, "0"]], "0.19", uses=MONEY)
    assert {k: v for k, v in facts.items() if k.endswith("_cents")} == {
        "net_cents": 3998,
        "vat_cents": 760,
        "total_cents": 4758,
    }
    assert all(whole(v) for k, v in facts.items() if k.endswith("_cents"))


def test_the_print_has_no_separators() -> None:
    _facts, text = drive(INVOICE, [["hawser", 123450, 10, "0"]], "0.19", uses=MONEY)
    assert text.splitlines() == [
        "Invoice N-1",
        "10 x hawser: EUR 12345.00",
        "VAT: EUR 2345.55",
        "Total: EUR 14690.55",
    ]


def test_odd_cents_are_paid_first() -> None:
    plan = drive(PLAN, 300002, 3, uses=MONEY)
    assert plan == [
        {"month": 1, "cents": 100001, "text": "EUR 1000.01"},
        {"month": 2, "cents": 100001, "text": "EUR 1000.01"},
        {"month": 3, "cents": 100000, "text": "EUR 1000.00"},
    ]
    assert all(whole(part["cents"]) for part in plan)


def test_prices_are_whole_cents() -> None:
    prices = drive(PRICES, "A;12.5\nB;0.29\nC;-3\nD;1050.05\n", uses=MONEY)
    assert prices == {"A": 1250, "B": 29, "C": -300, "D": 105005}
    assert all(whole(cents) for cents in prices.values())


@cases(["1.005", "0.125", "12.345678", "NaN", ""])
def test_no_price_has_fractions_of_a_cent(case: str) -> None:
    try:
        found = drive(PRICES, f"A;{case}\n", uses=MONEY)
    except Raised as error:
        assert error.is_a("ValueError"), error
    else:
        raise AssertionError(found)


def test_payments_are_booked() -> None:
    statement = (
        '<Statement><Entry Ref="N-1">1190</Entry><Entry Ref="X-9">5</Entry>'
        '<Entry Ref="N-2">100</Entry></Statement>'
    )
    uses = {**MONEY, "saltern-bankfeed": "5"}
    assert drive(SETTLE, statement, uses=uses) == [{"N-1": 0, "N-2": 79}, ["X-9"]]


def test_an_invoice_that_somebody_refuses_is_not_posted() -> None:
    found = drive(ROLLBACK, uses={**MONEY, "saltern-bus": "1"})
    assert found == ["PermissionError", [], {}]
