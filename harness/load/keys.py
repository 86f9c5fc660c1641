"""Providers' keys from a file that only its owner can read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from harness.errors import BadFile, UsageError, nearest
from harness.settings import KEYS

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


def read_keys(path: Path | None) -> Mapping[str, str]:
    """`NAME=value` lines; none where there is no such file. A value is never part of a message."""
    if path is None:
        return {}
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: the keys cannot be read: {type(error).__name__}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and os.name == "posix":
        raise UsageError(f"{path} holds keys and others may read it; run: chmod 600 {path}")
    keys: dict[str, str] = {}
    problems: list[str] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("export ").lstrip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip().strip("'\"")
        # what is no name may be a key that was pasted alone, and is not shown
        if not equals or not value or not _NAME.fullmatch(name):
            problems.append(f"line {number}: not of the form NAME=value")
        elif name not in KEYS:
            problems.append(f"line {number}: no key {name!r}; {nearest(name, KEYS)}")
        else:
            keys[name] = value
    if problems:
        raise BadFile(path, problems)
    return keys
