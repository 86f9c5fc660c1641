"""Words of the work that speak to whoever judges it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.judging.case import Case
from harness.judging.shown import visible

MOST_HINTS = 10
LINE_CHARS = 2_000
ALL_CHARS = 8_000_000
SHOWN_CHARS = 120

# every gap is bounded, so that no line takes long
_ADDRESSED = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}"
    r"\b(?:instructions?|rules|rubric|prompts?|criteria)\b"
    r"|\b(?:judge|grader|evaluator|reviewer|llm|language model|ai model)s?\b[^.\n]{0,60}"
    r"\b(?:score|mark|grade|award|give|rate|rating|must|full marks)\b"
    r"|\b(?:score|award|give|rate|grade)\b[^.\n]{0,60}"
    r"(?:\b[45] ?/ ?5\b|\b5 out of 5\b|\b10 ?/ ?10\b|\bfull marks\b"
    r"|\b(?:highest|maximum|perfect|top) (?:score|mark|grade|rating)s?\b|\bevery category\b)"
    r"|\byou are (?:now )?(?:the |an? )?(?:judge|grader|evaluator|reviewer|assistant)\b"
    r"|\b(?:system|developer) (?:prompt|message|override|note)\b"
    r"|<\|(?:im_start|im_end|system|end)[^\n]{0,20}\|>|\[/?INST\]|</?(?:system|evidence|data)>"
    r'|"scores"\s{0,5}:\s{0,5}\[|"reference_solution"\s{0,5}:',
    re.IGNORECASE,
)
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
"""Letters that nobody sees and some models read."""
_MAGIC = re.compile(r"ANTHROPIC_MAGIC_STRING", re.IGNORECASE)


def hints(case: Case) -> tuple[str, ...]:
    """Where the work addresses its judge: for people to look at, nothing is scored by it."""
    found: list[str] = []
    left = ALL_CHARS
    for where, text in _lines(case):
        left -= len(text)
        if left < 0 or len(found) == MOST_HINTS:
            break
        line = text[:LINE_CHARS]
        if _ADDRESSED.search(line) or _TAGS.search(line) or _MAGIC.search(line):
            found.append(
                f"{visible(where)} speaks to the judge: {visible(line.strip())[:SHOWN_CHARS]}"
            )
    return tuple(found)


def _lines(case: Case) -> Iterator[tuple[str, str]]:
    for file in case.patch.files:
        path = file.path[:LINE_CHARS]
        yield "a file name", path
        yield from ((f"{path}:{line.number}", line.text) for line in file.added)
    yield from (("the statement", line) for line in case.statement.split("\n"))
    for name, _, details in case.results:
        yield from ((f"the output of {name}", line) for line in details)
