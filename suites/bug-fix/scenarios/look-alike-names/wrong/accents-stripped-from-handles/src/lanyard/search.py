"""Search by name, and show what was found."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from lanyard.clusters import clusters
from lanyard.directory import Directory
from lanyard.handles import belongs, key
from lanyard.model import Attendee

ACCENTS = range(0x0300, 0x0370)


@dataclass(frozen=True, slots=True)
class Word:
    """A folded word, and for each of its code points the character it comes from."""

    folded: str
    characters: tuple[int, ...]


def search(directory: Directory, query: str) -> list[Attendee]:
    """Everybody whose name or handle has all words of the query, by name."""
    wanted = _folded_words(query)
    if not wanted:
        return []
    found = [guest for guest in directory if _matches(guest, wanted)]
    return sorted(found, key=lambda guest: (_fold(guest.name), guest.handle))


def highlight(name: str, query: str) -> str:
    """The name with brackets around what the query found in it."""
    characters = list(clusters(name))
    marked = [False] * len(characters)
    for wanted in _folded_words(query):
        for word in _words(characters):
            if word.folded.startswith(wanted):
                # From the first to the last, so that what is invisible in between goes along.
                for at in range(word.characters[0], word.characters[len(wanted) - 1] + 1):
                    marked[at] = True
    return _bracketed(characters, marked)


def _bracketed(characters: list[str], marked: list[bool]) -> str:
    shown = ""
    inside = False
    for character, mark in zip(characters, marked, strict=True):
        if mark != inside:
            shown += "[" if mark else "]"
            inside = mark
        shown += character
    return shown + "]" if inside else shown


def _matches(guest: Attendee, wanted: list[str]) -> bool:
    words = [*_folded_words(guest.name), _fold(guest.handle)]
    return all(any(word.startswith(part) for word in words) for part in wanted)


def _folded_words(text: str) -> list[str]:
    return [word.folded for word in _words(list(clusters(text)))]


def _words(characters: list[str]) -> list[Word]:
    words = []
    folded, places = "", []
    for at, character in enumerate([*characters, " "]):
        if belongs(character[0]):
            piece = _fold(character)
            folded += piece
            places += [at] * len(piece)
        elif folded:
            words.append(Word(folded, tuple(places)))
            folded, places = "", []
    return words


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", key(text))
    plain = "".join(char for char in decomposed if ord(char) not in ACCENTS)
    # Composed again: か must not be found as the beginning of が.
    return unicodedata.normalize("NFC", plain)
