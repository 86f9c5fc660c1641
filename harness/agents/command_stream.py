"""What a command line prints, by the rules of its file, as a transcript and an outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from harness.agents.base import Outcome
from harness.agents.external import Reader, Said, amount, broken, json_lines, json_of, text_of
from harness.agents.tools import cut_middle
from harness.domain.command_line import CommandLine, EntryRule, JsonLines, Path
from harness.domain.model import Usage
from harness.domain.scenario import KIB
from harness.domain.session import Ending, Reported, Role
from harness.gateway.loose import Object, whole
from harness.sandbox.base import Completed

TEXT_CHARS = 256 * KIB
COUNTS = tuple(field.name for field in fields(Usage))


def reader_of(line: CommandLine) -> Reader:
    """The one for its output."""
    return TextReader() if line.output is None else JsonReader(line.output)


class TextReader:
    """Takes everything that was printed for the agent's words."""

    def heard(self, stdout: str) -> Iterator[Said]:
        """One entry, if there was anything."""
        if stdout.strip():
            yield Said(Role.ASSISTANT, cut_middle(stdout.strip(), TEXT_CHARS))

    @property
    def ended(self) -> bool:
        """Only its exit tells."""
        return False

    def outcome(self, done: Completed) -> Outcome:
        """By the exit code."""
        return Outcome() if done.exit_code == 0 else broken(done, "failed")


class JsonReader:
    """Follows the rules of a file."""

    def __init__(self, rules: JsonLines) -> None:
        self._rules = rules
        self._figures: dict[str, object] = {}
        self._failure = ""

    def heard(self, stdout: str) -> Iterator[Said]:
        """The entries of every line."""
        return json_lines(stdout, self.read)

    def read(self, event: Object) -> Iterator[Said]:
        """Every rule that fits makes an entry."""
        for field in fields(self._rules.usage):
            found = _found(event, getattr(self._rules.usage, field.name))
            if found is not None:
                self._figures[field.name] = found
        failure = _found(event, self._rules.error)
        if failure:
            self._failure = _text(failure)
        for rule in self._rules.entries:
            said = _said(event, rule)
            if said is not None:
                yield said

    @property
    def ended(self) -> bool:
        """Only its exit tells."""
        return False

    def outcome(self, done: Completed) -> Outcome:
        """By what was said of a failure, then by the exit code."""
        reported = self._reported()
        if self._failure:
            return Outcome(Ending.AGENT_ERROR, reported, self._failure)
        return Outcome(reported=reported) if done.exit_code == 0 else broken(done, "failed")

    def _reported(self) -> Reported | None:
        if not self._figures:
            return None
        counts = {name: whole(self._figures.get(name)) for name in COUNTS}
        known = {name: count for name, count in counts.items() if count is not None}
        return Reported(
            Usage(**known) if known else None,
            amount(self._figures.get("cost_usd")),
            whole(self._figures.get("turns")),
        )


def _said(event: Object, rule: EntryRule) -> Said | None:
    text = _found(event, rule.text)
    if text is None or any(_found(event, path) != value for path, value in rule.when):
        return None
    is_call = rule.role in (Role.TOOL_CALL, Role.TOOL_RESULT)
    tool = text_of(_found(event, rule.tool)) or ("unknown" if is_call else None)
    return Said(rule.role, _text(text), tool=tool, is_error=bool(_found(event, rule.error)))


def _text(value: object) -> str:
    return text_of(value) if isinstance(value, str) else json_of(value)


def _found(value: object, path: Path | None) -> object:
    """What stands at the end of a path, through objects and lists; None where it leads nowhere."""
    for key in path or ():
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return None if path is None else value
