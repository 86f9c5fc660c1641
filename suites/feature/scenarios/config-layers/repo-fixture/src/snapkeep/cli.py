"""The command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path

from snapkeep.config import Config, ConfigError, load_config
from snapkeep.durations import parse_duration
from snapkeep.notify import spool_summary
from snapkeep.report import render_plan, render_prune
from snapkeep.retention import Decision, decide
from snapkeep.snapshots import find_snapshots

DEFAULT_FILE = Path("snapkeep.ini")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give the exit status."""
    options = _parser().parse_args(argv)
    try:
        return options.command(options, _configure(options, os.environ))
    except (ConfigError, OSError) as error:
        print(f"snapkeep: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--config", type=Path, help="the configuration file")
    common.add_argument("--now", type=datetime.fromisoformat, help="instead of the clock")
    common.add_argument("--root", help="folder with the backups")
    common.add_argument("--exclude", action="append", help="glob pattern to leave alone")
    common.add_argument("--daily", type=int, help="days to keep")
    common.add_argument("--weekly", type=int, help="weeks to keep")
    common.add_argument("--min-age", type=parse_duration, help="remove nothing younger")
    common.add_argument("--dry-run", action=argparse.BooleanOptionalAction)
    common.add_argument("--color", choices=["auto", "always", "never"])
    common.add_argument("--format", choices=["text", "json"])

    parser = argparse.ArgumentParser(prog="snapkeep", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    plan = commands.add_parser("plan", parents=[common], help="say what would be done")
    plan.set_defaults(command=_plan)
    prune = commands.add_parser("prune", parents=[common], help="remove what is not kept")
    prune.set_defaults(command=_prune)
    config = commands.add_parser("config", help="the configuration")
    actions = config.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser("show", parents=[common], help="the values in force")
    show.set_defaults(command=_show)
    return parser


def _configure(options: argparse.Namespace, environ: Mapping[str, str]) -> Config:
    path = options.config or environ.get("SNAPKEEP_CONFIG")
    if path is None and DEFAULT_FILE.exists():
        path = DEFAULT_FILE
    config = load_config(path)
    return replace(
        config,
        root=options.root or config.root,
        exclude=tuple(options.exclude or config.exclude),
        keep_daily=options.daily or config.keep_daily,
        keep_weekly=options.weekly or config.keep_weekly,
        min_age=options.min_age or config.min_age,
        dry_run=config.dry_run if options.dry_run is None else options.dry_run,
        color=options.color or config.color,
        format=options.format or config.format,
    )


def _decisions(options: argparse.Namespace, config: Config) -> list[Decision]:
    return decide(find_snapshots(config), config, options.now or datetime.now())


def _plan(options: argparse.Namespace, config: Config) -> int:
    color = config.color == "always" or (config.color == "auto" and sys.stdout.isatty())
    print(render_plan(_decisions(options, config), config.format, color))
    return 0


def _prune(options: argparse.Namespace, config: Config) -> int:
    decisions = _decisions(options, config)
    leaving = [item for item in decisions if not item.keep]
    if not config.dry_run:
        for item in leaving:
            item.snapshot.path.unlink()
        spool_summary(config, len(leaving), len(decisions) - len(leaving))
    print(render_prune(len(leaving), len(decisions) - len(leaving), config.format))
    return 0


def _show(_options: argparse.Namespace, config: Config) -> int:
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name == "notify_token" and value:
            value = "***"
        print(f"{field.name} = {value}")
    return 0
