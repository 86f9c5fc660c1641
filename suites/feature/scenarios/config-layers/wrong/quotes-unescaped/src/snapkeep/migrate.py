"""Old files as TOML."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from snapkeep.keys import KEYS
from snapkeep.layers import Layer


def as_toml(layer: Layer) -> str:
    """The keys that the layer sets, table by table."""
    tables: dict[str, list[str]] = {}
    for key in KEYS:
        if key.name in layer.settings:
            table, _, name = key.name.partition(".")
            value = _toml_value(layer.settings[key.name].value)
            tables.setdefault(table, []).append(f"{name} = {value}")
    return "\n".join(f"[{table}]\n" + "\n".join(lines) + "\n" for table, lines in tables.items())


def write_private(path: Path, text: str) -> None:
    """Create the file for its owner only; FileExistsError if there is one."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)


def _toml_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(item) for item in value) + "]"
    return str(value) if isinstance(value, int) else f'"{value}"'
