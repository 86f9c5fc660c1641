"""When no further run of a batch can ask its model, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, Usage
from harness.gateway.base import Access, Line
from harness.gateway.budget import Purse
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.settings import Secrets
from harness.testing.provider import KEY, Fails, Garbage, ProviderDouble, Says, plays
from tests.gateway.conftest import Start
from tests.gateway.rig import CLAUDE, NOW, Rig, ask, question, turn

BATCH = BatchId("b")
SMALL = Says("ok", usage=Usage(90, 10))


def _run(one: Rig, requests: int = 1, **more: object) -> Line:
    with one.gateway.open(Access("a-run", CLAUDE, Budget(), **more)) as line:
        for _ in range(requests):
            ask(line, body=turn())
    return line


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_key_or_a_model_that_is_refused_stops_every_batch(start: Start, status: int) -> None:
    one = start(Fails(status, "no such thing"))
    assert one.gateway.stopped(BATCH) is None
    line = _run(one)
    why = one.gateway.stopped(BATCH)
    assert why == line.fault
    assert why == (
        f"anthropic answered {status}: no such thing; asked {one.double.url}/v1 for"
        " 'claude-sonnet-4-5' with the key ANTHROPIC_API_KEY of the environment"
    )


def test_what_answers_once_has_the_right_key(start: Start) -> None:
    one = start(SMALL, Fails(404, "no such file"))
    _run(one, 2)
    assert one.gateway.stopped(BATCH) is None


def test_a_provider_that_is_busy_stops_nothing(start: Start) -> None:
    one = start(Fails(429, "later", should_retry=False))
    _run(one)
    assert one.gateway.stopped(BATCH) is None


def test_a_batchs_empty_purse_stops_that_batch_alone(start: Start) -> None:
    one = start(SMALL, SMALL, purses={BATCH: Purse(Budget(tokens=150))})
    _run(one, batch=BATCH)
    assert one.gateway.stopped(BATCH) is None
    line = _run(one, batch=BATCH)
    assert not line.cut_by_batch
    assert one.gateway.stopped(BATCH) == "the batch's budget is spent: 200 of 150 tokens are used"
    assert one.gateway.stopped(BatchId("another")) is None


def test_a_line_says_whose_budget_ended_it_and_in_which_words(start: Start) -> None:
    one = start(SMALL, SMALL, purses={BATCH: Purse(Budget(usd=0.0001))})
    cut, own = _run(one, 2, batch=BATCH), one.line(budget=Budget(usd=0.0001))
    for _ in range(2):
        ask(own, body=turn())
    assert (cut.cut_by_batch, own.cut_by_batch) == (True, False)
    assert cut.spent_why == "the batch's budget is spent: $0.0004 of $0.0001 are spent"
    assert own.spent_why == "the budget is spent: $0.0004 of $0.0001 are spent"


@pytest.mark.parametrize(
    ("keys", "in_file", "said"),
    [
        ({}, frozenset(), "with no key; where it wants one, set BENCH_ENDPOINT_KEY"),
        (
            {"BENCH_ENDPOINT_KEY": "wrong"},
            frozenset({"BENCH_ENDPOINT_KEY"}),
            "with the key BENCH_ENDPOINT_KEY of /some/keys.env",
        ),
    ],
    ids=["none", "of the file"],
)
def test_an_endpoint_that_wants_a_key_says_where_to_give_it(
    keys: Mapping[str, str], in_file: frozenset[str], said: str
) -> None:
    with ProviderDouble(plays(SMALL), key=KEY) as double:
        targets = Targets(Secrets(keys), Path("/some/keys.env"), {}, in_file)
        model = ModelRef("anthropic", CLAUDE.name, double.url)
        with (
            ModelGateway(targets, Prices({}), lambda: NOW, "me") as gateway,
            gateway.open(Access("a-run", model, Budget())) as line,
        ):
            ask(line, body=question())
            assert (line.fault or "").endswith(said)


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
def test_a_page_in_place_of_an_answer_is_shown(start: Start, *, streamed: bool) -> None:
    page = b"<html>\n <body>Please log in</body></html>"
    line = start(Garbage(page, content_type="text/html; charset=utf-8")).line()
    ask(line, body=turn(stream=streamed))
    line.settle()
    assert "text/html, not JSON: '<html> <body>Please log in" in (line.fault or "")
    assert "is the address right?" in (line.fault or "")


def test_a_pause_that_is_too_long_is_told(start: Start) -> None:
    line = start(Fails(429, "slow down", retry_after=3600)).line()
    ask(line)
    assert line.fault == "anthropic answered 429: slow down; it asks to wait for 3,600 s"
