"""The visible half of office_notify's contract."""

from office_notify.delivery import Patience, deliver, deliver_first
from office_notify.hub import Hub


def test_everybody_who_listens_is_told_in_order() -> None:
    hub, heard = Hub(), []
    hub.on("order.placed", lambda facts: heard.append(("first", facts["id"])))
    hub.on("order.placed", lambda facts: heard.append(("second", facts["id"])))
    hub.on("order.shipped", lambda facts: heard.append(("never", facts["id"])))
    assert hub.announce("order.placed", {"id": 7}) == 2
    assert heard == [("first", 7), ("second", 7)]


def test_nobody_listens() -> None:
    assert Hub().announce("order.placed", {}) == 0
    assert Hub().gather("order.placed", {"id": 7}) == {"id": 7}


def test_a_delivery_that_works_is_made_once() -> None:
    sent, slept = [], []
    deliver(sent.append, "hello", Patience(), slept.append)
    assert (sent, slept) == (["hello"], [])


def test_a_line_that_recovers() -> None:
    tries = []

    def send(message: str) -> str:
        tries.append(message)
        if len(tries) < 2:
            raise ConnectionError("line is down")
        return "accepted"

    assert deliver(send, "hello", Patience(repeats=3, pause_s=0.0), lambda _: None) == "accepted"


def test_the_first_channel_that_works_is_named() -> None:
    def broken(_message: str) -> None:
        raise ConnectionError("no route")

    channels = {"pager": broken, "mail": lambda _message: None}
    assert deliver_first(channels, "help", lambda _: None) == "mail"
    assert deliver_first({"pager": broken}, "help", lambda _: None) is None
