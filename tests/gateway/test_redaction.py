from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.gateway.redaction import MARKER, Redactor

KEY = 'sk-ant-api03-Zq9/xY+canary_77"é=='
TOKEN = "run-token-0123456789"  # noqa: S105  # a made-up one

SPELLINGS = {
    "as it is": KEY.encode(),
    "in JSON": json.dumps({"key": KEY}).encode(),
    "in JSON with its letters": json.dumps({"key": KEY}, ensure_ascii=False).encode(),
    "in JSON with escaped slashes": json.dumps(KEY).replace("/", "\\/").encode(),
    "in JSON within JSON": json.dumps(json.dumps({"key": KEY})).encode(),
    "in JSON, every letter escaped": "".join(f"\\u{ord(c):04x}" for c in KEY).encode(),
    "in a URL": quote(KEY, safe="").encode(),
    "in a URL with slashes": quote(KEY).encode(),
    "in a URL in small letters": re.sub(
        "%..", lambda found: found[0].lower(), quote(KEY, safe="")
    ).encode(),
}


@pytest.mark.parametrize("data", SPELLINGS.values(), ids=SPELLINGS)
def test_a_key_is_found_in_every_spelling(data: bytes) -> None:
    cleaned = Redactor([KEY]).clean(b"before " + data + b" after")
    assert MARKER.encode() in cleaned
    assert b"canary" not in cleaned
    assert cleaned.startswith(b"before ")
    assert cleaned.endswith(b" after")


@pytest.mark.parametrize("secret", [TOKEN, "~~~???>>>~~~???>>>"])
@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_is_found_in_base64_wherever_it_stands(
    secret: str, before: str, encode: Callable[[bytes], bytes]
) -> None:
    data = encode(f"{before}{secret}tail".encode())
    cleaned = Redactor([secret]).clean(data)
    assert MARKER.encode() in cleaned
    hidden = cleaned.replace(MARKER.encode(), b"")
    # at most the letters that the neighbours decide too are left
    assert len(hidden) <= len(data) - len(secret)


@pytest.mark.parametrize(
    "key",
    [
        "sk-ant-api03-" + "a1B2" * 10,
        "sk-proj-" + "a1B2_-" * 10,
        "sk-or-v1-" + "0f" * 32,
        "sk-" + "a1B2" * 12,
    ],
)
def test_what_looks_like_a_key_is_taken_out_though_it_is_not_ours(key: str) -> None:
    assert Redactor([]).clean(f"x = '{key}'".encode()) == b"x = '[redacted]'"


def test_a_bearer_token_is_taken_out_and_the_word_stays() -> None:
    data = b"Authorization: Bearer abcdef0123456789abcdef"
    assert Redactor([]).clean(data) == b"Authorization: Bearer [redacted]"


@pytest.mark.parametrize(
    "text",
    [
        "Bearer ${TOKEN}",
        "Bearer authentication-is-required-here",
        "sk-ant-test",
        "risk-assessment of the desk-proj-folder",
        "task-" + "a" * 12,
    ],
)
def test_words_and_placeholders_stay(text: str) -> None:
    assert Redactor([]).clean(text.encode()) == text.encode()


@pytest.mark.parametrize("word", ["", "x", "EMPTY", "ollama"])
def test_what_local_servers_take_as_a_key_is_no_secret(word: str) -> None:
    assert Redactor([word]).clean(b"ollama EMPTY x") == b"ollama EMPTY x"


def test_a_key_that_begins_another_does_not_leave_its_rest() -> None:
    cleaned = Redactor([TOKEN, TOKEN + "-and-more"]).clean(f"{TOKEN}-and-more".encode())
    assert cleaned == MARKER.encode()


@given(st.binary(), st.binary(), st.text(min_size=8))
def test_no_key_is_left_and_a_second_time_changes_nothing(
    before: bytes, after: bytes, secret: str
) -> None:
    redactor = Redactor([secret])
    raw = secret.encode("utf-8", "surrogatepass")
    cleaned = redactor.clean(before + raw + after)
    assert raw not in cleaned
    assert MARKER.encode() in cleaned
    assert redactor.clean(cleaned) == cleaned


@given(st.binary())
def test_what_holds_no_key_stays_as_it_is(data: bytes) -> None:
    assert Redactor([TOKEN]).clean(data) == data
