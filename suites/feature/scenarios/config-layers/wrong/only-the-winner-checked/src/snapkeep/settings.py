"""The configuration in force, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snapkeep.config import Config, config_from
from snapkeep.keys import KEYS
from snapkeep.layers import Layer, Setting, defaults, read_environment, read_file, read_flags

TOML_FILE = Path("snapkeep.toml")
INI_FILE = Path("snapkeep.ini")


class SettingsError(Exception):
    """Something in some layer is wrong; `problems` has one line for each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True)
class Settings:
    """Every key with its value and origin, in the documented order."""

    items: Mapping[str, Setting]

    def config(self) -> Config:
        return config_from({name: setting.value for name, setting in self.items.items()})


@dataclass(frozen=True)
class Found:
    """The file to read, if any, and what to say about the choice."""

    path: Path | None
    warnings: tuple[str, ...] = ()


def find_file(named: Path | None, environ: Mapping[str, str]) -> Found:
    """The flag, the environment, or what lies in the current directory."""
    if named is not None:
        return Found(named)
    if variable := environ.get("SNAPKEEP_CONFIG"):
        return Found(Path(variable))
    if TOML_FILE.exists():
        ignored = f"{INI_FILE} is ignored because there is a {TOML_FILE}"
        return Found(TOML_FILE, (ignored,) if INI_FILE.exists() else ())
    return Found(INI_FILE if INI_FILE.exists() else None)


def resolve(
    path: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any]
) -> tuple[Settings | None, Layer]:
    """The settings, None if there are problems; and all problems and warnings."""
    layers = [defaults(), read_environment(environ), read_flags(flags)]
    if path is not None:
        layers.insert(1, read_file(path))
    merged = Layer()
    for layer in layers:
        merged.settings.update(layer.settings)
        merged.wrong = {
            name: problem for name, problem in merged.wrong.items() if name not in layer.settings
        }
        merged.wrong.update(layer.wrong)
        merged.problems.extend(layer.problems)
        merged.warnings.extend(layer.warnings)
    merged.problems.extend(merged.wrong.values())
    if merged.problems:
        return None, merged
    return Settings({key.name: merged.settings[key.name] for key in KEYS}), merged
