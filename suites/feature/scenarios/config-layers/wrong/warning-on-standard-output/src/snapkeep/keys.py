"""What can be configured, and which values each key takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_BOOLEANS = {
    "yes": True, "on": True, "true": True, "1": True,
    "no": False, "off": False, "false": False, "0": False,
}
_DURATION = re.compile(r"[0-9]+[mhd]")


@dataclass(frozen=True)
class Kind:
    """A type: its name in messages, which typed values it has, how a text becomes one."""

    expected: str
    accepts: Callable[[Any], bool]
    parse: Callable[[str], Any] = field(default=lambda text: text)


@dataclass(frozen=True)
class Key:
    """One setting; `old` is its name in INI files."""

    name: str
    kind: Kind
    default: Any
    old: str
    secret: bool = False

    @property
    def variable(self) -> str:
        return "SNAPKEEP_" + self.name.replace(".", "_").upper()

    def problem(self, got: Any) -> str:
        """What to say about a value that does not fit; never the value of a secret."""
        text = f"{self.name}: expected {self.kind.expected}"
        return text if self.secret else f"{text}, got {_as_json(got)}"


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        return json.dumps(str(value))


def _parse_count(text: str) -> int:
    if not re.fullmatch("[0-9]+", text):
        raise ValueError(text)
    return int(text)


def _parse_boolean(text: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def parse_list(text: str) -> list[str]:
    """Items separated by commas; blanks around them and empty ones do not count."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_duration(value: Any) -> bool:
    return isinstance(value, str) and _DURATION.fullmatch(value) is not None


def _choice(*choices: str) -> Kind:
    return Kind(f"one of {', '.join(choices)}", lambda value: value in choices)


TEXT = Kind("a text", lambda value: isinstance(value, str))
TEXTS = Kind("a list of texts", _is_list, parse_list)
COUNT = Kind("a whole number >= 0", _is_count, _parse_count)
BOOLEAN = Kind("true or false", lambda value: isinstance(value, bool), _parse_boolean)
DURATION = Kind('a duration such as "90m", "2h" or "3d"', _is_duration)

KEYS = (
    Key("source.root", TEXT, ".", "root"),
    Key("source.pattern", TEXT, "db-%Y-%m-%d.tar.gz", "pattern"),
    Key("source.exclude", TEXTS, ["*.part"], "exclude"),
    Key("retention.daily", COUNT, 7, "keep_daily"),
    Key("retention.weekly", COUNT, 4, "keep_weekly"),
    Key("retention.min_age", DURATION, "60m", "min_age"),
    Key("run.dry_run", BOOLEAN, False, "dry_run"),
    Key("output.color", _choice("auto", "always", "never"), "auto", "color"),
    Key("output.format", _choice("text", "json"), "text", "format"),
    Key("notify.spool", TEXT, "", "notify_spool"),
    Key("notify.token", TEXT, "", "notify_token", secret=True),
)
BY_NAME = {key.name: key for key in KEYS}
BY_OLD_NAME = {key.old: key for key in KEYS}
TABLES = {key.name.partition(".")[0] for key in KEYS}
