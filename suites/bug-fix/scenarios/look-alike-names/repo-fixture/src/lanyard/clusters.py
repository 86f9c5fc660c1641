"""What readers take for one character: extended grapheme clusters.

The rules are those of Unicode Annex 29 as far as the standard library has the data
for them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

ZWNJ = "\u200c"
ZWJ = "\u200d"
HALF_WIDTH_VOICING = "\uff9e\uff9f"
TAGS = range(0xE0020, 0xE0080)
SKIN_TONES = range(0x1F3FB, 0x1F400)
REGIONAL = range(0x1F1E6, 0x1F200)
PICTURES = (
    range(0x2190, 0x2400),
    range(0x25A0, 0x27C0),
    range(0x2900, 0x2C00),
    range(0x1F000, 0x1F1E6),
    range(0x1F200, 0x1FB00),
)
LEADING = range(0x1100, 0x1160)
VOWELS = range(0x1160, 0x11A8)
TRAILING = range(0x11A8, 0x1200)
SYLLABLES = range(0xAC00, 0xD7A4)
SYLLABLES_PER_VOWEL = 28


def clusters(text: str) -> Iterator[str]:
    """The characters of a text; joined together they are the text again."""
    start = 0
    for at in range(1, len(text)):
        if _boundary(text, start, at):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _boundary(text: str, start: int, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if before == "\r" and after == "\n":
        return False
    if _is_control(before) or _is_control(after):
        return True
    if _extends(after) or unicodedata.category(after) == "Mc":
        return False
    if before == ZWJ and _is_picture(after):
        return not _is_picture(_base(text[start : at - 1]))
    if ord(before) in REGIONAL and ord(after) in REGIONAL:
        return (at - start) % 2 == 0
    return not _one_syllable(before, after)


def _base(part: str) -> str:
    stripped = part
    while stripped and _extends(stripped[-1]):
        stripped = stripped[:-1]
    return stripped[-1:]


def _is_control(char: str) -> bool:
    if char in (ZWNJ, ZWJ) or ord(char) in TAGS:
        return False
    return unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Mn", "Me"}
        or char in (ZWNJ, ZWJ)
        or char in HALF_WIDTH_VOICING
        or ord(char) in SKIN_TONES
        or ord(char) in TAGS
    )


def _is_picture(char: str) -> bool:
    return bool(char) and any(ord(char) in pictures for pictures in PICTURES)


def _one_syllable(before: str, after: str) -> bool:
    first, second = ord(before), ord(after)
    if first in LEADING:
        return second in LEADING or second in VOWELS or second in SYLLABLES
    open_syllable = first in SYLLABLES and (first - SYLLABLES.start) % SYLLABLES_PER_VOWEL == 0
    if first in VOWELS or open_syllable:
        return second in VOWELS or second in TRAILING
    return (first in TRAILING or first in SYLLABLES) and second in TRAILING
