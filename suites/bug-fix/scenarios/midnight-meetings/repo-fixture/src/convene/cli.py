"""The command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date, time
from pathlib import Path

from convene.agenda import agenda
from convene.clashes import clashes
from convene.free import Hours, free
from convene.loader import CalendarError, load
from convene.model import Calendar
from convene.reminders import reminders
from convene.render import Renderer
from convene.zones import UnknownZone, zone


def main(argv: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(argv)
    try:
        zone(options.zone)
        print(_answer(options, load(_read(options.calendar))))
    except (CalendarError, UnknownZone, OSError) as error:
        print(f"convene: {error}", file=sys.stderr)
        return 2
    return 0


def _answer(options: argparse.Namespace, calendar: Calendar) -> str:
    show = Renderer(options.zone)
    if options.command == "free":
        slots = free(calendar, options.day, options.hours, options.zone, options.least)
        return show.free_json(slots) if options.json else show.free_text(slots)
    span = (calendar, options.first, options.last, options.zone)
    if options.command == "agenda":
        days = agenda(*span)
        return show.agenda_json(days) if options.json else show.agenda_text(days)
    if options.command == "clashes":
        pairs = clashes(*span)
        return show.clashes_json(pairs) if options.json else show.clashes_text(pairs)
    due = reminders(*span)
    return show.reminders_json(due) if options.json else show.reminders_text(due)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="convene")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("agenda", "clashes", "reminders", "free"):
        command = commands.add_parser(name)
        command.add_argument("calendar", help="a TOML file, or - for stdin")
        command.add_argument("--zone", default="UTC")
        command.add_argument("--json", action="store_true")
        if name == "free":
            command.add_argument("--day", type=date.fromisoformat, required=True)
            command.add_argument("--hours", type=_hours, default="09:00-17:00")
            command.add_argument("--least", type=int, default=1)
        else:
            command.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
            command.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
    return parser


def _hours(text: str) -> Hours:
    opens, _, closes = text.partition("-")
    return Hours(time.fromisoformat(opens), time.fromisoformat(closes))


def _read(name: str) -> str:
    return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
