"""The command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import date

from toolshed.errors import ToolshedError
from toolshed.library import Library, open_library


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    library = open_library(options.file)
    try:
        for line in _lines(library, options):
            print(line)
    except ToolshedError as error:
        print(f"toolshed: {error}", file=sys.stderr)
        return 1
    finally:
        library.close()
    return 0


def _lines(library: Library, options: argparse.Namespace) -> Iterator[str]:
    match options.command:
        case "search":
            found = library.tools.search(options.text, options.after, options.limit)
            yield from (f"{tool.id:>5}  {tool.name}" for tool in found.items)
            yield from _more(found.next)
        case "open":
            loans = library.loans.open(options.after, options.limit)
            for loan in loans.items:
                yield f"{loan.id:>5}  {loan.due_on or '-'!s:<10}  {loan.tool}, {loan.member or '?'}"
            yield from _more(loans.next)
        case "overdue":
            for loan in library.loans.overdue(options.on):
                yield f"{loan.id:>5}  {loan.due_on}  {loan.tool}, {loan.member or '?'}"
        case "members":
            for row in library.members.summary():
                cost = f"{row.unpaid_cents / 100:.2f}"
                yield f"{row.name:<20}{row.loans:>5}{row.open_loans:>5}{cost:>9}"
        case "categories":
            for kind in library.categories.summary():
                yield f"{kind.name or '(none)':<20}{kind.tools:>5}{kind.on_loan:>5}"
        case _:
            yield from (f"{tool.id:>5}  {tool.name}" for tool in library.tools.available())


def _more(cursor: str | None) -> Iterator[str]:
    if cursor is not None:
        yield f"more: --after {cursor}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="toolshed")
    parser.add_argument("file")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("search", "open", "overdue", "members", "categories", "available"):
        command = commands.add_parser(name)
        if name == "search":
            command.add_argument("text")
        if name in ("search", "open"):
            command.add_argument("--after")
            command.add_argument("--limit", type=int, default=20)
        if name == "overdue":
            command.add_argument("--on", type=date.fromisoformat, default=date.today())
    return parser
