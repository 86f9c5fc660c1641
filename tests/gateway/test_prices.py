from __future__ import annotations

import socket
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices.data import providers
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.model import ModelRef, Usage
from harness.domain.price import Price, Terms
from harness.gateway.prices import Prices

AT = datetime(2026, 11, 1, tzinfo=UTC)
HAIKU = ModelRef("anthropic", "claude-haiku-4-5")
GPT = ModelRef("openai", "gpt-5")
MINE = ModelRef("openai", "gpt-5", "http://localhost:8000/v1")
MILLION = 1_000_000
ALL = [
    ModelRef(provider.id, model.id)
    for provider in providers
    if provider.id in ("anthropic", "openai", "openrouter")
    for model in provider.models
]


def cost(
    model: ModelRef, usage: Usage, at: datetime = AT, terms: Terms | None = None
) -> float | None:
    return Prices({}).cost_usd(model, usage, at, terms)


@pytest.mark.parametrize(
    "model",
    [
        ModelRef("openai", "no-such-model"),
        ModelRef("anthropic", "claude-x-20250101"),
        ModelRef("nobody", "gpt-5"),
        ModelRef("my-openai-proxy", "gpt-5"),
        ModelRef("openrouter", "nobody/no-such-model:free"),
        ModelRef("openrouter", "stealth/crouton-alpha"),
        MINE,
    ],
    ids=lambda model: model.label,
)
def test_an_unknown_price_is_unknown_and_not_nothing(model: ModelRef) -> None:
    assert cost(model, Usage(10, 10)) is None
    assert not Prices({}).known(model)


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        (HAIKU, 6),
        (ModelRef("anthropic", "claude-haiku-4-5-20251001"), 6),
        (GPT, 11.25),
        (ModelRef("openai", "gpt-5-2025-08-07"), 11.25),
        (ModelRef("openrouter", "anthropic/claude-haiku-4.5"), 6),
        (ModelRef("openrouter", "deepseek/deepseek-r1:free"), 0),
    ],
    ids=lambda value: value.label if isinstance(value, ModelRef) else "",
)
def test_names_are_found_as_providers_write_them(model: ModelRef, usd: float) -> None:
    assert cost(model, Usage(MILLION, MILLION)) == usd
    assert Prices({}).known(model)


@pytest.mark.parametrize(
    ("model", "usage", "terms"),
    [
        (GPT, Usage(10, 10, cache_write_tokens=1), Terms()),
        (ModelRef("openai", "gpt-5-pro"), Usage(10, 10, cached_tokens=1), Terms()),
        (
            ModelRef("openrouter", "anthropic/claude-haiku-4.5"),
            Usage(10, 10, cache_write_tokens=1),
            Terms(cache_write_1h_tokens=1),
        ),
        (ModelRef("openai", "text-embedding-3-small"), Usage(10, 10), Terms()),
        (HAIKU, Usage(10, 10), Terms(service_tier="priority")),
        (HAIKU, Usage(10, 10), Terms(speed="fast")),
        (GPT, Usage(10, 10), Terms(service_tier="scale")),
    ],
)
def test_a_kind_of_token_without_a_price_makes_the_cost_unknown(
    model: ModelRef, usage: Usage, terms: Terms
) -> None:
    assert cost(model, usage, terms=terms) is None
    assert cost(model, Usage(10, 0)) is not None


def test_a_price_is_the_one_of_its_day() -> None:
    o3 = ModelRef("openai", "o3")
    usage = Usage(MILLION, MILLION)
    # 10 + 40, and since 10 June 2025: 2 + 8
    assert cost(o3, usage, datetime(2025, 6, 9, 23, tzinfo=UTC)) == 50
    assert cost(o3, usage, datetime(2025, 6, 10, 0, tzinfo=UTC)) == 10


def test_a_long_prompt_pays_the_price_of_its_step() -> None:
    sonnet = ModelRef("anthropic", "claude-sonnet-4-5")
    # up to 200,000 tokens of input 3 and 15, above 6 and 22.5, cached ones included
    assert cost(sonnet, Usage(200_000, 1000)) == pytest.approx(0.6 + 0.015, abs=1e-12)
    assert cost(sonnet, Usage(100_000, 1000, 100_001)) == pytest.approx(
        0.6 + 100_001 * 0.6e-6 + 0.0225, abs=1e-12
    )


@pytest.mark.parametrize(
    ("tier", "usd"), [(None, 11.25), ("default", 11.25), ("flex", 5.625), ("priority", 22.5)]
)
def test_a_service_tier_has_its_own_price(tier: str | None, usd: float) -> None:
    assert cost(GPT, Usage(MILLION, MILLION), terms=Terms(service_tier=tier)) == usd


def test_what_the_cache_keeps_for_an_hour_costs_more() -> None:
    usage = Usage(cache_write_tokens=MILLION)
    assert cost(HAIKU, usage) == 1.25
    assert cost(HAIKU, usage, terms=Terms(cache_write_1h_tokens=MILLION)) == 2
    assert cost(HAIKU, usage, terms=Terms(cache_write_1h_tokens=400_000)) == pytest.approx(
        0.6 * 1.25 + 0.4 * 2, abs=1e-12
    )


def test_an_override_wins_for_the_very_model_it_names() -> None:
    price = Price(Decimal("0.1"), Decimal("0.7"))
    prices = Prices({GPT.label: price})
    usage = Usage(3, 1)
    # 3 * 0.1 + 1 * 0.7 = 1 millionth, to the last digit
    assert prices.cost_usd(GPT, usage, AT) == 1e-6
    assert prices.cost_usd(GPT, usage, AT, Terms(service_tier="priority")) == 1e-6
    assert prices.cost_usd(MINE, usage, AT) is None
    assert Prices({MINE.label: price}).cost_usd(MINE, usage, AT) == 1e-6
    assert Prices({MINE.label: price}).known(MINE)


@pytest.mark.parametrize(
    ("usage", "terms"),
    [
        (Usage(1, 1, cached_tokens=1), Terms()),
        (Usage(1, 1, cache_write_tokens=1), Terms()),
        (Usage(1, 1, cache_write_tokens=1), Terms(cache_write_1h_tokens=1)),
    ],
)
def test_an_override_without_a_price_for_the_cache_does_not_fall_back(
    usage: Usage, terms: Terms
) -> None:
    prices = Prices({HAIKU.label: Price(Decimal(1), Decimal(5))})
    assert prices.cost_usd(HAIKU, usage, AT, terms) is None
    full = Price(Decimal(1), Decimal(5), Decimal(0), Decimal(0), Decimal(0))
    assert Prices({HAIKU.label: full}).cost_usd(HAIKU, usage, AT, terms) == 6e-6


def test_prices_never_ask_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        pytest.fail("a price was looked for on the network")

    monkeypatch.setattr(socket, "socket", refuse)
    assert cost(ModelRef("openai", "no-such-model"), Usage(1, 1)) is None
    assert cost(GPT, Usage(1, 1)) is not None


TOKENS = st.integers(0, 10**9)


@settings(max_examples=300, deadline=None)
@given(
    model=st.sampled_from(ALL),
    usage=st.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS),
    tier=st.sampled_from([None, "default", "flex", "priority"]),
)
def test_no_model_of_the_table_makes_it_raise(model: ModelRef, usage: Usage, tier: str) -> None:
    prices = Prices({})
    found = prices.cost_usd(model, usage, AT, Terms(service_tier=tier))
    assert found is None or found >= 0
    if found == 0 and usage.total:
        assert model.name.endswith(":free")
