"""Runs in the worker, as the agent's user, beside the agent's code: nothing said here is believed.

Passed to the interpreter with -c. The job comes on stdin, the answer goes to descriptor 3.
"""

from __future__ import annotations

import sys

sys.path[:] = [entry for entry in sys.path if entry]  # "" is the workspace: no shadowing of json

import importlib  # noqa: E402  # after the line above, which is the point of it
import json  # noqa: E402
import math  # noqa: E402
import os  # noqa: E402
import types  # noqa: E402

MYPY = False
if MYPY:
    from collections.abc import Callable
    from typing import Any

    Job = dict[str, Any]  # written by grading.py

RESULT = 3
LONGEST = 2000


class NotPlain(Exception):
    """A value that JSON cannot carry as it is."""


def plain(value: object, where: str = "the result") -> object:
    """Refuse what JSON would change silently; a tuple may become a list."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotPlain("{} is {!r}".format(where, value))
        return value
    if isinstance(value, (list, tuple)):
        return [plain(item, "{}[{}]".format(where, i)) for i, item in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise NotPlain("{} has the key {!r}, which is no string".format(where, key))
        return {key: plain(item, "{}[{!r}]".format(where, key)) for key, item in value.items()}
    raise NotPlain("{} is of type {}".format(where, type(value).__name__))


def answer(job: Job) -> str:
    """Do the job; whatever it raises becomes the answer."""
    phase = "import"
    try:
        sys.path[:0] = [os.path.abspath(entry) for entry in job["path"]]
        function = from_source(job["source"]) if job["source"] else from_target(job["target"])
        phase = "call"
        value = function(*job["args"], **job["kwargs"])
        phase = "result"
        return json.dumps({"value": plain(value)}, allow_nan=False)
    except BaseException as error:  # noqa: BLE001  # it is the answer
        return json.dumps({"raised": described(error, phase)})


def from_source(source: str) -> Callable[..., object]:
    """The main function of a driver."""
    driver = types.ModuleType("driver")
    sys.modules["driver"] = driver
    exec(compile(source, "<driver>", "exec"), vars(driver))  # noqa: S102  # our tests' own text
    main: Callable[..., object] = vars(driver)["main"]
    return main


def from_target(target: str) -> Callable[..., object]:
    """The function that package.module:name names."""
    module, _, names = target.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    function: Callable[..., object] = found
    return function


def described(error: BaseException, phase: str) -> dict[str, object]:
    """What a test may know of an exception, however badly it behaves."""
    import traceback  # noqa: PLC0415  # 5 ms that only an error has to pay

    try:
        message = str(error)
        shown = traceback.format_exception(type(error), error, error.__traceback__)
    except BaseException as second:  # noqa: BLE001  # __str__ is the agent's, too
        message, shown = "no message: {}".format(type(second).__name__), []
    return {
        "type": type(error).__name__,
        "message": message[:LONGEST],
        "bases": [kind.__name__ for kind in type(error).__mro__ if kind is not object],
        "phase": phase,
        "detail": "".join(shown)[-LONGEST:],
    }


def main() -> None:
    """Read the job, answer, and go without looking back."""
    with os.fdopen(0, "rb", closefd=False) as stdin:
        job = json.loads(stdin.read().decode("utf-8"))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.set_inheritable(RESULT, False)
    rest = memoryview(answer(job).encode("utf-8"))
    while rest:
        rest = rest[os.write(RESULT, rest) :]
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # noqa: BLE001, S112  # the agent's code may have replaced it
            continue
    os._exit(0)


if __name__ == "__main__":
    main()
