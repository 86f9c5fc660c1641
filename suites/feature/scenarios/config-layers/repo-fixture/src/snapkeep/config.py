"""The configuration file."""

from __future__ import annotations

import configparser
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from snapkeep.durations import parse_duration

SECTION = "snapkeep"
_BOOLEANS = {
    "yes": True, "on": True, "true": True, "1": True,
    "no": False, "off": False, "false": False, "0": False,
}


class ConfigError(ValueError):
    """The configuration cannot be used."""


@dataclass(frozen=True)
class Config:
    """What can be configured; the defaults are the documented ones."""

    root: str = "."
    pattern: str = "db-%Y-%m-%d.tar.gz"
    exclude: tuple[str, ...] = ("*.part",)
    keep_daily: int = 7
    keep_weekly: int = 4
    min_age: timedelta = timedelta(minutes=60)
    dry_run: bool = False
    color: str = "auto"
    format: str = "text"
    notify_spool: str = ""
    notify_token: str = ""


def load_config(path: str | Path | None) -> Config:
    """The file over the defaults; the defaults alone if `path` is None."""
    if path is None:
        return Config()
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    try:
        with Path(path).open(encoding="utf-8") as file:
            parser.read_file(file)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not an INI file: {error}") from error
    if not parser.has_section(SECTION):
        raise ConfigError(f"{path}: there is no section [{SECTION}]")
    values: dict[str, Any] = {}
    for key, text in parser.items(SECTION):
        if key in _READERS:
            try:
                values[key] = _READERS[key](text)
            except ValueError as error:
                raise ConfigError(f"{path}: {key}: {error}") from error
    return replace(Config(), **values)


def _read_text(text: str) -> str:
    return text


def _read_list(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _read_count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(f"must not be negative: {text!r}")
    return number


def _read_boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"not a yes or no: {text!r}") from None


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text!r} is none of {', '.join(choices)}")
        return text

    return read


_READERS: dict[str, Callable[[str], Any]] = {
    "root": _read_text,
    "pattern": _read_text,
    "exclude": _read_list,
    "keep_daily": _read_count,
    "keep_weekly": _read_count,
    "min_age": parse_duration,
    "dry_run": _read_boolean,
    "color": _one_of("auto", "always", "never"),
    "format": _one_of("text", "json"),
    "notify_spool": _read_text,
    "notify_token": _read_text,
}
