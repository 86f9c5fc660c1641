"""Old files as TOML."""

from __future__ import annotations

import json
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
    # JSON and TOML agree on our types, but for DEL, which only TOML wants escaped
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
