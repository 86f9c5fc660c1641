from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.load.json_text import parse_json5
from harness.specialists.edit import Place, append, remove, set_value
from harness.specialists.syntax import read_tree

AUTHORS = """\
// who it is
{
  name: '@acme/debugger', // never rename
  "version": "1.0.0",
  /* a block
     of words */
  persona: {
    purpose: "Find \\
it.", // continued
  },
  tags: ["a", 'b'],   // two
  docs: [
    { url: "https://a.example/" },
    // the second
    {
      path: "b.md",   /* here */
    }, // and out
  ],
  // the end
}
"""


def value(text: str) -> Any:  # noqa: ANN401  # whatever the text holds
    parsed = parse_json5(text)
    assert not parsed.problems, parsed.problems
    return parsed.value


@pytest.mark.parametrize(
    ("place", "new", "old_text", "new_text"),
    [
        (("version",), "1.0.1", '"version": "1.0.0"', '"version": "1.0.1"'),
        (("persona", "purpose"), "Fix.", '"Find \\\nit."', '"Fix."'),
        (("tags", 1), "c", "'b'", "'c'"),
        (("docs", 1, "path"), "c.md", '"b.md"', '"c.md"'),
        (("tags",), ["x"], "[\"a\", 'b']", '["x"]'),
    ],
)
def test_a_value_is_set_and_nothing_around_it_moves(
    place: Place, new: object, old_text: str, new_text: str
) -> None:
    assert set_value(AUTHORS, place, new) == AUTHORS.replace(old_text, new_text)


def test_what_is_new_has_the_quotation_marks_that_the_file_has_most_of() -> None:
    text = """{ a: 'x', b: 'y', c: "it's", d: 1 }"""
    assert set_value(text, ("e",), "z") == text.replace(" }", ", e: 'z' }")
    assert set_value(text, ("c",), ["z"]) == text.replace('"it\'s"', "['z']")


def test_a_key_is_added_last_behind_the_comment_of_its_neighbour() -> None:
    edited = set_value(AUTHORS, ("persona", "values"), ["truth"])
    assert edited == AUTHORS.replace("// continued\n", '// continued\n    values: ["truth"],\n')


def test_a_key_is_added_to_an_object_on_one_line() -> None:
    edited = set_value(AUTHORS, ("docs", 0, "type"), "web")
    assert '{ url: "https://a.example/", type: "web" }' in edited


def test_a_missing_way_to_a_value_is_made() -> None:
    edited = set_value(AUTHORS, ("meta", "inner", "deep"), 1)
    assert edited == AUTHORS.replace(
        "}, // and out\n  ],\n", "}, // and out\n  ],\n  meta: { inner: { deep: 1 } },\n"
    )


def test_an_item_is_appended_behind_the_comment_of_the_last() -> None:
    edited = append(AUTHORS, ("docs",), {"path": "c.md"})
    assert edited == AUTHORS.replace("// and out\n", '// and out\n    { path: "c.md" },\n')


def test_a_comma_that_was_missing_goes_to_the_value_not_behind_its_comment() -> None:
    text = '{\n\t"a": 1 // one\n\t// more\n}'
    assert set_value(text, ("b",), 2) == '{\n\t"a": 1, // one\n\t"b": 2\n\t// more\n}'


def test_strict_json_stays_strict_json() -> None:
    text = json.dumps({"name": "x", "list": [], "deep": {"a": [1, 2]}}, indent=4)
    edited = append(text, ("list",), {"key": "v" * 100, "other": [1]})
    edited = append(set_value(edited, ("deep", "new"), None), ("deep", "a"), 3)
    assert json.loads(edited)["list"] == [{"key": "v" * 100, "other": [1]}]
    assert json.loads(edited)["deep"] == {"a": [1, 2, 3], "new": None}


def test_a_long_value_is_spread_in_the_indentation_of_the_file() -> None:
    text = "{\n\tdocs: [\n\t\t{ url: 'x' },\n\t],\n}\n"
    edited = set_value(text, ("docs", 0, "enrichment"), {"summary": "s" * 90, "tags": ["a"]})
    assert f"\n\t\t\tsummary: '{'s' * 90}',\n\t\t\ttags: ['a'],\n\t\t}} }},\n" in edited


def test_line_ends_of_another_system_are_kept() -> None:
    edited = set_value("{\r\n  a: 1,\r\n}\r\n", ("b",), 2)
    assert edited == "{\r\n  a: 1,\r\n  b: 2,\r\n}\r\n"


def test_an_empty_object_keeps_the_comment_in_it() -> None:
    edited = set_value("{ a: { // nothing yet\n  } }", ("a", "b"), 1)
    assert "// nothing yet\n" in edited
    assert value(edited) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "place", "left"),
    [
        ("{\n  a: 1,\n  // on b\n  b: 2,\n}", ("a",), "{\n  // on b\n  b: 2,\n}"),
        ("{ a: 1, b: 2 }", ("b",), "{ a: 1  }"),
        ('{"a": [1, 2]}', ("a", 0), '{"a": [ 2]}'),
        ("{\n  a: 1, // why\n  b: 2\n}", ("b",), "{\n  a: 1 // why\n}"),
        ("{\n  a: 1, // why\n}", ("a",), "{\n   // why\n}"),
    ],
)
def test_a_member_is_removed_and_comments_stay(text: str, place: Place, left: str) -> None:
    assert remove(text, place) == left


@pytest.mark.parametrize(
    ("text", "place"),
    [("{", ("a",)), ("{}", ()), ("{a: 1}", ("a", "b")), ("[1]", (3,)), ("{a: [1]}", ("a", 2, "b"))],
)
def test_what_cannot_be_set_is_refused(text: str, place: Place) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        set_value(text, place, 1)


@pytest.mark.parametrize("place", [(), ("b",), ("a", 3)])
def test_what_is_not_there_cannot_be_removed(place: Place) -> None:
    with pytest.raises(ValueError, match="nothing at"):
        remove("{a: [1]}", place)


CALM = settings(max_examples=100, deadline=None)  # no machine is too slow for a property

WORDS = st.text(st.sampled_from("ab'\"\\/*{}[],: \n\u2028é\U0001f600$"), max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
SPACE = st.sampled_from(
    ["", " ", "\n", "\n  ", "\t", "// c, {\n", "/* ] */", " // '\n  ", '/*\n"*/\n', "\r\n"]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A value as an author may have written it, with comments anywhere."""
    inner = draw(st.dictionaries(WORDS, VALUES, max_size=4))

    def write(each: object) -> str:
        if isinstance(each, dict):
            parts = [f"{name(key)}{draw(SPACE)}:{write(item)}" for key, item in each.items()]
            return draw(SPACE) + "{" + joined(parts) + "}" + draw(SPACE)
        if isinstance(each, list):
            return draw(SPACE) + "[" + joined([write(item) for item in each]) + "]" + draw(SPACE)
        return draw(SPACE) + scalar(each) + draw(SPACE)

    def joined(parts: list[str]) -> str:
        end = draw(st.sampled_from(["", ","])) if parts else ""
        return ",".join(draw(SPACE) + part for part in parts) + end + draw(SPACE)

    def scalar(each: object) -> str:
        made = json.dumps(each)
        if isinstance(each, str) and draw(st.booleans()):
            return "'" + made[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
        return made

    def name(key: str) -> str:
        bare = re.fullmatch(r"[ab$]+", key) and draw(st.booleans())
        return draw(SPACE) + (key if bare else scalar(key))

    return write(inner)


def places(inner: object, here: Place = ()) -> list[Place]:
    steps: list[tuple[Any, Any]] = list(inner.items()) if isinstance(inner, dict) else []
    steps += enumerate(inner) if isinstance(inner, list) else ()
    below = [place for step, item in steps for place in places(item, (*here, step))]
    return [*([here] if here else []), *below]


@CALM
@given(st.data(), texts(), VALUES)
def test_an_edit_of_one_place_leaves_every_other_byte(
    data: st.DataObject, text: str, new: object
) -> None:
    before = value(text)
    found = places(before)
    place = data.draw(st.sampled_from(found)) if found else ("new",)
    edited = set_value(text, place, new)
    expected = copy.deepcopy(before)
    inner = expected
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = new
    assert value(edited) == expected
    if found:
        start, end = span(text, place)
        was = before
        for step in place:
            was = was[step]
        assert value(text[start:end]) == was
        assert edited.startswith(text[:start])
        assert edited.endswith(text[end:])
        assert value(edited[start : len(edited) - len(text) + end]) == new


def span(text: str, place: Place) -> tuple[int, int]:
    node = read_tree(text)
    for step in place:
        node = next(m.value for m in node.members if m.step == step)
    return node.start, node.end


@CALM
@given(texts(), VALUES)
@example("{a:1// c, {\n}", 2)
@example("{\t}// c, {\n", None)
def test_a_new_key_only_adds(text: str, new: object) -> None:
    if "zz" in value(text):
        return
    edited = set_value(text, ("zz",), new)
    assert value(edited) == {**value(text), "zz": new}
    kept = iter(edited)
    assert all(character in kept for character in re.sub(r"[ \t\r\n]", "", text)), edited


@CALM
@given(st.data(), texts())
def test_what_is_removed_can_be_any_member(data: st.DataObject, text: str) -> None:
    found = places(value(text))
    if not found:
        return
    place = data.draw(st.sampled_from(found))
    edited = remove(text, place)
    expected: Any = value(text)
    inner = expected
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    assert value(edited) == expected


@CALM
@given(st.data(), texts(), VALUES)
def test_what_is_added_anywhere_takes_nothing_away(
    data: st.DataObject, text: str, new: object
) -> None:
    before = value(text)
    found = [place for place in places(before) if isinstance(at(before, place), dict | list)]
    if not found:
        return
    place = data.draw(st.sampled_from(found))
    if isinstance(at(before, place), list):
        edited = append(text, place, new)
        at(before, place).append(new)
    elif "zz" in at(before, place):
        return
    else:
        edited = set_value(text, (*place, "zz"), new)
        at(before, place)["zz"] = new
    assert value(edited) == before
    kept = iter(edited)
    assert all(character in kept for character in re.sub(r"[ \t\r\n]", "", text))


def at(inner: Any, place: Place) -> Any:  # noqa: ANN401  # whatever is there
    for step in place:
        inner = inner[step]
    return inner
