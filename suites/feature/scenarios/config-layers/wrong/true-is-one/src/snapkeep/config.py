"""The configuration as plain values, and the way to read a file that predates layers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from snapkeep.durations import parse_duration
from snapkeep.keys import BY_NAME
from snapkeep.layers import defaults, read_file


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


def config_from(values: Mapping[str, Any]) -> Config:
    """Checked values by dotted key, as a Config."""
    fields = {BY_NAME[name].old: value for name, value in values.items()}
    fields["exclude"] = tuple(fields["exclude"])
    fields["min_age"] = parse_duration(fields["min_age"])
    return Config(**fields)


def load_config(path: str | Path | None) -> Config:
    """The file over the defaults. Deprecated: goes in 2.0."""
    warnings.warn(
        "load_config() goes in snapkeep 2.0; run 'snapkeep config show --json' instead",
        DeprecationWarning,
        stacklevel=2,
    )
    settings = defaults().settings
    if path is not None:
        layer = read_file(Path(path))
        if layer.problems:
            raise ConfigError("; ".join(layer.problems))
        settings.update(layer.settings)
    return config_from({name: setting.value for name, setting in settings.items()})
