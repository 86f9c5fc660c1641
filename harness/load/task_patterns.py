"""The patterns that a template knows tasks by.

`/expression/flags` is a regular expression of JavaScript. Anything else is words: they are found
whole, in any case, and `*` stands for the rest of a word, or for whatever is between two words.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.load.patterns import Dialect, finder

_EXPRESSION = re.compile(r"/(?P<pattern>.+)/(?P<flags>[a-z]*)", re.DOTALL)

MOST_STARS = 3
"""Each multiplies the time that a text takes by its length."""

Match = Callable[[str], bool]


def matcher(pattern: str) -> Match:
    """Whether a text holds it; raises ValueError for what is no regular expression."""
    if found := _EXPRESSION.fullmatch(pattern):
        find = finder(Dialect.JAVASCRIPT, found["pattern"], found["flags"].replace("g", ""))
        return lambda text: find(text) is not None
    if len(re.findall(r"\*+", pattern)) > MOST_STARS:
        raise ValueError(f"more than {MOST_STARS} *")
    words = r"\s+".join(map(_star, pattern.split()))
    regex = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
    return lambda text: regex.search(text) is not None


def _star(part: str) -> str:
    if part == "*":
        return r"(?:\S.*?\S|\S)"
    return r"\w*".join(map(re.escape, re.split(r"\*+", part)))
