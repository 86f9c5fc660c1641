"""What a run took, in words: a line per subject, for people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import NamedTuple

from harness.domain.model import ModelSettings, ModelUse, Usage
from harness.domain.record import RunRecord
from harness.domain.session import Reported, Session, ToolCount, count_calls
from harness.report.stats import Totals
from harness.report.words import dollars, plural

NOTHING = "–"
SHOWN_S = 0.05
"""A stage that is shorter is not worth its place on the line."""


class Line(NamedTuple):
    """One subject and what there is to say about it."""

    subject: str
    said: str
    aside: bool = False
    """Worth less attention than the others."""


def telemetry(run: RunRecord) -> Iterator[Line]:
    """How the session ended and what it took."""
    session = run.session
    if session is None:
        return
    ending = session.ending.value
    yield Line("Ending", f"{ending}: {session.detail}" if session.detail else ending)
    yield Line("Duration", f"{session.duration_s:.1f}s")
    if stages := _stages(run):
        yield Line("Stages", stages, aside=True)
    yield Line("Tokens", tokens(session.usage) if session.usage else NOTHING)
    yield Line("Cost", _cost(run, session))
    if session.model_use:
        yield Line("Requests", requests(session.model_use))
        if said := ", ".join(_set(run.settings)):
            yield Line("Settings", said, aside=True)
    yield Line("Tool calls", tool_calls(session))
    if session.reported and (said := _reported(session.reported, session)):
        yield Line("Reported", f"{run.cell.agent} itself says: {said}", aside=True)
    if session.questions:
        yield Line("Questions", _questions(session))
    if session.user_use:
        yield Line("User", f"played by {_played(run, session.user_use)}", aside=True)
    if run.tree:
        tree = run.tree
        files = plural(tree.files_changed, "file")
        yield Line("Changes", f"{files}, +{tree.insertions} -{tree.deletions}")
        for line in tree.left_out:
            yield Line("", f"left out: {line}", aside=True)


def tokens(usage: Usage) -> str:
    """Tokens by kind; kinds that did not occur are left out, but for input and output."""
    kinds = [f"{usage.input_tokens:,} input"]
    kinds += [f"{usage.cached_tokens:,} cached"] if usage.cached_tokens else []
    writes = usage.cache_write_tokens
    kinds += [f"{writes:,} {'cache write' if writes == 1 else 'cache writes'}"] if writes else []
    reasoning = f" ({usage.reasoning_tokens:,} reasoning)" if usage.reasoning_tokens else ""
    return ", ".join([*kinds, f"{usage.output_tokens:,} output{reasoning}"])


def requests(use: ModelUse) -> str:
    """How it went with the model's provider; what did not happen is left out."""
    counted = [
        f"{use.requests:,} in {plural(use.turns, 'turn')}",
        f"{use.failed:,} failed" if use.failed else "",
        f"{use.refused:,} refused" if use.refused else "",
        f"{use.unmetered:,} unmetered" if use.unmetered else "",
        plural(use.retries, "retry", "retries") if use.retries else "",
        f"waited {use.waited_s:.1f}s" if use.waited_s >= SHOWN_S else "",
        f"first token after {use.first_token_s:.2f}s" if use.first_token_s is not None else "",
    ]
    return ", ".join(part for part in counted if part)


def tool_calls(session: Session) -> str:
    """How many, how many failed, and which."""
    counted = calls_of(session)
    calls, errors = sum(c.calls for c in counted), sum(c.errors for c in counted)
    if not calls:
        return "0"
    failed = f", {errors:,} failed" if errors else ""
    return f"{calls:,}{failed}: {', '.join(map(_tool, counted))}"


def calls_of(session: Session) -> tuple[ToolCount, ...]:
    """The tools that were called; sessions stored before they were counted hold a transcript."""
    return session.calls or count_calls(session.transcript)


def total(used: Totals) -> str:
    """What some runs used together; empty when no model was asked."""
    parts = [tokens(used.usage)] if used.usage else []
    if used.cost_usd is not None:
        parts.append(dollars(used.cost_usd))
    if used.unpriced:
        parts.append(f"{plural(used.unpriced, 'session')} of unknown price")
    return ", ".join(parts)


def _set(settings: ModelSettings) -> Iterator[str]:
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value is not None:
            yield f"{field.name.replace('_', ' ')} {value}"


def _questions(session: Session) -> str:
    answered = sum(question.matched is not None for question in session.questions)
    played = sum(question.by_model for question in session.questions)
    model = f", {played} by a model" if played else ""
    return f"{len(session.questions)}, {answered} answered{model}"


def _played(run: RunRecord, use: ModelUse) -> str:
    cost = unknown(use) if use.cost_usd is None else dollars(use.cost_usd)
    return f"{run.user.label if run.user else 'a model'}: {tokens(use.usage)}, {cost}"


def _stages(run: RunRecord) -> str:
    seconds: dict[str, float] = {}
    for stage, took_s in run.stages_s:
        seconds[stage] = seconds.get(stage, 0.0) + took_s
    return ", ".join(f"{name} {took:.1f}s" for name, took in seconds.items() if took >= SHOWN_S)


def _cost(run: RunRecord, session: Session) -> str:
    if session.cost_usd is not None:
        return dollars(session.cost_usd)
    return NOTHING if run.simulated else unknown(session.model_use)


def unknown(use: ModelUse | None) -> str:
    """Why nobody knows what it cost, and what is known all the same."""
    if use is None:
        return "unknown price"
    many = plural(use.unmetered, "answer")
    why = f"{many} did not say what they used" if use.unmetered else "unknown price"
    least = f", at least {dollars(use.least_usd)}" if use.least_usd else ""
    return f"unknown: {why}{least}" if use.unmetered else f"{why}{least}"


def _tool(count: ToolCount) -> str:
    failed = f" ({count.errors:,} failed)" if count.errors else ""
    return f"{count.tool or 'unnamed'} {count.calls:,}{failed}"


def _reported(said: Reported, session: Session) -> str:
    """What differs from the gateway's figures; empty when nothing does."""
    use = session.model_use
    parts = []
    if said.usage and said.usage != session.usage:
        parts.append(tokens(said.usage))
    if said.cost_usd is not None and _differs(said.cost_usd, session.cost_usd):
        parts.append(dollars(said.cost_usd))
    if said.turns is not None and (use is None or said.turns != use.turns):
        parts.append(plural(said.turns, "turn"))
    return ", ".join(parts)


def _differs(said: float, metered: float | None) -> bool:
    return metered is None or dollars(said) != dollars(metered)
