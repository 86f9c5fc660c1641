"""The command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lanyard.badge import LINE_BYTES, badge
from lanyard.directory import Directory
from lanyard.errors import LanyardError
from lanyard.mentions import mentioned
from lanyard.search import highlight, search
from lanyard.storage import dump, load


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        directory = load(options.file.read_text(encoding="utf-8"))
        for line in _answer(options, directory):
            print(line)
        if options.command in ("add", "rename", "remove"):
            options.file.write_text(dump(directory), encoding="utf-8")
    except (LanyardError, OSError) as error:
        print(f"lanyard: {error}", file=sys.stderr)
        return 1
    return 0


def _answer(options: argparse.Namespace, directory: Directory) -> list[str]:
    match options.command:
        case "add":
            return [f"@{directory.register(options.handle, options.name).handle}"]
        case "rename":
            return [f"@{directory.rename(options.handle, options.new).handle}"]
        case "remove":
            return [f"@{directory.remove(options.handle).handle}"]
        case "find":
            guest = directory.find(options.handle)
            return [f"@{guest.handle} {guest.name}"]
        case "badge":
            return badge(directory.find(options.handle), options.limit)
        case "search":
            return [
                f"@{guest.handle} {highlight(guest.name, options.query)}"
                for guest in search(directory, options.query)
            ]
        case _:
            return [f"@{guest.handle}" for guest in mentioned(directory, options.message)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lanyard")
    parser.add_argument("file", type=Path, help="the guest file")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, *words in (
        ("add", "handle", "name"),
        ("rename", "handle", "new"),
        ("remove", "handle"),
        ("find", "handle"),
        ("badge", "handle"),
        ("search", "query"),
        ("mentions", "message"),
    ):
        command = commands.add_parser(name)
        for word in words:
            command.add_argument(word)
        if name == "badge":
            command.add_argument("--limit", type=int, default=LINE_BYTES)
    return parser
