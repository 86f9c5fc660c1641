"""used_manager_commands: were dependencies changed with the package manager, or by hand.

It is read from the transcript. For agents that work with programs of their own that is their word.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluators.declared import changed, declared, is_manifest, is_python
from evaluators.dependencies.project import LOCKS
from evaluators.manager_lines import JAVASCRIPT, PYTHON, ManagerCommand, manager_command
from evaluators.shell_lines import commands, unwrapped
from harness.domain.changes import ChangeKind
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.domain.session import Entry, Role
from harness.evaluate import Cost, Evidence, not_run, scored

BY_HAND_THEN_INSTALLED = 0.5
FOREIGN = 0.5
KEYS = ("command", "cmd", "script")
"""Where tools that run something are told what to run."""
MANAGERS = {name: manager for name, (manager, _, _) in LOCKS.items()}
"""Lock files, and whose they are."""
MOST_CALLS = 5000
MOST_CHARS = 4 * 1024 * 1024
MOST_LISTED = 50
MOST_COMMANDS = 1_000
MOST_MOVES = 2_000
OWN_WORD = "read from the transcript; of an agent with tools of its own it is the agent's word"


@dataclass(frozen=True, slots=True)
class _Move:
    """One dependency, or one lock file, that is not as it was."""

    path: str
    name: str | None
    """None for a lock file."""
    managers: tuple[str, ...]
    """Who may change it."""

    @property
    def label(self) -> str:
        return f"{self.path}: {self.name}" if self.name else self.path


class ManagerCommandsEvaluator:
    """Mean over the changed dependencies and lock files: 1 by command, 0.5 by hand and installed.

    A foreign manager's commands halve it.
    """

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Hold every change against the commands that ran."""
        if evidence.untouched or evidence.work.session is None:
            return not_run(check, "nobody worked on the untouched fixture")
        moves = list(_moves(evidence))
        rules = evidence.scenario.rules
        if not moves:
            if rules.targets or rules.migrations:
                return scored(check, 0.0, "a change of dependencies is asked for; there is none")
            return not_run(check, "no dependency is changed, and none had to be")
        if not any(entry.role is Role.TOOL_CALL for entry in evidence.work.transcript):
            return not_run(check, "the transcript tells of no tool, so nobody knows how")
        ran = tuple(_ran(evidence.work.transcript))
        # a command that was given a thousand times explains no more than once
        ran = tuple({(c.manager, c.names, c.everything): c for c in ran}.values())[:MOST_COMMANDS]
        worths = [(move, *_credit(move, ran)) for move in moves[:MOST_MOVES]]
        managers = frozenset(name for move in moves for name in move.managers)
        foreign = [c for c in ran if _is_foreign(c, managers)]
        score = sum(credit for _, credit, _ in worths) / len(worths)
        lines = [f"{'✓' if credit == 1 else '✗'} {m.label}: {why}" for m, credit, why in worths]
        if foreign:
            score *= FOREIGN
            lines.append(f"halved, for it is not the project's manager: {foreign[0].line[:200]}")
        return scored(check, score, *lines[:MOST_LISTED], OWN_WORD)


def _moves(evidence: Evidence) -> Iterator[_Move]:
    locks = _fixture_locks(evidence)
    for change in evidence.changes:
        path = os.fsdecode(change.path)
        name = path.rpartition("/")[2]
        if "node_modules" in path.split("/"):
            continue
        if name in MANAGERS:
            family = PYTHON if MANAGERS[name] in PYTHON else JAVASCRIPT
            yield _Move(change.display, None, _allowed(evidence, locks, family))
        elif is_manifest(path):
            after = change.data if change.kind is ChangeKind.FILE else None
            names = changed(declared(path, evidence.original(path)), declared(path, after))
            family = PYTHON if is_python(path) else JAVASCRIPT
            managers = _allowed(evidence, locks, family)
            yield from (_Move(change.display, each, managers) for each in names)


def _fixture_locks(evidence: Evidence) -> frozenset[str]:
    """The managers whose lock files the fixture has anywhere."""
    found = set[str]()
    for _, folders, files in os.walk(evidence.scenario.fixture):
        folders[:] = [name for name in folders if name != "node_modules"]
        found |= {MANAGERS[name] for name in MANAGERS.keys() & set(files)}
    return frozenset(found)


def _allowed(evidence: Evidence, locks: frozenset[str], family: tuple[str, ...]) -> tuple[str, ...]:
    """The scenario's managers, else the one whose lock file is there, else the usual one."""
    given = [name.partition("@")[0] for name in evidence.scenario.rules.managers]
    for names in (given, [*locks], [family[0]]):
        mine = tuple(name for name in family if name in names)
        if mine:
            return mine
    return (family[0],)


def _ran(transcript: Sequence[Entry]) -> Iterator[ManagerCommand]:
    """The managers' commands that succeeded, in their order."""
    left = MOST_CHARS
    for call, failed in _calls(transcript):
        left -= len(call.text)
        if left < 0:
            return
        found = list(_commands_of(call))
        # of a line that failed the last command is the one that is known to have failed
        yield from filter(None, map(manager_command, found[:-1] if failed else found))


def _calls(transcript: Sequence[Entry]) -> Iterator[tuple[Entry, bool]]:
    """Tool calls, and whether they failed; answers come in the order of the calls of a tool."""
    waiting: dict[str | None, deque[int]] = defaultdict(deque)
    calls: list[Entry] = []
    failed: set[int] = set()
    for entry in transcript:
        if entry.role is Role.TOOL_CALL and len(calls) < MOST_CALLS:
            waiting[entry.tool].append(len(calls))
            calls.append(entry)
        elif entry.role is Role.TOOL_RESULT and waiting[entry.tool]:
            index = waiting[entry.tool].popleft()
            if entry.is_error:
                failed.add(index)
    return ((call, index in failed) for index, call in enumerate(calls))


def _commands_of(call: Entry) -> Iterator[tuple[str, ...]]:
    try:
        told = json.loads(call.text)
    except (ValueError, RecursionError):
        return
    for key in KEYS:
        line = told.get(key) if isinstance(told, dict) else None
        if isinstance(line, str):
            yield from commands(line)
        elif isinstance(line, list) and all(isinstance(word, str) for word in line):
            yield from unwrapped(line)


def _credit(move: _Move, ran: Sequence[ManagerCommand]) -> tuple[float, str]:
    mine = [command for command in ran if command.manager in move.managers]
    who = " or ".join(move.managers)
    if move.name is None:
        owner = MANAGERS[move.path.rpartition("/")[2]]
        if owner not in move.managers:
            return 0.0, f"a lock file of {owner}, where {who} is used"
        return (1.0, f"by {mine[-1].line[:200]}") if mine else (0.0, f"changed without {who}")
    for command in mine:
        # pip writes no manifest: what is asked for is written by hand and then installed
        if command.explains(move.name) or command.manager == "pip":
            return 1.0, f"by {command.line[:200]}"
    if mine:
        return BY_HAND_THEN_INSTALLED, f"edited by hand, then {mine[-1].line[:200]}"
    return 0.0, f"edited by hand; {who} did not run"


def _is_foreign(command: ManagerCommand, managers: frozenset[str]) -> bool:
    """A manager of the same language that is not the project's; installing a manager is not."""
    family = JAVASCRIPT if command.manager in JAVASCRIPT else PYTHON
    allowed = {manager for manager in managers if manager in family}
    if not allowed or command.manager in allowed:
        return False
    return not (command.names and set(command.names) <= {*JAVASCRIPT, *PYTHON})
