from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.gateway import cassette
from harness.gateway.exchange import Exchange
from harness.gateway.recording import Recorder

Value = dict[str, object]


def a_dump() -> bytes:
    recorder = Recorder([], "m")
    for text in ("one", "two"):
        body = json.dumps({"messages": [{"role": "user", "content": text}]}).encode()
        recorder.add(Exchange("/v1/messages", body, 200, body=b"{}"))
    return recorder.dump()


def rebuilt(*lines: Value, **header: object) -> bytes:
    """A dump with a first line that fits the others, as somebody who means harm would write it."""
    rest = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    blobs = sum(1 for line in lines if "path" not in line)
    first = {
        "mintmark_cassette": 1,
        "model": "m",
        "blobs": blobs,
        "exchanges": len(lines) - blobs,
        "sha256": hashlib.sha256(rest).hexdigest(),
        **header,
    }
    return json.dumps(first).encode() + b"\n" + rest


def lines_of(dump: bytes) -> list[Value]:
    return [json.loads(line) for line in dump.splitlines()[1:]]


def last(**changes: object) -> bytes:
    lines = lines_of(a_dump())
    return rebuilt(*lines[:-1], {**lines[-1], **changes})


def request(**changes: object) -> Value:
    return {"like": None, "head": 0, "places": [0], "tail": 0, **changes}


def test_the_helper_of_these_tests_writes_what_is_read() -> None:
    assert len(cassette.load(rebuilt(*lines_of(a_dump())))) == 2


HOSTILE = {
    "nothing": (b"", "first line"),
    "a picture": (b"\x89PNG\r\n", "first line"),
    "another JSON file": (b'{"a": 1}\n', "first line"),
    "a list": (b"[1]\n", "first line"),
    "a newer version": (rebuilt(mintmark_cassette=2), "version 2"),
    "a member that nobody knows": (rebuilt(zebra=1), "zebra"),
    "a negative count": (rebuilt(blobs=-1), "'blobs' cannot be -1"),
    "true for a count": (rebuilt(blobs=True), "'blobs' cannot be True"),
    "more lines than there are": (rebuilt(exchanges=10**4), "it is cut"),
    "more lines than anybody has": (rebuilt(exchanges=10**11), "more than 5000000"),
    "a file cut between lines": (a_dump().rsplit(b"\n", 2)[0] + b"\n", "it is cut"),
    "a file cut within a line": (a_dump()[:-9], "it is cut"),
    "a changed word": (a_dump().replace(b"two", b"too"), "checksum"),
    "no JSON": (a_dump().replace(b'{"text"', b'{"text', 1), "line 2: not JSON"),
    "deep JSON": (rebuilt({"text": "x"}).replace(b'"x"', b"[" * 99999), "line 2: not JSON"),
    "no text": (rebuilt({"text": 1}), "line 2: 'text' cannot be 1"),
    "half a surrogate pair": (rebuilt({"text": "\ud800"}), "line 2: 'text'"),
    "bad base64": (rebuilt({"base64": "*"}), "line 2: 'base64'"),
    "a blob too much": (rebuilt({"text": "", "more": 1}), "line 2: nobody knows what 'more' is"),
    "a word for a status": (last(status="200"), "'status' cannot be '200'"),
    "a status that is none": (last(status=7), "'status' cannot be 7"),
    "infinite time": (last(duration_s=float("inf")), "Infinity is no number"),
    "negative time": (last(duration_s=-1), "'duration_s' cannot be -1"),
    "a refusal that is none": (last(refusal="mood"), "'refusal' cannot be 'mood'"),
    "headers that are none": (last(headers=[["a"]]), "'headers'"),
    "usage that is none": (last(usage={"input_tokens": 1}), "'output_tokens' is missing"),
    "a body with more": (last(body={"text": "", "more": 1}), "nobody knows what 'more' is"),
    "a body that is none": (last(body={}), "'text' is missing"),
    "no request": (last(request=None), "'request'"),
    "an unknown blob": (last(request=request(places=[99])), "there is no blob 99"),
    "a negative blob": (last(request=request(places=[-1])), "'places'"),
    "a request like itself": (last(request=request(like=1)), "which comes no earlier"),
    "a request like a later one": (last(request=request(like=2)), "which comes no earlier"),
    "more than there was": (last(request=request(like=0, head=99)), "takes 99 pieces"),
    "a head of nothing": (last(request=request(head=1)), "takes 1 pieces"),
}


@pytest.mark.parametrize(("data", "message"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("as_file", [bytes, cassette.pack], ids=["plain", "packed"])
def test_what_is_no_cassette_is_refused_with_the_place(
    data: bytes, message: str, as_file: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(UsageError) as caught:
        cassette.load(as_file(data))
    assert "no usable cassette" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", list(lines_of(a_dump())[-1]))
def test_every_member_of_an_exchange_has_to_be_there(name: str) -> None:
    lines = lines_of(a_dump())
    if name == "path":
        return
    del lines[-1][name]
    with pytest.raises(UsageError, match=f"'{name}' is missing"):
        cassette.load(rebuilt(*lines))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024), compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="unpacks to more than 1000000 bytes"):
            cassette.load(bomb, limit_bytes=1_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024


def test_a_plain_file_beyond_the_limit_is_refused() -> None:
    with pytest.raises(UsageError, match="more than 100 bytes"):
        cassette.load(a_dump(), limit_bytes=100)


def test_a_request_that_one_blob_fills_a_million_times_is_refused() -> None:
    lines = lines_of(a_dump())
    lines[0] = {"text": "x" * 1_000_000}
    lines[-1]["request"] = request(places=[0] * 300)
    with pytest.raises(UsageError, match="a request is larger than"):
        cassette.load(rebuilt(*lines))


def test_requests_that_double_each_other_are_refused() -> None:
    lines = lines_of(a_dump())
    first = {**lines[-1], "request": request(places=[0] * 1000)}
    more = [{**first, "request": request(like=0, head=1000, places=[])} for _ in range(30)]
    lines[0] = {"text": ""}
    with pytest.raises(UsageError, match="more pieces than fit"):
        cassette.load(rebuilt(*lines[:-2], first, *more), limit_bytes=100_000)


def test_a_cut_file_is_refused_with_the_place() -> None:
    packed = cassette.pack(a_dump())
    with pytest.raises(UsageError, match="the file is cut"):
        cassette.load(packed[:-12])


def test_a_damaged_file_is_refused() -> None:
    packed = bytearray(cassette.pack(a_dump()))
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises(UsageError, match="no usable cassette"):
        cassette.load(bytes(packed))


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(UsageError, match="5 bytes follow"):
        cassette.load(cassette.pack(a_dump()) + b"extra")


@given(st.binary())
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for file in (data, b"\x1f\x8b" + data, a_dump()[:200] + data):
        with pytest.raises(UsageError):
            cassette.load(file)
