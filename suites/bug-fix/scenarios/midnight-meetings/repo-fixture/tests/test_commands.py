import io
import json
from pathlib import Path

from convene.cli import main

OFFICE = str(Path(__file__).parent.parent / "examples" / "office.toml")

TOKYO = """
zone = "Asia/Tokyo"
[[series]]
id = "review"
title = "Review"
first = 2024-02-01
at = "10:00"
minutes = 60
repeat = { unit = "day" }
remind = [{ days = 1 }, { minutes = 15 }]

[[series]]
id = "talk"
title = "Talk"
first = 2024-02-02
at = "10:30"
minutes = 60
"""


def ask(capsys, *words):
    assert main(words) == 0
    return capsys.readouterr().out


def ask_tokyo(capsys, monkeypatch, command, *words):
    monkeypatch.setattr("sys.stdin", io.StringIO(TOKYO))
    return json.loads(ask(capsys, command, "-", "--zone", "Asia/Tokyo", "--json", *words))


def test_the_agenda_of_the_example(capsys):
    text = ask(capsys, "agenda", OFFICE, "--from", "2024-01-09", "--to", "2024-01-10", "--zone", "UTC")
    assert text[text.index("Wed") :].splitlines() == [
        "Wed 2024-01-10",
        "  23:00-02:00  Backup window (cont.)",
        "  00:00-02:00  Board",
        "  09:30-09:45  Stand-up",
        "  23:00-02:00  Backup window",
    ]


def test_the_agenda_as_json(capsys, monkeypatch):
    days = ask_tokyo(capsys, monkeypatch, "agenda", "--from", "2024-02-02", "--to", "2024-02-02")
    assert [day["date"] for day in days] == ["2024-02-02"]
    assert days[0]["items"][1] == {
        "series": "talk",
        "title": "Talk",
        "start": "2024-02-02T10:30+09:00",
        "end": "2024-02-02T11:30+09:00",
        "continued": False,
    }


def test_overlapping_meetings_clash(capsys, monkeypatch):
    pairs = ask_tokyo(capsys, monkeypatch, "clashes", "--from", "2024-02-01", "--to", "2024-02-03")
    assert [[one["series"] for one in pair] for pair in pairs] == [["review", "talk"]]


def test_reminders_ring_before_the_meeting(capsys, monkeypatch):
    due = ask_tokyo(capsys, monkeypatch, "reminders", "--from", "2024-02-04", "--to", "2024-02-04")
    assert [(one["at"], one["start"]) for one in due] == [
        ("2024-02-04T09:45+09:00", "2024-02-04T10:00+09:00"),
        ("2024-02-04T10:00+09:00", "2024-02-05T10:00+09:00"),
    ]


def test_free_time_is_what_meetings_leave(capsys, monkeypatch):
    slots = ask_tokyo(capsys, monkeypatch, "free", "--day", "2024-02-02", "--hours", "09:00-13:00")
    assert slots == [
        {"start": "2024-02-02T09:00+09:00", "end": "2024-02-02T10:00+09:00", "minutes": 60},
        {"start": "2024-02-02T11:30+09:00", "end": "2024-02-02T13:00+09:00", "minutes": 90},
    ]


def test_short_gaps_are_left_out(capsys, monkeypatch):
    words = ("--day", "2024-02-02", "--hours", "09:00-13:00", "--least", "61")
    slots = ask_tokyo(capsys, monkeypatch, "free", *words)
    assert [slot["minutes"] for slot in slots] == [90]


def test_working_hours_may_run_past_midnight(capsys, monkeypatch):
    slots = ask_tokyo(capsys, monkeypatch, "free", "--day", "2024-02-02", "--hours", "22:00-06:00")
    assert [slot["minutes"] for slot in slots] == [480]


def test_free_time_as_text(capsys):
    text = ask(capsys, "free", OFFICE, "--day", "2024-01-08", "--hours", "09:00-11:00")
    assert text.splitlines() == ["09:00-09:30  30 min", "09:45-11:00  75 min"]


def test_mistakes_end_with_two(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("zone = 3 3"))
    assert main(["agenda", "-", "--from", "2024-01-01", "--to", "2024-01-01"]) == 2
    assert "not TOML" in capsys.readouterr().err
    assert main(["free", OFFICE, "--day", "2024-01-01", "--zone", "Mars/Base"]) == 2
    assert "no time zone 'Mars/Base'" in capsys.readouterr().err
