"""Where the enriched files of a template are, and whose an enriched file is."""

from __future__ import annotations

import re
from pathlib import Path

ENRICHED = "enriched"
SUFFIXES = (".json5", ".jsonc", ".json")

_NUMBERED = re.compile(r"enriched-(\d{3,9})\.json5")


def enriched_name(number: int) -> str:
    """`enriched-001.json5` and on."""
    return f"enriched-{number:03d}.json5"


def enriched_number(name: str) -> int | None:
    """The number of a file's name, if it is such a name."""
    found = _NUMBERED.fullmatch(name)
    return int(found[1]) if found else None


def enriched_folder(template: Path, version: str) -> Path:
    """`x/x.json5` and `x.json5` both have their enriched files in `x/enriched/<version>/`."""
    folder = template.parent
    own = folder if folder.name == template.stem else folder / template.stem
    return own / ENRICHED / version


def author_of(path: Path) -> Path | None:
    """The author's file that an enriched file was made of; None for one that is no such file."""
    folder = path.absolute().parent.parent
    if folder.name != ENRICHED or enriched_number(path.name) is None:
        return None
    own = folder.parent
    places = (place / f"{own.name}{suffix}" for place in (own, own.parent) for suffix in SUFFIXES)
    return next((place for place in places if place.is_file()), None)


def home_of(path: Path) -> Path:
    """The folder that a template's relative paths start from: an enriched file has its author's."""
    author = author_of(path)
    if author:
        return author.parent
    folder = path.absolute().parent
    return folder.parent.parent if folder.parent.name == ENRICHED else folder
