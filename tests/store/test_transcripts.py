from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.domain.artifact import Artifact
from harness.domain.session import Ending, Entry, Role, Session
from harness.errors import StoreFault
from harness.store.artifacts import FileArtifacts
from harness.store.transcripts import keep, read
from harness.testing.store import MemoryArtifacts

NASTY = "two\nlines\r\x85\u2028 nul\0 escape\x1b[31m half \udcff quote' \" back \\ 日本 \U0001f600"
SAID = (
    Entry(Role.USER, NASTY, 0.1 + 0.2),
    Entry(Role.TOOL_CALL, '{"path": "a"}', 1.0, tool="read_file"),
    Entry(Role.TOOL_RESULT, "", 2, tool="read_file", is_error=True),
)
ENTRIES = st.lists(
    st.builds(
        Entry,
        role=st.sampled_from(Role),
        text=st.text(st.characters()),
        at_s=st.floats(0, 1e6),
        tool=st.none() | st.text(st.characters(), max_size=9),
        is_error=st.booleans(),
    )
)


def kept(entries: tuple[Entry, ...], artifacts: MemoryArtifacts) -> Session:
    return Session(Ending.FINISHED, 1.0, log=keep(entries, artifacts.put))


def test_entries_come_back_as_they_were_kept() -> None:
    artifacts = MemoryArtifacts()
    assert read(kept(SAID, artifacts), artifacts) == SAID


@given(ENTRIES)
def test_any_entries_come_back_one_line_each(entries: list[Entry]) -> None:
    artifacts = MemoryArtifacts()
    session = kept(tuple(entries), artifacts)
    assert session.log is not None
    lines = artifacts.get(session.log).decode("ascii").splitlines()
    assert len(lines) == len(entries)
    assert read(session, artifacts) == tuple(entries)


def test_lines_are_ascii_json_whose_keys_have_an_order() -> None:
    artifacts = MemoryArtifacts()
    artifact = keep(SAID, artifacts.put)
    first = artifacts.get(artifact).splitlines()[0]
    assert artifact.name == "transcript.jsonl"
    assert first.isascii()
    assert list(json.loads(first)) == ["at_s", "role", "tool", "is_error", "text"]


def test_no_entries_are_an_empty_file() -> None:
    artifacts = MemoryArtifacts()
    session = kept((), artifacts)
    assert session.log is not None
    assert session.log.size_bytes == 0
    assert read(session, artifacts) == ()


def test_a_transcript_that_is_still_in_the_session_is_read_from_there() -> None:
    assert read(Session(Ending.FINISHED, 1.0, transcript=SAID), MemoryArtifacts()) == SAID


def test_a_kept_transcript_that_is_gone_is_a_fault(tmp_path: Path) -> None:
    artifact = keep(SAID, MemoryArtifacts().put)
    with pytest.raises(StoreFault, match="it is gone"):
        read(Session(Ending.FINISHED, 1.0, log=artifact), FileArtifacts(tmp_path))


@pytest.mark.parametrize(
    "damage",
    [
        b"{",
        b"[]",
        b"7",
        b"\xff",
        b"[" * 100_000,
        b'{"at_s": 0, "role": "user", "tool": null, "is_error": false}',
        b'{"at_s": 0, "role": "nobody", "tool": null, "is_error": false, "text": ""}',
        b'{"at_s": "x", "role": "user", "tool": null, "is_error": false, "text": ""}',
        b'{"at_s": 0, "role": "user", "tool": 7, "is_error": false, "text": ""}',
        b'{"at_s": 0, "role": "user", "tool": null, "is_error": 1, "text": ""}',
        b'{"at_s": 0, "role": "user", "tool": null, "is_error": false, "text": []}',
    ],
    ids=lambda damage: damage[:24].decode("ascii", "replace"),
)
def test_a_damaged_line_is_a_fault_that_names_it(damage: bytes) -> None:
    artifacts = MemoryArtifacts()
    whole = artifacts.get(keep(SAID[:1], artifacts.put))
    log: Artifact = artifacts.put("transcript.jsonl", whole + damage + b"\n")
    with pytest.raises(StoreFault, match=r"line 2 of transcript\.jsonl"):
        read(Session(Ending.FINISHED, 1.0, log=log), artifacts)
