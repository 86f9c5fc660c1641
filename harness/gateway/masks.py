"""What differs between two runs of the same thing, put out of sight.

Every pattern is narrow on purpose. Where one is missing, a replay falls to looser matching or
stops; where one is too wide, it answers a question that nobody asked.
"""

from __future__ import annotations

import re

MASK = "<masked>"

MOST = 1_000_000
"""A longer text is compared as it is: the patterns take a third of a second for so many letters."""

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_ISO = r"\d{4}-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)\b)?"
_STAMP = rf"{_ISO}(?:[T ]{_CLOCK}{_ZONE})?"
_LONG_DATE = rf"(?:{_DAY}[a-z]*,? )?{_MONTH}[a-z]* {{1,2}}\d{{1,2}},?(?: {_CLOCK}{_ZONE})? \d{{4}}"
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_TODAY = r"(?:[Tt]oday['’]s|[Cc]urrent)[ _-]?(?:[Dd]ate|[Tt]ime)(?:(?: and |/)(?:[Tt]ime))?"
_WHOSE_ID = r"(?:session|conversation|thread|request|device|user|installation)[ _-]?id"
_RANDOM_ID = rf"(?:{_UUID}|[0-9a-f]{{32,}})"
_HANDED_OUT = r"(?:3276[89]|327[7-9]\d|32[89]\d\d|3[3-9]\d{3}|[45]\d{4}|60\d{3})"

_Masks = tuple[tuple[re.Pattern[str], str], ...]


def _masks(*rows: tuple[str, str]) -> _Masks:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rows)


_DATES = _masks(
    (
        rf"({_TODAY}(?:\*\*|[\"'>])?(?: is|:| =)?[ \t]*[\"']?)(?:{_STAMP}|{_LONG_DATE})",
        rf"\1{MASK}",
    ),
)
"""Only where the words say that it is today's: a date in a task is part of the task."""

_SAID = (
    *_DATES,
    *_masks(
        (
            rf"(?i)\b({_WHOSE_ID}[\"'>]{{0,2}}(?: is)?[ \t]*[:=]?[ \t]*[\"']?){_RANDOM_ID}\b",
            rf"\1{MASK}",
        ),
        (
            rf"((?:/tmp|/\.claude|/\.codex)(?:/[\w.@+-]{{1,80}}){{0,9}}?/[\w.-]{{0,80}}?){_UUID}",
            rf"\1{MASK}",
        ),
        # mktemp, mkstemp, pytest, Claude Code's own
        (r"(/tmp/[\w.-]*?tmp\.)[A-Za-z0-9]{6,}\b", rf"\1{MASK}"),
        (r"(/tmp/tmp)[a-z0-9_]{8}\b", rf"\1{MASK}"),
        (r"(/tmp/pytest-of-[\w.-]+/pytest-)\d+\b", rf"\1{MASK}"),
        (r"(/tmp/claude-)[0-9a-f]{4,}(?=-cwd\b)", rf"\1{MASK}"),
        (
            r"(/tmp/[A-Za-z][\w.]*-)(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{6,12}\b",
            rf"\1{MASK}",
        ),
        (r"(?m)^(x-anthropic-billing-header:)[^\n]*", rf"\1{MASK}"),
    ),
)

_DURATION = r"\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|secs?|seconds?)\b"
_PRINTED = (
    *_SAID,
    *_masks(
        (rf"\b{_ISO}[T ]{_CLOCK}{_ZONE}", MASK),
        (rf"\b{_DAY},? (?:\d\d )?{_MONTH} [ \d]?\d? ?(?:\d{{4}} )?{_CLOCK}[^\n]{{0,12}}", MASK),
        (rf"\b{_MONTH} [ \d]\d \d\d:\d\d(?::\d\d)?\b", MASK),
        (rf"\b((?:in|took|after|[Ee]lapsed:?|[Dd]uration:?) ){_DURATION}", rf"\1{MASK}"),
        (rf"(?<=\s)\({_DURATION}\)", f"({MASK})"),
        (r"(?m)^(\d+\.\d+s)(?= (?:call|setup|teardown) )", MASK),
        (r"(?m)^(ok[ \t]+\S+[ \t]+)\d+\.\d+s$", rf"\1{MASK}"),
        (r"(?m)^((?:real|user|sys)[ \t]+)\d+m[\d.]+s$", rf"\1{MASK}"),
        (r"\b(duration_(?:ms|seconds)\"?:? ?)\d+(?:\.\d+)?\b", rf"\1{MASK}"),
        (r"(?m)^(Wall time: )[\d.]+(?= seconds)", rf"\1{MASK}"),
        (r"(?m)^(Chunk ID: )[0-9a-f]+$", rf"\1{MASK}"),
        (rf"\b{_UUID}\b", MASK),
        (r"\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{32,}\b", MASK),
        (r"\b(at )0x[0-9a-fA-F]{6,16}\b", rf"\1{MASK}"),
        (r"\b0x(?:7f|5[56])[0-9a-f]{10}\b", MASK),
        (r"\b((?:pid|PID)(?: |=|: ?|\[))\d+\b", rf"\1{MASK}"),
        # only ports that a kernel hands out: 3000 and 8080 are somebody's choice
        (rf"((?:localhost|127\.0\.0\.1|\[::1\]):){_HANDED_OUT}\b", rf"\1{MASK}"),
    ),
)


def mask_said(text: str) -> str:
    """What a person, a system prompt or an agent's program says, without what is of the day."""
    return _mask(text, _SAID)


def mask_printed(text: str) -> str:
    """What a tool printed, without times, durations and the names that a machine hands out."""
    return _mask(text, _PRINTED)


def mask_dates(text: str) -> str:
    """A tool's description without today's date."""
    return _mask(text, _DATES)


def _mask(text: str, masks: _Masks) -> str:
    if len(text) > MOST:
        return text
    for pattern, replacement in masks:
        text = pattern.sub(replacement, text)
    return text
