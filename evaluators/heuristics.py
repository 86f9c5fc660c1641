"""heuristic_checks: small facts about the finished work, each with a weight.

Files are looked at as the agent left them, before any command of the check runs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from evaluators.command import CANNOT_EXECUTE, NOT_FOUND
from evaluators.reading import Reader
from evaluators.structured import dotted, same
from evaluators.tree import NoTextError, Tree
from harness.domain.heuristics import Heuristic, HeuristicKind
from harness.domain.record import CheckResult, Finding
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored, transcript_of
from harness.load.patterns import Dialect
from harness.load.searching import Found, UnreadableError
from harness.sandbox.base import BoxError, Completed

NOT_IN_IMAGE = "not-in-the-image"
"""The finding by which the untouched fixture's grade says that a command cannot run."""
MAX_TEXT_BYTES = 32 * 1024 * 1024
SHOWN_CHARS = 120


@dataclass(frozen=True, slots=True)
class _Seen:
    """Whether it holds; None: it cannot be told here, whatever the work."""

    holds: bool | None
    said: str


class HeuristicsEvaluator:
    """Score = weight of the checks that hold ÷ weight of those that can run here."""

    cost = Cost.SANDBOX

    def __init__(self, reader: Callable[[], Reader] = Reader) -> None:
        self._reader = reader

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Look at files first, then run commands and scripts."""
        items = evidence.scenario.heuristics
        with self._reader() as reader:
            look = _Look(evidence, check, reader)
            seen = {item.name: look.at(item) for item in sorted(items, key=_order)}
        ran = sum(item.weight for item in items if seen[item.name].holds is not None)
        held = sum(item.weight for item in items if seen[item.name].holds)
        lines = [_line(item, seen[item.name]) for item in items]
        if ran:
            result = scored(check, held / ran, *lines)
        else:
            why = "none of the checks can run in this image" if items else "there are none"
            result = replace(not_run(check, why), details=tuple(lines))
        findings = tuple(
            Finding(NOT_IN_IMAGE, item.name, _shown(seen[item.name].said))
            for item in items
            if seen[item.name].holds is None
        )
        logs = (evidence.keep(f"{check.name}.log", look.log),) if look.log else ()
        return replace(result, findings=findings, artifacts=logs)


def _order(item: Heuristic) -> int:
    return (HeuristicKind.COMMAND, HeuristicKind.SCRIPT).index(item.kind) + 1 if _runs(item) else 0


def _runs(item: Heuristic) -> bool:
    return item.kind in (HeuristicKind.COMMAND, HeuristicKind.SCRIPT)


def _line(item: Heuristic, seen: _Seen) -> str:
    mark = {True: "✓", False: "✗", None: "–"}[seen.holds]
    about = f" ({item.description})" if item.description else ""
    line = f"{mark} {item.name} (weight {item.weight:g}): {seen.said}{about}"
    return line.encode("utf-8", "backslashreplace").decode()  # names of files are bytes


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


@dataclass(slots=True)
class _Look:
    """Looks at one fact after the other and keeps what commands say."""

    evidence: Evidence
    check: CheckSpec
    reader: Reader
    log: bytes = b""
    tree: Tree = field(init=False)

    def __post_init__(self) -> None:
        self.tree = Tree(self.evidence.scenario.fixture, self.evidence.changes)

    def at(self, item: Heuristic) -> _Seen:
        """What is seen of it."""
        looks: Mapping[HeuristicKind, Callable[[Heuristic], _Seen]] = {
            HeuristicKind.FILE: self._file,
            HeuristicKind.PATTERN: self._pattern,
            HeuristicKind.STRUCTURED: self._structured,
            HeuristicKind.COMMAND: self._command,
            HeuristicKind.SCRIPT: self._script,
        }
        try:
            return looks[item.kind](item)
        except (NoTextError, UnreadableError, BoxError) as error:
            # what cannot be read proves neither that something is there nor that it is not
            return _Seen(False, f"cannot be told: {error}")

    def _file(self, item: Heuristic) -> _Seen:
        found = self.tree.find(str(item.file), folders=True)
        said = f"{found[0]} is there" if found else f"nothing at {item.file}"
        return _Seen(bool(found) is not item.absent, said)

    def _pattern(self, item: Heuristic) -> _Seen:
        paths, texts, problem = self._texts(str(item.file))
        found = self.reader.find(Dialect.JAVASCRIPT, str(item.pattern), texts, flags=item.flags)
        if found:
            return _Seen(not item.absent, _place(paths[found.which], found))
        if problem:
            return _Seen(False, f"cannot be told: {problem}")
        where = paths[0] if len(paths) == 1 else f"{len(paths)} files of {item.file}"
        return _Seen(item.absent, f"nothing in {where} matches /{item.pattern}/{item.flags}")

    def _texts(self, glob: str) -> tuple[list[str], list[str], str]:
        """The files that can be read, their texts, and why that is not all."""
        paths: list[str] = []
        texts: list[str] = []
        problem, left = "", MAX_TEXT_BYTES
        found = self.tree.find(glob)
        for path in found:
            try:
                text = self.tree.text(path)
            except NoTextError as error:
                problem = str(error)
                continue
            left -= len(text)
            if left < 0:
                problem = f"{glob} means more than {MAX_TEXT_BYTES // 1024**2} MiB"
                break
            paths.append(path)
            texts.append(text)
        return paths, texts, problem if found else f"no file {glob}"

    def _structured(self, item: Heuristic) -> _Seen:
        path = str(item.file)
        if item.path is None and item.section is None:
            return self._file(item)
        text = self.tree.text(path)
        sights = []
        if item.path is not None:
            sights.append(self._value(item, text))
        if item.section is not None:
            there = item.section in text
            said = f"{_quoted(item.section)} is {'' if there else 'not '}in {path}"
            sights.append(_Seen(there, said))
        said = "; ".join(sight.said for sight in sights)
        return _Seen(all(sight.holds is not item.absent for sight in sights), said)

    def _value(self, item: Heuristic, text: str) -> _Seen:
        place = dotted(item.path or ())
        value = self.reader.value(str(item.file), text, item.path or ())
        if value is None or (value == "null" and item.equals != "null"):
            return _Seen(False, f"nothing at {place} of {item.file}")
        if item.equals is None or same(value, item.equals):
            return _Seen(True, f"{place} is {_shown(value)}")
        return _Seen(False, f"{place} is {_shown(value)}, not {_shown(item.equals)}")

    def _command(self, item: Heuristic) -> _Seen:
        done = self.evidence.box.run(str(item.command), timeout_s=self._limit_s())
        return self._outcome(item, str(item.command), done)

    def _script(self, item: Heuristic) -> _Seen:
        box, script = self.evidence.box, self.evidence.scenario.folder / str(item.script)
        data = script.read_bytes()
        folder = f"/tmp/{secrets.token_hex(16)}"  # noqa: S108  # inside the sandbox
        inside = f"{folder}/{script.name}"
        box.write(inside, data)
        try:
            # nothing that a command before has left in the user's home may steer it
            done = box.run(
                [*_interpreter(script.name, data), inside, *item.args],
                timeout_s=self._limit_s(),
                env={"HOME": folder, "PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1"},
            )
        finally:
            # it may hold what the agent's code must not read when later checks run it
            box.run(["rm", "-rf", "--", folder], timeout_s=self._limit_s())
        return self._outcome(item, " ".join([str(item.script), *item.args]), done)

    def _limit_s(self) -> float:
        return self.check.timeout_s or self.evidence.scenario.limits.command_s

    def _outcome(self, item: Heuristic, line: str, done: Completed) -> _Seen:
        head = f"--- {item.name}: {line}\n".encode("utf-8", "surrogateescape")
        self.log += head + transcript_of(done) + b"\n"
        if done.timed_out:
            return _Seen(False, f"{_shown(line)}: killed at its deadline")
        said = f"{_shown(line)}: exit code {done.exit_code}"
        if done.exit_code in (NOT_FOUND, CANNOT_EXECUTE):
            return _Seen(None if self._never_ran(item) else False, f"{said}, it cannot be started")
        return _Seen(done.ok is not item.absent, said)

    def _never_ran(self, item: Heuristic) -> bool:
        """It does not start with the untouched fixture either: not the agent's doing."""
        before = self.evidence.before(self.check)
        known = before.findings if before else ()
        return self.evidence.untouched or any(
            (each.rule, each.path) == (NOT_IN_IMAGE, item.name) for each in known
        )


def _interpreter(name: str, data: bytes) -> list[str]:
    """What the script's first line names, else what its suffix stands for."""
    first = data.split(b"\n", 1)[0]
    if first.startswith(b"#!"):
        return first[2:].decode("utf-8", "replace").strip().split(maxsplit=1)
    suffixes = {".py": "python3", ".js": "node", ".mjs": "node", ".cjs": "node", ".bash": "bash"}
    return [suffixes.get(PurePosixPath(name).suffix, "sh")]


def _quoted(text: str) -> str:
    """As it stands in the file, on one line."""
    return f'"{" ".join(text.splitlines())}"'


def _place(path: str, found: Found) -> str:
    return f"{path}:{found.line} has {_quoted(found.text)}"
