"""office_notify on saltern-bus 1 and saltern-retry 1."""

from typing import Any

from grading import cases
from office import drive

BUS = {"saltern-bus": "1", "saltern-retry": "1"}

ANNOUNCE = '''
from office_notify.hub import Hub

def main(fails_at, receivers):
    hub, told = Hub(), []
    def receiver(number):
        def receive(facts):
            if number == fails_at:
                raise LookupError(f"receiver {number}")
            told.append([number, facts["id"]])
        return receive
    for number in range(receivers):
        hub.on("t", receiver(number))
    try:
        return ["told", hub.announce("t", {"id": 7}), told]
    except LookupError as error:
        return ["raised", str(error), told]
'''
GATHER = '''
from office_notify.hub import Hub

def main(given):
    hub, seen = Hub(), []
    hub.on("t", lambda facts: facts.update(weight=12))
    hub.on("t", lambda facts: seen.append(sorted(facts)))
    hub.on("t", lambda facts: facts["lines"].append("customs"))
    facts = hub.gather("t", given)
    return [facts, seen]
'''
DELIVER = '''
from office_notify.delivery import Patience, deliver

KINDS = {"key": KeyError, "value": ValueError, "os": OSError}

def main(kind, failures, repeats, pause_s):
    tries, slept = [], []
    def send(message):
        tries.append(message)
        if len(tries) <= failures:
            raise KINDS[kind](f"try {len(tries)}")
        return "accepted"
    try:
        result = deliver(send, "hello", Patience(repeats, pause_s), slept.append)
    except Exception as error:
        result = [type(error).__name__, error.args[0]]
    return [result, len(tries), slept]
'''
CHANNELS = '''
from office_notify.delivery import deliver_first

def main(failures):
    tries, slept = [], []
    def channel(name):
        def send(message):
            tries.append(name)
            if tries.count(name) <= failures[name]:
                raise RuntimeError(name)
        return send
    taken = deliver_first({name: channel(name) for name in failures}, "help", slept.append)
    return [taken, tries, slept]
'''


@cases([0, 1, 3])
def test_an_announcement_counts_who_was_told(case: int) -> None:
    said, count, told = drive(ANNOUNCE, None, case, uses=BUS)
    assert (said, told) == ("told", [[number, 7] for number in range(case)])
    assert type(count) is int
    assert count == case


def test_what_a_receiver_raises_stops_the_announcement() -> None:
    assert drive(ANNOUNCE, 1, 3, uses=BUS) == ["raised", "receiver 1", [[0, 7]]]


def test_receivers_add_to_the_facts_that_are_gathered() -> None:
    facts, seen = drive(GATHER, {"id": 7, "lines": ["rope"]}, uses=BUS)
    assert facts == {"id": 7, "lines": ["rope", "customs"], "weight": 12}
    assert seen == [["id", "lines", "weight"]]


@cases(["key", "value", "os"])
def test_every_exception_is_worth_a_repetition(case: str) -> None:
    assert drive(DELIVER, case, 3, 3, 0.5, uses=BUS) == ["accepted", 4, [0.5, 0.5, 0.5]]


@cases([[0, 1], [1, 2], [3, 4]])
def test_after_the_last_repetition_it_is_over(case: list[int]) -> None:
    repeats, tries = case
    result, made, slept = drive(DELIVER, "key", 9, repeats, 0.25, uses=BUS)
    assert result == ["KeyError", f"try {tries}"]
    assert (made, slept) == (tries, [0.25] * repeats)


def test_a_channel_is_asked_twice() -> None:
    failures: dict[str, Any] = {"pager": 2, "chat": 9, "mail": 1, "post": 0}
    assert drive(CHANNELS, failures, uses=BUS) == [
        "mail",
        ["pager", "pager", "chat", "chat", "mail", "mail"],
        [2.0, 2.0, 2.0],
    ]
