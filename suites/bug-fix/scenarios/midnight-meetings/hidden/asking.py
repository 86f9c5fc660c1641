"""Questions to convene, through its command line."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

from grading import python, run

MANY = '''
import io
import sys
from contextlib import redirect_stderr, redirect_stdout

from convene.cli import main as convene


def main(questions):
    answers = []
    for calendar, words in questions:
        out, sys.stdin = io.StringIO(), io.StringIO(calendar)
        try:
            with redirect_stdout(out), redirect_stderr(io.StringIO()):
                code = convene([words[0], "-", "--json", *words[1:]])
        except BaseException as error:
            code = repr(error)
        answers.append([code, out.getvalue()])
    return answers
'''


@functools.cache
def _answers(questions: str) -> list:
    return python(MANY, json.loads(questions), path=["src"])


def ask_one_of(table: list, case: tuple, question: Callable[..., list]) -> list:
    """The answer to one question; those of a whole table share one worker."""
    code, out = _answers(json.dumps([question(*row) for row in table]))[table.index(case)]
    assert code == 0, code
    return parsed(out)


def ask(calendar: str, *words: str) -> list:
    command = ["python3", "-m", "convene", words[0], "-", "--json", *words[1:]]
    done = run(command, stdin=calendar, env={"PYTHONPATH": "src"})
    assert done.exit_code == 0, done.stderr
    return parsed(done.stdout)


def parsed(text: str) -> list:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    assert isinstance(answer, list), text
    return answer


def period(command: str, first: str, last: str, zone: str) -> list[str]:
    return [command, "--from", first, "--to", last, "--zone", zone]


def series(name: str, zone: str, first: str, at: str, minutes: int, more: str = "") -> str:
    return f"""
[[series]]
id = "{name}"
zone = "{zone}"
first = {first}
at = "{at}"
minutes = {minutes}
{more}
"""


def agenda(calendar: str, first: str, last: str, zone: str) -> dict[str, list[str]]:
    return by_date(ask(calendar, *period("agenda", first, last, zone)))


def by_date(days: list) -> dict[str, list[str]]:
    return {
        day["date"]: [
            f"{item['series']} {item['start']} {item['end']}{' cont' if item['continued'] else ''}"
            for item in day["items"]
        ]
        for day in days
    }


def starts(calendar: str, first: str, last: str, zone: str) -> list[str]:
    return all_starts(ask(calendar, *period("agenda", first, last, zone)))


def all_starts(days: list) -> list[str]:
    return [
        item["start"] for day in days for item in day["items"] if item["continued"] is False
    ]


WEEKLY = 'repeat = { unit = "week" }'
DAILY = 'repeat = { unit = "day" }'
