"""Tables that fit: names break at their joints, numbers never."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

GAP = 2
JOINTS = tuple(
    re.compile(rf"(?<=[{ends}])(?=\S)|(?<=\S)(?=@)") for ends in (r"\s/", r"\s/:", r"\s/:_-")
)
"""Where text may be broken; each only where the one before does not make it narrow enough."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; what is `right` or `whole` is never broken."""

    name: str
    right: bool = False
    whole: bool = False

    def pieces(self, cell: Text, joints: re.Pattern[str]) -> list[str]:
        """The parts of a cell that stay in one line each."""
        if self.right or self.whole:
            return cell.plain.split("\n")
        return joints.split(cell.plain)


@dataclass(frozen=True)
class FittedTable:
    """A table without lines, laid out for the console that shows it."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]
    title: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        yield self.fit(options.max_width)

    def fit(self, width: int) -> Table:
        """The table in `width` columns; folded in mid-word only where nothing else is left."""
        room = width - GAP * (len(self.columns) - 1)
        fitting = (each for each in JOINTS if sum(self._narrowest(each)) <= room)
        joints = next(fitting, JOINTS[-1])
        widths = _shrunk(self._widest, self._narrowest(joints), room)
        made = Table(title=self.title, title_justify="left", title_style="bold", box=None)
        made.pad_edge = False
        made.show_header = any(column.name for column in self.columns)
        for column, wide in zip(self.columns, widths, strict=True):
            made.add_column(
                column.name,
                justify="right" if column.right else "left",
                overflow="fold",
                no_wrap=column.whole,
                width=wide,
            )
        for row in self.rows:
            made.add_row(
                *(
                    _broken(cell, column.pieces(cell, joints), wide)
                    for cell, column, wide in zip(row, self.columns, widths, strict=True)
                )
            )
        return made

    @cached_property
    def _widest(self) -> list[int]:
        return [
            max([cell_len(column.name), *(_length(row[at]) for row in self.rows)])
            for at, column in enumerate(self.columns)
        ]

    def _narrowest(self, joints: re.Pattern[str]) -> list[int]:
        least = []
        for at, column in enumerate(self.columns):
            pieces = [piece for row in self.rows for piece in column.pieces(row[at], joints)]
            words = [column.name] if column.whole else column.name.split()
            least.append(max([0, *(cell_len(piece.rstrip()) for piece in (*pieces, *words))]))
        return least


def _length(cell: Text) -> int:
    return max(cell_len(line) for line in cell.plain.split("\n"))


def _shrunk(widest: Sequence[int], narrowest: Sequence[int], room: int) -> list[int]:
    """The columns' widths; the widest gives way first."""
    widths = list(widest)
    while sum(widths) > room:
        able = [at for at, wide in enumerate(widths) if wide > narrowest[at]]
        if not able:
            break
        widths[max(able, key=lambda at: widths[at])] -= 1
    return widths


def _broken(cell: Text, pieces: Sequence[str], width: int) -> Text:
    if _length(cell) <= width or len(pieces) == 1:
        return cell
    ends, at, used = [], 0, 0
    for piece in pieces:
        if used and used + cell_len(piece.rstrip()) > width:
            ends.append(at)
            used = 0
        at += len(piece)
        used += cell_len(piece)
    lines = cell.divide(ends)
    for line in lines:
        line.rstrip()
    return Text("\n").join(lines)
