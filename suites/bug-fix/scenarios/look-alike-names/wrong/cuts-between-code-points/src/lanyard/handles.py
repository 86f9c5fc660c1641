"""Which handles are allowed, and which are the same."""

from __future__ import annotations

import unicodedata

from lanyard.clusters import clusters

CHARACTERS = range(2, 21)


def is_allowed(handle: str) -> bool:
    return (
        handle[:1].isalpha()
        and all(belongs(char) for char in handle)
        and sum(1 for _ in clusters(without_invisible(handle))) in CHARACTERS
    )


def belongs(char: str) -> bool:
    """Whether a handle may contain it: letter, mark, decimal digit, `_` or invisible."""
    category = unicodedata.category(char)
    return char == "_" or category[0] in "LM" or category in ("Nd", "Cf")


def without_invisible(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def key(handle: str) -> str:
    """Equal for handles that are the same."""
    # Composing comes before folding, because mathematical capitals are capitals only
    # then, and again after it, because folding takes some characters apart. What is
    # invisible goes first: it would keep a letter and its accent from composing.
    composed = unicodedata.normalize("NFKC", without_invisible(handle))
    return unicodedata.normalize("NFKC", composed.casefold())
