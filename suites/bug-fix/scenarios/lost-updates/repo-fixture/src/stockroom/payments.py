"""Taking money: what a terminal must offer, and accounts kept by the house."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from typing import Protocol

from stockroom.errors import PaymentDeclined


class Payments(Protocol):
    """Drivers for card terminals implement this; both calls may block for minutes."""

    def charge(self, customer: str, cents: int) -> str:
        """Take the money and return a receipt, or raise PaymentDeclined."""

    def refund(self, receipt: str) -> None:
        """Give back what was taken under this receipt."""


class HouseAccounts:
    """Customers with an account pay at the end of the month, up to their limit."""

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = dict(limits)
        self._owed = dict.fromkeys(self._limits, 0)
        self._open: dict[str, tuple[str, int]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def charge(self, customer: str, cents: int) -> str:
        with self._lock:
            owed = self._owed.get(customer, 0) + cents
            if owed > self._limits.get(customer, 0):
                raise PaymentDeclined(customer, cents)
            self._owed[customer] = owed
            receipt = f"HA-{next(self._numbers)}"
            self._open[receipt] = (customer, cents)
            return receipt

    def refund(self, receipt: str) -> None:
        with self._lock:
            customer, cents = self._open.pop(receipt)
            self._owed[customer] -= cents

    def owed(self, customer: str) -> int:
        with self._lock:
            return self._owed.get(customer, 0)
