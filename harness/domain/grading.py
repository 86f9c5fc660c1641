"""Which of a scenario's checks are made, and what each weighs at a tier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.domain.model import ModelRef
from harness.domain.scenario import CheckSpec, Scenario
from harness.errors import UsageError, nearest

JUDGE = "llm_judge"
QUESTIONS = "user_questions_quality"
EFFICIENCY = "efficiency"
MANAGER_COMMANDS = "used_manager_commands"
OF_THE_SESSION = frozenset({EFFICIENCY, MANAGER_COMMANDS, QUESTIONS})
"""Kinds of checks that look at how the work was done and not at what came of it."""


@dataclass(frozen=True, slots=True)
class Grading:
    """What somebody asked of the grading; nothing leaves it to the scenario."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    judges: tuple[ModelRef, ...] = ()
    """Models that judge in place of the scenario's own."""


def graded(scenario: Scenario, tier: str, grading: Grading) -> Scenario:
    """The scenario with the checks that are made at a tier; UsageError for a name it has not."""
    known = [check.name for check in scenario.checks]
    for option, names in (("--only", grading.only), ("--skip", grading.skip)):
        for name in names:
            if name not in known:
                raise UsageError(
                    f"{option} {name!r}: {scenario.key} has no such check; {nearest(name, known)}"
                )
    chosen = [
        check
        for check in scenario.checks
        if (not grading.only or check.name in grading.only) and check.name not in grading.skip
    ]
    left = [check.name for check in chosen]
    for check in chosen:
        for gate, _ in check.after:
            if gate not in left:
                raise UsageError(
                    f"{scenario.key}: check {check.name!r} waits for {gate!r}, which --only and"
                    " --skip leave out; leave out both or none"
                )
    if not any(check.weight for check in chosen):
        raise UsageError(f"{scenario.key}: --only and --skip leave no check that has a weight")
    return replace(scenario, checks=tuple(_weighed(scenario, tier, chosen)))


def _weighed(scenario: Scenario, tier: str, checks: list[CheckSpec]) -> Iterator[CheckSpec]:
    """The tier's profile: efficiency counts for more or less, good questions for something.

    The bonus is a weight, so that the total stays a weighted mean within 0..1.
    """
    profile = next((p for p in scenario.profiles if p.tier == tier), None)
    others = sum(check.weight for check in checks if check.kind != QUESTIONS)
    for check in checks:
        weight = check.weight
        if profile and check.kind == EFFICIENCY:
            weight *= profile.efficiency_weight
        elif profile and check.kind == QUESTIONS:
            weight += profile.ask_user_bonus * others
        yield replace(check, weight=weight)
