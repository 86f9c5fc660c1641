from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gateway.exchange import Exchange
from tests.gateway.questions import PATH, answered, messages, missed, player, raw

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 2) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[1]", b"{" * 99_999, b'{"a": 1e999}'])
def test_a_body_that_is_no_object_matches_byte_for_byte(body: bytes) -> None:
    plays = player(body, messages())
    assert answered(plays, body) == "0"
    missed(plays, body + b"!")


def test_a_miss_shows_the_nearest_request_and_where_it_departs() -> None:
    near = messages(prompt="first\nsecond\nmend timeout = 3\nlast")
    plays = player(messages(system="far", model="far"), near, messages(model="far"))
    found = missed(plays, messages(prompt="first\nsecond\nmend timeout = 30\nlast"))
    assert found.nearest is not None
    assert found.nearest.body == b"1"
    assert str(found) == (
        "the recording does not hold this POST /v1/messages; "
        "exchange 2 of 3 is the nearest and departs at messages[0].content:\n"
        "--- recorded\n"
        "+++ asked\n"
        "@@ from line 1 on @@\n"
        " first\n"
        " second\n"
        "-mend timeout = 3\n"
        "+mend timeout = 30\n"
        " last"
    )
    assert str(plays.report().first_difference).startswith("POST /v1/messages: exchange 2 of 3")


def test_a_miss_stays_short_whatever_is_asked() -> None:
    plays = player(messages(prompt="x" * 100_000 + "a"), messages(prompt="l\n" * 10_000))
    told = str(missed(plays, messages(prompt="x" * 100_000 + "b" * 100_000)))
    assert len(told) < 2000
    assert "xxxa\n" in told


@pytest.mark.parametrize(
    "odd",
    [
        b'"\\ud800"',
        b"[" * 600 + b"]" * 600,
        b'{"' + b"k" * 100_000 + b'": 1}',
        b'{"role": ["x"], "type": {}, "content": {"text": [1]}}',
        b'{"role": "tool"}, {"role": "user", "content": [3, null, {"type": []}]}',
    ],
    ids=["surrogate", "deep", "long name", "odd types", "odd blocks"],
)
def test_an_odd_request_is_played_or_missed_with_a_message(odd: bytes) -> None:
    body = b'{"messages": [' + odd + b"]}"
    assert answered(player(body), body) == "0"
    assert answered(player(b" " + body), body) == "0"
    told = str(missed(player(b'{"messages": ["x"]}'), body))
    assert "departs at messages[0]" in told
    assert len(told.encode()) < 3000
    told = str(missed(player(b'{"tools": ["x"]}'), body.replace(b"messages", b"tools")))
    assert "departs at tools[0]" in told


def test_long_numbers_are_compared_whole() -> None:
    one, other = b'{"input": [%s]}' % (b"1" * 70), b'{"input": [%s2]}' % (b"1" * 70)
    plays = player(one, other)
    assert answered(plays, other.replace(b" ", b"")) == "1"
    assert answered(plays, one.replace(b" ", b"")) == "0"


def test_a_list_of_one_is_not_that_one() -> None:
    missed(player(b'{"input": ["a"]}'), b'{"input": "a"}')


def test_what_follows_a_request_counts() -> None:
    missed(player(b'{"input": 1}'), b'{"input": 1} x')


def test_the_nearest_is_one_that_is_still_to_be_played() -> None:
    plays = player(messages(prompt="one"), messages(prompt="two", model="far"))
    answered(plays, messages(prompt="one"))
    found = missed(plays, messages(prompt="one", temperature=1))
    assert found.nearest is not None
    assert found.nearest.body == b"1"


def test_a_request_that_names_a_member_twice_is_not_taken_for_another() -> None:
    missed(player(b'{"messages": [1, 2]}'), b'{"messages": [1], "messages": [2]}')


@given(json_values, json_values)
def test_settings_match_only_their_equals(one: object, other: object) -> None:
    plays = player({"model": "m", "settings": one})
    found = plays.answer(PATH, raw({"model": "m", "settings": other}))
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert isinstance(found, Exchange) == same


def test_a_conversation_that_goes_on_longer_says_so() -> None:
    body = messages()
    longer = body | {"messages": [*body["messages"], {"role": "user", "content": "go on"}]}  # type: ignore[misc]
    told = str(missed(player(body), longer))
    assert "messages[3], which is not in the recording (3 recorded, 4 asked)" in told
    assert "go on" in told
