from __future__ import annotations

from contextlib import suppress

import pytest

from harness.errors import Interrupted
from harness.interrupts import Interrupts


def test_the_first_signal_unwinds_and_further_ones_wait() -> None:
    signals = Interrupts()
    with pytest.raises(Interrupted):
        signals.arrived()
    assert signals.arrived() is True


def test_a_signal_behind_a_shield_is_raised_at_its_end() -> None:
    signals, done = Interrupts(), []

    def tidy() -> None:
        with signals.shield():
            assert signals.arrived() is False
            done.append("put in order")

    with pytest.raises(Interrupted):
        tidy()
    assert done == ["put in order"]


def test_the_outermost_shield_counts_and_an_error_inside_is_not_replaced() -> None:
    signals, other = Interrupts(), Interrupts()

    def nested() -> None:
        with signals.shield():
            with signals.shield():
                signals.arrived()
            assert signals.arrived() is True

    def failing() -> None:
        with other.shield():
            other.arrived()
            raise ZeroDivisionError

    with pytest.raises(Interrupted):
        nested()
    with pytest.raises(ZeroDivisionError):
        failing()


def test_teardown_while_stopping_is_shielded_without_raising_again() -> None:
    signals = Interrupts()
    with pytest.raises(Interrupted):
        signals.arrived()
    with signals.shield():
        assert signals.arrived() is True


def test_who_sends_a_third_signal_waits_no_longer() -> None:
    signals = Interrupts()
    with pytest.raises(Interrupted):
        signals.arrived()
    assert signals.arrived()
    assert not signals.hopeless
    assert signals.arrived()
    assert signals.hopeless


def test_nothing_that_takes_every_error_takes_a_signal() -> None:
    signals = Interrupts()
    # as the provider's library does
    with pytest.raises(Interrupted), suppress(Exception):
        signals.arrived()
