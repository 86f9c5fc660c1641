from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.paired import PairedCell
from harness.stats.power import (
    Components,
    assumed,
    clusters_for,
    components,
    detectable,
    detectable_roughly,
    detection,
    iterations_needed,
    pairs_for,
    pairs_for_margin,
    scenarios_needed,
)

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
DEMO = tuple(
    PairedCell(cell["scenario"], tuple(cell["baseline"]), tuple(cell["specialist"]))
    for vector in VECTORS["vectors"]
    if vector["id"] == "compare.paired_clustered"
    for cell in vector["inputs"]["cells"]
)
KNOWN = Components(within=0.01, between=0.006, cells_per_cluster=4, iterations=3)


def test_repeating_does_not_show_what_scenarios_hide() -> None:
    known = components(DEMO)
    assert known is not None
    assert iterations_needed(known, 0.06, 9) is None
    assert scenarios_needed(known, 0.06) == 20
    # the normal distribution, which is too hopeful, says 18
    roughly = detectable_roughly(known.deviation(), 18)
    assert roughly < 0.06 < detectable(known.deviation(), 18)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.02, 0.5), st.floats(0.0, 0.05), st.floats(0.0, 0.02), st.integers(1, 5))
def test_the_scenarios_that_are_needed_are_the_fewest(
    wanted: float, within: float, between: float, iterations: int
) -> None:
    known = Components(within, between, 2, iterations)
    needed = scenarios_needed(known, wanted)
    assert needed is not None
    assert needed >= 2
    if known.deviation():
        assert detectable(known.deviation(), needed) <= wanted * (1 + 1e-6)
        if needed > 2:
            assert detectable(known.deviation(), needed - 1) > wanted * (1 - 1e-6)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.02, 0.5), st.floats(0.001, 0.05), st.floats(0.0, 0.02), st.integers(2, 30))
def test_the_iterations_that_are_needed_are_the_fewest(
    wanted: float, within: float, between: float, scenarios: int
) -> None:
    known = Components(within, between, 2, 3)
    needed = iterations_needed(known, wanted, scenarios)
    if needed is None:
        assert detectable(known.deviation(1_000_000), scenarios) >= wanted * (1 - 1e-6)
        return
    assert detectable(known.deviation(needed), scenarios) <= wanted * (1 + 1e-6)
    if needed > 1:
        assert detectable(known.deviation(needed - 1), scenarios) > wanted * (1 - 1e-6)


def test_no_difference_is_found_as_often_as_alpha_says() -> None:
    assert detection(0, 1, 12) == pytest.approx(0.05)
    assert detection(0, 1, 12, sides=1) == pytest.approx(0.05)


def test_two_scenarios_are_enough_for_what_hardly_varies() -> None:
    assert clusters_for(0.5, 0.001) == 2
    assert scenarios_needed(Components(0, 0, 1, 1), 0.1) == 2
    assert detectable(0, 5) == 0


def test_what_takes_more_than_anybody_runs_is_none() -> None:
    assert clusters_for(0.0005, 0.3) is None
    assert clusters_for(0.001, 0.3) == pytest.approx((1.959964 + 0.841621) ** 2 * 300**2, rel=1e-4)
    assert iterations_needed(Components(10, 0, 1, 1), 0.001, 3) is None


def test_components_are_recovered_from_runs() -> None:
    cells = [
        PairedCell(name, (0.3, 0.5), (0.3 + shift, 0.5 + shift))
        for name, shift in (("a", 0.0), ("b", 0.2), ("c", 0.4))
    ]
    found = components(cells)
    assert found is not None
    assert found.within == pytest.approx(0.02)
    assert found.between == pytest.approx(0.04 - 0.02)
    assert (found.cells_per_cluster, found.iterations, found.assumed) == (1, 2, False)


def test_without_a_second_scenario_or_a_second_run_nothing_is_known() -> None:
    assert components(DEMO[:1]) is None
    assert components([PairedCell(name, (0.1,), (0.2,)) for name in "abc"]) is None
    assert assumed().assumed


def test_all_segments_together_take_more_pairs_than_one() -> None:
    assert pairs_for_margin(0.03, 0.2, segments=10) > pairs_for_margin(0.03, 0.2)
    assert math.ceil(pairs_for(0.05, 0.2)) == 626


@pytest.mark.parametrize(
    "refused",
    [
        lambda: detectable(0.1, 1),
        lambda: detectable(-0.1, 5),
        lambda: detectable(0.1, 5, power=0.05),
        lambda: detection(0.1, 0.0, 5),
        lambda: detection(0.1, 0.1, 1),
        lambda: clusters_for(0, 0.1),
        lambda: clusters_for(0.1, 0.1, power=1),
        lambda: iterations_needed(KNOWN, 0.1, 1),
        lambda: pairs_for(0.3, 0.2),
        lambda: pairs_for_margin(0, 0.2),
    ],
)
def test_what_has_no_meaning_is_refused(refused: object) -> None:
    assert callable(refused)
    with pytest.raises(ValueError, match=r"."):
        refused()
