import json
from pathlib import Path

import pytest

from lanyard import LanyardError, dump, load
from lanyard.cli import main

GUESTS = Path(__file__).parent.parent / "examples" / "guests.json"


def test_a_file_survives_the_round_trip():
    text = GUESTS.read_text(encoding="utf-8")
    again = json.loads(dump(load(text)))
    assert sorted(again, key=lambda one: one["handle"]) == sorted(
        json.loads(text), key=lambda one: one["handle"]
    )


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"handle": "x"}]'])
def test_damage_is_noticed(text):
    with pytest.raises(LanyardError):
        load(text)


def test_the_command_line(tmp_path, capsys):
    file = tmp_path / "guests.json"
    file.write_text(GUESTS.read_text(encoding="utf-8"), encoding="utf-8")
    assert main([str(file), "add", "kim", "Kim Sparre"]) == 0
    assert main([str(file), "search", "kim"]) == 0
    assert main([str(file), "find", "KIM"]) == 0
    assert main([str(file), "badge", "kim", "--limit", "9"]) == 0
    assert main([str(file), "mentions", "hi @kim"]) == 0
    assert main([str(file), "rename", "kim", "kimmy"]) == 0
    assert main([str(file), "remove", "kimmy"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "@kim",
        "@kim [Kim] Sparre",
        "@kim Kim Sparre",
        "KS",
        "Kim Sp…",
        "@kim",
        "@kim",
        "@kimmy",
        "@kimmy",
    ]


def test_mistakes_end_with_one(capsys):
    assert main([str(GUESTS), "find", "nobody"]) == 1
    assert "nobody is called 'nobody'" in capsys.readouterr().err
