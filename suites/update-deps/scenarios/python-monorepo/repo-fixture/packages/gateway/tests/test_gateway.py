"""The visible half of office_gateway's contract."""

from office_gateway.gate import Gate
from office_gateway.login import LoginGuard


def test_a_plan_has_its_calls_and_then_a_wait() -> None:
    gate = Gate("free")
    assert [gate.admit("ada", 100.0).status for _ in range(5)] == [200] * 5
    refused = gate.admit("ada", 110.0)
    assert refused.status == 429
    assert refused.headers == {"Retry-After": "50"}
    assert gate.admit("ada", 160.0).status == 200


def test_clients_do_not_share_a_window() -> None:
    gate = Gate("free")
    for _ in range(6):
        gate.admit("ada", 0.0)
    assert gate.admit("bob", 0.0).status == 200


def test_three_failures_lock_a_user_out() -> None:
    guard = LoginGuard()
    assert [guard.failed("eve", at_s) for at_s in (0.0, 10.0, 20.0)] == [False, False, True]
    assert guard.may_try("eve", 60.0) is False
    assert guard.may_try("eve", 900.0) is True


def test_success_forgives() -> None:
    guard = LoginGuard()
    guard.failed("bob", 0.0)
    guard.failed("bob", 1.0)
    guard.succeeded("bob")
    assert guard.failed("bob", 2.0) is False
