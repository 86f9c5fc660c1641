"""Where values come from: one function per layer."""

from __future__ import annotations

import configparser
import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snapkeep.keys import BY_NAME, BY_OLD_NAME, COUNT, DURATION, KEYS, TABLES, Key

SECTION = "snapkeep"


@dataclass(frozen=True)
class Setting:
    """A value and the place that says so."""

    value: Any
    origin: str


@dataclass
class Layer:
    """The keys that one place sets, and what is wrong with it."""

    settings: dict[str, Setting] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def take(self, key: Key, value: Any, origin: str) -> None:
        """Keep a typed value, or the reason why not."""
        if key.kind.accepts(value):
            self.settings[key.name] = Setting(value, origin)
        else:
            self.problems.append(f"{origin}: {key.problem(value)}")

    def take_text(self, key: Key, text: str, origin: str) -> None:
        """The same for a value that came as text."""
        try:
            value = key.kind.parse(text)
        except ValueError:
            self.problems.append(f"{origin}: {key.problem(text)}")
        else:
            self.take(key, value, origin)


def defaults() -> Layer:
    return Layer({key.name: Setting(key.default, "default") for key in KEYS})


def is_old(path: Path) -> bool:
    """Whether the name says that it is an INI file."""
    return path.name.endswith(".ini")


def read_file(path: Path) -> Layer:
    """The layer of a TOML or an INI file."""
    origin = f"file {path}"
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return Layer(problems=[f"{origin}: no such file"])
    except OSError as error:
        return Layer(problems=[f"{origin}: {error.strerror}"])
    except UnicodeDecodeError:
        return Layer(problems=[f"{origin}: not UTF-8"])
    return _read_ini(path, text) if is_old(path) else _read_toml(origin, text)


def read_environment(environ: Mapping[str, str]) -> Layer:
    layer = Layer()
    for key in KEYS:
        if text := environ.get(key.variable):
            layer.take_text(key, text, f"env {key.variable}")
    return layer


def read_flags(flags: Mapping[str, Any]) -> Layer:
    """`flags` maps the dotted key to what the parser found; None counts as not given."""
    layer = Layer()
    for name, value in flags.items():
        key = BY_NAME[name]
        flag = "--" + name.partition(".")[2].replace("_", "-")
        if value is False:
            flag = flag.replace("--", "--no-", 1)
        if isinstance(value, str):
            layer.take_text(key, value, f"flag {flag}")
        elif value is not None:
            layer.take(key, value, f"flag {flag}")
    return layer


def _read_toml(origin: str, text: str) -> Layer:
    layer = Layer()
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        layer.problems.append(f"{origin}: not TOML: {error}")
        return layer
    for name, value in _leaves(content):
        if name in BY_NAME:
            layer.take(BY_NAME[name], value, origin)
        elif name in TABLES:
            layer.problems.append(f"{origin}: {name}: expected a table")
        else:
            near = difflib.get_close_matches(name, BY_NAME, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            layer.problems.append(f"{origin}: {name}: unknown key{hint}")
    return layer


def _leaves(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for table, inner in content.items():
        if isinstance(inner, dict) and (inner or table in TABLES):
            yield from ((f"{table}.{name}", value) for name, value in inner.items())
        else:
            yield table, inner


def _read_ini(path: Path, text: str) -> Layer:
    layer = Layer(warnings=[f"{path}: the INI format is deprecated, see 'config migrate'"])
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    try:
        parser.read_string(text, source=str(path))
        items = parser.items(SECTION)
    except configparser.NoSectionError:
        layer.problems.append(f"file {path}: there is no section [{SECTION}]")
        return layer
    except configparser.Error as error:
        reason = " ".join(str(error).split())
        layer.problems.append(f"file {path}: not an INI file: {reason}")
        return layer
    for name, value in items:
        key = BY_OLD_NAME.get(name)
        if key is None:
            layer.warnings.append(f"{path}: unknown key {name}")
        else:
            layer.take_text(key, _modern(key, value), f"file {path} ({name})")
    return layer


def _modern(key: Key, text: str) -> str:
    """The text as the new rules would have it: no bare minutes, no `+7`."""
    if key.kind is DURATION and text.isdecimal() and text.isascii():
        return f"{text}m"
    if key.kind is COUNT:
        try:
            return str(int(text))
        except ValueError:
            return text
    return text
