"""What is damaged is told by its place, in words about the file."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyjson5
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.specialists.bundle import unpack
from harness.specialists.mint import Minted
from harness.specialists.signing import envelope_text, seal
from harness.specialists.verify import verify
from tests.specialists.proofs import copied, flaw_of, rewritten

PYTHON = re.compile(
    r"Error|Exception|NoneType|object has|__|'dict'|'str'|'int'|argument|subscript|something else"
)
"""Words that would tell of our code and not of the file."""


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_whatever_is_damaged_is_told_by_its_place_in_plain_words(
    made: dict[str, Minted],
    data: Any,  # noqa: ANN401  # hypothesis does not name its type
) -> None:
    path = made["rich"].path
    content = path.read_bytes()
    document = pyjson5.decode(content.decode())
    place = data.draw(st.sampled_from([p for p in places(document) if p[-1:] != ("note",)]))
    new = data.draw(st.sampled_from([GONE, None, True, -1, "x", [], {}, 10**30, float("inf")]))
    before, after = put(document, place, new)
    assume(json.dumps(before) != json.dumps(after))
    try:
        path.write_text(json.dumps(document), encoding="utf-8")
        found = verify(path)
    finally:
        path.write_bytes(content)

    assert found.flaw
    said = f"{found.flaw} {' '.join(found.flaw.problems)}"
    assert not PYTHON.search(said), said
    assert found.flaw.place.startswith(("/", "snapshot-001.json5", "the template's words"))


def test_all_that_is_wrong_is_said_at_once_with_lines_and_the_nearest_name(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    def spoil(document: dict[str, Any]) -> None:
        run = document["benchmarks"]["runs"][1]
        run["scenaro"] = run.pop("scenario")
        document["snapshot_metadata"]["provenance"]["chain"]["links"][0]["hash"] = 7

    found = rewritten(copied(made["unsigned"], tmp_path), spoil)

    assert flaw_of(found) == "snapshot-001.json5: expected a snapshot, found 3 problems"
    assert found.flaw
    assert [problem.partition(": ")[2] for problem in found.flaw.problems] == [
        "'scenario' is missing",
        "unknown key 'scenaro'; did you mean 'scenario'?",
        "7 is not text",
    ]
    assert all("(line " in problem for problem in found.flaw.problems)


def test_a_bundle_that_holds_more_than_plain_files_is_none() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        link = tarfile.TarInfo("records.jsonl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)

    with pytest.raises(ValueError, match="is no"):
        unpack(out.getvalue())


def test_a_snapshot_from_before_there_was_provenance_says_so(tmp_path: Path) -> None:
    path = tmp_path / "snapshot-001.json5"
    path.write_text("{benchmarks: {runs: []}, snapshot_metadata: {provenance: {}}}")

    assert "minted before there was provenance" in flaw_of(verify(path))


@pytest.mark.parametrize("text", ["", "[]", "{", "{benchmarks: 1}", "{benchmarks: {runs: [1]}}"])
def test_what_is_no_snapshot_does_not_hold(tmp_path: Path, text: str) -> None:
    path = tmp_path / "snapshot-001.json5"
    path.write_text(text)

    assert "expected a snapshot" in flaw_of(verify(path))


def test_a_snapshot_of_another_format_is_told_for_what_it_is(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    def of_later(document: dict[str, Any]) -> None:
        provenance = document["snapshot_metadata"]["provenance"]
        provenance["format"], provenance["chain"] = 2, {"links": "elsewhere"}

    found = rewritten(copied(made["unsigned"], tmp_path), of_later)

    assert flaw_of(found) == "/snapshot_metadata/provenance/format: expected 1, found 2"


def test_words_of_a_statement_that_is_none_are_plain(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    path = copied(made["unsigned"], tmp_path)
    envelope = path.with_name("snapshot-001.dsse.json")
    for payload in (b"[]", b"{}", b'{"subject":[{"name":"x","digest":{"sha256":"y"}}]}', b"1"):
        envelope.write_bytes(envelope_text(seal(payload, None)))
        assert "/subject: expected snapshot.json5 and its companions" in flaw_of(verify(path))
    envelope.write_bytes(b"{}")
    assert "found not an envelope: no payload" in flaw_of(verify(path))


GONE = object()


def places(value: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a value; of long lists the first two items and the last."""
    if place:
        yield place
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*place, key))
    elif isinstance(value, list):
        for number in {0, 1, len(value) - 1} & set(range(len(value))):
            yield from places(value[number], (*place, number))


def put(document: Any, place: tuple[Any, ...], new: object) -> tuple[object, object]:  # noqa: ANN401  # a JSON value
    """Change one place; what was there and what is."""
    for step in place[:-1]:
        document = document[step]
    before = document[place[-1]]
    if new is GONE:
        del document[place[-1]]
        return before, None if before is not None else "gone"
    document[place[-1]] = new
    return before, new
