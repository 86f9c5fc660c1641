from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from harness.cli.console import Trimmed, table

COLUMNS = [("Run", "id"), ("Scenario", ""), ("Agent time", "right"), ("Agent", "")]
ROW = ("run_20260101120000_abcd1234", "bug-fix/look-alike-names", "1236.2s ± 0.1",
       "claude-code acme:big-model-4-5 + careful-debugger@1.0.0")  # fmt: skip


def shown(width: int, *rows: tuple[str, ...]) -> list[str]:
    file = io.StringIO()
    Console(file=Trimmed(file), width=width).print(table(None, COLUMNS, rows))  # type: ignore[arg-type]  # enough of a file
    return file.getvalue().splitlines()


def test_a_row_that_fits_stays_on_its_line() -> None:
    assert len(shown(160, ROW)) == 2


def test_names_break_at_their_joints_and_ids_and_numbers_never() -> None:
    lines = shown(80, ROW)
    words = {word for line in lines[1:] for word in line.split()}
    assert max(map(len, lines)) <= 80
    assert {ROW[0], "look-alike-names", "bug-fix/", "careful-debugger", "@1.0.0"} <= words
    assert any(ROW[2] in line for line in lines)


@pytest.mark.parametrize("width", [60, 70, 80, 100, 120])
def test_no_line_ends_with_a_space_where_nobody_watches(width: int) -> None:
    assert not [line for line in shown(width, ROW, ("run_1", "a", "1", "b")) if line.endswith(" ")]


def test_a_table_that_is_much_too_wide_loses_no_character() -> None:
    text = "".join(part for line in shown(60, ROW) for part in line.split())
    given = "".join((*(name for name, _ in COLUMNS), *ROW))
    assert sorted(text) == sorted(given.replace(" ", ""))


def test_wide_characters_count_twice() -> None:
    lines = shown(80, ("run_1", "日本語" * 3, "1", "シナリオ/" * 6))
    assert all(Text(line).cell_len <= 80 for line in lines)
    assert len(lines) == 3


def test_markup_of_our_own_is_markup_and_of_others_is_text() -> None:
    (_, line) = shown(120, ("[red]run[/]", "x [red]y[/]", "1", "\x1b[31m"))
    assert line.startswith("run ")
    assert "x [red]y[/]" in line
    assert "\\x1b[31m" in line
