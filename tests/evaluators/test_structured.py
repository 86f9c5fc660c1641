from __future__ import annotations

import json

import pytest

from evaluators.structured import same, value_at


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("1", "1.0", True),
        ('[1, {"a": 2.0}]', '[1.0, {"a": 2}]', True),
        ("1", "true", False),
        ("0", "false", False),
        ("[1]", "[true]", False),
        ("1", '"1"', False),
        ("1", "1.5", False),
        ("[1]", "[1, 2]", False),
        ('{"a": 1}', '{"b": 1}', False),
        ("null", "false", False),
        ("10000000000000000", "1e16", True),
        ("10000000000000001", "1e16", False),
    ],
)
def test_numbers_are_equal_as_numbers_and_nothing_else_is(
    one: str, other: str, *, alike: bool
) -> None:
    assert same(one, other) is alike
    assert same(other, one) is alike


@pytest.mark.parametrize("hostile", ["[" * 100_000 + "]" * 100_000, "9" * 10_000])
def test_a_value_that_no_parser_takes_is_no_other(hostile: str) -> None:
    assert not same(hostile, "1")


@pytest.mark.parametrize("text", ['{"n": 1}', '{"n": 1.0}'])
def test_a_number_in_a_file_is_that_number_however_it_is_written(text: str) -> None:
    found = value_at("a.json", text, ("n",))
    assert found is not None
    assert same(found, json.dumps(1))
