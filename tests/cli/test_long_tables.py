"""Tables of thousands of rows: written as rich would write them, a few at a time."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from harness.cli.console import print_json, print_json_list, print_long, table
from harness.cli.tables import FittedTable, Rows
from harness.report.words import printable

COLUMNS = (("Run", "id"), ("Scenario", ""), ("Score", "right"), ("", ""))
WORDS = st.text(st.sampled_from("aé日\u200b\u0301 /-_:@\n\t\x1b\u202e"), max_size=14)
CELLS = WORDS | st.sampled_from(
    ["[green]PASS[/]", "[red]FAIL[/] [yellow]partly graded[/]", "run_1234", "bug-fix/a", ""]
)


def a_console(width: int) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=True, color_system="truecolor", highlight=False
    )
    return console, file


def by_rich(shown: FittedTable, width: int) -> str:
    console, file = a_console(width)
    (whole,) = shown.parts(width)
    console.print(whole._made(shown.rows, is_headed=True))  # what lines must equal
    return file.getvalue()


def ours(shown: FittedTable, width: int) -> str:
    console, file = a_console(width)
    console.print(shown)
    return file.getvalue()


@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=6),
    st.integers(8, 120),
    st.sampled_from([None, "Batch b"]),
    st.sampled_from([COLUMNS, tuple(("", how) for _, how in COLUMNS)]),
)
def test_a_table_is_written_as_rich_writes_it(
    rows: Sequence[tuple[str, ...]],
    width: int,
    title: str | None,
    columns: Sequence[tuple[str, str]],
) -> None:
    shown = table(title, columns, rows)
    assert ours(shown, width) == by_rich(shown, width)


@pytest.mark.parametrize("width", [40, 80, 160])
@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1203])
def test_a_long_table_is_the_same_in_parts(width: int, count: int) -> None:
    rows = [(f"run_{n}", f"scenario-{n}", f"{n / 7:.2f}", "[green]PASS[/]") for n in range(count)]
    shown = table("All", COLUMNS, rows)
    console, file = a_console(width)
    print_long(console, shown)
    assert file.getvalue() == ours(shown, width)


def test_rows_are_made_when_they_are_asked_for() -> None:
    rows = Rows(range(5), lambda n: (str(n), "x"))
    assert (len(rows), rows[1], list(rows[3:])) == (5, ("1", "x"), [("3", "x"), ("4", "x")])
    assert list(rows) == [(str(n), "x") for n in range(5)]


def test_a_long_table_is_never_held_whole() -> None:
    def peak(count: int) -> int:
        rows = Rows(range(count), lambda n: (f"run_{n}", "scenario", f"{n}", "[green]PASS[/]"))
        console = Console(file=Nowhere(), width=80, highlight=False)
        tracemalloc.start()
        print_long(console, table(None, COLUMNS, rows))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20_000) < 3_000_000


def test_what_many_rows_say_alike_is_made_once_for_all_of_them() -> None:
    asked: list[str] = []

    def cell(text: str) -> str:
        asked.append(text)
        return text

    shown = table(None, COLUMNS, [(f"run_{n}", "scenario", "1.00", "") for n in range(300)])
    assert ours(replace(shown, cell=cell), 80) == ours(shown, 80)
    assert asked.count("scenario") == 2, "measured once, and laid out once"


def test_text_that_can_be_shown_as_it_is_stays_the_same_object() -> None:
    text = "日本語 and a name"
    assert printable(text) is text
    assert printable("a\tb\n\x1b\u202e") == "a\tb\n\\x1b\\u202e"


class Nowhere(io.StringIO):
    """A file that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)


@given(st.lists(st.dictionaries(WORDS, WORDS | st.none() | st.lists(st.floats(0, 1))), max_size=3))
def test_a_list_that_is_written_as_it_comes_is_the_same_document(items: list[object]) -> None:
    head = {"batch": {"id": "b]", "none": [], "many": [1]}}

    def printed(command: click.Command) -> str:
        return CliRunner().invoke(command, catch_exceptions=False).output

    at_once = printed(click.command("x")(lambda: print_json({**head, "runs": items})))
    in_turn = printed(click.command("x")(lambda: print_json_list(head, "runs", iter(items))))
    assert in_turn == at_once
    assert json.loads(in_turn) == {**head, "runs": items}
