from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyjson5
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.domain.failures import Cause
from harness.domain.session import Entry, Role
from harness.errors import UsageError
from harness.specialists.bundle import unpack
from harness.specialists.json5 import to_json5
from harness.specialists.mint import Minted
from harness.specialists.signing import SigningKey, envelope_text, seal
from harness.specialists.verify import NEVER, Verdict, verify
from harness.store import transcripts
from harness.testing.store import MemoryArtifacts
from tests.report.records import a_session, a_task
from tests.specialists.proofs import (
    KEY,
    OTHER_KEY,
    copied,
    forged,
    fresh,
    graded,
    minted_at,
    resealed,
    rich,
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
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Snapshots that no test changes: unsigned, signed, and one with a bundle."""
    folder = tmp_path_factory.mktemp("made")
    return {
        "unsigned": minted_at(folder / "unsigned"),
        "alone": one_sided(folder / "alone", None),
        "alone and signed": one_sided(folder / "alone and signed", KEY),
        "signed": minted_at(folder / "signed", key=KEY),
        "bundled": with_bundle(folder / "bundled"),
        "rich": minted_at(folder / "rich", rich(folder / "rich"), key=KEY),
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
        "limits",
        "files",
        "layout",
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

    held = verify(made["signed"].path).held
    stated = pyjson5.decode(made["signed"].path.read_text())["snapshot_metadata"]["provenance"][
        "template"
    ]["content"]
    assert stated[:16] in held[4]
    assert flaw_of(rewritten(copied(made["signed"], tmp_path), other)).startswith(
        f"the template's words, sha256: expected {stated}, found "
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


PYTHON = re.compile(
    r"Error|Exception|NoneType|object has|__|'dict'|'str'|'int'|argument|subscript|something else"
)
"""Words that would tell of our code and not of the file."""


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_whatever_is_damaged_is_told_by_its_place_in_plain_words(
    made: dict[str, Any],
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
        path.write_text(written(document), encoding="utf-8")
        found = verify(path)
    finally:
        path.write_bytes(content)

    assert found.flaw
    said = f"{found.flaw} {' '.join(found.flaw.problems)}"
    assert not PYTHON.search(said), said
    assert found.flaw.place.startswith(("/", "snapshot-001.json5", "the template's words"))


def test_all_that_is_wrong_is_said_at_once_with_lines_and_the_nearest_name(
    made: dict[str, Any], tmp_path: Path
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


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda m: m["provenance"].update(limits=[]), "/snapshot_metadata/provenance/limits"),
        (lambda m: m.update(notes=None), "/snapshot_metadata/notes"),
        (
            lambda m: (m["provenance"].update(limits=[]), m.update(notes=None)),
            "/snapshot_metadata/notes",
        ),
        (lambda m: m["provenance"].update(batches=[]), "/snapshot_metadata/provenance/batches"),
        (lambda m: m["provenance"].update(batch_ids=[]), "/snapshot_metadata/provenance/batch_ids"),
        (lambda m: m["provenance"].update(workers=[]), "/snapshot_metadata/provenance/workers"),
        (lambda m: m["provenance"].update(made_with=[]), "/snapshot_metadata/provenance/made_with"),
        (
            lambda m: m["provenance"]["batches"][0].update(planned=1),
            "/snapshot_metadata/provenance/batches/0/planned",
        ),
        (lambda m: m.update(template_version="9.9.9"), "/snapshot_metadata/template_version"),
        (lambda m: m.update(minted_by="somebody"), "/snapshot_metadata/minted_by"),
    ],
)
def test_what_is_left_out_of_a_snapshot_is_missed_though_every_digest_fits(
    made: dict[str, Any], tmp_path: Path, change: Callable[[dict[str, Any]], object], place: str
) -> None:
    path = copied(made["unsigned"], tmp_path)
    forged(path, lambda document: change(document["snapshot_metadata"]))

    assert flaw_of(verify(path)).startswith(place)


def test_another_comment_is_found_though_every_digest_fits(
    made: dict[str, Any], tmp_path: Path
) -> None:
    path = copied(made["unsigned"], tmp_path)
    path.write_text("// The best of all.\n" + path.read_text())

    assert flaw_of(verify(resealed(path))) == (
        "snapshot-001.json5, line 1: expected // A minted snapshot: never edited. Mint again for a"
        " new number., found // The best of all."
    )


def test_a_key_that_stands_twice_is_found_though_every_digest_fits(
    made: dict[str, Any], tmp_path: Path
) -> None:
    path = copied(made["unsigned"], tmp_path)
    text = path.read_text().replace("improvement: 0.2,", "improvement: 0.9,\nimprovement: 0.2,", 1)
    path.write_text(text)

    found = flaw_of(verify(resealed(path)))

    assert "/benchmarks/comparison/improvement (line " in found
    assert "the key 'improvement' stands here and again on line" in found


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_another_card_is_found_though_every_digest_fits(
    made: dict[str, Any], tmp_path: Path, suffix: str
) -> None:
    path = copied(made["unsigned"], tmp_path)
    card = path.with_suffix(suffix)
    card.write_text(card.read_text().replace("Runs", "Better runs"))

    assert flaw_of(verify(resealed(path))).startswith(f"snapshot-001{suffix}, line ")


def test_cards_that_no_statement_names_and_that_are_not_here_are_said(
    made: dict[str, Any], tmp_path: Path
) -> None:
    path = copied(made["unsigned"], tmp_path)
    path.with_suffix(".md").unlink()
    path.with_suffix(".html").unlink()

    found = verify(resealed(path))

    assert found.ok
    assert {"snapshot-001.md is not here", "snapshot-001.html is not here"} <= {*found.notes}


def test_what_another_version_wrote_otherwise_is_no_forgery(
    made: dict[str, Any], tmp_path: Path
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
    made: dict[str, Any], tmp_path: Path
) -> None:
    def of_before(document: dict[str, Any]) -> None:
        document["snapshot_metadata"]["minted_by"] = "mintmark 0.0.9"
        document["benchmarks"]["comparison"]["improvement"] = 0.25

    found = verify(forged(copied(made["unsigned"], tmp_path), of_before))

    assert flaw_of(found) == "/benchmarks/comparison/improvement: expected 0.2, found 0.25"
    assert any("verify with the version that minted" in note for note in found.notes)


def test_a_snapshot_of_another_format_is_told_for_what_it_is(
    made: dict[str, Any], tmp_path: Path
) -> None:
    def of_later(document: dict[str, Any]) -> None:
        provenance = document["snapshot_metadata"]["provenance"]
        provenance["format"], provenance["chain"] = 2, {"links": "elsewhere"}

    found = rewritten(copied(made["unsigned"], tmp_path), of_later)

    assert flaw_of(found) == "/snapshot_metadata/provenance/format: expected 1, found 2"


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        (
            lambda run: run["telemetry"]["token_usage"].update(total_tokens=1),
            "/benchmarks/runs/0/telemetry/token_usage/total_tokens: expected 37, found 1",
        ),
        (
            lambda run: run.update(specialist_enabled=False),
            "/benchmarks/runs/0/specialist_enabled: expected true, found false",
        ),
        (
            lambda run: run.update(partly_graded=True),
            "/benchmarks/runs/0/partly_graded: expected null, found true",
        ),
        (
            lambda run: run.update(run_date="2025-02-30T12:00:00Z"),
            "/benchmarks/runs/0/run_date: expected a date and time, found 2025-02-30T12:00:00Z",
        ),
    ],
)
def test_what_a_run_says_twice_is_the_same(
    made: dict[str, Any], tmp_path: Path, change: Callable[[dict[str, Any]], object], flaw: str
) -> None:
    path = copied(made["rich"], tmp_path)

    found = rewritten(path, lambda document: change(document["benchmarks"]["runs"][0]))

    assert flaw_of(found) == flaw


def test_words_of_a_statement_that_is_none_are_plain(made: dict[str, Any], tmp_path: Path) -> None:
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


def written(document: dict[str, Any]) -> str:
    return json.dumps(document)
