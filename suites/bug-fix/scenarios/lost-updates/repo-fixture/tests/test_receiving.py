import pytest

from stockroom import Level, OutOfStock, Receiving, Reordering, Stock, UnknownSku
from stockroom.reordering import Suggestion


def test_a_delivery_is_added():
    stock = Stock([Level("OATS", 2, 5)])
    assert Receiving(stock).receive("OATS", 10) == Level("OATS", 12, 5)
    assert stock.level("OATS").on_hand == 12


def test_a_new_article_starts_from_zero():
    stock = Stock()
    Receiving(stock).receive_all({"RYE": 4, "SPELT": 6})
    assert [(level.sku, level.on_hand) for level in stock.levels()] == [("RYE", 4), ("SPELT", 6)]


def test_breakages_are_taken_out_but_never_below_zero():
    stock = Stock([Level("OATS", 2)])
    assert Receiving(stock).write_off("OATS", 1).on_hand == 1
    with pytest.raises(OutOfStock):
        Receiving(stock).write_off("OATS", 2)
    assert stock.level("OATS").on_hand == 1


def test_quantities_must_be_positive():
    stock = Stock([Level("OATS", 2)])
    with pytest.raises(ValueError):
        Receiving(stock).receive("OATS", 0)
    with pytest.raises(ValueError):
        Receiving(stock).write_off("OATS", -1)


def test_a_reorder_point_is_changed_without_touching_the_units():
    stock = Stock([Level("OATS", 2, 5)])
    assert Reordering(stock).set_point("OATS", 8) == Level("OATS", 2, 8)
    with pytest.raises(UnknownSku):
        Reordering(stock).set_point("RYE", 8)


def test_suggestions_fill_up_to_three_times_the_point():
    stock = Stock([Level("OATS", 2, 5), Level("RYE", 9, 5), Level("SALT", 0)])
    assert Reordering(stock).suggestions() == [Suggestion("OATS", 13)]
