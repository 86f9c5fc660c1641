import io
import json

import pytest
from hookline.cli import main


@pytest.fixture
def box(tmp_path):
    endpoints = [{"name": "crm", "url": "https://crm.example/in", "secret": "s", "events": ["*"]}]
    (tmp_path / "endpoints.json").write_text(json.dumps({"endpoints": endpoints}))
    (tmp_path / "script.json").write_text(json.dumps({"https://crm.example/in": [{"status": 200}]}))
    event = {"id": "evt_1", "type": "order.paid", "data": {"total": 3}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    return tmp_path


def hookline(box, *words):
    state, endpoints = str(box / "q.json"), str(box / "endpoints.json")
    return main(["--state", state, "--endpoints", endpoints, "--now", "1714550000", *words])


def test_from_the_event_to_the_receiver(box, capsys):
    assert hookline(box, "enqueue", str(box / "event.json")) == 0
    assert "queued evt_1 for 1 endpoint\n" in capsys.readouterr().out
    record = box / "sent.jsonl"
    arguments = ["--rehearse", str(box / "script.json"), "--record", str(record)]
    assert hookline(box, "run", *arguments) == 0
    assert "delivered 1, failed 0" in capsys.readouterr().out
    sent = json.loads(record.read_text())
    assert json.loads(sent["body"])["data"] == {"total": 3}


def test_status_lists_what_is_pending(box, capsys):
    hookline(box, "enqueue", str(box / "event.json"))
    capsys.readouterr()
    assert hookline(box, "status", "--json") == 0
    status = json.loads(capsys.readouterr().out)
    assert status["pending"][0]["event"] == "evt_1"
    assert status["delivered"] == 0


def test_an_event_can_come_from_standard_input(box, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id": "evt_2", "type": "x"}'))
    assert hookline(box, "enqueue", "-") == 0
    assert "queued evt_2" in capsys.readouterr().out


def test_wrong_input_is_status_2(box, capsys):
    (box / "event.json").write_text('{"id": "a:b", "type": "x"}')
    assert hookline(box, "enqueue", str(box / "event.json")) == 2
    assert "colon" in capsys.readouterr().err
