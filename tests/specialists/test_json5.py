from __future__ import annotations

import math

import pyjson5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.specialists.json5 import WIDTH, Place, to_json5

# pyjson5 does not read escaped halves of characters; records are rid of them before
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXT
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=30,
)


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_what_is_written_reads_back_as_the_same_value(value: object) -> None:
    read = pyjson5.decode(to_json5(value))

    assert read == value
    assert repr(read) == repr(value)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(TEXT, LEAVES, min_size=1), TEXT)
def test_comments_never_change_the_value(value: dict[str, object], comment: str) -> None:
    places: dict[Place, str] = {(): comment, (next(iter(value)),): comment}

    assert pyjson5.decode(to_json5(value, places)) == value


def test_a_file_that_people_read() -> None:
    value = {
        "name": "@acme/x",
        "root-cause": True,
        "empty": {},
        "scores": [1.0, 0.25, None],
        "runs": [{"id": "a", "scores": {"test": 1}}, {"id": "b", "note": "n" * 70}],
        "null": 'say "hi"\\',
    }

    written = to_json5(value, {(): "A file.", ("runs",): "All of them."})

    assert written == (
        "// A file.\n"
        "{\n"
        '  name: "@acme/x",\n'
        '  "root-cause": true,\n'
        "  empty: {},\n"
        "  scores: [1.0, 0.25, null],\n"
        "  // All of them.\n"
        "  runs: [\n"
        '    { id: "a", scores: { test: 1 } },\n'
        f'    {{ id: "b", note: "{"n" * 70}" }},\n'
        "  ],\n"
        '  "null": "say \\"hi\\"\\\\",\n'
        "}\n"
    )


def test_what_does_not_fit_on_a_line_is_spread_over_several() -> None:
    fits = {"key": ["x" * (WIDTH - len('  key: [""],'))]}
    too_long = {"key": ["x" * (WIDTH - len('  key: [""],') + 1)]}

    assert max(map(len, to_json5(fits).splitlines())) == WIDTH
    assert to_json5(fits).count("\n") == 3
    assert to_json5(too_long).count("\n") == 5


def test_a_long_text_is_broken_where_it_breaks_itself() -> None:
    text = "You are careful.\n\n  " + "y" * 90 + "\n"

    written = to_json5({"prompt": text})

    assert written.splitlines()[1:5] == [
        '  prompt: "\\',
        "You are careful.\\n\\",
        "\\n\\",
        f"  {'y' * 90}\\n\\",
    ]
    assert pyjson5.decode(written) == {"prompt": text}


def test_what_cannot_be_seen_is_escaped() -> None:
    written = to_json5("\u2028\u2029\x00\x1b\x7f\u202e\u200b\U000e0001é😀")

    assert written == '"\\u2028\\u2029\\u0000\\u001b\\u007f\\u202e\\u200b\\udb40\\udc01é😀"\n'


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, b"x", {1: 2}, {None: 1}, object()]
)
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON5"):
        to_json5({"deep": [value]})


def test_a_comment_cannot_break_out_of_its_line() -> None:
    written = to_json5({"a": 1}, {("a",): "one\u2028two\rthree\x0bfour"})

    assert written.count("// ") == 4
    assert pyjson5.decode(written) == {"a": 1}
