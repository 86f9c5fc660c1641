"""What a command line selects: scenarios of a suite, tiers, and who works on them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from harness import wiring
from harness.cli.bench import COMMANDS
from harness.domain.scenario import Scenario
from harness.errors import UsageError
from harness.load.scenarios import find_scenarios, find_suites, load_scenario
from harness.settings import Settings


def scenarios_of(
    settings: Settings, suite: str, scenario: str | None, *, everything: bool
) -> tuple[Scenario, ...]:
    """One scenario of a suite, or all; raises UsageError for neither and for both."""
    known = find_suites(settings.root)
    if suite not in known and (near := get_close_matches(suite, COMMANDS, n=1)):
        raise UsageError(f"no command or suite {suite!r}; did you mean the command {near[0]!r}?")
    names = find_scenarios(settings.root, suite)
    if everything and scenario is not None:
        raise UsageError(f"give the scenario {scenario!r} or --all-scenarios, not both")
    if not everything and scenario is None:
        raise UsageError(
            f"name one scenario of {suite!r} or give --all-scenarios; it has {', '.join(names)}"
        )
    wanted = names if everything else [str(scenario)]
    kinds = wiring.evaluator_kinds()
    return tuple(load_scenario(settings.root, suite, name, kinds=kinds) for name in wanted)


def tiers_of(text: str, scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """Tiers of a list with commas, or 'all' that the scenarios have."""
    if text == "all":
        return tuple(dict.fromkeys(tier for s in scenarios for tier in s.tiers))
    return tuple(dict.fromkeys(part.strip() for part in text.split(",")))
