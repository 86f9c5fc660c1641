"""The backups in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

from snapkeep.config import Config, ConfigError


@dataclass(frozen=True, order=True)
class Snapshot:
    """A backup and the moment its name tells."""

    taken: datetime
    path: Path


def find_snapshots(config: Config) -> list[Snapshot]:
    """The backups in the folder, newest first; other files are left out."""
    root = Path(config.root)
    if not root.is_dir():
        raise ConfigError(f"{config.root}: no such folder")
    found = []
    for path in sorted(root.iterdir()):
        if any(fnmatch(path.name, glob) for glob in config.exclude):
            continue
        try:
            taken = datetime.strptime(path.name, config.pattern)
        except ValueError:
            continue
        found.append(Snapshot(taken, path))
    return sorted(found, reverse=True)
