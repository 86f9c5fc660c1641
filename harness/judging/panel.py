"""Asking judges: each several times, in parallel, and making one judgement of what they say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from harness.domain.artifact import Artifact
from harness.domain.judgement import Judgement, Mark
from harness.domain.model import ModelRef, ModelSettings, ModelUse, parse_model, total_use
from harness.domain.provider import PROVIDERS
from harness.domain.rubric import Rubric
from harness.errors import ProviderFault, UsageError
from harness.evaluate import Judges
from harness.judging.answers import Answer, Passages, Verdict, read_answer
from harness.judging.case import Case, JudgeFailed
from harness.judging.marks import Opinion, combined, disputed, rubric_digest, weighted_score
from harness.judging.prompt import NEEDS_A_QUOTATION_ABOVE, instructions, question
from harness.judging.shown import Shown, show
from harness.llm.base import Chat, ContextTooLong, Message, OutOfBudget, Stop, Turn
from harness.llm.replies import REPLY_CHARS, ROOMS, NoAnswer, ask
from harness.llm.settings import check_settings
from harness.log import log

ANSWER_S = 600.0
MOST_AT_ONCE = 4
CUT_OFF = "It was cut off: write one sentence of reasoning and one quote for each category."

PROMPT, REPLIES = "judge-prompt.json", "judge-replies.json"
NOBODY = (
    "no model is named to judge: give `llm_judge.model` or `llm_judge.judges`,"
    " or --judge provider:model"
)
NOTHING = "nothing was changed, so there is nothing to judge and no model was asked"


@dataclass(slots=True)
class _Hearing:
    """One judge, what it was sent and what it said."""

    judge: str
    rubric: Rubric
    case: Case
    room: int = 0
    shown: Shown = field(default_factory=lambda: Shown(""))
    answers: list[tuple[Verdict, ...]] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    uses: list[ModelUse] = field(default_factory=list)


def judge_work(
    case: Case, rubric: Rubric, judges: Judges, keep: Callable[[str, bytes], Artifact]
) -> Judgement:
    """The panel's verdict; raises JudgeFailed when nobody gave one."""
    if not case.patch.files and not (rubric.with_statement and case.statement.strip()):
        return _nothing(rubric)
    models = judges.models or tuple(parse_model(each, "", PROVIDERS) for each in rubric.judges)
    if not models:
        raise JudgeFailed(NOBODY)
    with ThreadPoolExecutor(min(len(models), MOST_AT_ONCE)) as pool:
        asked = [pool.submit(copy_context().run, _hear, m, case, rubric, judges) for m in models]
        heard = [each.result() for each in asked]
    artifacts = (
        keep(PROMPT, _json(_prompts(rubric, heard))),
        keep(REPLIES, _json({each.judge: each.replies for each in heard})),
    )
    use = total_use([use for each in heard for use in each.uses])
    opinions = [Opinion(each.judge, tuple(each.answers)) for each in heard if each.answers]
    if not opinions:
        raise JudgeFailed(_joined(_troubles(heard)), use, artifacts)
    marks, split = combined(rubric, opinions), disputed(rubric, opinions)
    return Judgement(
        by=tuple(opinion.judge for opinion in opinions),
        is_human=False,
        rubric=rubric_digest(rubric),
        score=weighted_score(marks),
        marks=marks,
        disputed=bool(split),
        note=_joined(_notes(heard, split)),
        use=use,
        artifacts=artifacts,
    )


def _nothing(rubric: Rubric) -> Judgement:
    """Work that is not there fails in everything; a judge could be talked into seeing some."""
    marks = tuple(Mark(c.name, c.weight, 1.0) for c in rubric.categories)
    return Judgement((), False, rubric_digest(rubric), 0.0, marks, note=NOTHING)


def _hear(model: ModelRef, case: Case, rubric: Rubric, judges: Judges) -> _Hearing:
    """All that one judge says; what keeps it from judging is told, and no score."""
    hearing = _Hearing(model.label, rubric, case)
    settings = rubric.settings
    try:
        check_settings(model.provider, settings)
        try:
            _seated(hearing, model, settings, judges)
        except ProviderFault as error:
            # newer models answer 400 to any temperature
            if settings.temperature is None or "temperature" not in str(error).casefold():
                raise
            hearing.troubles.append(f"{model.label} takes no temperature and was asked without")
            _seated(hearing, model, replace(settings, temperature=None), judges)
    except (UsageError, ProviderFault, OutOfBudget, ContextTooLong) as error:
        log().info("judge_failed", judge=model.label, error=str(error))
        hearing.troubles.append(f"{model.label}: {error}")
    return hearing


def _seated(hearing: _Hearing, model: ModelRef, settings: ModelSettings, judges: Judges) -> None:
    wanted = hearing.rubric.samples
    failed: dict[str, list[int]] = {}
    hearing.shown = show(hearing.case, hearing.rubric, ROOMS[hearing.room])
    with judges.seat(model, settings) as seat:
        try:
            for number in range(1, wanted + 1):
                try:
                    hearing.answers.append(_answer(hearing, seat.chat))
                except NoAnswer as error:
                    failed.setdefault(str(error), []).append(number)
        finally:
            hearing.uses.append(seat.use())
            hearing.troubles += (
                f"{hearing.judge}{_which(numbers, wanted)}: {why}"
                for why, numbers in failed.items()
            )


def _which(numbers: Sequence[int], wanted: int) -> str:
    """Which of a judge's answers; nothing when it gives one."""
    if wanted == 1:
        return ""
    if len(numbers) == wanted:
        return f", all {wanted} answers"
    *first, last = map(str, numbers)
    listed = f"answers {', '.join(first)} and {last}" if first else f"answer {last}"
    return f", {listed} of {wanted}"


def _answer(hearing: _Hearing, chat: Chat) -> tuple[Verdict, ...]:
    """One answer, mended where it has to be."""
    attempts: list[dict[str, Any]] = []

    def send(messages: Sequence[Message]) -> Turn:
        turn = chat.send(instructions(hearing.rubric), messages, timeout_s=ANSWER_S)
        attempts.append({"text": turn.text[:REPLY_CHARS], "stop": turn.stop.value})
        return turn

    def read(turn: Turn) -> Answer:
        passages = Passages(hearing.shown.work)
        answer = read_answer(turn.text, hearing.rubric.categories, passages)
        if answer.problems and turn.stop is Stop.LENGTH:
            answer = Answer(problems=(CUT_OFF,))
        if answer.problems:
            attempts[-1]["problems"] = answer.problems
        else:
            attempts[-1]["verdicts"] = [asdict(each) for each in answer.verdicts]
        return answer

    try:
        return ask(send, _cases(hearing), read, task="judge this").verdicts
    finally:
        if attempts:
            hearing.replies.append({"attempts": attempts})


def _cases(hearing: _Hearing) -> Iterator[str]:
    """The case as it is sent: once it was too long, it stays cut."""
    yield question(hearing.shown.document)
    while hearing.room + 1 < len(ROOMS):
        hearing.room += 1
        hearing.shown = show(hearing.case, hearing.rubric, ROOMS[hearing.room])
        yield question(hearing.shown.document)


def _prompts(rubric: Rubric, heard: Sequence[_Hearing]) -> list[dict[str, Any]]:
    """What was sent, once for all judges that were sent the same."""
    rooms: dict[int, list[_Hearing]] = {}
    for hearing in heard:
        rooms.setdefault(hearing.room, []).append(hearing)
    return [
        {
            "judges": [hearing.judge for hearing in alike],
            "system": instructions(rubric),
            "user": question(alike[0].shown.document),
        }
        for alike in rooms.values()
    ]


def _joined(parts: Iterable[str]) -> str:
    """Several sentences as one line, to which others may be added."""
    return "; ".join(" ".join(part.split()).removesuffix(".") for part in parts)


def _troubles(heard: Sequence[_Hearing]) -> list[str]:
    return [trouble for hearing in heard for trouble in hearing.troubles]


def _notes(heard: Sequence[_Hearing], split: Sequence[str]) -> Iterator[str]:
    if split:
        yield f"the judges disagree about {', '.join(split)}: for a person to look at"
    yield from _troubles(heard)
    for hearing in heard:
        capped = sum(verdict.capped for answer in hearing.answers for verdict in answer)
        if capped:
            yield (
                f"{hearing.judge}: marks that count as {NEEDS_A_QUOTATION_ABOVE:g}, because nothing"
                f" that was quoted for them is in the work: {capped}"
            )
    yield from dict.fromkeys(note for hearing in heard for note in hearing.shown.notes)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")
