"""Which documents a prompt tells of: ranked for the task, as many as a number of tokens holds.

A document's rank is the sum of POINTS for what it has; among equals the template's order holds.
One that does not fit whole is told of in a line, and one whose line does not fit is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.domain.template import DocumentRef, Enrichment

CHARS_PER_TOKEN = 4
"""No tokeniser is asked: the choice has to be the same for every model."""

LONGEST_NAME = 200
_VERSION = re.compile(r"v?\d[\d.]*")

POINTS: Mapping[str, float] = {
    "task": 10,
    "tech_stack": 5,
    "tag": 3,
    "concept": 1,
    "official": 2,
    "reference": 1,
    "other": 0.5,
}
"""For being relevant to the task, for each technology, tag and concept that the prompt mentions,
and for the kind of document."""


class Chosen(NamedTuple):
    """The documents of a prompt."""

    items: tuple[str, ...]
    """What is said of each, in order."""
    told: tuple[str, ...]
    left_out: tuple[str, ...]


class Ranked(NamedTuple):
    """A document and how well it fits."""

    document: DocumentRef
    points: float


def rank(documents: Sequence[DocumentRef], task: str | None, text: str) -> tuple[Ranked, ...]:
    """Every document, the most fitting first."""
    found = [Ranked(each, sum(_points(each, task, text))) for each in documents]
    return tuple(sorted(found, key=lambda ranked: -ranked.points))


def choose(documents: Sequence[DocumentRef], tokens: int) -> Chosen:
    """What a prompt says of documents, the first ones first, and of which it says nothing."""
    items, told, left_out = [], [], []
    left = tokens * CHARS_PER_TOKEN
    for document in documents:
        forms = [_whole(document), _head(document)]
        fitting = next((form for form in forms if len(form) <= left), None)
        if fitting is None:
            left_out.append(f"{document.location}: no room in {tokens} tokens")
            continue
        if fitting != forms[0]:
            left_out.append(f"{document.location}: its summary, no room in {tokens} tokens")
        left -= len(fitting)
        items.append(fitting)
        told.append(document.location)
    return Chosen(tuple(items), tuple(told), tuple(left_out))


def mentions(text: str, name: str) -> bool:
    """Whether a text holds a name as whole words; `a-b` is also `a b`, `X 15` is also `X`."""
    if len(name) > LONGEST_NAME:
        return False
    parts = name.rsplit(None, 1)
    bare = parts[0] if _VERSION.fullmatch(parts[-1] if len(parts) > 1 else "") else name
    forms = {form for form in (name, bare, name.replace("-", " ")) if form.strip()}
    found = "|".join(re.escape(form) for form in sorted(forms))
    return re.search(rf"(?<!\w)(?:{found})(?!\w)", text, re.IGNORECASE) is not None


def _points(document: DocumentRef, task: str | None, text: str) -> Iterator[float]:
    yield POINTS.get(document.kind or "other", POINTS["other"])
    enrichment = document.enrichment or Enrichment()
    if task is not None and task in enrichment.relevant_for_tasks:
        yield POINTS["task"]
    named = {
        "tech_stack": enrichment.relevant_tech_stack,
        "tag": enrichment.relevant_tags,
        "concept": enrichment.key_concepts,
    }
    for kind, names in named.items():
        yield POINTS[kind] * sum(mentions(text, name) for name in dict.fromkeys(names))


def _head(document: DocumentRef) -> str:
    described = document.description.strip()
    return f"{described} ({document.location})" if described else document.location


def _whole(document: DocumentRef) -> str:
    given = document.enrichment or Enrichment()
    parts = [_head(document), given.summary.strip(), given.relevance.strip()]
    if given.key_concepts:
        parts.append(f"Key concepts: {'; '.join(given.key_concepts)}")
    if given.use_cases:
        parts.append(f"For: {'; '.join(given.use_cases)}")
    parts += [f"Pattern: {pattern.strip()}" for pattern in given.code_patterns]
    return "\n".join(part for part in parts if part)
