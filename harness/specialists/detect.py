"""Which of a template's tasks a prompt asks for: patterns, tried in a given order.

Where a template has no `task_detection`, these patterns are tried, of those tasks alone that the
template has words or documents for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from harness.domain.template import Template
from harness.errors import UsageError, nearest
from harness.load.places import Problem, shown
from harness.load.task_patterns import SlowPatternError, first_that_fits
from harness.load.templates import refusal

PATTERNS: Mapping[str, tuple[str, ...]] = {
    "migration": ("migrat*", "upgrade*", "upgrading", "port * to"),
    "bug_fix": ("fix*", "bug*", "debug*", "broken", "crash*", "wrong", "fails", "regression*"),
    "testing": ("write tests", "write * tests", "add tests", "add * tests", "test coverage"),
    "refactoring": ("refactor*", "restructur*", "clean up", "simplif*"),
    "component_generation": ("component*",),
    "documentation": ("document", "documentation", "readme", "docstring*"),
    "project_setup": ("set up", "setup", "scaffold*", "bootstrap*", "initiali*", "new project"),
}
"""By task, the one that is tried first at the top."""

ALWAYS = ("spawnerPrompt", "systemPrompt", "contextPrompt")
"""The prompts that are for every task; any other key is the name of one."""


class Detected(NamedTuple):
    """A task, or none, and the reason."""

    task: str | None
    reason: str


def detect(template: Template, text: str, asked: str | None = None) -> Detected:
    """The task of a prompt; raises UsageError for an asked one that the template does not have.

    And BadFile for a pattern with which nobody can tell it in a reasonable time.
    """
    known = tasks_of(template)
    if asked is not None:
        if asked not in known:
            raise UsageError(f"{template.name} has no task {asked!r}; {nearest(asked, known)}")
        return Detected(asked, "asked for")
    if not known:
        return Detected(None, "the template tells no tasks apart")
    tried = [(task, each) for task, patterns in _ordered(template, known) for each in patterns]
    try:
        found = first_that_fits(tuple(each for _, each in tried), text)
    except SlowPatternError as slow:
        raise _too_slow(template, *tried[slow.index], slow.why) from slow
    if found is None:
        return Detected(None, f"the prompt fits no pattern of {', '.join(known)}")
    task, pattern = tried[found]
    return Detected(task, f"the prompt fits {pattern!r}")


def tasks_of(template: Template) -> tuple[str, ...]:
    """Every task that a template has patterns, words or documents for."""
    named = [task for task, _ in template.task_detection.patterns]
    named += [each.task for each in template.tasks]
    sets = [template.prompts.default, *(m.prompts for m in template.prompts.model_specific)]
    named += [key for texts in sets for key, _ in texts if key not in ALWAYS]
    for document in template.documentation:
        named += document.enrichment.relevant_for_tasks if document.enrichment else ()
    return tuple(dict.fromkeys(named))


def _ordered(template: Template, known: tuple[str, ...]) -> Iterable[tuple[str, tuple[str, ...]]]:
    own = dict(template.task_detection.patterns)
    if not own:
        order = template.task_detection.priority or tuple(PATTERNS)
        return [(task, PATTERNS.get(task, ())) for task in order if task in known]
    order = tuple(dict.fromkeys([*template.task_detection.priority, *own]))
    return [(task, own.get(task, ())) for task in order]


def _too_slow(template: Template, task: str, pattern: str, why: str) -> UsageError:
    own = dict(template.task_detection.patterns).get(task, ())
    said = f"whether the prompt fits {shown(pattern)} cannot be told: {why}; --task names the task"
    if pattern not in own:
        return UsageError(said)
    return refusal(
        template, [Problem(("task_detection", "patterns", task, own.index(pattern)), said)]
    )
