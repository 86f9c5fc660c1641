"""What a size can show, before and after anything ran."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.record import RunRecord
from harness.domain.spec import AgentRef, RunSpec, Specialist
from harness.errors import UsageError
from harness.report.planned import (
    Design,
    assumptions,
    design_of,
    outlook_of,
    pilot_of,
    steps,
)
from harness.report.power import Spreads, advice, assumed_spreads, outlook, reach, spreads_of
from harness.stats.paired import PairedCell
from harness.stats.power import Components
from harness.testing.builders import a_scenario
from tests.report.records import DEBUGGER, a_run, a_task, runs_of, scenarios


def spreads(within: float, between: float, *, cells: float = 1, iterations: float = 3) -> Spreads:
    return Spreads(Components(within**2, between**2, cells, iterations), "somewhere")


def test_the_reference_design_detects_what_it_should() -> None:
    # vector power.mde: 30 clusters whose differences have a deviation of 0.18
    found = outlook(spreads(0.0, 0.18), 30, wanted=0.05)

    assert found.detectable == pytest.approx(0.09526242681430105, abs=1e-6)
    assert found.scenarios_needed == 104
    assert found.more_scenarios == 74


def test_iterations_help_where_runs_are_the_noise() -> None:
    found = outlook(spreads(0.3, 0.0), 10, wanted=0.1)

    assert found.iterations_needed is not None
    again = outlook(spreads(0.3, 0.0, iterations=found.iterations_needed), 10, wanted=0.1)
    fewer = outlook(spreads(0.3, 0.0, iterations=found.iterations_needed - 1), 10, wanted=0.1)
    assert again.is_enough
    assert not fewer.is_enough
    assert advice(again) == "this size finds a difference of 0.1 four times in five"
    missing = found.iterations_needed - 3
    assert advice(found).startswith(f"{missing} more iterations of every cell would help, or ")


def test_iterations_do_not_help_where_scenarios_differ() -> None:
    found = outlook(spreads(0.1, 0.3), 10, wanted=0.1)

    assert found.iterations_needed is None
    assert advice(found) == (
        f"more iterations would not help, {found.more_scenarios} more scenarios would"
    )


def test_what_is_said_to_be_enough_is_enough() -> None:
    given = spreads(0.2, 0.08)
    needed = outlook(given, 9, wanted=0.1).scenarios_needed

    assert needed is not None
    assert outlook(given, needed, wanted=0.1).is_enough
    assert not outlook(given, needed - 1, wanted=0.1).is_enough


@pytest.mark.parametrize("scenarios", [1, 2, 5])
def test_fewer_than_six_scenarios_are_never_enough(scenarios: int) -> None:
    found = outlook(spreads(0.0001, 0.0), scenarios, wanted=0.5)

    assert not found.is_enough
    assert found.scenarios_needed == 6
    assert advice(found).startswith("more iterations would not help, ")


def test_one_scenario_does_not_say_how_others_differ() -> None:
    assert spreads_of([PairedCell("a", (0.1, 0.2), (0.3, 0.4))]) is None
    assert outlook(spreads(0.2, 0.1), 1).detectable is None


def test_single_runs_do_not_say_what_iterations_would_do() -> None:
    found = spreads_of([PairedCell(f"s{n}", (0.5,), (0.5 + n / 10,)) for n in range(6)])

    assert found is not None
    assert not found.is_split
    said = advice(outlook(found, 6))
    assert said.endswith("more scenarios would help; what iterations would do, single runs do not"
                         " say")  # fmt: skip


def test_a_difference_that_no_number_of_scenarios_shows_is_said() -> None:
    assert advice(outlook(spreads(1.0, 1.0), 8, wanted=0.0001)) == (
        "no number of scenarios that anybody can run would help"
    )


def test_assumptions_are_called_so() -> None:
    found = assumed_spreads()

    assert (found.known.within, found.known.between) == (pytest.approx(0.04), pytest.approx(0.0064))
    assert found.known.assumed
    assert found.source == "assumed"


def planned(
    folder: Path, names: str, *, worn: bool = True, tiers: int = 1, iterations: int = 2
) -> list[RunSpec]:
    """A spec of each scenario, tier and side, per iteration."""
    base = a_scenario(folder)
    prompt = base.prompts[0]
    sides = [None, Specialist(DEBUGGER, "words")] if worn else [None]
    return [
        RunSpec(
            replace(base, id=name, digests=replace(base.digests, fixture=text_digest(name))),
            replace(prompt, tier=f"L{tier}"),
            AgentRef("fake"),
            side,
            iteration=n,
        )
        for n in range(1, iterations + 1)
        for name in names
        for tier in range(tiers)
        for side in sides
    ]


def test_a_plan_with_and_without_a_specialist_is_a_comparison(tmp_path: Path) -> None:
    found = design_of(planned(tmp_path, "abc", tiers=2))

    assert found == Design(scenarios=3, cells_per_scenario=2, iterations=2, sides=2)


def test_a_plan_of_one_side_is_half_of_one(tmp_path: Path) -> None:
    found = design_of(planned(tmp_path, "abc", worn=False))

    assert (found.scenarios, found.sides) == (3, 1)


def test_scenarios_of_different_size_count_by_their_harmonic_mean(tmp_path: Path) -> None:
    specs = [*planned(tmp_path, "a", tiers=1), *planned(tmp_path, "b", tiers=3)]

    assert design_of(specs).cells_per_scenario == pytest.approx(1.5)


def test_the_ways_to_a_difference_have_their_runs_and_their_price(tmp_path: Path) -> None:
    design = design_of(planned(tmp_path, "abcdefgh"))
    pilot = replace(assumptions(design), cost_usd=0.5)
    view = outlook_of(design, spreads(0.3, 0.01, iterations=2), 0.2)

    now, iterations, wider = steps(design, view, pilot)

    assert (now.scenarios, now.iterations, now.runs, now.cost_usd) == (8, 2, 32, 16.0)
    assert (iterations.scenarios, iterations.runs) == (8, 16 * iterations.iterations)
    assert iterations.iterations == view.iterations_needed
    assert (wider.scenarios, wider.iterations) == (view.scenarios_needed, 2)
    assert wider.cost_usd == wider.runs * 0.5 == wider.scenarios * 2


def test_a_plan_that_is_enough_has_one_way(tmp_path: Path) -> None:
    design = design_of(planned(tmp_path, "abcdefgh"))
    view = outlook_of(design, spreads(0.01, 0.01), 0.2)

    assert len(steps(design, view, assumptions(design))) == 1


def test_a_pilot_with_both_sides_tells_both_spreads_and_the_cost() -> None:
    found = pilot_of(scenarios([0.4, 0.6], [0.5, 0.7]), "b")

    # within: deviation of 0.4 and 0.6; scenarios: differences 0.1, 0.11, … 0.17 show less than that
    assert found.spreads.known.within == pytest.approx(0.02)
    assert found.spreads.known.between == 0
    assert (found.spreads.source, found.spreads.known.assumed) == ("batch b", False)
    assert (found.cost_usd, found.seconds) == (0.25, 10.0)


def test_a_pilot_of_one_side_tells_how_runs_differ_and_assumes_the_rest() -> None:
    found = pilot_of(runs_of(a_task(), 0.2, 0.4, 0.6), "b")

    assert found.spreads.known.within == pytest.approx(0.04)
    assert math.sqrt(found.spreads.known.between) == pytest.approx(0.08)
    assert found.spreads.source == "runs: batch b; scenarios: assumed"


@pytest.mark.parametrize(
    "records",
    [runs_of(a_task(), 0.2), [a_run(None, fault=Cause.SANDBOX) for _ in range(3)]],
    ids=["single runs", "faults"],
)
def test_a_pilot_without_repeated_runs_is_refused(records: list[RunRecord]) -> None:
    with pytest.raises(UsageError, match="says nothing about chance"):
        pilot_of(records, "b")


@pytest.mark.parametrize("scenarios", [2, 5])
def test_what_cannot_be_said_of_others_has_no_number(scenarios: int) -> None:
    found = outlook(spreads(0.2, 0.08), scenarios)

    assert found.detectable is found.chance is None
    assert reach(found) == "nothing beyond these scenarios: that takes 6 or more"


def test_where_nothing_varied_no_size_is_enough_and_none_is_named() -> None:
    found = outlook(spreads(0.0, 0.0), 8)

    assert found.detectable is found.chance is found.scenarios_needed is None
    assert found.iterations_needed is None
    assert not found.is_enough
    assert reach(found) == "not known: nothing varied"
    assert advice(found).startswith("nothing varied")


def test_scores_cannot_differ_by_more_than_1() -> None:
    found = outlook(spreads(0.0, 1.0), 6)

    assert found.detectable is None
    assert reach(found) == "nothing that scores can differ by"


def test_the_least_difference_is_never_rounded_to_less() -> None:
    assert reach(outlook(spreads(0.0, 0.181), 30)) == "0.10, four times in five"
    assert reach(outlook(spreads(0.0, 0.0001), 30)) == "0.01, four times in five"


def test_copies_of_a_scenario_are_planned_as_one(tmp_path: Path) -> None:
    specs = planned(tmp_path, "abcdefg")
    digests = specs[0].scenario.digests
    copies = [
        replace(spec, scenario=replace(spec.scenario, digests=digests))
        if spec.scenario.id in "abc"
        else spec
        for spec in specs
    ]

    found = design_of(copies)

    assert (found.scenarios, found.cells_per_scenario) == (5, pytest.approx(5 / (4 + 1 / 3)))
    assert [[name[-1] for name in names] for names in found.namesakes] == [["a", "b", "c"]]
