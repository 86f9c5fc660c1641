import json
from pathlib import Path

import pytest
from hookline import Event, StateError, Store
from tests.support import ENDPOINTS, START

EXAMPLE = Path(__file__).parent.parent / "examples" / "queue-v1.json"


def test_a_missing_file_is_an_empty_queue(tmp_path):
    store = Store.open(tmp_path / "q.json")
    assert store.pending() == [] and store.delivered() == []


def test_what_is_queued_survives_a_restart(tmp_path):
    path = tmp_path / "q.json"
    Store.open(path).enqueue(Event("e1", "order.paid", {"name": "Zoë"}, START), ENDPOINTS)
    again = Store.open(path)
    assert [(item.event, item.endpoint) for item in again.pending()] == [
        ("e1", "billing"),
        ("e1", "crm"),
    ]
    assert again.event("e1").data == {"name": "Zoë"}


def test_version_1_opens():
    store = Store.open(EXAMPLE)
    assert [item.endpoint for item in store.pending()] == ["billing", "crm"]
    assert [item.status for item in store.delivered()] == [200]


@pytest.mark.parametrize("text", ["{", json.dumps({"version": 99}), "[]"])
def test_a_file_that_is_no_queue_is_refused(tmp_path, text):
    path = tmp_path / "q.json"
    path.write_text(text)
    with pytest.raises(StateError, match="q.json"):
        Store.open(path)
