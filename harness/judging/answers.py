"""A judge's reply into verdicts: every category once, marks in range, quotations looked up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.domain.rubric import Category
from harness.judging.prompt import NEEDS_A_QUOTATION_ABOVE
from harness.llm.replies import MOST_PROBLEMS, json_object

LOWEST, HIGHEST = 1, 5
REPLY_CHARS = 400_000
REASONING_CHARS = 4_000
QUOTE_CHARS = 2_000
MOST_QUOTES = 10

_WHOLE_LINE, _PART = 3, 8
"""Letters and digits that make a quotation one: `}` is on every page."""

_LETTERS = re.compile(r"\w")
_MARKS = re.compile(r"^[+-]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One category's mark in one answer."""

    score: float
    reasoning: str = ""
    quotes: tuple[str, ...] = ()
    unfounded: tuple[str, ...] = ()
    capped: bool = False
    """It was better, and nothing that was quoted for it is in the work."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdicts in the rubric's order; there are none while there are problems."""

    verdicts: tuple[Verdict, ...] = ()
    problems: tuple[str, ...] = ()


class Passages:
    """The work, for quotations to be looked up in."""

    def __init__(self, texts: Iterable[Sequence[str]]) -> None:
        pages = [list(text) for text in texts]
        self._lines = {_folded(each) for page in pages for line in page for each in _both(line)}
        self._texts = [text for page in pages for text in _readings(page)]

    def hold(self, quote: str) -> bool:
        """Whether the passage is in the work, white space aside."""
        plain = {_folded(quote), _folded(_MARKS.sub("", quote))}
        return any(self._hold(each) for each in plain)

    def _hold(self, quote: str) -> bool:
        letters = len(_LETTERS.findall(quote))
        if letters >= _WHOLE_LINE and quote in self._lines:
            return True
        return letters >= _PART and any(quote in text for text in self._texts)


def read_answer(text: str, categories: Sequence[Category], passages: Passages) -> Answer:
    """What a reply says, or everything that is wrong with it."""
    try:
        found = json_object(text, REPLY_CHARS)
    except (ValueError, RecursionError):
        return Answer(problems=("It is not one JSON object alone.",))
    scores = found.get("scores")
    if not isinstance(scores, list):
        return Answer(problems=("It has no list `scores`.",))
    by_name = {_name(category.name): number for number, category in enumerate(categories)}
    verdicts: dict[int, Verdict] = {}
    problems: list[str] = []
    for place, item in enumerate(scores[: 10 * len(categories)]):
        number = by_name.get(_name(item.get("category"))) if isinstance(item, dict) else None
        wrong = list(_wrong(item, number, verdicts))
        problems += (f"scores[{place}]: {each}" for each in wrong)
        if number is not None and number not in verdicts:
            verdicts[number] = _verdict(item, passages) if not wrong else Verdict(LOWEST)
    for number, category in enumerate(categories):
        if number not in verdicts:
            problems.append(f"The category {json.dumps(category.name)} is missing.")
    if problems:
        return Answer(problems=tuple(problems[:MOST_PROBLEMS]))
    return Answer(tuple(verdicts[number] for number in range(len(categories))))


def _wrong(item: object, number: int | None, known: dict[int, Verdict]) -> Iterator[str]:
    if not isinstance(item, dict):
        yield "is no object"
        return
    if number is None:
        yield "`category` is none of those that were asked for"
    elif number in known:
        yield "its category stands there before"
    if not _is_mark(item.get("score")):
        yield f"`score` is no mark from {LOWEST} to {HIGHEST} in halves"
    reasoning, quotes = item.get("reasoning"), item.get("quotes")
    if not isinstance(reasoning, str) or not reasoning.strip():
        yield "`reasoning` is no text"
    if not isinstance(quotes, list) or not all(isinstance(each, str) for each in quotes):
        yield "`quotes` is no list of texts"


def _is_mark(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return LOWEST <= value <= HIGHEST and float(2 * value).is_integer()


def _verdict(item: dict[str, object], passages: Passages) -> Verdict:
    given = item["quotes"] if isinstance(item["quotes"], list) else []
    quotes = [str(quote)[:QUOTE_CHARS] for quote in given[:MOST_QUOTES] if str(quote).strip()]
    founded = tuple(quote for quote in quotes if passages.hold(quote))
    score = float(str(item["score"]))
    capped = score > NEEDS_A_QUOTATION_ABOVE and not founded
    return Verdict(
        score=NEEDS_A_QUOTATION_ABOVE if capped else score,
        reasoning=str(item["reasoning"]).strip()[:REASONING_CHARS],
        quotes=tuple(quotes),
        unfounded=tuple(quote for quote in quotes if quote not in founded),
        capped=capped,
    )


def _name(value: object) -> str:
    return _folded(value[:QUOTE_CHARS]).casefold() if isinstance(value, str) else ""


def _folded(text: str) -> str:
    return " ".join(text.split())


def _both(line: str) -> tuple[str, ...]:
    """A line of a diff as it stands, then without its mark."""
    return (line, line[1:]) if line[:1] in ("+", "-", " ") else (line,)


def _readings(page: Sequence[str]) -> Iterator[str]:
    """A diff as it stands, without its marks, as the file was and as it is."""
    yield _folded("\n".join(page))
    yield _folded("\n".join(_both(line)[-1] for line in page))
    for gone in ("+", "-"):
        yield _folded("\n".join(line[1:] for line in page if line[:1] != gone))
