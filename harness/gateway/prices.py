"""What tokens cost: the price library's table as it was released, and the user's own prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches

from genai_prices import Usage as Priced
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelInfo, ModelPrice

from harness.domain.model import ModelRef, Usage
from harness.domain.price import Price, Terms

MILLION = 1_000_000
_USUAL_TIERS = frozenset({"auto", "default", "standard"})
NEAR = 0.75
"""How alike two names of models are to be taken for one another."""
_KINDS = {
    "input_tokens": "input_mtok",
    "output_tokens": "output_mtok",
    "cached_tokens": "cache_read_mtok",
    "cache_write_tokens": "cache_write_mtok",
}
_FREE = ":free"
"""How OpenRouter ends the names of models that cost nothing."""


class Prices:
    """Prices of models on a day; what is not known is None, and never 0."""

    def __init__(self, overrides: Mapping[str, Price]) -> None:
        self._overrides = {_key(label): price for label, price in overrides.items()}
        # a table of our own: nothing that another part of the process fetches gets into it
        self._table = DataSnapshot(providers=providers, from_auto_update=False)

    def known(self, model: ModelRef) -> bool:
        """There is a price for the model's plain input and output."""
        if _key(model.label) in self._overrides:
            return True
        info = self._find(model)
        return info is not None and all(_is_free(info, p) or _is_full(p) for p in _all_prices(info))

    def cost_usd(
        self, model: ModelRef, usage: Usage, at: datetime, terms: Terms | None = None
    ) -> float | None:
        """What one answer cost; answers are not added up before, for some prices have steps."""
        terms = terms or Terms()
        override = self._overrides.get(_key(model.label))
        if override:
            cost = _own_cost(override, usage, terms)
        else:
            info = self._find(model)
            cost = _listed_cost(info, usage, at, terms) if info else None
        return None if cost is None else float(cost)

    def least_usd(self, model: ModelRef, usage: Usage, at: datetime) -> float:
        """What one answer cost at least: kinds of tokens that have no price are left out."""
        override = self._overrides.get(_key(model.label))
        if override:
            return float(_own_cost(override, _priced_by(override, usage), Terms()) or 0)
        info = self._find(model)
        if info is None:
            return 0.0
        price = info.get_prices(at, {})
        kinds = dict(_needs(usage, Terms()))
        left = replace(
            usage,
            **{name: 0 for name, key in _KINDS.items() if kinds[key] and not _has(price, key)},
        )
        return float(_listed_cost(info, left, at, Terms()) or 0)

    def like(self, model: ModelRef) -> str | None:
        """The known model whose name is nearest, for one without a price."""
        labels = {
            f"{provider.id}:{info.id}"
            for provider in self._table.providers
            if provider.id == model.provider
            for info in provider.models
        }
        close = get_close_matches(model.label, [*labels, *self._overrides], n=1, cutoff=NEAR)
        return close[0] if close else None

    def window_tokens(self, model: ModelRef) -> int | None:
        """What the model reads at most, where the table knows it."""
        info = self._find(model)
        return info.context_window if info else None

    def _find(self, model: ModelRef) -> ModelInfo | None:
        if model.endpoint is not None:
            return None
        try:
            provider, info = self._table.find_provider_model(model.name, None, model.provider, None)
        except LookupError:
            return None
        # the library also takes names that merely contain a provider's
        return info if provider.id == model.provider else None


def _key(label: str) -> str:
    """An address is the same with and without a slash at its end."""
    return label.rstrip("/")


def _priced_by(price: Price, usage: Usage) -> Usage:
    cached = 0 if price.cached_usd is None else usage.cached_tokens
    written = 0 if price.cache_write_usd is None else usage.cache_write_tokens
    return replace(usage, cached_tokens=cached, cache_write_tokens=written)


def _own_cost(price: Price, usage: Usage, terms: Terms) -> Decimal | None:
    kinds = (
        (usage.input_tokens, price.input_usd),
        (usage.output_tokens, price.output_usd),
        (usage.cached_tokens, price.cached_usd),
        (usage.cache_write_tokens - terms.cache_write_1h_tokens, price.cache_write_usd),
        (terms.cache_write_1h_tokens, price.cache_write_1h_usd),
    )
    total = Decimal(0)
    for tokens, usd in kinds:
        if tokens and usd is None:
            return None
        total += tokens * (usd or Decimal(0))
    return total / MILLION


def _listed_cost(info: ModelInfo, usage: Usage, at: datetime, terms: Terms) -> Decimal | None:
    context = _context(info, at, terms)
    if context is None:
        return None
    price = info.get_prices(at, context)
    if _is_free(info, price):
        return Decimal(0)
    if any(tokens and not _has(price, key) for key, tokens in _needs(usage, terms)):
        return None
    counted = Priced(
        input_tokens=usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        cache_write_1h_tokens=terms.cache_write_1h_tokens,
        output_tokens=usage.output_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
    )
    try:
        return price.calc_price(counted)["total_price"]
    except ValueError:
        # the library has a price for a kind of token that this usage does not tell apart
        return None


def _context(info: ModelInfo, at: datetime, terms: Terms) -> dict[str, str] | None:
    """What selects the library's price beside the day; None when it has none for these terms."""
    asked = {"service_tier": terms.service_tier, "speed": terms.speed}
    unusual = {key: said for key, said in asked.items() if said and said not in _USUAL_TIERS}
    offered = [
        variant.when
        for variant in info.price_variants or ()
        if variant.constraint is None or variant.constraint.active(at)
    ]
    is_listed = all({key: said} in offered for key, said in unusual.items())
    return unusual if is_listed else None


def _needs(usage: Usage, terms: Terms) -> tuple[tuple[str, int], ...]:
    return (
        ("input_mtok", usage.input_tokens),
        ("output_mtok", usage.output_tokens),
        ("cache_read_mtok", usage.cached_tokens),
        ("cache_write_mtok", usage.cache_write_tokens - terms.cache_write_1h_tokens),
        ("cache_write_1h_mtok", terms.cache_write_1h_tokens),
    )


def _all_prices(info: ModelInfo) -> list[ModelPrice]:
    if isinstance(info.prices, ModelPrice):
        return [info.prices]
    return [conditional.prices for conditional in info.prices]


def _has(price: ModelPrice, key: str) -> bool:
    return getattr(price, key) is not None


def _is_full(price: ModelPrice) -> bool:
    return _has(price, "input_mtok") and _has(price, "output_mtok")


def _is_free(info: ModelInfo, price: ModelPrice) -> bool:
    """The library lists free models without any price, but others without one too."""
    listed = any(value is not None for value in vars(price).values())
    return info.id.endswith(_FREE) and not listed
