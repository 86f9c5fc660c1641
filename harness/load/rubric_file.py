"""A rubric in a file of its own: what `llm_judge` of a scenario.yaml holds."""

from __future__ import annotations

from pathlib import Path

from harness.domain.grading import JUDGE
from harness.domain.rubric import Rubric
from harness.errors import BadFile
from harness.load.files import read_document
from harness.load.places import Problem
from harness.load.rubric import read_rubric
from harness.load.schema import SCENARIO, schema_problems
from harness.load.source import Source


def load_rubric(path: Path) -> Rubric:
    """The rubric, held to the same rules as a scenario's; raises BadFile."""
    document = read_document(path)
    if not isinstance(document.value, dict):
        raise BadFile(path, ["is not a mapping with what llm_judge of a scenario.yaml holds"])
    if JUDGE in document.value:
        raise BadFile(path, [f"holds {JUDGE!r}; leave that key out and write what is below it"])
    raw = {JUDGE: {**document.value, "enabled": True}}
    # the rest of a scenario is not there, and nobody misses it
    found = [p for p in schema_problems(raw, SCENARIO) if p.place[:1] == (JUDGE,)]
    read = None if found else read_rubric(Source(document, raw, frozenset(), ()))
    problems = found or (read.problems if read else ())
    if problems:
        raise BadFile(path, document.report([_within(problem) for problem in problems]))
    if read is None or read.rubric is None:
        raise BadFile(path, ["has no categories to judge by"])
    return read.rubric


def _within(problem: Problem) -> Problem:
    """The place as it is in the file, which has no block around it."""
    place = problem.place[1:] if problem.place[:1] == (JUDGE,) else problem.place
    return problem._replace(place=place)
