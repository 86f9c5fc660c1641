from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.specialists.diff import Kind, differences, document, in_words, unified

BEFORE: dict[str, Any] = {
    "name": "@acme/debugger",
    "version": "1.0.0",
    "persona": {"purpose": "Find it.", "values": ["truth", "speed"]},
    "prompts": {"default": {"spawnerPrompt": "one\ntwo\nthree\n"}},
    "documentation": [{"url": "https://a.example/", "description": "a"}, {"path": "b.md"}],
    "score": 0.5,
}


def changed(**changes: object) -> dict[str, Any]:
    return {**copy.deepcopy(BEFORE), **changes}


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (changed(version="1.1.0"), ['version: "1.0.0" → "1.1.0"']),
        (changed(score=0.75), ["score: 0.5 → 0.75 (+0.25)"]),
        (changed(score=10**400), [f"score: 0.5 → 1{'0' * 68}…"]),
        (changed(license="MIT"), ['license: added "MIT"']),
        (
            changed(persona={"purpose": "Find it.", "values": ["truth", "care"]}),
            ['persona.values: added "care"', 'persona.values: removed "speed"'],
        ),
        (
            changed(persona={"purpose": "Find it.", "values": ["speed", "truth"]}),
            ["persona.values: in another order"],
        ),
        (
            changed(prompts={"default": {"spawnerPrompt": "one\nthree\nfour\nfive\n"}}),
            ["prompts.default.spawnerPrompt: changed: 2 lines came, 1 line went"],
        ),
        (
            changed(documentation=[{"path": "b.md"}, {"url": "https://a.example/"}]),
            [
                'documentation[https://a.example/].description: removed "a"',
                "documentation: in another order",
            ],
        ),
        (changed(score=True), ["score: 0.5 → true"]),
        (changed(), []),
    ],
    ids=[
        "scalar",
        "number",
        "vast",
        "key",
        "items",
        "order",
        "text",
        "named items",
        "kind",
        "same",
    ],
)
def test_a_difference_is_a_sentence(after: dict[str, Any], words: list[str]) -> None:
    assert list(in_words(differences(BEFORE, after))) == words


def test_a_key_that_is_gone_is_told() -> None:
    after = changed()
    del after["persona"]
    assert list(in_words(differences(BEFORE, after))) == ["persona: removed (2 keys)"]


def test_many_items_that_came_are_one_sentence() -> None:
    runs = [{"run_id": f"run_{number}"} for number in range(9)]
    (sentence,) = in_words(differences({"runs": []}, {"runs": runs}))
    assert sentence == "runs: 9 added: run_0, run_1, run_2, run_3, run_4, …"


def test_few_items_and_other_keys_are_a_sentence_each() -> None:
    before = {"tags": ["a"], "runs": [{"run_id": f"run_{number}"} for number in range(6)]}
    after = {"tags": ["b"], "runs": [], "note": "x"}
    assert list(in_words(differences(before, after))) == [
        'tags: added "b"',
        'tags: removed "a"',
        "runs: 6 removed: run_0, run_1, run_2, run_3, run_4, …",
        'note: added "x"',
    ]


def test_items_of_one_name_are_compared_by_where_they_stand() -> None:
    before, after = [{"name": "a", "n": 1}, {"name": "a", "n": 2}], [{"name": "a", "n": 3}]
    found = differences(before, after)
    assert [(each.path, each.kind) for each in found] == [
        ("[0].n", Kind.CHANGED),
        ("[1]", Kind.REMOVED),
    ]


def test_line_by_line_shows_both_values() -> None:
    lines = list(unified(BEFORE, changed(version="1.1.0"), ("a.json5", "b.json5")))
    assert lines[:2] == ["--- a.json5", "+++ b.json5"]
    assert '-  version: "1.0.0",' in lines
    assert '+  version: "1.1.0",' in lines


def test_json_says_what_was_and_what_is() -> None:
    found = differences({"a": 1, "b": 1}, {"a": 2, "c": None})
    assert document(found) == [
        {"place": "a", "kind": "changed", "before": 1, "after": 2},
        {"place": "c", "kind": "added", "after": None},
        {"place": "b", "kind": "removed", "before": 1},
    ]


CALM = settings(max_examples=100, deadline=None)  # no machine is too slow for a property

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "url", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def strict(value: object) -> object:
    """JSON's view: true is not 1."""
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strict(item) for item in value]
    return (type(value).__name__, value)


@CALM
@given(VALUES, VALUES)
@example([1], [True])
@example({"a": [[0]]}, {"a": [[False]]})
def test_there_is_no_difference_exactly_where_both_are_the_same(before: Any, after: Any) -> None:  # noqa: ANN401  # any value
    assert (differences(before, after) == ()) is (strict(before) == strict(after))
    assert list(in_words(differences(before, before))) == []
    list(in_words(differences(before, after)))
