"""office_gateway on saltern-throttle 2."""

from typing import Any

from office import drive

THROTTLE = {"saltern-throttle": "2"}

GATE = '''
from office_gateway.gate import Gate
from office_notify.hub import Hub

def main(plan, times):
    hub, refused = Hub(), []
    hub.on("gate.refused", lambda facts: refused.append(dict(facts)))
    gate = Gate(plan, hub)
    verdicts = [gate.admit("ada", at_s) for at_s in times]
    return [[v.status for v in verdicts], [v.headers for v in verdicts if v.headers], refused]
'''
LOGIN = '''
from office_gateway.login import LoginGuard

def main(steps):
    guard = LoginGuard()
    return [getattr(guard, name)(*args) for name, *args in steps]
'''


def gate(plan: str, times: list[float]) -> Any:
    return drive(GATE, plan, times, uses=THROTTLE)


def test_parts_of_a_second_count() -> None:
    statuses, headers, refused = gate("shop", [10.0, 10.25, 10.5, 10.75, 11.25, 11.5])
    assert statuses == [200, 200, 200, 429, 429, 200]
    assert headers == [{"Retry-After": "1"}, {"Retry-After": "1"}]
    assert refused == [{"client": "ada", "wait_s": 0.75}, {"client": "ada", "wait_s": 0.25}]


def test_a_very_short_window() -> None:
    statuses, _headers, refused = gate("partner", [5.125] * 101 + [5.25, 5.375])
    assert statuses == [200] * 100 + [429, 429, 200]
    assert [facts["wait_s"] for facts in refused] == [0.25, 0.125]


def test_the_wait_is_in_seconds() -> None:
    statuses, headers, refused = gate("free", [100.75] * 5 + [101.0, 160.5, 160.75])
    assert statuses == [200] * 5 + [429, 429, 200]
    assert headers == [{"Retry-After": "60"}, {"Retry-After": "1"}]
    assert [facts["wait_s"] for facts in refused] == [59.75, 0.25]


def test_a_window_opens_with_the_first_call_and_ends_for_all() -> None:
    statuses, _headers, _refused = gate("free", [0.0] + [50.0] * 5 + [60.0] * 6)
    assert statuses == [200] * 5 + [429] + [200] * 5 + [429]


def test_a_lock_ends_a_quarter_of_an_hour_after_the_first_failure() -> None:
    found = drive(
        LOGIN,
        [
            ["failed", "eve", 0.5],
            ["failed", "eve", 800.0],
            ["failed", "eve", 800.0],
            ["may_try", "eve", 900.25],
            ["may_try", "eve", 900.5],
            ["failed", "eve", 901.0],
            ["failed", "eve", 902.0],
            ["failed", "eve", 903.0],
        ],
        uses=THROTTLE,
    )
    assert found == [False, False, True, False, True, False, False, True]


def test_asking_is_no_failure() -> None:
    steps: list[list[Any]] = [["may_try", "bob", float(at_s)] for at_s in range(6)]
    steps += [["failed", "bob", 6.0], ["failed", "bob", 7.0], ["succeeded", "bob"]]
    steps += [["failed", "bob", 8.0], ["may_try", "bob", 9.0]]
    assert drive(LOGIN, steps, uses=THROTTLE) == [True] * 6 + [False, False, None, False, True]
