"""What holds: untouched, moved, with less beside it, or written by another version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.domain.failures import Cause
from harness.errors import UsageError
from harness.specialists.mint import Minted
from harness.specialists.verify import NEVER, verify
from tests.report.records import a_task
from tests.specialists.proofs import (
    KEY,
    copied,
    flaw_of,
    forged,
    fresh,
    graded,
    minted_at,
    resealed,
)
from tests.specialists.templates import a_template, worn


def test_a_signed_snapshot_holds_wherever_it_is_taken(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    path = copied(made["signed"], tmp_path / "elsewhere")

    found = verify(path, key=KEY.public)

    assert found.ok
    assert found.signer == KEY.public.keyid
    assert (found.name, found.runs) == ("@acme/debugger", 8)
    assert [line.partition(":")[0] for line in found.held] == [
        "structure",
        "scores",
        "chain of runs",
        "aggregates",
        "template",
        "limits",
        "files",
        "layout",
        "signature",
    ]
    assert NEVER


def test_an_unsigned_snapshot_holds_and_says_that_it_is_unsigned(made: dict[str, Minted]) -> None:
    found = verify(made["unsigned"].path)

    assert found.ok
    assert found.signer is None
    assert any(note.startswith("not signed") for note in found.notes)


def test_a_bundle_is_read_record_by_record(made: dict[str, Minted]) -> None:
    found = verify(made["bundled"].path, bundle=True)

    assert found.flaw is None
    assert found.held[-1] == "bundle: 4 stored records and 1 outputs"
    assert any("--bundle" in note for note in verify(made["bundled"].path).notes)


def test_a_bundle_that_is_not_there_is_missed(made: dict[str, Minted]) -> None:
    assert "bundle.tar: expected a bundle" in str(verify(made["signed"].path, bundle=True).flaw)


def test_a_snapshot_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no snapshot"):
        verify(tmp_path / "snapshot-001.json5")


def test_a_snapshot_under_another_name_is_read_all_the_same(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_name("snapshot-001.dsse.json").rename(tmp_path / "proof.json.dsse.json")
    moved = path.rename(tmp_path / "proof.json")
    assert verify(moved).ok

    moved.write_text("// The best of all.\n" + moved.read_text())

    assert flaw_of(verify(moved)).startswith("proof.json, sha256: expected ")


def test_a_card_that_was_left_behind_is_said_and_no_flaw(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_suffix(".html").unlink()

    found = verify(path)

    assert found.ok
    assert "snapshot-001.html is not here" in found.notes


def test_cards_that_no_statement_names_and_that_are_not_here_are_said(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    path = copied(made["unsigned"], tmp_path)
    path.with_suffix(".md").unlink()
    path.with_suffix(".html").unlink()

    found = verify(resealed(path))

    assert found.ok
    assert {"snapshot-001.md is not here", "snapshot-001.html is not here"} <= {*found.notes}


def test_faulted_and_partly_graded_runs_hold_too(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    own = worn(template, a_task("task-0"))
    broken = graded(None, own, fault=Cause.HARNESS)
    half = graded(0.7, own)
    half = replace(half, checks=tuple(replace(c, crashed=True) for c in half.checks), passed=False)
    done = minted_at(tmp_path, [*fresh(template), broken, half])

    assert verify(done.path).flaw is None
    assert any("Partly graded" in limit for limit in done.limits)


def test_what_another_version_wrote_otherwise_is_no_forgery(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    def of_before(document: dict[str, Any]) -> None:
        document["snapshot_metadata"]["minted_by"] = "mintmark 0.0.9"
        document["snapshot_metadata"]["provenance"]["harness"]["version"] = "0.0.9"

    path = forged(copied(made["unsigned"], tmp_path), of_before)
    assert verify(path).notes == verify(made["unsigned"].path).notes

    path.write_text("// Of another time.\n" + path.read_text())
    found = verify(resealed(path))

    assert found.ok
    assert any(
        note.startswith("snapshot-001.json5: written by another version (mintmark 0.0.9")
        for note in found.notes
    )
    assert not any(line.startswith("layout") for line in found.held)


def test_numbers_of_another_version_do_not_hold_and_that_is_said(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    def of_before(document: dict[str, Any]) -> None:
        document["snapshot_metadata"]["minted_by"] = "mintmark 0.0.9"
        document["benchmarks"]["comparison"]["improvement"] = 0.25

    found = verify(forged(copied(made["unsigned"], tmp_path), of_before))

    assert flaw_of(found) == "/benchmarks/comparison/improvement: expected 0.2, found 0.25"
    assert any("verify with the version that minted" in note for note in found.notes)
