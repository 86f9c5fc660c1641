"""Files read as data: size, encoding, syntax, and nothing in them that JSON could not hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from harness.errors import BadFile
from harness.load.json_text import parse_json, parse_json5
from harness.load.places import Document, Parsed, Place, Problem
from harness.load.yaml_text import parse_yaml

MAX_BYTES = 1024 * 1024

PARSERS: Mapping[str, Callable[[str], Parsed]] = {
    ".yaml": parse_yaml,
    ".yml": parse_yaml,
    ".json5": parse_json5,
    ".jsonc": parse_json5,
    ".json": parse_json,
}


def read_text(path: Path, *, max_bytes: int = MAX_BYTES) -> str:
    """A UTF-8 file without its byte order mark; raises BadFile."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise BadFile(
            path, [f"cannot be read: {getattr(error, 'strerror', None) or error}"]
        ) from error
    if len(data) > max_bytes:
        raise BadFile(path, [f"is larger than {max_bytes:,} bytes"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(
            path, [f"is not UTF-8: byte {error.start} is {data[error.start]:#04x}"]
        ) from error


def read_document(path: Path) -> Document:
    """A file's data and the line of every key; the suffix says the syntax. Raises BadFile."""
    parse = PARSERS.get(path.suffix.lower())
    if parse is None:
        raise BadFile(path, [f"has a suffix that is none of {', '.join(PARSERS)}"])
    parsed = parse(read_text(path))
    document = Document(path, parsed.value, parsed.lines)
    problems = parsed.problems or tuple(_unfit(parsed.value, ()))
    if problems:
        raise BadFile(path, document.report(problems))
    return document


def _unfit(value: object, place: Place) -> Iterator[Problem]:
    """What Python reads but JSON text, a file name or a digest cannot hold."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _unfit_text(key, place)
            yield from _unfit(item, (*place, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unfit(item, (*place, index))
    elif isinstance(value, str):
        yield from _unfit_text(value, place)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Problem(place, f"{value!r} is not a finite number")


def _unfit_text(text: str, place: Place) -> Iterator[Problem]:
    try:
        text.encode()
    except UnicodeEncodeError:
        yield Problem(place, f"{text[:40]!r} holds half a character")
