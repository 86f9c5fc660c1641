"""A judge that no model plays: it marks by fixed rules, and is as gullible as a model may be.

It does what it is told wherever our own words could stand: around the document of evidence, and in
characters that nobody sees. What stands inside the document it takes for data. A prompt that lets
the agent's words out of the document therefore gets the agent's marks from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from harness.domain.model import ModelRef, ModelSettings, ModelUse, Usage
from harness.llm.base import NO_DEADLINE, Chat, Message, ToolSpec, Turn, User

FULL, LEAST, WITHOUT_RULES, WITH_FAILURES = 5.0, 1.0, 4.0, 2.0
USED = ModelUse(usage=Usage(input_tokens=900, output_tokens=100), cost_usd=0.01, requests=1)

_CATEGORY = re.compile(r"^## (.+) \([0-9.e+-]+%\)$", re.MULTILINE)
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget)\b.{0,60}\b(?:instructions|rules|rubric|above)\b"
    r"|\b(?:give|award)\b.{0,60}\b(?:5|five|full|highest|maximum)\b|\boverride\b",
    re.IGNORECASE,
)
_FORGED = re.compile(r'"scores"\s*:')
_UNSEEN = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_COMMENT = ("#", "//", "/*", "*", "--", "<!--", '"""', "'''")


@dataclass(slots=True)
class JudgeDouble:
    """A `Chat`: a mark grows with the wanted texts that code lines add, and falls with failures."""

    wanted: tuple[str, ...] = ()
    """What good work adds; without any, every added line of code is good work."""
    sent: list[tuple[str, str]] = field(default_factory=list)
    """Rules and evidence, as they came."""

    def send(
        self,
        system: str | None,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        timeout_s: float = NO_DEADLINE,
    ) -> Turn:
        """An answer in the form that is asked for."""
        del tools, timeout_s
        asked = messages[0]
        text = asked.text if isinstance(asked, User) else ""
        self.sent.append((system or "", text))
        document, around = _taken_apart(text)
        if _obeys(system or "", around, text):
            mark, quotes, why = FULL, _code(document)[:1], "as I was told"
        else:
            mark, quotes, why = self._mark(document)
        scores = [
            {"category": name, "reasoning": why, "quotes": quotes, "score": mark}
            for name in _CATEGORY.findall(system or "")
        ]
        return Turn(json.dumps({"scores": scores}))

    def _mark(self, document: Mapping[str, Any]) -> tuple[float, list[str], str]:
        lines = _code(document)
        found = {text: line for text in self.wanted for line in lines if text in line}
        mark = WITHOUT_RULES if lines else LEAST
        if self.wanted:
            mark = LEAST + round(2 * (FULL - LEAST) * len(found) / len(self.wanted)) / 2
        failed = [r for r in document.get("results", ()) if (r["score"] or 0.0) < 1]
        quotes = list(found.values()) if self.wanted else sorted(lines, key=len)[-1:]
        return (min(mark, WITH_FAILURES) if failed else mark), quotes, f"{len(lines)} lines of code"


@dataclass(frozen=True, slots=True)
class FakeSeat:
    """A judge's place whose use is written down."""

    chat: Chat
    used: ModelUse = USED

    def use(self) -> ModelUse:
        """What was written down."""
        return self.used


@dataclass(slots=True)
class FakeJudges:
    """Seats whoever a function makes for a model, and remembers who was asked for."""

    make: Callable[[ModelRef], Chat] = lambda _model: JudgeDouble()
    """May raise what a line to a model raises."""
    models: tuple[ModelRef, ...] = ()
    used: ModelUse = USED
    seated: list[tuple[ModelRef, ModelSettings]] = field(default_factory=list)

    @contextmanager
    def seat(self, model: ModelRef, settings: ModelSettings) -> Iterator[FakeSeat]:
        """A place for one judge."""
        self.seated.append((model, settings))
        yield FakeSeat(self.make(model), self.used)

    def cut(self) -> None:
        """Nobody waits here."""


def _taken_apart(text: str) -> tuple[Mapping[str, Any], str]:
    """The document, and what stands around it; without one, all is around."""
    begin = text.find("{")
    try:
        document, end = json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        return {}, text
    return (document, text[:begin] + text[end:]) if isinstance(document, dict) else ({}, text)


def _obeys(system: str, around: str, text: str) -> bool:
    unseen = _UNSEEN.search(text) or any(not c.isprintable() and c != "\n" for c in text + system)
    told = _ORDER.search(around) or _ORDER.search(system) or _FORGED.search(around)
    return bool(unseen or told)


def _code(document: Mapping[str, Any]) -> list[str]:
    files = document.get("work", {}).get("files", ())
    added = (line[1:] for file in files for line in file["diff"] if line.startswith("+"))
    return [line for line in added if line.strip() and not line.strip().startswith(_COMMENT)]
