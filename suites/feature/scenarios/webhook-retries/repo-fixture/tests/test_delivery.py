from hookline import Dispatcher, Event, ManualClock, Store
from hookline.signing import signature
from tests.support import ENDPOINTS, START, Receiver, queue


def test_every_endpoint_that_wants_an_event_gets_it(tmp_path):
    store = Store.open(tmp_path / "q.json")
    assert store.enqueue(Event("e1", "order.paid", {}, START), ENDPOINTS) == 2
    assert store.enqueue(Event("e2", "user.joined", {}, START), ENDPOINTS) == 1
    receiver = Receiver()
    result = Dispatcher(store, ENDPOINTS, receiver, ManualClock(START)).run_pass()
    assert (result.delivered, result.failed) == (3, 0)
    assert [request.url for request in receiver.requests] == [
        "https://billing.example/hooks",
        "https://crm.example/in",
        "https://crm.example/in",
    ]


def test_a_failed_delivery_is_sent_again_the_next_morning(tmp_path):
    store, clock = queue(tmp_path / "q.json", ["e1"], "crm"), ManualClock(START)
    dispatcher = Dispatcher(store, ENDPOINTS, Receiver(503), clock)
    assert dispatcher.run_pass().failed == 1
    assert [item.last_error for item in store.pending()] == ["HTTP 503"]
    clock.advance(43200)
    assert dispatcher.run_pass().delivered == 1
    assert store.pending() == []


def test_one_failure_does_not_hold_up_other_deliveries(tmp_path):
    store = queue(tmp_path / "q.json", ["e1", "e2"], "crm")
    result = Dispatcher(store, ENDPOINTS, Receiver("timed out"), ManualClock(START)).run_pass()
    assert (result.delivered, result.failed) == (1, 1)


def test_an_ordered_endpoint_is_not_overtaken(tmp_path):
    store = queue(tmp_path / "q.json", ["e1", "e2"], "billing")
    receiver = Receiver(500)
    Dispatcher(store, ENDPOINTS, receiver, ManualClock(START)).run_pass()
    assert len(receiver.requests) == 1
    assert [item.event for item in store.pending()] == ["e1", "e2"]


def test_deliveries_of_an_endpoint_that_is_gone_stay(tmp_path):
    store = queue(tmp_path / "q.json", ["e1"], "crm")
    result = Dispatcher(store, {}, Receiver(), ManualClock(START)).run_pass()
    assert (result.delivered, result.failed) == (0, 0)
    assert len(store.pending()) == 1


def test_the_signature_belongs_to_the_moment_of_sending(tmp_path):
    store, receiver = queue(tmp_path / "q.json", ["e1"], "crm"), Receiver()
    Dispatcher(store, ENDPOINTS, receiver, ManualClock(START + 100)).run_pass()
    request = receiver.requests[0]
    assert request.headers["Hookline-Timestamp"] == "1714550100"
    assert request.headers["Hookline-Signature"] == signature("cr-m", 1714550100, request.body)
