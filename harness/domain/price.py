"""What a model's tokens cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """USD for a million tokens of each kind; None is not known, and never free."""

    input_usd: Decimal
    output_usd: Decimal
    cached_usd: Decimal | None = None
    cache_write_usd: Decimal | None = None
    cache_write_1h_usd: Decimal | None = None
    """Tokens that the cache keeps for an hour, where that costs more."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an answer says of itself that changes its price, beside the tokens."""

    cache_write_1h_tokens: int = 0
    """Those of the usage's cache_write_tokens that are kept for an hour."""
    service_tier: str | None = None
    speed: str | None = None
