"""What hidden tests use, and the trusted program that runs them.

The tests run here, as root; the agent's code runs only in workers, as somebody else, one process
per call. A worker can gain nothing but the value it returns: it crosses as JSON, and everything
the worker started is killed before the test goes on.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import reading
from processes import Command, Processes, SpawnError

MYPY = False
if MYPY:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from processes import Finished

    Json = Any  # what a test hands over and gets back is any plain value
    Test = Callable[..., None]

HERE = os.path.dirname(os.path.abspath(__file__))
RESULT_BYTES = 1024 * 1024
OUTPUT_BYTES = 1024 * 1024
TIMEOUT_S = 30.0
DEFAULT_PATH = ("src", ".")
USUAL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DROPPED = "\n[... {} bytes left out ...]\n"
EXPORT = re.compile(r"\bexport\s+default\b")


class Raised(Exception):
    """The agent's code raised, or gave no answer.

    Without an answer the type is Timeout, ExitedEarly, TooLarge, BadResult or NotPlain; a file
    that read() refuses is a SymbolicLink, NotRegular, TooLarge or what Python calls it.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        bases: Sequence[str] = (),
        phase: str = "call",
        detail: str = "",
    ) -> None:
        super().__init__("{}: {}".format(kind, message))
        self.type = kind
        self.message = message
        self.bases = tuple(bases)
        self.phase = phase
        self.detail = detail

    def is_a(self, kind: str) -> bool:
        """Whether it is of that class or of one below it, by name."""
        return kind == self.type or kind in self.bases


class Unavailable(Exception):
    """No worker could be started: a fault of the sandbox, never of the agent."""


class OutOfTime(BaseException):
    """The test used up its time; no `except Exception` of a test may swallow it."""


class Done:
    """A program that ended; negative exit codes are signals, as in subprocess."""

    def __init__(self, exit_code: int, stdout: str, stderr: str, *, truncated: bool) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        self.truncated = truncated

    def __repr__(self) -> str:
        said = "Done(exit_code={!r}, stdout={!r}, stderr={!r})"
        return said.format(self.exit_code, self.stdout[-500:], self.stderr[-500:])


class Session:
    """Where workers run, as whom, and until when; the runner fills it in."""

    def __init__(self) -> None:
        self.workspace = "/workspace"
        self.identity: tuple[int, int] | None = None
        self.deadline = float("inf")
        self.busy = False
        self._processes: Processes | None = None

    @property
    def processes(self) -> Processes:
        """Made at the first use: importing this module does nothing."""
        if self._processes is None:
            self._processes = Processes()
        return self._processes

    @property
    def worker_uid(self) -> int:
        """Whom workers run as."""
        return os.getuid() if self.identity is None else self.identity[0]

    def command(self, argv: Sequence[str], timeout_s: float) -> Command:
        """A command for this session's worker."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime
        command = Command(argv, cwd=self.workspace, timeout_s=min(timeout_s, left))
        command.identity = self.identity
        command.output_bytes = OUTPUT_BYTES
        command.end_all_after = True
        command.env = self.environment({})
        return command

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """A worker's whole environment."""
        env = {
            "PATH": os.environ.get("PATH", USUAL_PATH),
            "HOME": "/tmp/worker-{}".format(self.worker_uid),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        env.update(more)
        return env

    def finish(self, command: Command, timeout_s: float, *, agents: bool = False) -> Finished:
        """Run it; raises Raised at its own deadline and OutOfTime at the test's.

        `agents` says that the program is the agent's to provide, so that its absence is an answer.
        """
        self.busy = True
        try:
            done = self.processes.run(command)
        except SpawnError as error:
            if agents and error.stage == "program":
                raise Raised(
                    "FileNotFoundError", "no program {!r}".format(command.argv[0])
                ) from None
            raise Unavailable("could not start {!r}: {}".format(command.argv, error)) from error
        finally:
            self.busy = False
        if done.survivors:
            raise Unavailable("{} processes outlived SIGKILL".format(done.survivors))
        if done.timed_out and command.timeout_s < timeout_s:
            raise OutOfTime
        if done.timed_out:
            said = _text(done.stderr.kept(DROPPED))[-2000:]
            raise Raised("Timeout", "still running after {:g} s".format(timeout_s), detail=said)
        return done


SESSION = Session()


def call(
    target: str,
    *args: Json,
    kwargs: Mapping[str, Json] | None = None,
    path: Sequence[str] = DEFAULT_PATH,
    timeout_s: float = TIMEOUT_S,
    env: Mapping[str, str] | None = None,
) -> Json:
    """Call "package.module:function" of the agent's code in a new worker."""
    if ":" not in target:
        raise ValueError("{!r} is not of the form 'package.module:function'".format(target))
    job: Json = {
        "target": target,
        "source": None,
        "args": args,
        "kwargs": kwargs or {},
        "path": path,
    }
    return _ask_python(job, timeout_s=timeout_s, env=env)


def python(
    source: str,
    *args: Json,
    path: Sequence[str] = DEFAULT_PATH,
    timeout_s: float = TIMEOUT_S,
    env: Mapping[str, str] | None = None,
) -> Json:
    """Run a driver's `main(*args)` in a new worker; keep expected values out of its text."""
    job: Json = {"target": None, "source": source, "args": args, "kwargs": {}, "path": path}
    return _ask_python(job, timeout_s=timeout_s, env=env)


def node(
    source: str,
    *args: Json,
    timeout_s: float = TIMEOUT_S,
    env: Mapping[str, str] | None = None,
) -> Json:
    """Call the default export of an ES module text, whose imports start at the workspace."""
    text, count = EXPORT.subn("const mintmarkMain =", source)
    if count != 1:
        raise ValueError("a driver has exactly one 'export default', not {}".format(count))
    with open(os.path.join(HERE, "worker.mjs"), encoding="utf-8") as file:
        frame = file.read()
    arguments = json.dumps(json.dumps(args, allow_nan=False))
    before, after = frame.split("\nDRIVER\n")
    program = before + "\n" + text + "\n;\n" + after.replace("ARGUMENTS", arguments, 1)
    argv = ["node", "--input-type=module", "-"]
    return _ask(argv, program.encode("utf-8"), timeout_s=timeout_s, env=env)


def run(
    argv: Sequence[str],
    *,
    stdin: str | bytes = b"",
    timeout_s: float = TIMEOUT_S,
    env: Mapping[str, str] | None = None,
) -> Done:
    """Run a program of the workspace, as the worker's user; a non-zero exit is an answer."""
    if isinstance(argv, str):
        raise TypeError("run() takes a list of words, not a shell line")
    command = SESSION.command(argv, timeout_s)
    command.stdin = stdin.encode("utf-8") if isinstance(stdin, str) else stdin
    command.env = SESSION.environment(env or {})
    done = SESSION.finish(command, timeout_s, agents=True)
    code = done.exit_code if done.exit_code is not None else -(done.signal or 0)
    out, err = _text(done.stdout.kept(DROPPED)), _text(done.stderr.kept(DROPPED))
    return Done(code, out, err, truncated=bool(done.stdout.dropped or done.stderr.dropped))


def read(path: str) -> str:
    """A regular file of the workspace as UTF-8 text; no link on the way is followed."""
    command = SESSION.command([], TIMEOUT_S)
    command.result_bytes = 2 * RESULT_BYTES
    workspace = SESSION.workspace
    command.action = lambda: [reading.framed(workspace, path, RESULT_BYTES)]
    done = SESSION.finish(command, TIMEOUT_S)
    found = done.result.kept()
    if done.exit_code != 0 or found[:1] not in (b"+", b"-"):
        raise Unavailable("reading {!r} ended with {!r}".format(path, done.exit_code))
    if found[:1] == b"-":
        kind, _, message = _text(found[1:]).partition(" ")
        raise Raised(kind, message)
    try:
        return found[1:].decode("utf-8")
    except UnicodeDecodeError as error:
        raise Raised("UnicodeDecodeError", "{}: {}".format(path, error)) from None


def cases(items: Sequence[Json]) -> Callable[[Test], Test]:
    """Run the test once per item: test_x[0], test_x[1] and so on."""

    def mark(test: Test) -> Test:
        test.cases = list(items)  # type: ignore[attr-defined]  # functions carry attributes
        return test

    return mark


def _ask_python(job: Json, *, timeout_s: float, env: Mapping[str, str] | None) -> Json:
    with open(os.path.join(HERE, "worker.py"), encoding="utf-8") as file:
        bootstrap = file.read()
    sent = json.dumps(job, allow_nan=False).encode("utf-8")
    # Not -I: it would ignore PYTHONHASHSEED, and the order of sets would change from run to run.
    # The environment is ours and worker.py clears the workspace from sys.path before it imports.
    return _ask([sys.executable, "-s", "-c", bootstrap], sent, timeout_s=timeout_s, env=env)


def _ask(
    argv: Sequence[str], stdin: bytes, *, timeout_s: float, env: Mapping[str, str] | None
) -> Json:
    command = SESSION.command(argv, timeout_s)
    command.stdin = stdin
    command.env = SESSION.environment(env or {})
    command.result_bytes = 2 * RESULT_BYTES
    done = SESSION.finish(command, timeout_s)
    said = _text(done.stdout.kept(DROPPED) + done.stderr.kept(DROPPED))[-2000:]
    result = done.result.kept()
    if done.result.dropped or len(result) > RESULT_BYTES:
        raise Raised("TooLarge", "the result has more than {} bytes".format(RESULT_BYTES))
    if done.exit_code != 0 or not result:
        ending = "exit {}".format(done.exit_code)
        if done.exit_code is None:
            ending = "signal {}".format(done.signal)
        raise Raised(
            "ExitedEarly", "the worker ended ({}) without an answer".format(ending), detail=said
        )
    return _value(result, said)


def _value(result: bytes, said: str) -> Json:
    try:
        answer = json.loads(result.decode("utf-8"), parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Raised("BadResult", "not JSON: {}".format(error), detail=said) from None
    if isinstance(answer, dict) and list(answer) == ["value"]:
        return answer["value"]
    if not isinstance(answer, dict) or list(answer) != ["raised"]:
        raise Raised("BadResult", "neither a value nor an error", detail=said)
    raised = answer["raised"] if isinstance(answer["raised"], dict) else {}
    bases = raised.get("bases")
    raise Raised(
        str(raised.get("type"))[:200],
        str(raised.get("message"))[:2000],
        bases=[str(base)[:200] for base in bases[:50]] if isinstance(bases, list) else (),
        phase=str(raised.get("phase"))[:20],
        detail=str(raised.get("detail"))[:2000] + said,
    )


def _finite(name: str) -> float:
    value = float(name)
    if value - value != 0:
        raise ValueError("{} is no number".format(name))
    return value


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


if __name__ == "__main__":
    sys.modules["grading"] = sys.modules["__main__"]
    import hidden

    sys.exit(hidden.main(sys.argv[1:]))
