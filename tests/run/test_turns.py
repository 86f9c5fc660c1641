from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.domain.spec import AgentRef, RunSpec
from harness.testing.builders import a_scenario, a_spec
from harness.turns import FIRST_PAUSE_S, LONGEST_PAUSE_S, Turns


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    return a_spec(a_scenario(tmp_path))


def by(name: str, spec: RunSpec, iteration: int = 1) -> RunSpec:
    return replace(spec, agent=AgentRef(name), iteration=iteration)


def names(turns: Turns, count: int) -> list[str | None]:
    taken = [turns.next() for _ in range(count)]
    return [each.agent.name if each else None for each in taken]


def test_a_slow_agent_takes_its_share_of_the_places_and_no_more(spec: RunSpec) -> None:
    slow, fast = by("slow", spec), by("fast", spec)
    turns = Turns([slow, slow, slow, slow, fast, fast, fast, fast])
    assert names(turns, 4) == ["slow", "fast", "slow", "fast"]
    # the fast ones end, the slow ones do not
    for _ in range(2):
        turns.done(fast)
        assert names(turns, 1) == ["fast"]
    assert len(turns) == 2


def test_an_agent_whose_provider_fails_waits_longer_each_time(spec: RunSpec) -> None:
    now = 0.0
    one = by("failing", spec)
    turns = Turns([one] * 20, clock=lambda: now)
    waits = []
    for _ in range(10):
        assert names(turns, 1) == ["failing"]
        turns.done(one)
        turns.went(one, spoiled=True, by_provider=True)
        wait = 0.0
        while True:
            now += 0.5
            wait += 0.5
            if (again := turns.next()) is not None:
                break
        waits.append(wait)
        turns.done(again)
    assert waits[:4] == [FIRST_PAUSE_S * factor for factor in (1, 2, 4, 8)]
    assert waits[-1] == LONGEST_PAUSE_S


def test_others_do_not_wait_for_a_provider_that_fails_and_its_next_answer_ends_the_wait(
    spec: RunSpec,
) -> None:
    now = 0.0
    failing, well = by("failing", spec), by("well", spec)
    turns = Turns([failing, failing, failing, well, well], clock=lambda: now)
    assert names(turns, 1) == ["failing"]
    turns.went(failing, spoiled=True, by_provider=True)
    assert names(turns, 3) == ["well", "well", None]
    now = FIRST_PAUSE_S
    assert names(turns, 1) == ["failing"]
    turns.went(failing, spoiled=False, by_provider=False)
    turns.went(failing, spoiled=True, by_provider=True)
    now += FIRST_PAUSE_S
    assert names(turns, 1) == ["failing"]


def test_a_spoiled_run_waits_again_behind_all_others_so_often_as_it_may(spec: RunSpec) -> None:
    first, second = by("a", spec, 1), by("a", spec, 2)
    turns = Turns([first, second], retries=1)
    assert turns.next() is first
    turns.went(first, spoiled=True, by_provider=False)
    assert turns.next() is second
    assert turns.next() is first
    turns.went(first, spoiled=True, by_provider=False)
    assert turns.next() is None


def test_a_scenario_that_is_dropped_waits_no_longer(spec: RunSpec) -> None:
    other = replace(spec, scenario=replace(spec.scenario, id="other"))
    turns = Turns([spec, other, spec])
    turns.drop(spec.scenario.key)
    assert turns.next() is other
    assert len(turns) == 0
