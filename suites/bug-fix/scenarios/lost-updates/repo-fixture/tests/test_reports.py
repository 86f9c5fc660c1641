from pathlib import Path

from stockroom import Catalogue, Desk, HouseAccounts, Level, Line, OrderBook, Stock, reports
from stockroom.catalogue import load
from stockroom.cli import main

OPENING = Path(__file__).parent.parent / "data" / "stock.csv"


def test_cancelled_orders_are_not_takings():
    stock, book = Stock([Level("FLOUR", 9), Level("YEAST", 9)]), OrderBook()
    prices = Catalogue({"FLOUR": 1_000, "YEAST": 500})
    desk = Desk(stock, book, HouseAccounts({"lund": 90_000}), prices)
    desk.place("lund", [Line("FLOUR", 1), Line("YEAST", 3)])
    gone = desk.place("lund", [Line("FLOUR", 4)])
    desk.cancel(gone.id)
    assert reports.takings_cents(book) == 2_500
    assert reports.best_sellers(book) == [("YEAST", 3), ("FLOUR", 1)]
    assert reports.stock_value_cents(stock, prices) == 11_000


def test_the_opening_stock_is_read_from_csv():
    catalogue, stock = load(OPENING)
    assert catalogue.price_cents("SALT-5") == 430
    assert stock.level("YEAST-1") == Level("YEAST-1", 3, 6)
    assert [line.split()[0] for line in reports.low_stock(stock, catalogue)] == ["OATS-10", "YEAST-1"]


def test_the_command_line_prints_what_to_buy(capsys):
    assert main(["buy", str(OPENING)]) == 0
    assert capsys.readouterr().out.split() == ["OATS-10", "15", "YEAST-1", "15"]
