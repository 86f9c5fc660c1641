"""The values that travel between the modules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True)
class Line:
    sku: str
    quantity: int

    def __post_init__(self) -> None:
        if self.quantity < 1:
            raise ValueError(f"quantity must be at least 1, not {self.quantity!r}")


@dataclass(frozen=True, slots=True)
class Level:
    """How much of one article is there, and when buying more becomes urgent."""

    sku: str
    on_hand: int
    reorder_at: int = 0


class OrderStatus(Enum):
    PLACED = "placed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    customer: str
    lines: tuple[Line, ...]
    total_cents: int
    receipt: str
    placed_at: datetime
    status: OrderStatus = OrderStatus.PLACED
