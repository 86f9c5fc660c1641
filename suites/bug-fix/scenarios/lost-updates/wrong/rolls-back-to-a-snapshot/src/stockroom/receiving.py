"""Deliveries come in, breakages go out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from stockroom.errors import OutOfStock, UnknownSku
from stockroom.models import Level
from stockroom.stock import Stock


class Receiving:
    """The warehouse door."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock

    def receive(self, sku: str, quantity: int) -> Level:
        """Add delivered units; an article nobody knew yet starts from zero."""
        if quantity < 1:
            raise ValueError(f"quantity must be at least 1, not {quantity!r}")
        with self._stock.exclusive():
            try:
                level = self._stock.level(sku)
            except UnknownSku:
                level = Level(sku, on_hand=0)
            level = replace(level, on_hand=level.on_hand + quantity)
            self._stock.save(level)
        return level

    def receive_all(self, delivery: Mapping[str, int]) -> list[Level]:
        return [self.receive(sku, quantity) for sku, quantity in delivery.items()]

    def write_off(self, sku: str, quantity: int) -> Level:
        """Take broken or spoiled units out; more than are there is OutOfStock."""
        if quantity < 1:
            raise ValueError(f"quantity must be at least 1, not {quantity!r}")
        with self._stock.exclusive():
            level = self._stock.level(sku)
            if level.on_hand < quantity:
                raise OutOfStock(sku, quantity, level.on_hand)
            level = replace(level, on_hand=level.on_hand - quantity)
            self._stock.save(level)
        return level
