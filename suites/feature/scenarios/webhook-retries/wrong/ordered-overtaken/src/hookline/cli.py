"""The command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from hookline.clock import Clock, ManualClock, SystemClock
from hookline.config import load_endpoints
from hookline.delivery import Dispatcher
from hookline.events import parse_event
from hookline.store import Store
from hookline.transport import ScriptedTransport, Transport, UrlTransport


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give the exit status."""
    options = _parser().parse_args(argv)
    try:
        return options.command(options)
    except (ValueError, OSError) as error:
        print(f"hookline: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hookline", description=__doc__)
    parser.add_argument("--state", required=True, type=Path, help="the queue file")
    parser.add_argument("--endpoints", required=True, type=Path, help="the endpoints file")
    parser.add_argument("--now", type=float, help="start a clock of its own at this UNIX time")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    enqueue = commands.add_parser("enqueue", help="add one event")
    enqueue.add_argument("event", help="a JSON file, or - for standard input")
    enqueue.set_defaults(command=_enqueue)

    run = commands.add_parser("run", help="send what is pending")
    run.add_argument("--rehearse", type=Path, help="answers instead of the network")
    run.add_argument("--record", type=Path, help="append the rehearsed requests to this file")
    run.add_argument("--until-idle", action="store_true", help="wait for retries")
    run.set_defaults(command=_run)

    status = commands.add_parser("status", help="show the queue")
    status.add_argument("--json", action="store_true")
    status.set_defaults(command=_status)

    dead = commands.add_parser("dead", help="deliveries that were given up")
    actions = dead.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="show them")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command=_dead_list)
    redrive = actions.add_parser("redrive", help="queue them again")
    redrive.add_argument("ids", nargs="*", metavar="ID")
    redrive.add_argument("--all", action="store_true")
    redrive.set_defaults(command=_dead_redrive)
    return parser


def _clock(options: argparse.Namespace) -> Clock:
    return SystemClock() if options.now is None else ManualClock(options.now)


def _transport(options: argparse.Namespace) -> Transport:
    if options.rehearse is None:
        return UrlTransport()
    script = json.loads(options.rehearse.read_text(encoding="utf-8"))
    return ScriptedTransport(script, options.record)


def _enqueue(options: argparse.Namespace) -> int:
    if options.event == "-":
        text = sys.stdin.read()
    else:
        text = Path(options.event).read_text(encoding="utf-8")
    event = parse_event(json.loads(text), created=_clock(options).now())
    store = Store.open(options.state)
    known = store.knows(event.id)
    count = store.enqueue(event, load_endpoints(options.endpoints))
    if known:
        print(f"already known: {event.id}")
        return 0
    print(f"queued {event.id} for {count} endpoint{'' if count == 1 else 's'}")
    return 0


def _run(options: argparse.Namespace) -> int:
    store = Store.open(options.state)
    endpoints = load_endpoints(options.endpoints)
    dispatcher = Dispatcher(store, endpoints, _transport(options), _clock(options))
    result = dispatcher.run_until_idle() if options.until_idle else dispatcher.run_pass()
    print(f"delivered {result.delivered}, failed {result.failed}, dead {result.dead}")
    return 3 if result.dead else 0


def _status(options: argparse.Namespace) -> int:
    store = Store.open(options.state)
    if options.json:
        content = {
            "pending": [{"id": item.id, **asdict(item)} for item in store.pending()],
            "delivered": len(store.delivered()),
            "dead": len(store.dead()),
        }
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return 0
    for item in store.pending():
        print(f"{item.event} -> {item.endpoint}: {item.last_error or 'not sent yet'}")
    counts = f"{len(store.pending())} pending, {len(store.delivered())} delivered"
    print(f"{counts}, {len(store.dead())} dead")
    return 0


def _dead_list(options: argparse.Namespace) -> int:
    letters = Store.open(options.state).dead()
    if options.json:
        print(json.dumps([asdict(letter) for letter in letters], indent=2, ensure_ascii=False))
        return 0
    for letter in letters:
        answer = "no answer" if letter.status is None else f"HTTP {letter.status}"
        print(f"{letter.id}: {letter.reason} after {letter.attempts} ({answer})")
    return 0


def _dead_redrive(options: argparse.Namespace) -> int:
    if bool(options.ids) == options.all:
        raise ValueError("name the dead letters to redrive, or say --all")
    store = Store.open(options.state)
    ids = list(dict.fromkeys(options.ids)) or [letter.id for letter in store.dead()]
    try:
        store.redrive(ids)
    except KeyError as error:
        raise ValueError(f"no dead letter {error}") from error
    print(f"redriven {len(ids)}")
    return 0
