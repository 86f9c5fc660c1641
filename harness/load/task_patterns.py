"""The patterns that a template knows tasks by.

`/expression/flags` is a regular expression of JavaScript. Anything else is words: they are found
whole, in any case, and `*` stands for the rest of a word, or for whatever is between two words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from harness.load.patterns import Dialect, finder
from harness.load.searching import Searcher, UnreadableError

_EXPRESSION = re.compile(r"/(?P<pattern>.+)/(?P<flags>[a-z]*)", re.DOTALL)
_STARS = re.compile(r"\*+")

MOST_STARS = 3
"""Each multiplies the time that a text takes by its length."""
SHORT_CHARS = 4000
"""A text so short is looked through at once, where one star is between words."""
DEADLINE_S = 2.0
BUDGET_S = 5.0


class SlowPatternError(Exception):
    """A pattern for which a text takes too long, so that nothing is known of it."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(index, why)
        self.index = index
        self.why = why


class _Expression(NamedTuple):
    dialect: Dialect
    pattern: str
    flags: str


def pattern_problem(pattern: str) -> str | None:
    """Why a pattern is none."""
    try:
        finder(*_expression(pattern))
    except ValueError as error:
        return str(error)
    return None


@lru_cache(maxsize=1024)
def first_that_fits(patterns: tuple[str, ...], text: str) -> int | None:
    """Which of the patterns is the first that a text holds; raises SlowPatternError.

    No pattern may hold up whoever asks: where one might, a process that can be ended does the
    looking.
    """
    with Searcher(deadline_s=DEADLINE_S, budget_s=BUDGET_S) as searcher:
        for index, pattern in enumerate(patterns):
            try:
                if _fits(pattern, text, searcher):
                    return index
            except UnreadableError as error:
                raise SlowPatternError(index, str(error)) from error
    return None


def _fits(pattern: str, text: str, searcher: Searcher) -> bool:
    dialect, expression, flags = _expression(pattern)
    if dialect is Dialect.PYTHON and _is_quick(pattern, text):
        return finder(dialect, expression, flags)(text) is not None
    return searcher.find(dialect, expression, [text], flags=flags) is not None


def _is_quick(words: str, text: str) -> bool:
    stars = len(_STARS.findall(words))
    return not stars or (stars == 1 and ("*" not in words.split() or len(text) <= SHORT_CHARS))


def _expression(pattern: str) -> _Expression:
    """What is searched for; raises ValueError for words with too many stars."""
    if found := _EXPRESSION.fullmatch(pattern):
        flags = found["flags"].replace("g", "")
        return _Expression(Dialect.JAVASCRIPT, found["pattern"], flags)
    if len(_STARS.findall(pattern)) > MOST_STARS:
        raise ValueError(f"more than {MOST_STARS} *")
    words = r"\s+".join(map(_star, pattern.split()))
    return _Expression(Dialect.PYTHON, rf"(?i:(?<!\w)(?:{words})(?!\w))", "")


def _star(part: str) -> str:
    if part == "*":
        return r"(?:\S.*?\S|\S)"
    return r"\w*".join(map(re.escape, _STARS.split(part)))
