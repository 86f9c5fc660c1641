"""Changes whose every digest was computed again: anyone can seal a snapshot without a signature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.specialists.mint import Minted
from harness.specialists.verify import verify
from tests.specialists.proofs import copied, flaw_of, forged, resealed


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
    made: dict[str, Minted], tmp_path: Path, change: Callable[[dict[str, Any]], object], place: str
) -> None:
    path = copied(made["unsigned"], tmp_path)
    forged(path, lambda document: change(document["snapshot_metadata"]))

    assert flaw_of(verify(path)).startswith(place)


def test_another_comment_is_found_though_every_digest_fits(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    path = copied(made["unsigned"], tmp_path)
    path.write_text("// The best of all.\n" + path.read_text())

    assert flaw_of(verify(resealed(path))) == (
        "snapshot-001.json5, line 1: expected // A minted snapshot: never edited. Mint again for a"
        " new number., found // The best of all."
    )


def test_a_key_that_stands_twice_is_found_though_every_digest_fits(
    made: dict[str, Minted], tmp_path: Path
) -> None:
    path = copied(made["unsigned"], tmp_path)
    text = path.read_text().replace("improvement: 0.2,", "improvement: 0.9,\nimprovement: 0.2,", 1)
    path.write_text(text)

    found = flaw_of(verify(resealed(path)))

    assert "/benchmarks/comparison/improvement (line " in found
    assert "the key 'improvement' stands here and again on line" in found


@pytest.mark.parametrize("suffix", [".md", ".html"])
def test_another_card_is_found_though_every_digest_fits(
    made: dict[str, Minted], tmp_path: Path, suffix: str
) -> None:
    path = copied(made["unsigned"], tmp_path)
    card = path.with_suffix(suffix)
    card.write_text(card.read_text().replace("Runs", "Better runs"))

    assert flaw_of(verify(resealed(path))).startswith(f"snapshot-001{suffix}, line ")
