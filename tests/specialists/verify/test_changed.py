"""What somebody changed, left out, put in or signed anew is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyjson5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.specialists.mint import Minted
from harness.specialists.verify import Verdict, verify
from tests.specialists.proofs import KEY, OTHER_KEY, copied, flaw_of, minted_at, rewritten


@settings(max_examples=300, deadline=None)
@given(data=st.data(), which=st.sampled_from(["alone", "alone and signed"]))
def test_one_flipped_bit_anywhere_is_found(made: dict[str, Minted], data: Any, which: str) -> None:  # noqa: ANN401  # hypothesis does not name its type
    assert not flipped(made[which], data, bundle=False).ok


@settings(max_examples=20, deadline=None)
@given(data=st.data(), which=st.sampled_from(["unsigned", "bundled"]))
def test_one_flipped_bit_is_found_in_comparisons_and_bundles_too(
    made: dict[str, Minted],
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
def test_no_byte_of_the_envelope_can_be_left_out(made: dict[str, Minted], which: str) -> None:
    envelope = made[which].path.with_name("snapshot-001.dsse.json")
    content = envelope.read_bytes()
    try:
        for place in range(0, len(content), 5):
            envelope.write_bytes(content[:place] + content[place + 1 :])
            assert not verify(made[which].path).ok, place
    finally:
        envelope.write_bytes(content)


def test_a_better_score_is_named_where_it_stands(made: dict[str, Minted], tmp_path: Path) -> None:
    def better(document: dict[str, Any]) -> None:
        document["benchmarks"]["runs"][3]["overall_score"] = 0.99

    found = rewritten(copied(made["signed"], tmp_path), better)

    assert flaw_of(found) == "/benchmarks/runs/3/overall_score: expected 0.7, found 0.99"


def test_a_better_evaluation_does_not_fit_its_total(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    def better(document: dict[str, Any]) -> None:
        document["benchmarks"]["runs"][3]["evaluations"]["test"]["score"] = 0.99

    found = rewritten(copied(made["signed"], tmp_path), better)

    assert flaw_of(found) == "/benchmarks/runs/3/overall_score: expected 0.99, found 0.7"


def test_a_run_changed_all_through_does_not_fit_the_chain(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    def better(document: dict[str, Any]) -> None:
        run = document["benchmarks"]["runs"][3]
        run["evaluations"]["test"]["score"] = run["overall_score"] = 0.75
        run["weighted_score"] = 7.5

    assert flaw_of(rewritten(copied(made["signed"], tmp_path), better)).startswith(
        "/benchmarks/runs/3: expected "
    )


def test_a_better_mean_does_not_follow_from_the_runs(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    def better(document: dict[str, Any]) -> None:
        document["benchmarks"]["comparison"]["improvement"] = 0.4

    found = rewritten(copied(made["signed"], tmp_path), better)

    assert flaw_of(found) == "/benchmarks/comparison/improvement: expected 0.2, found 0.4"


def test_a_run_left_out_is_missed(made: dict[str, Minted], tmp_path: Path) -> None:
    found = rewritten(copied(made["signed"], tmp_path), lambda d: d["benchmarks"]["runs"].pop(2))

    assert flaw_of(found).startswith("/benchmarks/runs/2/run_id: expected run_")


def test_the_last_run_left_out_is_missed(made: dict[str, Minted], tmp_path: Path) -> None:
    found = rewritten(copied(made["signed"], tmp_path), lambda d: d["benchmarks"]["runs"].pop())

    assert flaw_of(found) == "/benchmarks/runs, how many: expected 8, found 7"


def test_a_run_left_out_of_the_chain_too_does_not_fit_its_head(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    def drop(document: dict[str, Any]) -> None:
        document["benchmarks"]["runs"].pop()
        document["snapshot_metadata"]["provenance"]["chain"]["links"].pop()

    found = rewritten(copied(made["signed"], tmp_path), drop)

    assert flaw_of(found).startswith("/snapshot_metadata/provenance/chain/head: expected ")


def test_two_runs_in_each_others_place_are_found(made: dict[str, Minted], tmp_path: Path) -> None:
    def swap(document: dict[str, Any]) -> None:
        runs = document["benchmarks"]["runs"]
        runs[0], runs[4] = runs[4], runs[0]

    assert flaw_of(rewritten(copied(made["signed"], tmp_path), swap)).startswith(
        "/benchmarks/runs/0/run_id: expected run_"
    )


def test_other_words_of_the_template_are_found(made: dict[str, Minted], tmp_path: Path) -> None:
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


def test_a_comment_more_is_found_by_the_files_digest(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    path = copied(made["signed"], tmp_path)
    path.write_text("// The best of all.\n" + path.read_text())

    assert flaw_of(verify(path)).startswith("snapshot-001.json5, sha256: expected ")


def test_another_card_is_found(made: dict[str, Minted], tmp_path: Path) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_suffix(".html").write_text("<h1>The best of all</h1>")

    assert flaw_of(verify(path)).startswith("snapshot-001.html, sha256: expected ")


def test_a_bundle_that_no_statement_names_is_found(made: dict[str, Minted], tmp_path: Path) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_suffix(".bundle.tar").write_bytes(b"")

    assert "one it does not name" in flaw_of(verify(path))


def test_another_key_is_found(made: dict[str, Minted]) -> None:
    found = verify(made["signed"].path, key=OTHER_KEY.public)

    assert flaw_of(found).startswith("/snapshot_metadata/provenance/signer/public_key: expected ")


def test_a_key_is_asked_for_and_nobody_signed(made: dict[str, Minted]) -> None:
    assert "none: not signed" in flaw_of(verify(made["unsigned"].path, key=KEY.public))


def test_a_signature_taken_off_is_missed(made: dict[str, Minted], tmp_path: Path) -> None:
    path = copied(made["signed"], tmp_path)
    envelope = path.with_name("snapshot-001.dsse.json")
    text = envelope.read_bytes()
    envelope.write_bytes(text[: text.index(b'"signatures":')] + b'"signatures":[]}\n')

    assert "/signatures, how many: expected 1, found 0" in flaw_of(verify(path))


def test_a_snapshot_minted_anew_by_somebody_else_is_not_theirs(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    theirs = minted_at(tmp_path, key=OTHER_KEY)

    assert verify(theirs.path).signer == OTHER_KEY.public.keyid
    assert not verify(theirs.path, key=KEY.public).ok
    assert verify(made["signed"].path, key=KEY.public).ok


def test_an_envelope_that_is_gone_is_missed(made: dict[str, Minted], tmp_path: Path) -> None:
    path = copied(made["signed"], tmp_path)
    path.with_name("snapshot-001.dsse.json").unlink()

    assert "found no such file" in flaw_of(verify(path))


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
    made: dict[str, Minted], tmp_path: Path, change: Callable[[dict[str, Any]], object], flaw: str
) -> None:
    path = copied(made["rich"], tmp_path)

    found = rewritten(path, lambda document: change(document["benchmarks"]["runs"][0]))

    assert flaw_of(found) == flaw
