"""A budget of N ends at N."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.domain.ids import BatchId
from harness.domain.model import Api, Budget, Usage
from harness.gateway.base import REFUSAL, Line, Refusal
from harness.gateway.budget import Purse
from harness.testing.provider import Fails, Says
from tests.gateway.conftest import Start
from tests.gateway.rig import GPT, ask, client, question, turn

# thirty cents at the list's three dollars for a million tokens read
MANY = Usage(input_tokens=100_000)
SMALL = Says("ok", usage=Usage(input_tokens=90, output_tokens=10))
BATCH = BatchId("b")


def _always(_seen: object, _number: int) -> Says:
    return SMALL


def _answered(line: Line, times: int, api: Api = Api.MESSAGES) -> list[str]:
    """What a number of turns came to: `200`, or why not."""
    return [
        answer.headers.get(REFUSAL, str(answer.status_code))
        for answer in (ask(line, api, turn(api)) for _ in range(times))
    ]


@pytest.mark.parametrize("api", list(Api))
def test_turns_end_at_their_number(start: Start, api: Api) -> None:
    one = start(script=_always)
    line = one.line(api, Budget(turns=3))
    assert _answered(line, 5, api) == ["200", "200", "200", "turns", "turns"]
    assert line.spent is Refusal.TURNS
    assert len(one.double.completions) == 3
    assert (line.use().turns, line.use().requests, line.use().refused) == (3, 3, 2)


def test_a_question_without_tools_is_no_turn(start: Start) -> None:
    line = start(script=_always).line(budget=Budget(turns=1))
    assert _answered(line, 2) == ["200", "turns"]
    assert ask(line, body=question()).status_code == 200


@pytest.mark.parametrize(
    ("budget", "answered"),
    [(Budget(requests=2), 2), (Budget(tokens=300), 3), (Budget(tokens=201), 3)],
    ids=str,
)
def test_requests_and_tokens_end_at_their_number(
    start: Start, budget: Budget, answered: int
) -> None:
    one = start(script=_always)
    line = one.line(budget=budget)
    assert _answered(line, answered + 2) == [*["200"] * answered, "budget", "budget"]
    assert line.spent is Refusal.BUDGET
    assert len(one.double.completions) == answered


def test_money_ends_at_its_amount(start: Start) -> None:
    line = start(script=lambda _seen, _n: Says("ok", usage=MANY)).line(budget=Budget(usd=0.6))
    assert _answered(line, 3) == ["200", "200", "budget"]
    assert line.use().cost_usd == pytest.approx(0.6)
    assert line.spent is Refusal.BUDGET


def test_a_budget_of_nothing_lets_nothing_through(start: Start) -> None:
    one = start()
    for budget in (Budget(requests=0), Budget(tokens=0), Budget(usd=0), Budget(turns=0)):
        line = one.line(budget=budget)
        assert ask(line, body=turn()).status_code == 400
        assert line.spent is not None
    assert one.double.requests == []


def test_a_failed_turn_is_given_back_but_was_a_request(start: Start) -> None:
    line = start(Fails(400, "no"), SMALL, SMALL).line(budget=Budget(turns=1, requests=2))
    assert _answered(line, 3) == ["400", "200", "turns"]
    assert (line.use().turns, line.use().requests) == (1, 2)


def test_forty_at_once_do_not_overdraw_requests(start: Start) -> None:
    one = start(script=_always)
    line = one.line(budget=Budget(requests=7))
    with ThreadPoolExecutor(40) as pool:
        statuses = list(pool.map(lambda _: ask(line, body=turn()).status_code, range(40)))
    assert sorted(statuses) == [200] * 7 + [400] * 33
    assert (line.use().requests, line.use().refused) == (7, 33)
    assert len(one.double.completions) == 7


def test_threads_do_not_overdraw_a_purse() -> None:
    purse = Purse(Budget(requests=1000, turns=900))
    barrier = threading.Barrier(8)
    taken: list[int] = []

    def take() -> None:
        barrier.wait()
        taken.append(sum(purse.take(turn=True) is None for _ in range(500)))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == purse.turns == purse.requests == 900


def test_the_purse_of_a_batch_is_common_to_its_lines(start: Start) -> None:
    purse = Purse(Budget(requests=3, tokens=10_000))
    one = start(script=_always, purses={BATCH: purse})
    first, second = one.line(batch=BATCH), one.line(Api.CHAT, batch=BATCH)
    alone = one.line()
    assert _answered(first, 2) == ["200", "200"]
    assert _answered(second, 2, Api.CHAT) == ["200", "budget"]
    assert _answered(first, 1) == ["budget"]
    assert _answered(alone, 1) == ["200"]
    assert (purse.requests, purse.tokens) == (3, 300)
    assert (first.spent, second.spent, alone.spent) == (Refusal.BUDGET, Refusal.BUDGET, None)
    # what the batch refused, the line's own purse has back
    assert (first.use().requests, first.use().turns) == (2, 2)


def test_a_batch_that_is_not_limited_is_no_purse(start: Start) -> None:
    line = start(script=_always).line(batch=BatchId("unknown"))
    assert _answered(line, 1) == ["200"]


def test_what_has_no_price_does_not_spend_money(start: Start) -> None:
    one = start(script=_always)
    line = one.line(Api.CHAT, Budget(usd=0.01), model=GPT.__class__("openai", "unheard-of"))
    with client(line) as http:
        for _ in range(3):
            body = turn(Api.CHAT, model="unheard-of")
            assert http.post("/v1/chat/completions", json=body).status_code == 200
    assert line.use().cost_usd is None


@pytest.mark.parametrize(
    ("budget", "answered"),
    [(Budget(tokens=10_000), 5), (Budget(usd=1.0), 5), (Budget(), 8)],
    ids=str,
)
def test_answers_that_nobody_can_meter_end_where_tokens_or_money_are_limited(
    start: Start, budget: Budget, answered: int
) -> None:
    silent = start(script=lambda _seen, _n: Says("ok", usage=None))
    line = silent.line(Api.CHAT, budget)
    assert _answered(line, 8, Api.CHAT) == [*["200"] * answered, *["budget"] * (8 - answered)]
    assert line.use().unmetered == answered


def test_whoever_hangs_up_before_the_price_is_said_runs_out_of_budget(start: Start) -> None:
    long = Says("word " * 50, usage=SMALL.usage, pieces=50, pause_s=0.02)
    line = start(script=lambda _seen, _n: long).line(budget=Budget(tokens=1_000_000))
    for _ in range(5):
        with (
            client(line) as agent,
            agent.stream("POST", "/v1/messages", json=turn(stream=True)) as answer,
        ):
            next(answer.iter_raw())
        line.settle()
    assert ask(line, body=turn()).headers[REFUSAL] == Refusal.BUDGET
