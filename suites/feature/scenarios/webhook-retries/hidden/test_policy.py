"""How long to wait, what an answer means, and how both are configured."""

from typing import Any

from grading import cases, python
from table import Table

DELAYS = """
def main(policies, attempts):
    import hookline
    from hookline.retry import RetryPolicy
    assert hookline.RetryPolicy is RetryPolicy
    return [[RetryPolicy(**kwargs).delay_after(n) for n in attempts] for kwargs in policies]
"""

CONFIG = """
from hookline import parse_endpoints
FIELDS = ("max_attempts", "base_s", "factor", "cap_s")

def policies(raw):
    return {
        name: {field: getattr(endpoint.retry, field) for field in FIELDS}
        for name, endpoint in parse_endpoints(raw).items()
    }

def main(raws):
    seen = []
    for raw in raws:
        try:
            seen.append({"policies": policies(raw)})
        except Exception as error:
            kinds = [kind.__name__ for kind in type(error).__mro__]
            seen.append({"kinds": kinds, "message": str(error)})
    return seen
"""

ATTEMPT = """
import tempfile
from pathlib import Path
from hookline import (
    Dispatcher, Event, ManualClock, Response, Store, TransportError, parse_endpoints,
)

class Wire:
    def __init__(self, clock, answer, took):
        self.clock, self.answer, self.took, self.count = clock, answer, took, 0
    def send(self, request):
        self.count += 1
        self.clock.advance(self.took)
        if self.answer["status"] is None:
            raise TransportError("refused")
        return Response(self.answer["status"], self.answer.get("headers", {}))

def attempt(answer, start, took=0, retry=None):
    endpoint = {"name": "a", "url": "https://a.example", "secret": "s", "events": ["*"]}
    if retry is not None:
        endpoint["retry"] = retry
    endpoints = parse_endpoints({"endpoints": [endpoint]})
    store = Store.open(Path(tempfile.mkdtemp()) / "q.json")
    clock = ManualClock(start)
    store.enqueue(Event("e1", "x", {}, start), endpoints)
    wire = Wire(clock, answer, took)
    dispatcher = Dispatcher(store, endpoints, wire, clock)
    result = dispatcher.run_pass()
    letters = store.dead()
    return {
        "counts": [result.delivered, result.failed, result.dead],
        "requests": wire.count,
        "due": dispatcher.next_due(),
        "now": clock.now(),
        "reasons": [letter.reason for letter in letters],
        "statuses": [letter.status for letter in letters],
    }

def main(jobs):
    seen = []
    for job in jobs:
        try:
            seen.append(attempt(*job))
        except Exception as error:
            seen.append({"raised": repr(error)})
    return seen
"""

START = 1714550000.0  # Wed, 01 May 2024 07:53:20 GMT


def endpoint(name: str, **extra: Any) -> dict[str, Any]:
    return {"name": name, "url": "https://x.example", "secret": "s", "events": ["*"], **extra}


@cases(
    [
        ({}, [2.0, 4.0, 8.0, 16.0, 32.0]),
        ({"cap_s": 10.0}, [2.0, 4.0, 8.0, 10.0, 10.0]),
        ({"base_s": 5, "factor": 1}, [5, 5, 5, 5, 5]),
        ({"base_s": 1.0, "factor": 3.0, "cap_s": 50.0}, [1.0, 3.0, 9.0, 27.0, 50.0]),
    ]
)
def test_the_delay_grows_up_to_the_cap(case: tuple[dict[str, float], list[float]]) -> None:
    kwargs, expected = case
    assert python(DELAYS, [kwargs], [1, 2, 3, 4, 5]) == [expected]


def policies(raw: dict[str, Any]) -> Any:
    (seen,) = python(CONFIG, [raw])
    assert "policies" in seen, seen
    return seen["policies"]


def test_an_endpoint_takes_each_field_from_the_nearest_place() -> None:
    own = endpoint("own", retry={"max_attempts": 9, "base_s": 0.5})
    raw = {"retry": {"max_attempts": 3, "cap_s": 60}, "endpoints": [endpoint("plain"), own]}
    assert policies(raw) == {
        "plain": {"max_attempts": 3, "base_s": 2.0, "factor": 2.0, "cap_s": 60},
        "own": {"max_attempts": 9, "base_s": 0.5, "factor": 2.0, "cap_s": 60},
    }


def test_without_retry_the_defaults_hold() -> None:
    assert policies({"endpoints": [endpoint("a")]}) == {
        "a": {"max_attempts": 5, "base_s": 2.0, "factor": 2.0, "cap_s": 300.0}
    }


def refused(raw: dict[str, Any], *named: str) -> None:
    (seen,) = python(CONFIG, [raw])
    assert "kinds" in seen, f"accepted: {seen}"
    assert "ConfigError" in seen["kinds"], seen
    for word in named:
        assert word in seen["message"], seen


@cases(
    [
        ("max_attempts", 0),
        ("max_attempts", 2.5),
        ("max_attempts", True),
        ("base_s", 0),
        ("base_s", "2"),
        ("factor", 0.5),
        ("factor", None),
        ("cap_s", 1.5),
        ("jitter", 1),
    ]
)
def test_a_wrong_field_is_named_with_its_endpoint(case: tuple[str, Any]) -> None:
    key, value = case
    ledger = endpoint("ledger", retry={key: value})
    refused({"endpoints": [endpoint("good"), ledger]}, "ledger", key)


@cases([("factor", False), ("cap_s", 0.1), ("max_tries", 3)])
def test_a_wrong_field_at_the_top_level_is_named(case: tuple[str, Any]) -> None:
    key, value = case
    refused({"retry": {key: value}, "endpoints": [endpoint("ledger")]}, "retry", key)


def test_the_cap_is_compared_with_the_base_in_force() -> None:
    slow = endpoint("slow", retry={"cap_s": 20})
    refused({"retry": {"base_s": 30}, "endpoints": [slow]}, "slow")


GOOD = [200, 201, 204, 299]
PASSING = [None, 408, 425, 429, 500, 503, 599]
REJECTED = [301, 304, 400, 401, 404, 409, 410, 422]
RETRY_AFTER = [
    ("Retry-After", "120", 120),
    ("retry-after", "120", 120),
    ("RETRY-AFTER", "7", 7),
    ("Retry-After", "1", 2),
    ("Retry-After", "0", 2),
    ("Retry-After", "4000", 4000),
    ("Retry-After", "86400", 86400),
    ("Retry-After", "9999999", 86400),
    ("Retry-After", "Wed, 01 May 2024 07:54:20 GMT", 60),
    ("Retry-After", "Wed, 01 May 2024 07:53:21 GMT", 2),
    ("Retry-After", "Tue, 30 Apr 2024 07:53:20 GMT", 2),
    ("Retry-After", "Sun, 05 May 2024 00:00:00 GMT", 86400),
    ("Retry-After", "soon", 2),
    ("Retry-After", "-30", 2),
    ("Retry-After", "", 2),
    ("X-Retry-After", "120", 2),
]


def plain(status: int | None) -> list[Any]:
    return [{"status": status}, START]


def last(status: int | None) -> list[Any]:
    answer = {"status": status, "headers": {"Retry-After": "60"}}
    return [answer, START, 0, {"max_attempts": 1}]


def slow(status: int | None) -> list[Any]:
    return [{"status": status}, START, 25]


def asking(name: str, value: str) -> list[Any]:
    return [{"status": 503, "headers": {name: value}}, START]


LONG = [{"status": 429, "headers": {"retry-after": "600"}}, START, 10, {"cap_s": 5}]
DATED = [
    {"status": 429, "headers": {"Retry-After": "Wed, 01 May 2024 07:55:00 GMT"}}, START, 10
]  # fmt: skip
SEEN = Table(
    lambda jobs: python(ATTEMPT, jobs),
    [
        *map(plain, [*GOOD, *PASSING, *REJECTED]),
        *map(last, [503, None]),
        *map(slow, [503, None]),
        *(asking(name, value) for name, value, _ in RETRY_AFTER),
        LONG,
        DATED,
    ],
)


@cases(GOOD)
def test_a_2xx_is_delivered(status: int) -> None:
    seen = SEEN[plain(status)]
    assert seen["counts"] == [1, 0, 0]
    assert seen["due"] is None


@cases(PASSING)
def test_a_passing_trouble_is_tried_again(status: int | None) -> None:
    seen = SEEN[plain(status)]
    assert seen["counts"] == [0, 1, 0]
    assert seen["due"] == START + 2
    assert seen["requests"] == 1


@cases(REJECTED)
def test_a_rejection_is_a_dead_letter_at_once(status: int) -> None:
    seen = SEEN[plain(status)]
    assert seen["counts"] == [0, 1, 1]
    assert seen["reasons"] == ["rejected"]
    assert seen["statuses"] == [status]
    assert seen["due"] is None


@cases([503, None])
def test_the_last_attempt_is_a_dead_letter(status: int | None) -> None:
    seen = SEEN[last(status)]
    assert seen["counts"] == [0, 1, 1]
    assert seen["reasons"] == ["exhausted"]
    assert seen["statuses"] == [status]
    assert seen["due"] is None


@cases([503, None])
def test_the_wait_starts_when_the_answer_comes_in(status: int | None) -> None:
    seen = SEEN[slow(status)]
    assert seen["now"] == START + 25
    assert seen["due"] == START + 25 + 2


@cases(RETRY_AFTER)
def test_a_longer_retry_after_counts(case: tuple[str, str, int]) -> None:
    name, value, wait_s = case
    seen = SEEN[asking(name, value)]
    assert seen["counts"] == [0, 1, 0]
    assert seen["due"] == START + wait_s


def test_retry_after_is_counted_from_the_answer_and_is_not_capped_by_cap_s() -> None:
    assert SEEN[LONG]["due"] == START + 10 + 600
    assert SEEN[DATED]["due"] == START + 100
