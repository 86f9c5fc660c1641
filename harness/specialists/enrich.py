"""What a model draws from a template's documents, written beside the template and never into it.

The author's text is the beginning of every enriched file, with its comments and its order; only
`enrichment` of a document is set. What an earlier enriched file of the same version holds is kept
for a document whose text is still the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.domain.model import ModelRef, ModelSettings, ModelUse, total_use
from harness.domain.template import Template
from harness.errors import EnvironmentFault, ProviderFault, UsageError
from harness.evaluate import Judges
from harness.llm.base import Chat, ContextTooLong, Message, OutOfBudget, Stop, Turn
from harness.llm.replies import ROOMS, NoAnswer, ask
from harness.load.enriched import author_of, enriched_folder, enriched_number
from harness.load.files import read_document
from harness.load.json_text import parse_json5
from harness.load.template_files import version_key
from harness.load.templates import load_template
from harness.specialists.asking import (
    INSTRUCTIONS,
    Reply,
    Vocabulary,
    question,
    read_reply,
    still_fits,
    vocabulary,
)
from harness.specialists.edit import set_value
from harness.specialists.fetch import NotRead
from harness.specialists.reading import Text
from harness.specialists.writing import read_exactly, write_enriched

KEYS = ("url", "path", "source")
CUT = "the command ended before it was answered"

Raw = Mapping[str, Any]
Read = Callable[[str], Text]
"""The text at a location; raises NotRead."""


class Status(StrEnum):
    """What came of one document."""

    ENRICHED = "enriched"
    UNCHANGED = "unchanged"
    """Its text is what it was, and so is what was drawn from it."""
    FAILED = "failed"
    """It is left as it was."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One document, and what came of it."""

    location: str
    status: Status
    reason: str = ""
    notes: tuple[str, ...] = ()
    enrichment: Raw | None = None
    """What is known of it now, newly or from before."""
    use: ModelUse | None = None
    by_provider: bool = False
    """It was the model's provider that failed, not the document."""


@dataclass(frozen=True, slots=True)
class Work:
    """A template with the documents that it names itself, and what is known of them."""

    template: Template
    text: str
    documents: tuple[Raw, ...]
    newest: Path | None
    """The newest enriched file of this version."""
    known: tuple[Raw | None, ...]
    """What was drawn from each document before."""
    inherited: int
    """Documents that a parent names: they are enriched there."""


@dataclass(frozen=True, slots=True)
class Enriched:
    """What a command came to; there is no path when nothing changed."""

    path: Path | None
    outcomes: tuple[Outcome, ...]
    use: ModelUse | None
    ended: BaseException | None = None
    """What ended the asking early; what was answered until then is kept all the same."""

    def count(self, status: Status) -> int:
        """How many documents came to this."""
        return sum(each.status is status for each in self.outcomes)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked, and how."""

    model: ModelRef
    seats: Judges
    now: Callable[[], datetime]
    timeout_s: float
    concurrency: int = 3
    force: bool = False
    settings: ModelSettings = field(default_factory=ModelSettings)
    stop: Callable[[], None] = lambda: None
    """Ends every answer that is waited for."""


def open_work(path: Path, library: Path | None = None) -> Work:
    """A template as its author has it; raises BadFile, and UsageError for an enriched file."""
    author = author_of(path)
    if author is not None:
        raise UsageError(f"{path} is an enriched file; enrich its template {author}")
    template = load_template(path, library)
    raw: Any = read_document(path).value
    documents = tuple(raw.get("documentation") or ())
    newest = newest_enriched(path, template.version)
    source = newest or _of_earlier_version(path, template.version)
    earlier: Any = read_document(source).value if source else {}
    drawn = {
        location(each): each["enrichment"]
        for each in earlier.get("documentation") or ()
        if "enrichment" in each
    }
    return Work(
        template=template,
        text=read_exactly(path),
        documents=documents,
        newest=newest,
        known=tuple(drawn.get(location(each), each.get("enrichment")) for each in documents),
        inherited=max(len(template.documentation) - len(documents), 0),
    )


def newest_enriched(path: Path, version: str) -> Path | None:
    """The enriched file of a version with the highest number."""
    folder = enriched_folder(path, version)
    found = [each for each in folder.glob("enriched-*.json5") if enriched_number(each.name)]
    return max(found, key=lambda each: enriched_number(each.name) or 0, default=None)


def _of_earlier_version(path: Path, version: str) -> Path | None:
    """What the nearest version before this one drew: unchanged documents need not be read twice."""
    folder = enriched_folder(path, version).parent
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    earlier = [name for name in names if version_key(name) < version_key(version)]
    for name in sorted(earlier, key=version_key, reverse=True):
        if found := newest_enriched(path, name):
            return found
    return None


def location(document: Raw) -> str:
    """Where a document is."""
    return str(next(document[key] for key in KEYS if key in document))


def enrich(work: Work, read: Read, asking: Asking, tell: Callable[[Outcome], None]) -> Enriched:
    """Ask about every document that has changed, and write what came of it.

    Whatever ends it early cuts the answers that are waited for, and is handed back once what was
    paid for is written. Raises ProviderFault when the provider failed for every document that
    could be read.
    """
    outcomes, ended = _all(work, read, asking, tell)
    use = _known(total_use([each.use for each in outcomes if each.use]), is_cut=ended is not None)
    # what could not be read was never asked about
    asked = [e for e in outcomes if e.use or e.by_provider or e.status is not Status.FAILED]
    if asked and not ended and all(each.by_provider for each in asked):
        raise ProviderFault(f"no document was enriched: {asked[0].reason}")
    return Enriched(_write(work, outcomes), outcomes, use, ended)


def _known(use: ModelUse | None, *, is_cut: bool) -> ModelUse | None:
    """The cost of requests that nobody answered is not known: cut ones, or when all failed."""
    if use and use.failed and (is_cut or use.failed == use.requests):
        return replace(use, cost_usd=None)
    return use


def _all(
    work: Work, read: Read, asking: Asking, tell: Callable[[Outcome], None]
) -> tuple[tuple[Outcome, ...], BaseException | None]:
    words = vocabulary(work.template)
    done: dict[int, Outcome] = {}
    ended: BaseException | None = None
    cut = threading.Event()

    def one(number: int) -> None:
        outcome = _outcome(work, number, words, read, asking)
        if cut.is_set() and outcome.status is Status.FAILED:
            outcome = replace(outcome, reason=CUT)
        done[number] = outcome
        tell(outcome)

    with ThreadPoolExecutor(asking.concurrency) as pool:
        try:
            waiting = [
                pool.submit(copy_context().run, one, number)
                for number in range(len(work.documents))
            ]
            for each in waiting:
                each.result()
        except BaseException as error:  # noqa: BLE001  # the caller's, once what was paid is kept
            ended = error
            pool.shutdown(wait=False, cancel_futures=True)
            cut.set()
            asking.stop()
    return tuple(done.get(n) or _cut(work, n) for n in range(len(work.documents))), ended


def _cut(work: Work, number: int) -> Outcome:
    where = location(work.documents[number])
    return Outcome(where, Status.FAILED, CUT, enrichment=work.known[number])


def _outcome(work: Work, number: int, words: Vocabulary, read: Read, asking: Asking) -> Outcome:
    document, known = work.documents[number], work.known[number]
    where = location(document)
    try:
        text = read(where)
    except NotRead as error:
        return Outcome(where, Status.FAILED, str(error), enrichment=known)
    is_same = known is not None and known.get("source_digest") == text.digest
    if known and is_same and not asking.force and still_fits(known, words):
        return Outcome(where, Status.UNCHANGED, enrichment=known)
    about = {"location": where, "description": str(document.get("description", ""))}
    use: list[ModelUse] = []
    try:
        reply = _seated(work.template, about, text, asking, use)
    except (NoAnswer, OutOfBudget, ContextTooLong, EnvironmentFault) as error:
        failed = isinstance(error, EnvironmentFault)
        said = f"{asking.model.label}: {error}" if isinstance(error, NoAnswer) else str(error)
        return Outcome(
            where,
            Status.FAILED,
            said,
            enrichment=known,
            use=total_use(use),
            by_provider=failed,
        )
    drawn = {
        **(reply.answer or {}),
        "enriched_at": asking.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "model_used": asking.model.label,
        "source_digest": text.digest,
    }
    return Outcome(where, Status.ENRICHED, "", reply.notes, drawn, total_use(use))


def _seated(
    template: Template, about: Mapping[str, str], text: Text, asking: Asking, use: list[ModelUse]
) -> Reply:
    with asking.seats.seat(asking.model, asking.settings) as seat:
        try:
            return _answer(template, about, text, seat.chat, asking.timeout_s)
        finally:
            use.append(seat.use())


def _answer(
    template: Template, about: Mapping[str, str], text: Text, chat: Chat, timeout_s: float
) -> Reply:
    """An answer that can be used, mended where it has to be."""
    words = vocabulary(template)

    def send(messages: Sequence[Message]) -> Turn:
        return chat.send(INSTRUCTIONS, messages, timeout_s=timeout_s)

    def read(turn: Turn) -> Reply:
        reply = read_reply(turn.text, words, text.text)
        if reply.problems and turn.stop is Stop.LENGTH:
            return Reply(problems=("It was cut off: be shorter.",))
        return reply

    sizes = (question(template, about, text.text, room) for room in ROOMS)
    return ask(send, sizes, read, task="describe it")


def _write(work: Work, outcomes: Sequence[Outcome]) -> Path | None:
    """A new file, when it would say something else than the newest, or than the author's."""
    edited = work.text
    for number, outcome in enumerate(outcomes):
        before = work.documents[number].get("enrichment")
        if outcome.enrichment is not None and outcome.enrichment != before:
            place = ("documentation", number, "enrichment")
            edited = set_value(edited, place, dict(outcome.enrichment))
    basis = read_document(work.newest).value if work.newest else parse_json5(work.text).value
    if parse_json5(edited).value == basis:
        return None
    folder = enriched_folder(work.template.source, work.template.version)
    return write_enriched(folder, edited)
