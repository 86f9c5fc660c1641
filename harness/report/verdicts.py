"""What judges and people said, in words: rows of marks, and what a reader has to know of them."""

from __future__ import annotations

from collections.abc import Iterator

from harness.domain.judgement import Judgement, Mark, Review
from harness.report.judging import used
from harness.report.words import plural

DISPUTED = "for a person to look at"
PERSON_COLUMNS = (("Category", ""), ("Weight", "right"), ("Mark", "right"))
PANEL_COLUMNS = (*PERSON_COLUMNS, ("Spread", "right"), ("Marks given", ""))
QUOTED_CHARS = 160


def raters(judgement: Judgement) -> str:
    """Who gave the marks."""
    if judgement.is_human:
        return f"{', '.join(judgement.by)}, a person"
    return ", ".join(judgement.by) or "no model"


def mark_rows(judgement: Judgement) -> tuple[tuple[str, ...], ...]:
    """A row for each category; for PERSON_COLUMNS or PANEL_COLUMNS."""
    whole = sum(mark.weight for mark in judgement.marks) or 1.0
    rows = ((m.category, f"{m.weight / whole:.0%}", f"{m.score:g}") for m in judgement.marks)
    if judgement.is_human:
        return tuple(rows)
    return tuple(
        (*row, f"{mark.spread:g}", ", ".join(f"{sample:g}" for sample in mark.samples))
        for row, mark in zip(rows, judgement.marks, strict=True)
    )


def remarks(judgement: Judgement) -> Iterator[str]:
    """What stands behind the marks, and what speaks against them."""
    for mark in judgement.marks:
        if mark.reasoning:
            yield f"{mark.category}: {mark.reasoning}"
        if mark.unfounded:
            yield f"{mark.category}: {_unfounded(mark)}"
    if judgement.note:
        yield f"note: {judgement.note}"
    if judgement.use:
        yield f"used: {used(judgement.use)}"


def made(review: Review) -> str:
    """When it was made."""
    return f"{review.at:%Y-%m-%d %H:%M} UTC"


def _unfounded(mark: Mark) -> str:
    quotes = "; ".join(f"“{_cut(quote)}”" for quote in mark.unfounded)
    count = plural(len(mark.unfounded), "quotation is", "quotations are")
    return f"{count} not in the work: {quotes}"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= QUOTED_CHARS else f"{line[: QUOTED_CHARS - 1]}…"
