"""Tables that fit: names break at their joints, numbers never."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

GAP = 2
AT_ONCE = 500
"""So many rows are made, measured and laid out together."""
JOINTS = tuple(
    re.compile(rf"(?<=[{ends}])(?=\S)|(?<=\S)(?=@)") for ends in (r"\s/", r"\s/:", r"\s/:_-")
)
"""Where text may be broken; each only where the one before does not make it narrow enough."""


T = TypeVar("T")

Cell = str | Text
"""What stands in a table: plain text that is safe to show, or styled text."""


class Rows(Sequence[Sequence[str]], Generic[T]):
    """Rows that are made when they are asked for, of what is there already."""

    def __init__(self, things: Sequence[T], row: Callable[[T], Sequence[str]]) -> None:
        self._things = things
        self._row = row

    def __len__(self) -> int:
        return len(self._things)

    @overload
    def __getitem__(self, at: int) -> Sequence[str]: ...
    @overload
    def __getitem__(self, at: slice) -> Rows[T]: ...
    def __getitem__(self, at: int | slice) -> Sequence[str] | Rows[T]:
        if isinstance(at, slice):
            return Rows(self._things[at], self._row)
        return self._row(self._things[at])

    def __iter__(self) -> Iterator[Sequence[str]]:
        return map(self._row, self._things)


@dataclass(frozen=True, slots=True)
class Column:
    """One column; what is `right` or `whole` is never broken."""

    name: str
    right: bool = False
    whole: bool = False

    def pieces(self, plain: str, joints: re.Pattern[str]) -> list[str]:
        """The parts of a cell that stay in one line each."""
        if self.right or self.whole:
            return plain.split("\n")
        return joints.split(plain)


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide the columns of a table are, and where their cells may be broken."""

    joints: re.Pattern[str]
    widths: tuple[int, ...]
    fits: bool
    """Where it does not, rich takes what is missing from some of the columns."""


@dataclass(frozen=True)
class FittedTable:
    """A table without lines, laid out for the console that shows it.

    `rows` are gone through several times, and never kept: there may be a hundred thousand.
    """

    columns: tuple[Column, ...]
    rows: Sequence[Sequence[str]]
    cell: Callable[[str], Cell]
    title: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in self.parts(options.max_width):
            yield from part.render(console)

    def parts(self, width: int, at_once: int | None = None) -> Iterator[Part]:
        """The table in `width` columns, so many rows at a time."""
        layout, step = self._layout(width), at_once or max(1, len(self.rows))
        for at in range(0, max(1, len(self.rows)), step):
            yield Part(self, layout, self.rows[at : at + step], is_first=at == 0)

    def _layout(self, width: int) -> Layout:
        """Folded in mid-word only where nothing else is left."""
        room = width - GAP * (len(self.columns) - 1)
        widest = self._widest()
        if sum(widest) <= room:
            return Layout(JOINTS[0], tuple(widest), fits=True)
        for joints in JOINTS:
            narrowest = self._narrowest(joints)
            if sum(narrowest) <= room:
                break
        widths = _shrunk(widest, narrowest, room)
        return Layout(joints, tuple(widths), fits=sum(widths) <= room)

    def cells(self, row: Sequence[str]) -> list[Cell]:
        """A row as it is shown."""
        return list(map(self.cell, row))

    def _distinct(self) -> Iterator[Sequence[tuple[Column, set[str]]]]:
        """What stands in each column, some rows at a time: most cells say what others say."""
        for rows in _some(self.rows):
            yield [
                (c, set(texts))
                for c, texts in zip(self.columns, zip(*rows, strict=True), strict=True)
            ]

    def _widest(self) -> list[int]:
        most = [cell_len(column.name) for column in self.columns]
        for columns in self._distinct():
            for at, (_, texts) in enumerate(columns):
                most[at] = max(most[at], *(_length(_plain(self.cell(text))) for text in texts))
        return most

    def _narrowest(self, joints: re.Pattern[str]) -> list[int]:
        least = [
            max((cell_len(w) for w in ([c.name] if c.whole else c.name.split())), default=0)
            for c in self.columns
        ]
        for columns in self._distinct():
            for at, (column, texts) in enumerate(columns):
                for text in texts:
                    for piece in column.pieces(_plain(self.cell(text)), joints):
                        least[at] = max(least[at], cell_len(piece.rstrip()))
        return least


Piece = str | tuple[Segment, ...]
"""A cell as a part of its line, with all that stands between it and the next."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a table; the first has its title and the names of its columns."""

    table: FittedTable
    layout: Layout
    rows: Sequence[Sequence[str]]
    is_first: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del options
        yield from self.render(console)

    def render(self, console: Console) -> RenderResult:
        """A row at a time; rich lays out only those that take more than one line."""
        if not self.layout.fits:
            yield self._made(self.rows, is_headed=self.is_first)
            return
        if self.is_first and (self.table.title or _is_named(self.table) or not self.rows):
            yield self._made((), is_headed=True)
        for rows in _some(self.rows):
            known = self._pieces(console, rows)
            for row in rows:
                pieces = [of_column[text] for of_column, text in zip(known, row, strict=True)]
                if None in pieces:
                    yield self._made((row,), is_headed=False)
                else:
                    yield from _line(pieces)

    def _pieces(
        self, console: Console, rows: Sequence[Sequence[str]]
    ) -> Sequence[Mapping[str, Piece | None]]:
        """Of each column what its cells become, each text once; None does not fit into a line."""
        return [
            {text: self._piece(console, self.table.cell(text), at) for text in set(texts)}
            for at, texts in enumerate(zip(*rows, strict=True))
        ]

    def _piece(self, console: Console, cell: Cell, at: int) -> Piece | None:
        """As rich would write it, and a hundred times as fast."""
        column, wide = self.table.columns[at], self.layout.widths[at]
        if not _is_in_line(cell, wide):
            return None
        left = " " * (wide - _wide(_plain(cell)))
        end = GAP * " " if at + 1 < len(self.layout.widths) else "\n"
        before, after = (left, end) if column.right else ("", left + end)
        if isinstance(cell, str):
            return f"{before}{cell}{after}"
        return (Segment(before), *cell.render(console), Segment(after))

    def _made(self, rows: Sequence[Sequence[str]], *, is_headed: bool) -> Table:
        table, layout = self.table, self.layout
        title = table.title if is_headed else None
        made = Table(title=title, title_justify="left", title_style="bold", box=None)
        made.pad_edge = False
        made.show_header = is_headed and _is_named(table)
        for column, wide in zip(table.columns, layout.widths, strict=True):
            made.add_column(
                column.name,
                justify="right" if column.right else "left",
                overflow="fold",
                no_wrap=column.whole,
                width=wide,
            )
        for row in rows:
            made.add_row(
                *(
                    _broken(_text(cell), column.pieces(_plain(cell), layout.joints), wide)
                    for cell, column, wide in zip(
                        table.cells(row), table.columns, layout.widths, strict=True
                    )
                )
            )
        return made


def _some(rows: Sequence[Sequence[str]]) -> Iterator[Sequence[Sequence[str]]]:
    return (list(rows[at : at + AT_ONCE]) for at in range(0, len(rows), AT_ONCE))


def _line(pieces: Sequence[Piece | None]) -> Iterator[Segment]:
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
        elif piece:
            yield Segment(text)
            yield from piece
            text = ""
    yield Segment(text)


def _is_named(table: FittedTable) -> bool:
    return any(column.name for column in table.columns)


def _plain(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.plain


def _text(cell: Cell) -> Text:
    return Text(cell) if isinstance(cell, str) else cell


def _is_in_line(cell: Cell, width: int) -> bool:
    """Nothing of it has to be broken, and no space of it can be lost."""
    plain = _plain(cell)
    return plain.isprintable() and plain == plain.strip() and _wide(plain) <= width


def _wide(plain: str) -> int:
    return len(plain) if plain.isascii() else cell_len(plain)


def _length(plain: str) -> int:
    return _wide(plain) if plain.isprintable() else max(map(cell_len, plain.split("\n")))


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
    if _length(cell.plain) <= width or len(pieces) == 1:
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
