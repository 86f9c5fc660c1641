"""Which scenarios are one."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.families import counted_once, families, namesakes

KNOWN = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "1", "2", "3", "4"])))


def test_names_of_one_fixture_are_one_and_others_are_not() -> None:
    heads = families([("b", "1"), ("a", "1"), ("c", "2")])

    assert heads == {"a": "a", "b": "a", "c": "c"}
    assert namesakes(heads) == (("a", "b"),)


def test_a_fixture_that_is_not_known_is_shared_with_nobody() -> None:
    assert families([("a", ""), ("b", "")]) == {"a": "a", "b": "b"}


def test_a_scenario_that_was_changed_holds_both_its_fixtures_together() -> None:
    assert set(families([("a", "1"), ("b", "1"), ("b", "2"), ("c", "2")]).values()) == {"a"}


def test_what_counts_once_is_said_in_a_sentence() -> None:
    assert counted_once(()) == ""
    assert counted_once([("a", "b", "c")]) == "3 names with the same fixture count as one scenario."
    assert counted_once([("a", "b", "c"), ("d", "e")]) == (
        "5 names that share 2 fixtures count as 2 scenarios."
    )


@settings(max_examples=200, deadline=None)
@given(KNOWN, st.randoms(use_true_random=False))
def test_whoever_shares_a_fixture_has_one_cluster_in_whatever_order(
    known: list[tuple[str, str]], chance: object
) -> None:
    heads = families(known)
    shuffled = sorted(known, key=lambda _: chance.random())  # type: ignore[attr-defined]  # a Random

    assert families(shuffled) == heads
    assert set(heads) == {name for name, _ in known}
    holders = defaultdict(set)
    for name, fixture in known:
        if fixture:
            holders[fixture].add(heads[name])
    assert all(len(clusters) == 1 for clusters in holders.values())
    assert sum(map(len, namesakes(heads))) + len(
        [name for name in heads if list(heads.values()).count(heads[name]) == 1]
    ) == len(heads)
