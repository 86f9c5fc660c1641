from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from harness.cli.transcript import paired, print_transcript
from harness.domain.session import Ending, Entry, Role, Session
from tests.report.records import a_run


def shown(*entries: Entry, width: int | None = None, full: bool = False) -> str:
    """What is printed; a width stands for a terminal."""
    file = io.StringIO()
    colours = "standard" if width else None
    console = Console(
        file=file, width=width or 120, force_terminal=width is not None, color_system=colours
    )  # type: ignore[call-overload]  # the names of colour systems
    run = a_run(1.0, session=Session(Ending.FINISHED, 9.0))
    print_transcript(console, run, entries, full=full)
    return file.getvalue()


def call(tool: str = "run_command", at_s: float = 1.0, **arguments: object) -> Entry:
    return Entry(Role.TOOL_CALL, json.dumps(arguments), at_s, tool=tool)


def answer(text: str, tool: str = "run_command", at_s: float = 1.0, *, bad: bool = False) -> Entry:
    return Entry(Role.TOOL_RESULT, text, at_s, tool=tool, is_error=bad)


def test_who_spoke_and_when_stands_above_what_was_said() -> None:
    lines = shown(Entry(Role.USER, "Mend it.\n\nPlease.", 12.34)).splitlines()
    at = lines.index("   12.3s  user")
    assert lines[at - 1] == ""
    assert lines[at + 1 : at + 4] == ["          Mend it.", "", "          Please."]


def test_short_arguments_take_a_line_each() -> None:
    lines = shown(call(command="make test", timeout_s=60), answer("ok")).splitlines()
    assert "          command    make test" in lines
    assert "          timeout_s  60" in lines
    assert "          │ ok" in lines


def test_parallel_calls_stand_beside_their_own_answers() -> None:
    entries = (
        call("a", n=1), call("b", n=2), call("a", n=3),
        answer("two", "b"), answer("one", "a"), answer("three", "a"),
    )  # fmt: skip
    assert [item.result and item.result.text for item in paired(entries)] == ["one", "two", "three"]


def test_an_answer_that_nothing_asked_for_is_shown_as_such() -> None:
    assert "answer of b" in shown(answer("two", "b"))


def test_a_call_that_was_never_answered_says_so() -> None:
    assert "no answer came" in shown(call(command="sleep 999"))


def test_long_results_are_cut_in_the_middle_and_say_how_much_is_missing() -> None:
    text = "\n".join(f"line {n}" for n in range(100))
    cut = shown(call(), answer(text))
    assert "│ line 0\n" in cut
    assert "│ … 86 lines left out …\n" in cut
    assert "│ line 99\n" in cut
    assert "line 50" not in cut


def test_long_lines_are_cut_in_the_middle_too() -> None:
    cut = shown(call(blob="a" * 1000 + "z"))
    assert "… 841 characters left out …" in cut
    assert cut.count("a") < 400


@pytest.mark.parametrize("width", [None, 80])
def test_in_full_nothing_is_left_out(width: int | None) -> None:
    text = "\n".join(f"line{n}" for n in range(100))
    whole = shown(call(content=text, blob="b" * 5000), answer(text), width=width, full=True)
    assert "left out" not in whole
    assert whole.count("line50") == 2
    assert whole.count("b") >= 5000


def test_arguments_that_are_no_json_are_shown_as_they_are() -> None:
    broken = Entry(Role.TOOL_CALL, '{"command": "ls', 1.0, tool="run_command")
    assert '          {"command": "ls' in shown(broken)
    assert "[1, 2]" in shown(Entry(Role.TOOL_CALL, "[1, 2]", 1.0, tool="t"))


@pytest.mark.parametrize("width", [66, 80, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    words = "日本語 and English " * 30
    whole = shown(
        Entry(Role.SYSTEM, words, 0.0),
        call(path="src/a.py", a_very_long_name_of_an_argument="x " * 90, text=words + "\n" + words),
        answer("x" * 500 + "\n\tindented " + words, bad=True),
        width=width,
    )
    bare = re.sub("\x1b\\[[0-9;]*m", "", whole)
    assert not [line for line in bare.splitlines() if cell_len(line) > width]


def test_where_nobody_watches_lines_stay_whole_and_without_colour() -> None:
    words = "word " * 100
    whole = shown(Entry(Role.ASSISTANT, words, 0.0))
    assert words.strip() in whole
    assert "\x1b" not in whole


def test_errors_are_red_and_notes_grey() -> None:
    coloured = shown(call(), answer("bad", bad=True), Entry(Role.NOTE, "dropped", 2.0), width=80)
    assert "\x1b[31m✗ bad" in coloured
    assert "\x1b[90mdropped" in coloured


def test_control_characters_of_any_field_are_made_visible() -> None:
    nasty = "\x1b[2J\x07\u202e\udcff"
    whole = shown(
        Entry(Role.ASSISTANT, nasty, 0.0),
        Entry(Role.TOOL_CALL, json.dumps({f"k{nasty}\n": nasty}), 0.0, tool=f"t{nasty}\n"),
        Entry(Role.TOOL_RESULT, nasty, 0.0, tool=f"t{nasty}\n", is_error=True),
    )
    assert not {"\x1b", "\x07", "\u202e", "\udcff"} & set(whole)
    assert "\\x1b[2J\\x07\\u202e\\udcff" in whole


def test_markup_in_a_text_is_text() -> None:
    assert "[red]not red[/]" in shown(Entry(Role.USER, "[red]not red[/]", 0.0))


def test_how_it_ended_stands_last() -> None:
    lines = shown(Entry(Role.USER, "x", 0.0)).splitlines()
    assert lines[-2:] == ["    9.0s  finished", "          tool calls: 0"]


def test_the_detail_of_an_ending_is_shown() -> None:
    file = io.StringIO()
    session = Session(Ending.TIMED_OUT, 9.0, detail="after 9 s")
    run = replace(a_run(1.0), session=session)
    print_transcript(Console(file=file, width=80), run, (), full=False)
    assert "timed_out\n          after 9 s\n" in file.getvalue()
