"""What Codex prints with `exec --json`, as a transcript and an outcome."""

from __future__ import annotations

from collections.abc import Iterator

from harness.agents.base import Outcome
from harness.agents.external import Said, broken, json_lines, json_of, text_of
from harness.domain.model import Usage
from harness.domain.session import Ending, Reported, Role
from harness.gateway.loose import Object, as_object, objects, whole
from harness.sandbox.base import Completed

HARMLESS = "Model metadata for"
"""How it says that it knows a model by name only; it works nevertheless."""
BAD_STATES = ("failed", "declined")
ARGUMENTS = ("command", "changes", "arguments", "query", "prompt", "items")
"""What the items of one or another kind were asked with."""


class CodexReader:
    """Reads the stream; the turn has neither completed nor failed when it was killed."""

    def __init__(self) -> None:
        self._begun: set[str] = set()
        self._usage: Object = {}
        self._completed = False
        self._failure = ""

    def heard(self, stdout: str) -> Iterator[Said]:
        """Everything that the events say."""
        return json_lines(stdout, self.read)

    def read(self, event: Object) -> Iterator[Said]:
        """One event; kinds that say nothing of the session are passed over."""
        item = as_object(event.get("item"))
        match event.get("type"):
            case "item.started":
                yield from self._call(item)
            case "item.completed":
                yield from self._item(item)
            case "turn.completed":
                self._completed = True
                self._usage = as_object(event.get("usage"))
            case "turn.failed":
                message = text_of(as_object(event.get("error")).get("message"))
                self._failure = message or "it did not say why"
            case "error":
                yield Said(Role.NOTE, text_of(event.get("message")))

    @property
    def ended(self) -> bool:
        """Its one turn is over."""
        return self._completed or bool(self._failure)

    def outcome(self, done: Completed) -> Outcome:
        """A failed turn is an error; one that never ended is, too."""
        reported = _reported(self._usage) if self._usage else None
        if self._failure:
            detail = f"its turn failed: {self._failure}"
            return Outcome(Ending.AGENT_ERROR, reported, detail)
        if not self._completed:
            return broken(done, "ended in the middle of its turn")
        if done.exit_code not in (0, None):
            return broken(done, "failed after it had said that all was well", reported)
        return Outcome(Ending.FINISHED, reported)

    def _item(self, item: Object) -> Iterator[Said]:
        kind, text = text_of(item.get("type")), text_of(item.get("text"))
        match kind:
            case "agent_message":
                yield Said(Role.ASSISTANT, text)
            case "reasoning":
                yield Said(Role.NOTE, f"thinking: {text}")
            case "error":
                message = text_of(item.get("message"))
                if not message.startswith(HARMLESS):
                    yield Said(Role.NOTE, message)
            case "todo_list":
                yield Said(Role.NOTE, f"its list: {_listed(item)}")
            case _:
                yield from self._call(item)
                yield _answer(item)

    def _call(self, item: Object) -> Iterator[Said]:
        """The call, unless it was told when it began; what a person writes down calls nothing."""
        name = _tool(item)
        number = text_of(item.get("id"))
        if name is None or number in self._begun:
            return
        self._begun.add(number)
        arguments = {key: item[key] for key in ARGUMENTS if key in item}
        yield Said(Role.TOOL_CALL, json_of(arguments), tool=name)


def _tool(item: Object) -> str | None:
    kind = text_of(item.get("type")) or "unknown"
    if kind in ("agent_message", "reasoning", "error", "todo_list"):
        return None
    if kind == "mcp_tool_call":
        return f"{text_of(item.get('server'))}/{text_of(item.get('tool'))}"
    return kind


def _answer(item: Object) -> Said:
    code = item.get("exit_code")
    is_error = item.get("status") in BAD_STATES or code not in (None, 0)
    told = text_of(item.get("aggregated_output"))
    for key in ("result", "error", "message"):
        told = told or (json_of(item[key]) if item.get(key) is not None else "")
    told = told or text_of(item.get("status"))
    return Said(Role.TOOL_RESULT, told, tool=_tool(item), is_error=is_error)


def _listed(item: Object) -> str:
    marks = {True: "x", False: " "}
    entries = (entry for _, entry in objects(item.get("items")))
    return "; ".join(
        f"[{marks[entry.get('completed') is True]}] {text_of(entry.get('text'))}"
        for entry in entries
    )


def _reported(usage: Object) -> Reported:
    """Its input tokens count the cached ones in; it knows no price, and every run is one turn."""
    cached = whole(usage.get("cached_input_tokens")) or 0
    written = whole(usage.get("cache_write_input_tokens")) or 0
    return Reported(
        Usage(
            input_tokens=max(0, (whole(usage.get("input_tokens")) or 0) - cached - written),
            output_tokens=whole(usage.get("output_tokens")) or 0,
            cached_tokens=cached,
            cache_write_tokens=written,
            reasoning_tokens=whole(usage.get("reasoning_output_tokens")) or 0,
        )
    )
