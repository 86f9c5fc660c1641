"""Workers that import lanyard."""

from __future__ import annotations

import functools
import json

from grading import python

COMMON = '''
import json
from datetime import datetime

import lanyard


def registered(*handles):
    directory = lanyard.Directory()
    for day, handle in enumerate(handles, 1):
        directory.register(handle, "Guest %d" % day, datetime(2024, 1, day))
    return directory


def outcome(action, *arguments):
    try:
        value = action(*arguments)
    except lanyard.LanyardError as error:
        return type(error).__name__
    return value.handle if isinstance(value, lanyard.Attendee) else value


def handles(guests):
    return [guest.handle for guest in guests]
'''

EACH = """

def main(table):
    answers = []
    for row in table:
        try:
            answers.append({"answer": one(*row)})
        except Exception as error:
            answers.append({"error": repr(error)})
    return answers
"""


def drive(body: str, *arguments: object) -> object:
    return python(COMMON + body, *arguments, path=["src"])


@functools.cache
def _answers(body: str, table: str) -> list:
    return python(COMMON + body + EACH, json.loads(table), path=["src"])


def answer(body: str, table: list, row: object) -> object:
    """What `one(*row)` of the driver returns; a whole table shares one worker."""
    found = _answers(body, json.dumps(table))[table.index(row)]
    assert list(found) == ["answer"], found
    return found["answer"]


E_ACUTE = "e\u0301"
