"""How paths are shown."""

from __future__ import annotations

from pathlib import Path


def near(path: Path, folder: Path | None = None) -> str:
    """A path as it is seen from a folder that it lies in; by default from here."""
    start = folder or Path.cwd()
    return str(path.relative_to(start) if path.is_relative_to(start) else path)
