from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import BadFile
from harness.load.templates import find_exact, find_template, load_template

RAW: dict[str, Any] = {
    "name": "@org/a",
    "version": "1.0.0",
    "persona": {"purpose": "Help."},
    "capabilities": {"tags": ["t"]},
    "documentation": [{"url": "https://x.example"}],
}
SUMMED = [{"url": "https://x.example", "enrichment": {"summary": "Much."}}]


def write(path: Path, **changes: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**RAW, **changes}), encoding="utf-8")
    return path


@pytest.fixture
def author(tmp_path: Path) -> Path:
    return write(tmp_path / "templates" / "a.json5")


def enriched(root: Path, number: int, **changes: object) -> Path:
    path = root / "templates" / "a" / "enriched" / "1.0.0" / f"enriched-{number:03d}.json5"
    return write(path, **{"documentation": SUMMED, **changes})


@pytest.mark.parametrize("ref", ["@org/a", "a@1.0.0", "templates/a.json5"])
def test_the_newest_enriched_file_is_used_and_said_to_be(
    tmp_path: Path, author: Path, ref: str
) -> None:
    enriched(tmp_path, 1)
    newest = enriched(tmp_path, 2)
    template = find_template(tmp_path, ref)
    assert template.source == newest
    assert template.notes[0] == "enriched: enriched-002.json5 is used, of a.json5"
    plain = find_template(tmp_path, ref, enriched=False)
    assert (plain.source, plain.notes) == (author, ())


def test_an_enriched_file_can_be_asked_for_by_its_path(tmp_path: Path, author: Path) -> None:
    first = enriched(tmp_path, 1)
    second = enriched(tmp_path, 2)
    assert author
    for path, said in ((first, "; the newest is enriched-002.json5"), (second, "")):
        template = find_template(tmp_path, str(path))
        assert template.source == path
        assert template.notes[0] == f"enriched: {path.name} is used, as asked for{said}"


def test_a_snapshot_is_no_template_and_says_of_which_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "snapshot-001.json5", snapshot_metadata={}, benchmarks={"runs": []})
    with pytest.raises(BadFile, match=r"is a snapshot, not a template; .* of: @org/a@1\.0\.0"):
        find_template(tmp_path, str(path))


@pytest.mark.parametrize("ref", ["a", "templates/a.json5"])
def test_an_enriched_file_of_what_the_author_has_changed_since_is_not_used(
    tmp_path: Path, author: Path, ref: str
) -> None:
    enriched(tmp_path, 1)
    write(author, persona={"purpose": "Help more."})
    template = find_template(tmp_path, ref)
    assert template.source == author
    assert "the template has changed since" in template.notes[0]


def test_the_history_that_enriching_writes_is_no_change_of_the_authors(
    tmp_path: Path, author: Path
) -> None:
    metadata = {"last_enriched_at": "2025-01-01T00:00:00Z"}
    newest = enriched(tmp_path, 1, version_metadata=metadata)
    assert find_template(tmp_path, str(author)).source == newest


def test_enriched_files_of_other_templates_and_versions_are_left_alone(
    tmp_path: Path, author: Path
) -> None:
    folder = tmp_path / "templates" / "a" / "enriched"
    write(folder / "1.0.0" / "enriched-001.json5", name="@org/b")
    write(folder / "0.9.0" / "enriched-001.json5", version="0.9.0")
    assert find_template(tmp_path, "@org/a").source == author
    assert find_template(tmp_path, "templates/a.json5").source == author


def test_an_enriched_file_inherits_from_where_its_author_did(tmp_path: Path, author: Path) -> None:
    base = {"name": "@org/base", "license": "MIT"}
    write(author.parent / "base.json5", **base)
    write(author, **{"from": "./base.json5"})
    path = enriched(tmp_path, 1, **{"from": "./base.json5"})
    assert json.loads(load_template(path).document)["license"] == "MIT"
    assert find_template(tmp_path, "@org/a").source == path


def test_documents_of_a_parent_are_as_its_newest_enriched_file_has_them(
    tmp_path: Path, author: Path
) -> None:
    kid = author.parent / "kid.json5"
    kid.write_text('{name: "kid", version: "1.0.0", from: "@org/a"}', encoding="utf-8")
    before = find_template(tmp_path, "kid")
    enriched(tmp_path, 1)
    after = find_template(tmp_path, "kid")
    assert before.documentation[0].enrichment is None
    assert after.documentation[0].enrichment is not None
    assert after.digest != before.digest
    assert find_template(tmp_path, "kid", enriched=False).digest == before.digest
    for each in (before, after):
        assert find_exact(tmp_path, "kid", "1.0.0", each.digest) == each


def test_the_very_file_of_a_run_is_found_by_its_digest(tmp_path: Path, author: Path) -> None:
    first, second = enriched(tmp_path, 1), enriched(tmp_path, 2, license="MIT")
    for path in (author, first, second):
        digest = load_template(path).digest
        found = find_exact(tmp_path, "@org/a", "1.0.0", digest)
        assert found is not None
        assert found.source == path
    assert find_exact(tmp_path, "@org/a", "2.0.0", load_template(author).digest) is None


def test_a_broken_file_beside_a_template_is_in_nobodys_way(tmp_path: Path, author: Path) -> None:
    path = enriched(tmp_path, 1)
    path.write_text("{", encoding="utf-8")
    assert find_template(tmp_path, "templates/a.json5").source == author
    author.write_text("{", encoding="utf-8")
    with pytest.raises(BadFile):
        find_template(tmp_path, "templates/a.json5")
