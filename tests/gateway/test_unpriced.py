"""A limit in money where not every kind of token has a price."""

from __future__ import annotations

from decimal import Decimal

import pytest

from harness.domain.ids import BatchId
from harness.domain.model import Api, Budget, ModelRef, Usage
from harness.domain.price import Price
from harness.gateway.base import REFUSAL, Refusal
from harness.gateway.budget import Purse
from harness.gateway.prices import Prices
from harness.testing.provider import Says
from tests.gateway.conftest import Start
from tests.gateway.rig import GPT, NOW, ask, turn

# gpt-5: 1.25 dollars for a million tokens read, 10 for a million written, and none for the cache
WRITES = Usage(input_tokens=8_000, output_tokens=1_000, cache_write_tokens=100_000)
LEAST_USD = 0.02
BATCH = BatchId("b")


def _writes(_seen: object, _number: int) -> Says:
    return Says("ok", usage=WRITES)


def _ask(start: Start, budget: Budget, **more: object) -> list[str]:
    line = start(script=_writes).line(Api.RESPONSES, budget, **more)
    answers = (ask(line, Api.RESPONSES, turn(Api.RESPONSES)) for _ in range(7))
    return [answer.headers.get(REFUSAL, str(answer.status_code)) for answer in answers]


def test_a_model_with_a_price_may_have_none_for_what_the_cache_takes() -> None:
    prices = Prices({})
    assert prices.known(GPT)
    assert prices.cost_usd(GPT, WRITES, NOW) is None
    assert prices.least_usd(GPT, WRITES, NOW) == pytest.approx(LEAST_USD)


def test_the_users_own_price_has_a_least_too() -> None:
    own = Prices({GPT.label: Price(Decimal(1), Decimal(2))})
    assert own.cost_usd(GPT, WRITES, NOW) is None
    assert own.least_usd(GPT, WRITES, NOW) == pytest.approx(0.01)
    assert own.least_usd(ModelRef("openai", "of-nobody"), WRITES, NOW) == 0.0


def test_what_is_known_of_the_cost_is_taken_from_the_purse(start: Start) -> None:
    limit = Budget(usd=2 * LEAST_USD)
    assert _ask(start, limit) == ["200", "200", *["budget"] * 5]


def test_answers_whose_cost_is_not_known_end_where_money_is_limited(start: Start) -> None:
    assert _ask(start, Budget(usd=1000)) == [*["200"] * 5, "budget", "budget"]
    assert _ask(start, Budget(tokens=10**9)) == ["200"] * 7


def test_the_money_of_the_batch_limits_as_that_of_the_run_does(start: Start) -> None:
    purse = Purse(Budget(usd=1000))
    one = start(script=_writes, purses={BATCH: purse})
    line = one.line(Api.RESPONSES, batch=BATCH)
    statuses = [ask(line, Api.RESPONSES, turn(Api.RESPONSES)).status_code for _ in range(6)]
    assert statuses == [*[200] * 5, 400]
    assert line.spent is Refusal.BUDGET
    assert purse.usd == pytest.approx(5 * LEAST_USD)
    assert line.use().cost_usd is None
    assert line.use().least_usd == pytest.approx(5 * LEAST_USD)


@pytest.mark.parametrize(("said", "asked"), [("/", ""), ("", "/")])
def test_a_price_is_found_with_and_without_a_slash_at_the_end(said: str, asked: str) -> None:
    price = Price(Decimal(1), Decimal(1))
    prices = Prices({f"openai:m@http://host:1/v1{said}": price})
    model = ModelRef("openai", "m", f"http://host:1/v1{asked}")
    assert prices.known(model)
    assert prices.cost_usd(model, Usage(1_000_000), NOW) == 1.0


def test_a_misspelt_model_is_like_a_known_one() -> None:
    prices = Prices({})
    assert prices.like(ModelRef("anthropic", "claude-sonet-4-5")) == "anthropic:claude-sonnet-4-5"
    assert prices.like(ModelRef("openai", "zzz")) is None
