from __future__ import annotations

import threading
from contextlib import nullcontext, suppress

import pytest

from harness.errors import Interrupted
from harness.interrupts import DRAINING, STOPPING, Interrupts


def test_the_first_signal_unwinds_and_further_ones_wait() -> None:
    signals = Interrupts()
    with pytest.raises(Interrupted):
        signals.arrived()
    assert signals.arrived() == STOPPING


def test_a_signal_behind_a_shield_is_raised_at_its_end() -> None:
    signals, done = Interrupts(), []

    def tidy() -> None:
        with signals.shield():
            assert signals.arrived() is None
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
            assert signals.arrived() == STOPPING

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
        assert signals.arrived() == STOPPING


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


def test_where_a_batch_runs_the_first_signal_drains_and_the_second_one_stops() -> None:
    signals, heard = Interrupts(), []

    def hand(go: threading.Event, *, shielded: bool = False) -> None:
        go.wait()
        with signals.shield() if shielded else nullcontext(), suppress(Interrupted):
            signals.check()
            heard.append("went on")
        try:
            signals.check()
        except Interrupted:
            heard.append("stopped")

    with signals.drained():
        assert signals.arrived() == DRAINING
        assert (signals.draining, signals.stopping) == (True, False)
        signals.check()
        assert signals.arrived() == STOPPING
        assert (signals.draining, signals.stopping) == (True, True)
        go = threading.Event()
        hands = [threading.Thread(target=hand, args=(go,), kwargs={"shielded": True})]
        for each in hands:
            each.start()
        go.set()
        for each in hands:
            each.join()
    assert heard == ["went on", "stopped"]


def test_each_thread_is_told_once_so_that_it_can_put_its_things_in_order() -> None:
    signals, told = Interrupts(), []

    def hand() -> None:
        for _ in range(3):
            try:
                signals.check()
            except Interrupted:
                told.append(threading.current_thread().name)

    with signals.drained():
        signals.arrived()
        signals.arrived()
        for name in ("a", "b"):
            thread = threading.Thread(target=hand, name=name)
            thread.start()
            thread.join()
    assert told == ["a", "b"]


def test_a_wait_is_cut_from_another_thread_unless_something_is_put_in_order() -> None:
    signals, cut = Interrupts(), []
    with signals.cutting(lambda: cut.append("waiting")):
        signals.cut()
    signals.cut()
    with signals.shield(), signals.cutting(lambda: cut.append("tidying")):
        signals.cut()
    assert cut == ["waiting"]
