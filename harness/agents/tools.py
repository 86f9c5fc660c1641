"""The tools that every agent gets: schemas, limits, and errors that an agent can act on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harness.agents.asking import Person, ask
from harness.domain.plain_json import no_number
from harness.domain.scenario import Limits, Oracle
from harness.domain.session import Question
from harness.errors import nearest
from harness.sandbox.base import Box, BoxError, Completed

READ_BYTES = 1024 * 1024
LIST_LIMIT = 500
SEARCH_LIMIT = 100
MAX_DEPTH = 8

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a tool says back."""

    text: str
    is_error: bool = False


@dataclass(slots=True)
class ToolContext:
    """What tools work on."""

    box: Box
    limits: Limits
    oracle: Oracle
    questions: list[Question] = field(default_factory=list)
    person: Person | None = None
    """Who answers beside the oracle, when somebody is asked for."""


@dataclass(frozen=True, slots=True)
class Param:
    """One argument of a tool."""

    name: str
    type: str
    description: str
    required: bool = True


class Action(Protocol):
    """What a tool does; raises BoxError."""

    def __call__(self, context: ToolContext, args: Arguments, limit_s: float, /) -> Reply:
        """Do it within `limit_s` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A named action with a schema."""

    name: str
    description: str
    params: tuple[Param, ...]
    action: Action
    given_schema: Mapping[str, JsonValue] | None = None
    """Somebody else's schema in place of `params`; whoever gave it checks the arguments too."""

    @property
    def schema(self) -> dict[str, JsonValue]:
        """The input as JSON Schema, as model providers want it."""
        if self.given_schema is not None:
            return {**self.given_schema}
        return {
            "type": "object",
            "properties": {
                p.name: {"type": p.type, "description": p.description} for p in self.params
            },
            "required": [p.name for p in self.params if p.required],
            "additionalProperties": False,
        }

    def refuses(self, arguments: str) -> str:
        """Why the arguments do not fit, or nothing."""
        try:
            Arguments.parse(self, arguments)
        except ArgumentError as error:
            return str(error)
        return ""

    def call(self, context: ToolContext, arguments: str, limit_s: float) -> Reply:
        """Check the arguments and act."""
        try:
            return self.action(context, Arguments.parse(self, arguments), limit_s)
        except (BoxError, ArgumentError) as error:
            return Reply(f"{self.name}: {error}", is_error=True)


class ArgumentError(Exception):
    """Arguments that do not fit a tool's schema."""


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True)
class Arguments:
    """Checked arguments of one call."""

    values: Mapping[str, JsonValue]

    @classmethod
    def parse(cls, tool: Tool, text: str) -> Arguments:
        """JSON text against the tool's parameters; raises ArgumentError with every problem.

        A given schema is not applied: a pattern or a reference in it would be worked on here, on
        the host, by the will of whoever wrote it.
        """
        try:
            values = json.loads(text or "{}", parse_constant=no_number)
            json.dumps(values, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise ArgumentError(f"the arguments are not plain JSON: {error!s:.200}") from error
        if not isinstance(values, dict):
            raise ArgumentError(f"the arguments must be a JSON object, not {text[:80]!r}")
        if tool.given_schema is not None:
            return cls(values)
        known = {p.name: p for p in tool.params}
        problems = [f"{n!r} is missing" for n, p in known.items() if p.required and n not in values]
        for name, value in values.items():
            if name not in known:
                problems.append(f"no argument {name!r}; {nearest(name, known)}")
            elif not _is_a(value, known[name].type):
                problems.append(f"{name!r} must be a {known[name].type}, not {value!r:.80}")
        if problems:
            raise ArgumentError("; ".join(problems))
        return cls(values)

    def text(self, name: str, default: str = "") -> str:
        """A string argument."""
        return str(self.values.get(name, default))

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        """A number argument, brought into its range."""
        value = self.values.get(name, default)
        return float(min(max(value, low), high)) if isinstance(value, int | float) else default

    def flag(self, name: str) -> bool:
        """A boolean argument, false when it is not given."""
        return self.values.get(name) is True


def _is_a(value: object, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _TYPES[kind])


def cut_middle(text: str, limit: int) -> str:
    """The text's beginning and end, with a note where the middle was."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"


def _read_file(context: ToolContext, args: Arguments, _: float) -> Reply:
    path = args.text("path")
    data = context.box.read(path, limit=READ_BYTES)
    if b"\0" in data:
        return Reply(f"{path!r} is binary ({len(data)} bytes or more)", is_error=True)
    lines = data.decode("utf-8", "replace").splitlines(keepends=True)
    first = int(args.number("start_line", 1, low=1, high=len(lines) + 1))
    count = int(args.number("line_count", len(lines), low=1, high=len(lines) + 1))
    text = "".join(lines[first - 1 : first - 1 + count])
    if len(data) == READ_BYTES:
        text += f"\n… cut at {READ_BYTES} bytes; use run_command to see further …"
    return Reply(cut_middle(text, context.limits.output_bytes))


def _write_file(context: ToolContext, args: Arguments, _: float) -> Reply:
    data = args.text("content").encode("utf-8", "surrogateescape")
    context.box.write(args.text("path"), data)
    return Reply(f"wrote {len(data)} bytes to {args.text('path')}")


def _edit_file(context: ToolContext, args: Arguments, _: float) -> Reply:
    path, old, new = args.text("path"), args.text("old_text"), args.text("new_text")
    data = context.box.read(path, limit=READ_BYTES)
    if len(data) == READ_BYTES:
        return Reply(f"{path!r} is too large to edit; use run_command", is_error=True)
    text = data.decode("utf-8", "surrogateescape")
    found = text.count(old) if old else 0
    if found == 0:
        return Reply(
            f"old_text does not occur in {path!r}; read the file again, white space counts",
            is_error=True,
        )
    if found > 1 and not args.flag("replace_all"):
        return Reply(
            f"old_text occurs {found} times in {path!r}; give more around it, or replace_all",
            is_error=True,
        )
    context.box.write(path, text.replace(old, new).encode("utf-8", "surrogateescape"))
    return Reply(f"replaced {found} occurrence{'s' if found > 1 else ''} in {path}")


def _list_directory(context: ToolContext, args: Arguments, _: float) -> Reply:
    depth = int(args.number("depth", 1, low=1, high=MAX_DEPTH))
    entries = context.box.list(args.text("path", "."), depth=depth, limit=LIST_LIMIT)
    lines = [f"{e.name}/" if e.kind == "dir" else f"{e.name}  {e.size_bytes}" for e in entries]
    if len(entries) == LIST_LIMIT:
        lines.append(f"… more than {LIST_LIMIT} entries; list a folder further down …")
    return Reply(cut_middle("\n".join(lines) or "(empty)", context.limits.output_bytes))


def _search(context: ToolContext, args: Arguments, _: float) -> Reply:
    matches = context.box.search(
        args.text("pattern"),
        path=args.text("path", "."),
        glob=args.text("glob") or None,
        limit=SEARCH_LIMIT,
    )
    lines = [f"{m.path}:{m.line}: {m.text}" for m in matches]
    if len(matches) == SEARCH_LIMIT:
        lines.append(f"… more than {SEARCH_LIMIT} lines; make the pattern or the path narrower …")
    return Reply(cut_middle("\n".join(lines) or "no line matches", context.limits.output_bytes))


def _run_command(context: ToolContext, args: Arguments, limit_s: float) -> Reply:
    most = min(context.limits.command_s, limit_s)
    timeout_s = args.number("timeout_s", most, low=1, high=most)
    done = context.box.run(
        args.text("command"), timeout_s=timeout_s, output_bytes=context.limits.output_bytes
    )
    return Reply(describe(done, timeout_s), is_error=not done.ok)


def describe(done: Completed, timeout_s: float) -> str:
    """A finished command as an agent or a person reads it."""
    head = f"killed after {timeout_s:g} s" if done.timed_out else f"exit code {done.exit_code}"
    parts = [head]
    if done.stdout:
        parts.append(f"stdout:\n{done.stdout.rstrip()}")
    if done.stderr:
        parts.append(f"stderr:\n{done.stderr.rstrip()}")
    if done.dropped_bytes:
        parts.append(f"({done.dropped_bytes} bytes of output were left out of the middle)")
    return "\n".join(parts)


def _ask_user(context: ToolContext, args: Arguments, _: float) -> Reply:
    question = ask(context.oracle, args.text("question"), context.questions, context.person)
    context.questions.append(question)
    return Reply(question.answer)


def _tool(name: str, description: str, action: Action, *params: Param) -> Tool:
    return Tool(name, description, params, action)


_PATH = Param("path", "string", "Path relative to the repository root.")

STANDARD: tuple[Tool, ...] = (
    _tool(
        "read_file",
        "Read a text file of the repository.",
        _read_file,
        _PATH,
        Param("start_line", "integer", "First line to show, from 1.", required=False),
        Param("line_count", "integer", "How many lines to show.", required=False),
    ),
    _tool(
        "write_file",
        "Create or replace a text file; missing folders are made.",
        _write_file,
        _PATH,
        Param("content", "string", "The whole new content."),
    ),
    _tool(
        "edit_file",
        "Replace a piece of text that occurs exactly once in a file.",
        _edit_file,
        _PATH,
        Param("old_text", "string", "The text as it stands, white space included."),
        Param("new_text", "string", "What takes its place."),
        Param("replace_all", "boolean", "Replace every occurrence.", required=False),
    ),
    _tool(
        "list_directory",
        "List a folder; folders end with a slash, files show their size in bytes.",
        _list_directory,
        Param("path", "string", "Folder, the repository root by default.", required=False),
        Param("depth", "integer", f"How many levels, 1 to {MAX_DEPTH}.", required=False),
    ),
    _tool(
        "search",
        "Find lines that match a regular expression (Python syntax).",
        _search,
        Param("pattern", "string", "The regular expression."),
        Param("path", "string", "Folder or file to search.", required=False),
        Param("glob", "string", "Only files whose path matches, such as '*.py'.", required=False),
    ),
    _tool(
        "run_command",
        "Run a shell command in the repository root. No network. Background processes stay.",
        _run_command,
        Param("command", "string", "A shell command line."),
        Param("timeout_s", "number", "Seconds until it is killed.", required=False),
    ),
    _tool(
        "ask_user",
        "Ask the person who gave the task one specific question.",
        _ask_user,
        Param("question", "string", "The question."),
    ),
)


def toolbox(tools: tuple[Tool, ...] = STANDARD) -> Mapping[str, Tool]:
    """Tools by name."""
    return {tool.name: tool for tool in tools}
