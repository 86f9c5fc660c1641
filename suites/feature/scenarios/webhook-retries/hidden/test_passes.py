"""Which deliveries are sent when, and what survives."""

import hashlib
import hmac
from typing import Any

from grading import Raised, python

STEPS = '''
import json, shutil, tempfile
from pathlib import Path
from hookline import (
    Dispatcher, Event, ManualClock, Response, Store, TransportError, parse_endpoints,
)

class Wire:
    """Answers in turn per URL, the last one repeated; may copy the disk first."""
    def __init__(self, clock, script, disk):
        self.clock, self.script, self.disk, self.log = clock, script, disk, []
    def send(self, request):
        name = request.url.split("//")[1].split(".")[0]
        self.log.append({
            "to": name, "at": self.clock.now(),
            "event": json.loads(request.body)["id"], "body": request.body.decode(),
            "headers": {key.lower(): value for key, value in request.headers.items()},
        })
        if len(self.log) > 200:
            raise RuntimeError("far too many requests")
        answers = self.script.get(name, [200])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == "copy":
            shutil.rmtree(self.disk.with_name("copy"), ignore_errors=True)
            shutil.copytree(self.disk, self.disk.with_name("copy"))
            answer = 200
        if isinstance(answer, str):
            raise TransportError(answer)
        return Response(answer)

class World:
    def __init__(self, config, script, start):
        self.disk = Path(tempfile.mkdtemp()) / "disk"
        self.disk.mkdir()
        self.clock = ManualClock(start)
        self.configure(config)
        self.wire = Wire(self.clock, script, self.disk)
        self.open("disk")
    def configure(self, config):
        self.endpoints = parse_endpoints(config)
        if hasattr(self, "store"):
            self.restart()
    def open(self, name):
        self.disk = self.disk.with_name(name)
        self.restart()
    def restart(self):
        self.store = Store.open(self.disk / "q.json")
        self.dispatcher = None
    def dispatch(self):
        if self.dispatcher is None:
            self.dispatcher = Dispatcher(self.store, self.endpoints, self.wire, self.clock)
        return self.dispatcher
    def enqueue(self, id, type="x", data=None):
        return self.store.enqueue(Event(id, type, data or {}, self.clock.now()), self.endpoints)
    def counts(self, result):
        return [result.delivered, result.failed, result.dead]
    def run_pass(self):
        return self.counts(self.dispatch().run_pass())
    def idle(self):
        return self.counts(self.dispatch().run_until_idle())
    def due(self):
        return self.dispatch().next_due()
    def advance(self, seconds):
        self.clock.advance(seconds)
    def now(self):
        return self.clock.now()
    def pending(self):
        return [[item.event, item.endpoint] for item in self.store.pending()]
    def dead(self):
        names = ("id", "event", "endpoint", "attempts", "reason", "status", "at")
        return [{name: getattr(item, name) for name in names} for item in self.store.dead()]
    def redrive(self, *ids):
        self.store.redrive(list(ids))
    def refused(self, step, *args):
        try:
            getattr(self, step)(*args)
        except Exception as error:
            return [kind.__name__ for kind in type(error).__mro__]

def main(endpoints, script, steps, start):
    world = World({"endpoints": endpoints}, script, start)
    seen = [getattr(world, step[0])(*step[1:]) for step in steps]
    return {"seen": seen, "log": world.wire.log}
'''

START = 1714550000.0


def endpoint(name: str, **extra: Any) -> dict[str, Any]:
    url = f"https://{name}.example/hook"
    return {"name": name, "url": url, "secret": f"{name}-key", "events": ["*"], **extra}


def play(endpoints: list[dict[str, Any]], script: dict[str, list[Any]], *steps: Any) -> Any:
    listed = [[step] if isinstance(step, str) else list(step) for step in steps]
    return python(STEPS, endpoints, script, listed, START)


def sent(outcome: Any) -> list[tuple[str, str, float]]:
    return [(item["to"], item["event"], item["at"] - START) for item in outcome["log"]]


def test_a_delivery_that_waits_is_not_sent_before_it_is_due() -> None:
    outcome = play(
        [endpoint("a")],
        {"a": [503, 503, 200]},
        ("enqueue", "e1"), "run_pass", "run_pass", ("advance", 1.5), "run_pass",
        ("advance", 0.5), "run_pass", ("advance", 3.5), "run_pass", ("advance", 0.5), "run_pass",
    )
    assert sent(outcome) == [("a", "e1", 0), ("a", "e1", 2), ("a", "e1", 6)]
    counts = [item for item in outcome["seen"] if isinstance(item, list)]
    assert counts == [[0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]]


def test_a_pass_never_sleeps() -> None:
    outcome = play(
        [endpoint("a")], {"a": [503]}, ("enqueue", "e1"), "run_pass", "run_pass", "now"
    )
    assert outcome["seen"][-1] == START


def test_a_delivery_that_waits_holds_up_nobody_else() -> None:
    outcome = play(
        [endpoint("a"), endpoint("b")],
        {"a": [503, 200]},
        ("enqueue", "e1"), ("enqueue", "e2"), "run_pass", "pending",
    )
    assert sent(outcome) == [("a", "e1", 0), ("b", "e1", 0), ("a", "e2", 0), ("b", "e2", 0)]
    assert outcome["seen"][2:] == [[3, 1, 0], [["e1", "a"]]]


def test_an_ordered_endpoint_is_not_overtaken_during_the_wait() -> None:
    outcome = play(
        [endpoint("a", ordered=True)],
        {"a": [503, 200]},
        ("enqueue", "e1"), ("enqueue", "e2"), "run_pass", "run_pass", ("enqueue", "e3"),
        ("advance", 1), "run_pass", ("advance", 1), "run_pass",
    )
    assert sent(outcome) == [("a", "e1", 0), ("a", "e1", 2), ("a", "e2", 2), ("a", "e3", 2)]


def test_an_ordered_endpoint_is_not_overtaken_after_a_restart() -> None:
    outcome = play(
        [endpoint("a", ordered=True)],
        {"a": [503, 200]},
        ("enqueue", "e1"), ("enqueue", "e2"), "run_pass", "restart", "run_pass",
        ("advance", 2), "restart", "run_pass",
    )
    assert sent(outcome) == [("a", "e1", 0), ("a", "e1", 2), ("a", "e2", 2)]


def test_a_dead_letter_frees_its_ordered_endpoint() -> None:
    outcome = play(
        [endpoint("a", ordered=True)], {"a": [400, 200]},
        ("enqueue", "e1"), ("enqueue", "e2"), "idle", "pending",
    )
    assert sent(outcome) == [("a", "e1", 0), ("a", "e2", 0)]
    assert outcome["seen"][2:] == [[1, 1, 1], []]


def test_next_due_looks_only_at_what_can_be_sent() -> None:
    outcome = play(
        [endpoint("a", ordered=True), endpoint("b")],
        {"a": [503], "b": [503]},
        "due", ("enqueue", "e1"), "due", "run_pass", "due",
        ("advance", 1), ("enqueue", "e2"), "due", "run_pass", "due",
    )
    seen = outcome["seen"]
    assert seen[0] is None
    assert seen[2] <= START
    assert seen[4] == START + 2
    assert seen[7] <= START + 1
    assert seen[9] == START + 2


def test_what_stands_behind_a_waiting_one_is_not_due() -> None:
    outcome = play(
        [endpoint("a", ordered=True)], {"a": [503]},
        ("enqueue", "e1"), ("enqueue", "e2"), "run_pass", "due",
    )
    assert outcome["seen"][-1] == START + 2


def test_an_endpoint_that_is_gone_is_never_due_and_returns_unharmed() -> None:
    both, one = [endpoint("a"), endpoint("b")], [endpoint("b")]
    outcome = play(
        both,
        {"a": [503, 200]},
        ("enqueue", "e1"), "run_pass", ("configure", {"endpoints": one}), "due", "idle",
        ("advance", 60), "idle", "pending", ("configure", {"endpoints": both}), "idle", "pending",
    )
    assert outcome["seen"][3:5] == [None, [0, 0, 0]]
    assert outcome["seen"][6:8] == [[0, 0, 0], [["e1", "a"]]]
    assert outcome["seen"][9:] == [[1, 0, 0], []]


def test_until_idle_sleeps_from_one_attempt_to_the_next() -> None:
    outcome = play(
        [endpoint("a"), endpoint("b", retry={"base_s": 3})],
        {"a": [503, 503, 200], "b": ["reset", 200]},
        ("enqueue", "e1"), "idle", "now", "due",
    )
    assert sent(outcome) == [
        ("a", "e1", 0), ("b", "e1", 0), ("a", "e1", 2), ("b", "e1", 3), ("a", "e1", 6),
    ]
    assert outcome["seen"][1:] == [[2, 3, 0], START + 6, None]


def test_until_idle_ends_on_a_hopeless_ordered_endpoint() -> None:
    outcome = play(
        [endpoint("a", ordered=True, retry={"max_attempts": 3})], {"a": [500]},
        ("enqueue", "e1"), ("enqueue", "e2"), "idle", "dead",
    )
    assert sent(outcome) == [
        ("a", "e1", 0), ("a", "e1", 2), ("a", "e1", 6),
        ("a", "e2", 6), ("a", "e2", 8), ("a", "e2", 12),
    ]
    assert outcome["seen"][2] == [0, 6, 2]
    assert [item["at"] - START for item in outcome["seen"][3]] == [6, 12]


def test_a_result_is_on_disk_before_the_next_request() -> None:
    outcome = play(
        [endpoint("a"), endpoint("b"), endpoint("c"), endpoint("d")],
        {"b": [503, 200], "c": [404], "d": ["copy", 200]},
        ("enqueue", "e1"), "run_pass", ("open", "copy"), "dead", "pending", "run_pass",
        ("advance", 2), "run_pass", "pending",
    )
    assert [item["endpoint"] for item in outcome["seen"][3]] == ["c"]
    assert outcome["seen"][4] == [["e1", "b"], ["e1", "d"]]
    again = sent(outcome)[4:]
    assert again == [("d", "e1", 0), ("b", "e1", 2)]
    assert outcome["log"][-1]["headers"]["hookline-attempt"] == "2"
    assert outcome["seen"][8] == []


def test_attempts_and_waits_survive_a_restart() -> None:
    outcome = play(
        [endpoint("a", retry={"max_attempts": 3})], {"a": [503]},
        ("enqueue", "e1"), "run_pass", "restart", "due", "run_pass", ("advance", 2), "run_pass",
        "restart", "due", ("advance", 4), "run_pass", "restart", "due", "dead",
    )
    seen = outcome["seen"]
    assert (seen[3], seen[4], seen[6], seen[8]) == (START + 2, [0, 0, 0], [0, 1, 0], START + 6)
    assert (seen[10], seen[12]) == ([0, 1, 1], None)
    assert seen[13][0]["attempts"] == 3


def test_the_idempotency_key_is_the_delivery_in_every_attempt() -> None:
    outcome = play(
        [endpoint("a", retry={"max_attempts": 2}), endpoint("b")],
        {"a": [503]},
        ("enqueue", "e1"), ("enqueue", "e2"), "run_pass", "restart", "idle",
        ("redrive", "e1:a"), "restart", "run_pass",
    )
    keys: dict[tuple[str, str], set[str]] = {}
    for item in outcome["log"]:
        keys.setdefault((item["to"], item["event"]), set()).add(item["headers"]["idempotency-key"])
    assert keys == {
        ("a", "e1"): {"e1:a"}, ("b", "e1"): {"e1:b"}, ("a", "e2"): {"e2:a"}, ("b", "e2"): {"e2:b"},
    }
    numbers = [
        item["headers"]["hookline-attempt"]
        for item in outcome["log"]
        if (item["to"], item["event"]) == ("a", "e1")
    ]
    assert numbers == ["1", "2", "1"]


def test_the_body_stays_and_the_signature_is_fresh() -> None:
    outcome = play(
        [endpoint("a")], {"a": [503, 503, 200]},
        ("enqueue", "e1", "x", {"total": 12, "name": "Zoë"}), ("advance", 7), "run_pass",
        "restart", ("advance", 300), "run_pass", "idle",
    )
    log = outcome["log"]
    assert len(log) == 3
    assert len({item["body"] for item in log}) == 1
    for item in log:
        timestamp = str(int(item["at"]))
        message = f"{timestamp}.{item['body']}".encode()
        digest = hmac.new(b"a-key", message, hashlib.sha256).hexdigest()
        assert item["headers"]["hookline-timestamp"] == timestamp
        assert item["headers"]["hookline-signature"] == f"v1={digest}"


def test_a_known_event_creates_nothing() -> None:
    one, two = [endpoint("a")], [endpoint("a"), endpoint("b")]
    outcome = play(
        one,
        {"a": [503, 200, 404]},
        ("enqueue", "e1", "x", {"n": 1}), ("enqueue", "e1", "x", {"n": 1}), "pending", "run_pass",
        ("advance", 1), ("enqueue", "e1", "x", {"n": 1}), "run_pass", ("advance", 1), "run_pass",
        ("enqueue", "e1", "x", {"n": 1}), "restart", ("enqueue", "e1", "x", {"n": 1}), "pending",
        ("enqueue", "e2"), "run_pass", "dead", ("enqueue", "e2"),
        ("configure", {"endpoints": two}), ("enqueue", "e1", "x", {"n": 1}), ("enqueue", "e2"),
        "pending",
    )
    seen = outcome["seen"]
    assert [seen[0], seen[1], seen[2]] == [1, 0, [["e1", "a"]]]
    assert [seen[5], seen[6], seen[8]] == [0, [0, 0, 0], [1, 0, 0]]
    assert [seen[9], seen[11], seen[12]] == [0, 0, []]
    assert [seen[13], seen[16], seen[18], seen[19], seen[20]] == [1, 0, 0, 0, []]


def test_a_known_id_with_other_content_is_a_conflict_and_changes_nothing() -> None:
    outcome = play(
        [endpoint("a")], {},
        ("enqueue", "e1", "x", {"n": 1}), ("refused", "enqueue", "e1", "x", {"n": 2}),
        ("refused", "enqueue", "e1", "y", {"n": 1}), "restart",
        ("refused", "enqueue", "e1", "x", {}), "run_pass",
        ("refused", "enqueue", "e1", "x", {"n": 2}), ("enqueue", "e1", "x", {"n": 1}), "run_pass",
    )
    for number in (1, 2, 4, 6):
        assert outcome["seen"][number][0] == "EventConflict"
        assert "ValueError" in outcome["seen"][number]
    assert outcome["seen"][7:] == [0, [0, 0, 0]]
    assert '"n":1' in outcome["log"][0]["body"]


def test_dead_letters_tell_what_happened() -> None:
    outcome = play(
        [endpoint("a", retry={"max_attempts": 2}), endpoint("b"),
         endpoint("c", retry={"max_attempts": 1})],
        {"a": [503, 500], "b": [410], "c": ["refused"]},
        ("enqueue", "e1"), "idle", "dead", "restart", "dead",
    )
    expected = [
        {"id": "e1:b", "event": "e1", "endpoint": "b", "attempts": 1,
         "reason": "rejected", "status": 410, "at": START},
        {"id": "e1:c", "event": "e1", "endpoint": "c", "attempts": 1,
         "reason": "exhausted", "status": None, "at": START},
        {"id": "e1:a", "event": "e1", "endpoint": "a", "attempts": 2,
         "reason": "exhausted", "status": 500, "at": START + 2},
    ]
    assert outcome["seen"][2] == expected
    assert outcome["seen"][4] == expected


def test_redriving_starts_afresh_at_the_end_of_the_queue() -> None:
    outcome = play(
        [endpoint("a", retry={"max_attempts": 2})],
        {"a": [404, 503, 503, 503, 503, 200]},
        ("enqueue", "e1"), "run_pass", ("enqueue", "e2"), ("redrive", "e1:a"), "restart",
        "pending", "dead", "idle", "dead",
    )
    assert outcome["seen"][5:7] == [[["e2", "a"], ["e1", "a"]], []]
    assert outcome["seen"][7] == [0, 4, 2]
    assert [(item["id"], item["attempts"]) for item in outcome["seen"][8]] == [
        ("e2:a", 2), ("e1:a", 2),
    ]


def test_redriving_is_all_or_nothing() -> None:
    outcome = play(
        [endpoint("a")], {"a": [404]},
        ("enqueue", "e1"), ("enqueue", "e2"), "run_pass",
        ("refused", "redrive", "e1:a", "e9:a"), "pending", "dead", "restart", "dead",
        ("redrive", "e1:a", "e2:a"), "pending", ("refused", "redrive", "e1:a"),
    )
    assert outcome["seen"][3][0] == "KeyError"
    assert outcome["seen"][4] == []
    assert [item["id"] for item in outcome["seen"][5]] == ["e1:a", "e2:a"]
    assert [item["id"] for item in outcome["seen"][7]] == ["e1:a", "e2:a"]
    assert outcome["seen"][9] == [["e1", "a"], ["e2", "a"]]
    assert outcome["seen"][10][0] == "KeyError"


def test_only_the_injected_clock_counts() -> None:
    guard = "import time\ntime.sleep = None\n"
    script = {"a": [503, 503, 200]}
    try:
        outcome = python(guard + STEPS, [endpoint("a")], script, [["enqueue", "e1"], ["idle"]], 50)
    except Raised as error:
        raise AssertionError(f"something slept on its own: {error}") from error
    assert outcome["seen"] == [1, [1, 2, 0]]
    assert [item["at"] for item in outcome["log"]] == [50, 52, 56]
