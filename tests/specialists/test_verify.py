from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyjson5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.domain.failures import Cause
from harness.domain.session import Entry, Role
from harness.errors import UsageError
from harness.specialists.bundle import unpack
from harness.specialists.json5 import to_json5
from harness.specialists.mint import Minted
from harness.specialists.signing import SigningKey
from harness.specialists.verify import NEVER, Verdict, verify
from harness.store import transcripts
from harness.testing.store import MemoryArtifacts
from tests.report.records import a_session, a_task
from tests.specialists.proofs import (
    KEY,
    OTHER_KEY,
    copied,
    fresh,
    graded,
    minted_at,
)
from tests.specialists.templates import a_template, worn


def with_bundle(folder: Path) -> Minted:
    """A signed snapshot whose runs have outputs, and its bundle."""
    artifacts = MemoryArtifacts()
    template = a_template(folder)
    log = transcripts.keep((Entry(Role.ASSISTANT, "I will look.", 0.5),), artifacts.put)
    session = replace(a_session(), log=log)
    runs = [replace(run, session=session) for run in fresh(template, 2, 1)]
    return minted_at(folder, runs, key=KEY, artifacts=artifacts)


def one_sided(folder: Path, key: SigningKey | None) -> Minted:
    """A snapshot without a comparison, which takes no time to compute."""
    template = a_template(folder)
    own = [run for run in fresh(template, 2, 1) if run.cell.specialist]
    return minted_at(folder, own, key=key)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """Snapshots that no test changes: unsigned, signed, and one with a bundle."""
    folder = Path(tempfile.mkdtemp(prefix="mintmark-verify-"))
    return {
        "unsigned": minted_at(folder / "unsigned"),
        "alone": one_sided(folder / "alone", None),
        "alone and signed": one_sided(folder / "alone and signed", KEY),
        "signed": minted_at(folder / "signed", key=KEY),
        "bundled": with_bundle(folder / "bundled"),
        "folder": folder,
    }


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> Verdict:
    """What is said of a snapshot whose document somebody changed."""
    document = pyjson5.decode(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(to_json5(document), encoding="utf-8")
    return verify(path)


def flaw_of(verdict: Verdict) -> str:
    assert not verdict.ok
    assert verdict.signer is None
    return str(verdict.flaw)


def test_a_signed_snapshot_holds_wherever_it_is_taken(made: dict[str, Any], tmp_path: Path) -> None:
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
        "files",
        "signature",
    ]
    assert NEVER


def test_an_unsigned_snapshot_holds_and_says_that_it_is_unsigned(made: dict[str, Any]) -> None:
    found = verify(made["unsigned"].path)

    assert found.ok
    assert found.signer is None
    assert any(note.startswith("not signed") for note in found.notes)


def test_a_bundle_is_read_record_by_record(made: dict[str, Any]) -> None:
    found = verify(made["bundled"].path, bundle=True)

    assert found.flaw is None
    assert found.held[-1] == "bundle: 4 stored records and 1 outputs"
    assert any("--bundle" in note for note in verify(made["bundled"].path).notes)


def test_a_bundle_that_is_not_there_is_missed(made: dict[str, Any]) -> None:
    assert "bundle.tar: expected a bundle" in str(verify(made["signed"].path, bundle=True).flaw)


def test_a_snapshot_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no snapshot"):
        verify(tmp_path / "snapshot-001.json5")


@settings(max_examples=300, deadline=None)
@given(data=st.data(), which=st.sampled_from(["alone", "alone and signed"]))
def test_one_flipped_bit_anywhere_is_found(made: dict[str, Any], data: Any, which: str) -> None:  # noqa: ANN401  # hypothesis does not name its type
    assert not flipped(made[which], data, bundle=False).ok


@settings(max_examples=20, deadline=None)
@given(data=st.data(), which=st.sampled_from(["unsigned", "bundled"]))
def test_one_flipped_bit_is_found_in_comparisons_and_bundles_too(
    made: dict[str, Any],
    data: Any,  # noqa: ANN401  # hypothesis does not name its type
    which: str,
) -> None:
    assert not flipped(made[which], data, bundle=which == "bundled").ok


def flipped(minted: Minted, data: Any, *, bundle: bool) -> Verdict:  # noqa: ANN401  # hypothesis does not name its type
    """What is said when one bit of one file is another."""
    path = data.draw(st.sampled_from([minted.path, *minted.files]), "file")
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1), "place")
    changed = bytearray(content)
    changed[place] ^= 1 << data.draw(st.integers(0, 7), "bit")
    try:
        path.write_bytes(changed)
        return verify(minted.path, bundle=bundle)
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize("which", ["alone", "alone and signed"])
def test_no_byte_of_the_envelope_can_be_left_out(made: dict[str, Any], which: str) -> None:
    envelope = made[which].path.with_name("snapshot-001.dsse.json")
    content = envelope.read_bytes()
    try:
        for place in range(0, len(content), 5):
            envelope.write_bytes(content[:place] + content[place + 1 :])
            assert not verify(made[which].path).ok, place
    finally:
        envelope.write_bytes(content)


def test_a_better_score_is_named_where_it_stands(made: dict[str, Any], tmp_path: Path) -> None:
    def better(document: dict[str, Any]) -> None:
        document["benchmarks"]["runs"][3]["overall_score"] = 0.99

    found = rewritten(copied(made["signed"], tmp_path), better)

    assert flaw_of(found) == "/benchmarks/runs/3/overall_score: expected 0.7, found 0.99"


def test_a_better_evaluation_does_not_fit_its_total(made: dict[str, Any], tmp_path: Path) -> None:
    def better(document: dict[str, Any]) -> None:
        document["benchmarks"]["runs"][3]["evaluations"]["test"]["score"] = 0.99

    found = rewritten(copied(made["signed"], tmp_path), better)

    assert flaw_of(found) == "/benchmarks/runs/3/overall_score: expected 0.99, found 0.7"


def test_a_run_changed_all_through_does_not_fit_the_chain(
    made: dict[str, Any], tmp_path: Path
) -> None:
    def better(document: dict[str, Any]) -> None:
        run = document["benchmarks"]["runs"][3]
        run["evaluations"]["test"]["score"] = run["overall_score"] = 0.75
        run["weighted_score"] = 7.5

    assert flaw_of(rewritten(copied(made["signed"], tmp_path), better)).startswith(
        "/benchmarks/runs/3: expected "
    )


def test_a_better_mean_does_not_follow_from_the_runs(made: dict[str, Any], tmp_path: Path) -> None:
    def better(document: dict[str, Any]) -> None:
        document["benchmarks"]["comparison"]["improvement"] = 0.4

    found = rewritten(copied(made["signed"], tmp_path), better)

    assert flaw_of(found) == "/benchmarks/comparison/improvement: expected 0.2, found 0.4"


def test_a_run_left_out_is_missed(made: dict[str, Any], tmp_path: Path) -> None:
    found = rewritten(copied(made["signed"], tmp_path), lambda d: d["benchmarks"]["runs"].pop(2))

    assert flaw_of(found).startswith("/benchmarks/runs/2/run_id: expected run_")


def test_the_last_run_left_out_is_missed(made: dict[str, Any], tmp_path: Path) -> None:
    found = rewritten(copied(made["signed"], tmp_path), lambda d: d["benchmarks"]["runs"].pop())

    assert flaw_of(found) == "/benchmarks/runs, how many: expected 8, found 7"


def test_a_run_left_out_of_the_chain_too_does_not_fit_its_head(
    made: dict[str, Any], tmp_path: Path
) -> None:
    def drop(document: dict[str, Any]) -> None:
        document["benchmarks"]["runs"].pop()
        document["snapshot_metadata"]["provenance"]["chain"]["links"].pop()

    found = rewritten(copied(made["signed"], tmp_path), drop)

    assert flaw_of(found).startswith("/snapshot_metadata/provenance/chain/head: expected ")


def test_two_runs_in_each_others_place_are_found(made: dict[str, Any], tmp_path: Path) -> None:
    def swap(document: dict[str, Any]) -> None:
        runs = document["benchmarks"]["runs"]
        runs[0], runs[4] = runs[4], runs[0]

    assert flaw_of(rewritten(copied(made["signed"], tmp_path), swap)).startswith(
        "/benchmarks/runs/0/run_id: expected run_"
    )


def test_other_words_of_the_template_are_found(made: dict[str, Any], tmp_path: Path) -> None:
    def other(document: dict[str, Any]) -> None:
        document["persona"]["purpose"] = "Find the effect."

    assert flaw_of(rewritten(copied(made["signed"], tmp_path), other)).startswith(
        "/snapshot_metadata/provenance/template/content: expected "
    )


def test_a_comment_more_is_found_by_the_files_digest(made: dict[str, Any], tmp_path: Path) -> None:
    path = copied(made["signed"], tmp_path)
    path.write_text("// The best of all.\n" + path.read_text())

    assert flaw_of(verify(path)).startswith("snapshot-001.json5, sha256: expected ")


def test_a_snapshot_under_another_name_is_read_all_the_same(
    made: dict[str, Any], tmp_path: Path
) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_name("snapshot-001.dsse.json").rename(tmp_path / "proof.json.dsse.json")
    moved = path.rename(tmp_path / "proof.json")
    assert verify(moved).ok

    moved.write_text("// The best of all.\n" + moved.read_text())

    assert flaw_of(verify(moved)).startswith("proof.json, sha256: expected ")


def test_another_card_is_found(made: dict[str, Any], tmp_path: Path) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_suffix(".html").write_text("<h1>The best of all</h1>")

    assert flaw_of(verify(path)).startswith("snapshot-001.html, sha256: expected ")


def test_a_card_that_was_left_behind_is_said_and_no_flaw(
    made: dict[str, Any], tmp_path: Path
) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_suffix(".html").unlink()

    found = verify(path)

    assert found.ok
    assert "snapshot-001.html is not here" in found.notes


def test_a_bundle_that_no_statement_names_is_found(made: dict[str, Any], tmp_path: Path) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_suffix(".bundle.tar").write_bytes(b"")

    assert "one it does not name" in flaw_of(verify(path))


def test_a_bundle_that_holds_more_than_plain_files_is_none() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        link = tarfile.TarInfo("records.jsonl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)

    with pytest.raises(ValueError, match="is no"):
        unpack(out.getvalue())


def test_another_key_is_found(made: dict[str, Any]) -> None:
    found = verify(made["signed"].path, key=OTHER_KEY.public)

    assert flaw_of(found).startswith("/snapshot_metadata/provenance/signer/public_key: expected ")


def test_a_key_is_asked_for_and_nobody_signed(made: dict[str, Any]) -> None:
    assert "none: not signed" in flaw_of(verify(made["unsigned"].path, key=KEY.public))


def test_a_signature_taken_off_is_missed(made: dict[str, Any], tmp_path: Path) -> None:
    path = copied(made["signed"], tmp_path)
    envelope = path.with_name("snapshot-001.dsse.json")
    text = envelope.read_bytes()
    envelope.write_bytes(text[: text.index(b'"signatures":')] + b'"signatures":[]}\n')

    assert "/signatures, how many: expected 1, found 0" in flaw_of(verify(path))


def test_a_snapshot_minted_anew_by_somebody_else_is_not_theirs(
    made: dict[str, Any], tmp_path: Path
) -> None:
    theirs = minted_at(tmp_path, key=OTHER_KEY)

    assert verify(theirs.path).signer == OTHER_KEY.public.keyid
    assert not verify(theirs.path, key=KEY.public).ok
    assert verify(made["signed"].path, key=KEY.public).ok


def test_an_envelope_that_is_gone_is_missed(made: dict[str, Any], tmp_path: Path) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_name("snapshot-001.dsse.json").unlink()

    assert "found no such file" in flaw_of(verify(path))


def test_a_snapshot_from_before_there_was_provenance_says_so(tmp_path: Path) -> None:
    path = tmp_path / "snapshot-001.json5"
    path.write_text("{benchmarks: {runs: []}, snapshot_metadata: {provenance: {}}}")

    assert "minted before there was provenance" in flaw_of(verify(path))


@pytest.mark.parametrize("text", ["", "[]", "{", "{benchmarks: 1}", "{benchmarks: {runs: [1]}}"])
def test_what_is_no_snapshot_does_not_hold(tmp_path: Path, text: str) -> None:
    path = tmp_path / "snapshot-001.json5"
    path.write_text(text)

    assert "expected a snapshot" in flaw_of(verify(path))


def test_faulted_and_partly_graded_runs_hold_too(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    own = worn(template, a_task("task-0"))
    broken = graded(None, own, fault=Cause.HARNESS)
    half = graded(0.7, own)
    half = replace(half, checks=tuple(replace(c, crashed=True) for c in half.checks), passed=False)
    done = minted_at(tmp_path, [*fresh(template), broken, half])

    assert verify(done.path).flaw is None
    assert any("Partly graded" in limit for limit in done.limits)
