"""Runs the hidden tests of a folder as trusted code and writes what they found as JUnit XML."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import time
import traceback
import types
from functools import partial

import grading
from explain import EXPLAIN, compiled, explain

MYPY = False
if MYPY:
    from collections.abc import Callable, Iterator, Sequence

    Test = Callable[[], object]

LONGEST_MESSAGE = 500
LONGEST_TEXT = 8000
SKIP = "SkipTest"
XML_NAMES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))
NOT_IN_XML = re.compile("[^\\t\\n\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
PASSED, FAILED, ERROR, SKIPPED = "passed", "failure", "error", "skipped"


class Verdict:
    """What became of one test."""

    def __init__(self, path: str, name: str) -> None:
        self.path = path
        self.file = os.path.basename(path)
        self.name = name
        self.kind = PASSED
        self.title = ""
        self.text = ""
        self.duration_s = 0.0


def main(words: Sequence[str]) -> int:
    """Exit code 0 when a report was written, whatever it says."""
    asked = _parse(words)
    session = grading.SESSION
    session.workspace = os.path.abspath(asked.workspace)
    if asked.uid is not None:
        session.identity = (asked.uid, asked.gid if asked.gid is not None else asked.uid)
    report = _open_report(asked.report)
    if session.identity is not None:
        session.processes.warden.end(session.worker_uid)
    folder = os.path.abspath(asked.tests)
    ends = time.monotonic() + asked.budget_s
    verdicts = list(_run_folder(folder, asked.test_timeout_s, ends))
    with os.fdopen(report, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(junit(verdicts))
    _summarise(verdicts)
    return 0


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="grading.py")
    commands = parser.add_subparsers(dest="command")
    commands.required = True
    hidden = commands.add_parser("run-hidden", help="run hidden tests, write a report")
    hidden.add_argument("--tests", required=True, help="folder with test_*.py")
    hidden.add_argument("--report", required=True, help="a path, a descriptor, or - for stdout")
    hidden.add_argument("--workspace", default="/workspace")
    hidden.add_argument("--uid", type=int, help="whom workers run as; needs root")
    hidden.add_argument("--gid", type=int)
    hidden.add_argument("--test-timeout-s", type=float, default=60.0)
    hidden.add_argument("--budget-s", type=float, default=240.0, help="for all tests")
    asked = parser.parse_args(list(words))
    if not os.path.isdir(asked.tests):
        parser.error("no folder {!r}".format(asked.tests))
    if not os.path.isdir(asked.workspace):
        parser.error("no folder {!r}".format(asked.workspace))
    return asked


def _open_report(where: str) -> int:
    """Before any worker runs, so that a report that cannot be written is noticed first."""
    if where == "-":
        return os.dup(1)
    if where.isdigit():
        fd = int(where)
        os.fstat(fd)
        os.set_inheritable(fd, False)
        return fd
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(where, flags, 0o600)


def _run_folder(folder: str, limit_s: float, ends: float) -> Iterator[Verdict]:
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    names = sorted(n for n in os.listdir(folder) if n.startswith("test_") and n.endswith(".py"))
    for name in names:
        path = os.path.join(folder, name)
        try:
            tests = list(_load(path))
        except BaseException as error:  # noqa: BLE001  # becomes the file's verdict
            yield _judge(Verdict(path, "load"), error)
            continue
        for title, test in tests:
            yield _run_test(Verdict(path, title), test, min(limit_s, ends - time.monotonic()))


def _load(path: str) -> Iterator[tuple[str, Test]]:
    name = os.path.basename(path)[:-3]
    with open(path, encoding="utf-8") as file:
        code = compiled(file.read(), path)
    module = types.ModuleType(name)
    module.__file__ = path
    vars(module)[EXPLAIN] = explain
    sys.modules[name] = module
    exec(code, vars(module))  # noqa: S102  # the tests are ours
    for title, found in vars(module).items():
        if isinstance(found, type) and title.startswith("Test"):
            raise TypeError("{}: tests are functions here, not classes".format(title))
        if title.startswith("test_") and callable(found):
            yield from _expanded(title, found)


def _expanded(title: str, test: Callable[..., None]) -> Iterator[tuple[str, Test]]:
    if not hasattr(test, "cases"):
        yield title, test
        return
    for index, case in enumerate(test.cases):
        yield "{}[{}]".format(title, index), partial(test, case)


def _run_test(verdict: Verdict, test: Test, limit_s: float) -> Verdict:
    started = time.monotonic()
    grading.SESSION.deadline = started + limit_s
    try:
        _call(test, limit_s)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # becomes the test's verdict
        _judge(verdict, error)
    verdict.duration_s = time.monotonic() - started
    return verdict


def _call(test: Test, limit_s: float) -> None:
    if limit_s <= 0:
        raise grading.OutOfTime
    with _Alarm(limit_s):
        answer = test()
    if answer is not None:
        raise TypeError("a test returns nothing, not {!r:.80}".format(answer))


class _Alarm:
    """Interrupts a test that computes for ever; workers have their own deadline."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self._limit_s + 0.5, 1.0)

    def __exit__(self, *_error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)

    @staticmethod
    def _ring(_number: int, _frame: object) -> None:
        if not grading.SESSION.busy:
            raise grading.OutOfTime


def _judge(verdict: Verdict, error: BaseException) -> Verdict:
    verdict.kind, verdict.title = ERROR, "{}: {}".format(type(error).__name__, error)
    if type(error).__name__ == SKIP:
        verdict.kind = SKIPPED
    elif isinstance(error, grading.OutOfTime):
        verdict.kind, verdict.title = FAILED, "OutOfTime: the test used up its time"
    elif isinstance(error, (AssertionError, grading.Raised)):
        verdict.kind = FAILED
    lines = [
        "{}:{}: {}".format(verdict.file, frame.lineno, frame.line)
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == verdict.path
    ]
    verdict.text = "\n".join([*lines, verdict.title, getattr(error, "detail", "")]).strip()
    return verdict


def junit(verdicts: Sequence[Verdict]) -> str:
    """The report as one XML document."""
    counts = {kind: sum(v.kind == kind for v in verdicts) for kind in (FAILED, ERROR, SKIPPED)}
    head = (
        '<testsuite name="hidden" tests="{}" failures="{}" errors="{}" skipped="{}" time="{:.3f}">'
    )
    rows = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<testsuites>",
        head.format(
            len(verdicts),
            counts[FAILED],
            counts[ERROR],
            counts[SKIPPED],
            sum(verdict.duration_s for verdict in verdicts),
        ),
        *(_row(verdict) for verdict in verdicts),
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(rows) + "\n"


def _row(verdict: Verdict) -> str:
    start = '<testcase classname="{}" name="{}" time="{:.3f}"'.format(
        _xml(verdict.file), _xml(verdict.name), verdict.duration_s
    )
    if verdict.kind == PASSED:
        return start + "/>"
    inner = '<{} message="{}">{}</{}>'.format(
        verdict.kind,
        _xml(verdict.title[:LONGEST_MESSAGE]),
        _xml(verdict.text[:LONGEST_TEXT]),
        verdict.kind,
    )
    return "{}>{}</testcase>".format(start, inner)


def _xml(text: str) -> str:
    """Text that any XML parser takes, whatever the agent's code put in it."""
    text = (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    )
    return NOT_IN_XML.sub(lambda found: "\\x{:02x}".format(ord(found.group())), text)


def _summarise(verdicts: Sequence[Verdict]) -> None:
    for verdict in verdicts:
        mark = "ok  " if verdict.kind == PASSED else verdict.kind
        line = "{} {}::{} ({:.2f} s)".format(mark, verdict.file, verdict.name, verdict.duration_s)
        sys.stderr.write(_printable(line) + "\n")
        if verdict.text:
            shown = _printable(verdict.text[:LONGEST_TEXT]).strip().replace("\n", "\n    ")
            sys.stderr.write("    " + shown + "\n")
    passed = sum(verdict.kind == PASSED for verdict in verdicts)
    sys.stderr.write("{} of {} passed\n".format(passed, len(verdicts)))


def _printable(text: str) -> str:
    return "".join(c if c == "\n" or c.isprintable() else "\\x{:02x}".format(ord(c)) for c in text)
