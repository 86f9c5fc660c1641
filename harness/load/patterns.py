"""Regular expressions that authors of files write: JavaScript's dialect, or Python's."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from enum import StrEnum

import regress

Span = tuple[int, int]

MOST_CHARS = 10_000
"""A hundred thousand `|` are more than the engine's stack holds."""


class Dialect(StrEnum):
    """Whose regular expression it is."""

    JAVASCRIPT = "javascript"
    PYTHON = "python"


def finder(dialect: Dialect, pattern: str, flags: str = "") -> Callable[[str], Span | None]:
    """Where a text holds the first match; raises ValueError for what is no regular expression.

    Both engines backtrack: what a stranger wrote is only searched in a process that can be ended.
    """
    if len(pattern) > MOST_CHARS:
        raise ValueError(f"it is longer than {MOST_CHARS:,} characters")
    if dialect is Dialect.JAVASCRIPT:
        return _javascript(pattern, flags)
    return _python(pattern, flags)


def _javascript(pattern: str, flags: str) -> Callable[[str], Span | None]:
    try:
        regex = regress.Regex(pattern, flags)
    except (regress.RegressError, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from error

    def find(text: str) -> Span | None:
        found = regex.find(text)
        if found is None:
            return None
        # the engine counts in bytes of UTF-8
        spot = found.range()
        data = text.encode()
        begin = len(data[: spot.start].decode("utf-8", "replace"))
        return begin, begin + len(data[spot.start : spot.stop].decode("utf-8", "replace"))

    return find


def _python(pattern: str, flags: str) -> Callable[[str], Span | None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            regex = re.compile(pattern, re.MULTILINE if "m" in flags else 0)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error

    def find(text: str) -> Span | None:
        found = regex.search(text)
        return found.span() if found else None

    return find
