"""Search by name, and show what was found."""

from __future__ import annotations

import re
import unicodedata

from lanyard.directory import Directory
from lanyard.model import Attendee

WORD = re.compile(r"\w+")


def search(directory: Directory, query: str) -> list[Attendee]:
    """Everybody whose name or handle has all words of the query, by name."""
    wanted = _words(query)
    if not wanted:
        return []
    found = [guest for guest in directory if _matches(guest, wanted)]
    return sorted(found, key=lambda guest: (_fold(guest.name), guest.handle))


def highlight(name: str, query: str) -> str:
    """The name with brackets around what the query found in it."""
    folded = _fold(name)
    marked = [False] * len(name)
    for wanted in _words(query):
        for word in WORD.finditer(folded):
            if word.group().startswith(wanted):
                for at in range(word.start(), min(word.start() + len(wanted), len(name))):
                    marked[at] = True
    return _bracketed(name, marked)


def _bracketed(name: str, marked: list[bool]) -> str:
    shown = ""
    inside = False
    for char, mark in zip(name, marked, strict=True):
        if mark != inside:
            shown += "[" if mark else "]"
            inside = mark
        shown += char
    return shown + "]" if inside else shown


def _matches(guest: Attendee, wanted: list[str]) -> bool:
    words = [*_words(guest.name), _fold(guest.handle)]
    return all(any(word.startswith(part) for word in words) for part in wanted)


def _words(text: str) -> list[str]:
    return WORD.findall(_fold(text))


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
