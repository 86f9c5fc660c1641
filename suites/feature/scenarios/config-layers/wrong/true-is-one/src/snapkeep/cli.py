"""The command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from snapkeep.config import Config, ConfigError
from snapkeep.keys import BY_NAME
from snapkeep.layers import Setting, is_old, read_file
from snapkeep.migrate import as_toml, write_private
from snapkeep.notify import spool_summary
from snapkeep.report import render_plan, render_prune
from snapkeep.retention import Decision, decide
from snapkeep.settings import INI_FILE, Settings, SettingsError, find_file, resolve
from snapkeep.snapshots import find_snapshots

_FLAGS = {
    "source.root": "root",
    "source.exclude": "exclude",
    "retention.daily": "daily",
    "retention.weekly": "weekly",
    "retention.min_age": "min_age",
    "run.dry_run": "dry_run",
    "output.color": "color",
    "output.format": "format",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give the exit status."""
    options = _parser().parse_args(argv)
    try:
        return options.command(options)
    except SettingsError as error:
        for problem in error.problems:
            print(f"snapkeep: {problem}", file=sys.stderr)
        return 2
    except (ConfigError, OSError) as error:
        print(f"snapkeep: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--config", type=Path, help="the configuration file")
    common = argparse.ArgumentParser(add_help=False, parents=[where])
    common.add_argument("--now", type=datetime.fromisoformat, help="instead of the clock")
    common.add_argument("--root", help="folder with the backups")
    common.add_argument("--exclude", action="append", help="glob pattern to leave alone")
    common.add_argument("--daily", help="days to keep")
    common.add_argument("--weekly", help="weeks to keep")
    common.add_argument("--min-age", help="remove nothing younger")
    common.add_argument("--dry-run", action=argparse.BooleanOptionalAction)
    common.add_argument("--color", help="auto, always or never")
    common.add_argument("--format", help="text or json")

    parser = argparse.ArgumentParser(prog="snapkeep", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    plan = commands.add_parser("plan", parents=[common], help="say what would be done")
    plan.set_defaults(command=_plan)
    prune = commands.add_parser("prune", parents=[common], help="remove what is not kept")
    prune.set_defaults(command=_prune)
    config = commands.add_parser("config", help="the configuration")
    actions = config.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser("show", parents=[common], help="the values in force")
    show.add_argument("--origin", action="store_true", help="say where each comes from")
    show.add_argument("--json", action="store_true")
    show.set_defaults(command=_show)
    migrate = actions.add_parser("migrate", parents=[where], help="an INI file as TOML")
    migrate.add_argument("--write", action="store_true", help="into a file beside it")
    migrate.set_defaults(command=_migrate)
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    found = find_file(options.config, os.environ)
    flags = {name: getattr(options, option) for name, option in _FLAGS.items()}
    settings, merged = resolve(found.path, os.environ, flags)
    _warn([*found.warnings, *merged.warnings])
    if settings is None:
        raise SettingsError(merged.problems)
    return settings


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        print(f"snapkeep: warning: {warning}", file=sys.stderr)


def _decisions(options: argparse.Namespace, config: Config) -> list[Decision]:
    return decide(find_snapshots(config), config, options.now or datetime.now())


def _plan(options: argparse.Namespace) -> int:
    config = _settings(options).config()
    color = config.color == "always" or (config.color == "auto" and sys.stdout.isatty())
    print(render_plan(_decisions(options, config), config.format, color))
    return 0


def _prune(options: argparse.Namespace) -> int:
    config = _settings(options).config()
    decisions = _decisions(options, config)
    leaving = [item for item in decisions if not item.keep]
    if not config.dry_run:
        for item in leaving:
            item.snapshot.path.unlink()
        spool_summary(config, len(leaving), len(decisions) - len(leaving))
    print(render_prune(len(leaving), len(decisions) - len(leaving), config.format))
    return 0


def _show(options: argparse.Namespace) -> int:
    items = _settings(options).items
    if options.json:
        content: dict[str, Any] = {name: _shown(name, item) for name, item in items.items()}
        if options.origin:
            content = {
                name: {"value": value, "origin": items[name].origin}
                for name, value in content.items()
            }
        print(json.dumps(content, indent=2, ensure_ascii=False))
        return 0
    for name, item in items.items():
        origin = f"  # {item.origin}" if options.origin else ""
        print(f"{name} = {json.dumps(_shown(name, item), ensure_ascii=False)}{origin}")
    return 0


def _shown(name: str, item: Setting) -> Any:
    return "***" if BY_NAME[name].secret and item.value else item.value


def _migrate(options: argparse.Namespace) -> int:
    variable = os.environ.get("SNAPKEEP_CONFIG")
    path = options.config or (Path(variable) if variable else INI_FILE)
    if not is_old(path):
        raise ConfigError(f"{path}: not an old file, those end in .ini")
    layer = read_file(path)
    _warn(layer.warnings)
    if layer.problems:
        raise SettingsError(layer.problems)
    if not options.write:
        print(as_toml(layer), end="")
        return 0
    target = path.with_suffix(".toml")
    try:
        write_private(target, as_toml(layer))
    except FileExistsError as error:
        raise ConfigError(f"{target} exists; nothing was written") from error
    print(f"written {target}")
    return 0
