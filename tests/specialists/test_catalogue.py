from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyjson5
import pytest

from harness.domain.ids import Digest
from harness.errors import BadFile, UsageError
from harness.load.enriched import enriched_folder
from harness.load.snapshots import parse_snapshot
from harness.specialists.cards import card_of, deprecation_words
from harness.specialists.catalogue import (
    as_document,
    catalogue,
    choose,
    choose_snapshot,
    entry_of,
    promote,
    promotion_of,
    read_entry,
)
from harness.specialists.json5 import to_json5
from tests.report.records import a_task
from tests.specialists.proofs import KEY, fresh, graded, minted_at
from tests.specialists.templates import a_template, worn

NOW = datetime(2025, 2, 1, tzinfo=UTC)


def proved(folder: Path, gain: float = 0.2, scenarios: int = 8) -> Path:
    """A snapshot whose specialist is better by about `gain` on so many scenarios."""
    template = a_template(folder)
    runs = []
    for n in range(scenarios):
        task = a_task(f"task-{n}")
        for k in range(3):
            low = 0.3 + 0.02 * ((n + k) % 4)
            runs.append(graded(round(low, 3), task))
            runs.append(
                graded(round(low + gain + 0.01 * ((2 * n + k) % 5), 3), worn(template, task))
            )
    return minted_at(folder, runs, key=KEY).path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three snapshots: unsigned on two scenarios, and two of eight."""
    folder = tmp_path_factory.mktemp("project")
    minted_at(folder)
    proved(folder, 0.2)
    proved(folder, 0.3)
    return folder


def test_snapshots_are_listed_with_what_matters(project: Path) -> None:
    first, second, third = catalogue(project).entries

    assert [each.ref for each in (first, second)] == [
        "@acme/debugger@1.0.0#001",
        "@acme/debugger@1.0.0#002",
    ]
    assert (first.runs, first.improvement, first.signed) == (8, 0.2, False)
    assert (second.runs, second.signed, second.verdict) == (48, True, "better")
    assert second.interval
    assert 0.15 < second.interval[0] < second.interval[1] < 0.3
    assert (len(first.scenarios), len(third.scenarios)) == (2, 8)


def test_the_best_of_every_set_of_scenarios_is_marked(project: Path) -> None:
    assert [each.best for each in catalogue(project).entries] == [True, False, True]


def test_the_best_is_what_is_certain_at_least_not_what_is_newest(tmp_path: Path) -> None:
    proved(tmp_path, 0.3)
    proved(tmp_path, 0.2)

    assert [each.best for each in catalogue(tmp_path).entries] == [True, False]


def test_what_proves_nothing_is_never_the_best(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    task = a_task()
    pair = [run for _ in range(3) for run in (graded(0.5, task), graded(0.5, worn(template, task)))]
    minted_at(tmp_path, pair)
    minted_at(tmp_path, [replace(run, simulated=True) for run in fresh(template)])

    found = catalogue(tmp_path).entries

    assert [each.verdict for each in found] == ["undecided", "nothing"]
    assert [each.best for each in found] == [False, False]


def test_an_interval_is_shown_only_where_there_is_one(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    task = a_task()
    same = [run for _ in range(3) for run in (graded(0.5, task), graded(0.5, worn(template, task)))]
    minted_at(tmp_path, same)
    minted_at(tmp_path, [replace(run, simulated=True) for run in fresh(template)])

    found = catalogue(tmp_path).entries

    assert [(each.improvement, each.interval) for each in found] == [(0.0, None), (0.2, None)]
    for each in found:
        assert card_of(parse_snapshot(each.path.read_bytes())).overall.interval is None  # type: ignore[union-attr]  # there is one


def test_tasks_that_were_changed_are_not_the_same_tasks(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    minted_at(tmp_path)
    changed = Digest("f" * 64)
    minted_at(tmp_path, [replace(run, task_digest=changed) for run in fresh(template)])

    assert [each.best for each in catalogue(tmp_path).entries] == [True, True]


def test_a_snapshot_without_a_comparison_is_never_the_best(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    minted_at(tmp_path, [run for run in fresh(template) if run.cell.specialist])

    (entry,) = catalogue(tmp_path).entries

    assert (entry.best, entry.improvement, entry.verdict) == (False, None, None)
    assert as_document(entry)["low"] is None


@pytest.mark.parametrize(
    ("ref", "number"),
    [
        ("@acme/debugger", 3),
        ("debugger", 3),
        ("@acme/debugger@1.0.0", 3),
        ("@acme/debugger@1.0.0#1", 1),
        ("debugger#002", 2),
        ("snapshots/debugger/1.0.0/snapshot-001.json5", 1),
    ],
)
def test_a_snapshot_is_found_by_its_name_or_path(project: Path, ref: str, number: int) -> None:
    assert choose_snapshot(project, ref).path.name == f"snapshot-{number:03d}.json5"


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("@acme/debuger", "did you mean '@acme/debugger'"),
        ("@acme/debugger@2.0.0", "no snapshot '@acme/debugger@2.0.0'"),
        ("debugger#9", "no snapshot"),
        ("nowhere.json5", "there is no snapshot 'nowhere.json5'"),
    ],
)
def test_a_snapshot_that_is_not_there_is_named(project: Path, ref: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        choose_snapshot(project, ref)
    assert choose(catalogue(project).entries, ref) is None


def test_of_a_name_the_newest_that_compares_is_chosen_and_why_is_said(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    baseline = [run for run in fresh(template) if not run.cell.specialist]
    minted_at(tmp_path, baseline)
    assert choose_snapshot(tmp_path, "debugger").why == ""
    minted_at(tmp_path, baseline)
    none = choose_snapshot(tmp_path, "debugger")
    minted_at(tmp_path)
    newest = choose_snapshot(tmp_path, "debugger")
    minted_at(tmp_path, baseline)

    path, why = choose_snapshot(tmp_path, "debugger")

    assert (none.path.name, none.why) == (
        "snapshot-002.json5",
        "of 2 snapshots the newest; none of them has a comparison",
    )
    assert newest.why == "of 3 snapshots the newest"
    assert path == newest.path
    assert why.endswith("without a comparison: @acme/debugger@1.0.0#004")
    assert choose_snapshot(tmp_path, "debugger#4").path.name == "snapshot-004.json5"


def test_a_name_that_two_specialists_have_is_refused(tmp_path: Path) -> None:
    path = minted_at(tmp_path).path
    other = path.with_name("snapshot-002.json5")
    other.write_text(path.read_text().replace('"@acme/debugger"', '"@other/debugger"'))

    with pytest.raises(UsageError, match="means @acme/debugger and @other/debugger"):
        choose_snapshot(tmp_path, "debugger")
    assert choose_snapshot(tmp_path, "@other/debugger").path == other


def test_templates_are_the_authors_own(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    enriched = enriched_folder(template.source, "1.0.0") / "enriched-001.json5"
    orphan = tmp_path / "templates/gone/enriched/1.0.0/enriched-001.json5"
    for path, text in (
        (enriched, template.source.read_text()),
        (orphan, template.source.read_text().replace("@acme/debugger", "@acme/gone")),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)

    listed = catalogue(tmp_path).templates

    assert [each.source for each in listed] == [template.source, orphan]


def test_a_template_that_cannot_be_used_is_listed_with_what_is_wrong(tmp_path: Path) -> None:
    a_template(tmp_path)
    (tmp_path / "templates/broken.json5").write_text("{ name: ")
    (tmp_path / "templates/wrong.json5").write_text("{ name: '@x/y', version: 1 }")

    found = catalogue(tmp_path)

    assert [each.name for each in found.templates] == ["@acme/debugger"]
    broken, wrong = found.unreadable
    assert (broken.path.name, wrong.path.name) == ("broken.json5", "wrong.json5")
    assert "line 1" in broken.reason
    assert wrong.reason.endswith("more)")
    assert not any("\n" in reason for _, reason in found.unreadable)


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_a_snapshot_is_deprecated_when_its_template_is_today(tmp_path: Path, version: str) -> None:
    path = minted_at(tmp_path).path
    gone = {"deprecated": True, "replacement": "@acme/other"}
    a_template(tmp_path, version=version, version_metadata=gone)

    entry, _ = read_entry(catalogue(tmp_path), path)

    assert entry.deprecation
    assert deprecation_words(entry.deprecation) == "deprecated; use @acme/other"
    a_template(tmp_path, version=version)
    assert read_entry(catalogue(tmp_path), path)[0].deprecation is None


def test_a_snapshot_keeps_its_deprecation_where_its_template_is_gone(tmp_path: Path) -> None:
    path = minted_at(tmp_path).path
    document = parse_snapshot(path.read_bytes())
    document["version_metadata"] = {"deprecated": True, "deprecated_reason": "Too old."}
    path.write_text(to_json5(document))
    shutil.rmtree(tmp_path / "templates")

    (entry,) = catalogue(tmp_path).entries

    assert entry.deprecation
    assert deprecation_words(entry.deprecation) == "deprecated: Too old"


def test_what_cannot_be_read_is_listed_apart(tmp_path: Path) -> None:
    path = minted_at(tmp_path).path
    (path.parent / "snapshot-002.json5").write_text("{")
    (path.parent / "snapshot-003.json5").write_text("{benchmarks: {runs: [1]}}")
    (path.parent / "notes.json5").write_text("{}")

    found = catalogue(tmp_path)

    assert [each.number for each in found.entries] == [1]
    assert [each.path.name for each in found.unreadable] == [
        "snapshot-002.json5",
        "snapshot-003.json5",
    ]
    assert "line 1" in found.unreadable[0].reason
    assert found.unreadable[1].reason == "is no snapshot: 'name' is missing"


def test_what_is_proved_is_promoted_and_the_record_stays(tmp_path: Path) -> None:
    first, second = proved(tmp_path), proved(tmp_path)

    log = promote(first, now=NOW, reason=None)
    promote(second, now=NOW, reason=None)

    assert log == tmp_path / "snapshots/debugger/promoted.json5"
    listed = pyjson5.decode(log.read_text())["promotions"]
    assert [each["number"] for each in listed] == [1, 2]
    assert listed[0]["promoted_at"] == "2025-02-01T00:00:00Z"
    assert listed[0]["claim"].startswith("The specialist improves the score by ")
    assert not listed[0]["forced"]
    assert promotion_of(first) is None
    assert promotion_of(second) == listed[1]
    assert [each.promoted for each in catalogue(tmp_path).entries] == [False, True]
    assert sorted(path.name for path in log.parent.iterdir()) == ["1.0.0", "promoted.json5"]


def test_what_is_not_proved_is_not_promoted_and_why_is_said(tmp_path: Path) -> None:
    path = proved(tmp_path, scenarios=1, gain=0.0)

    with pytest.raises(UsageError, match="does not show that the specialist is better"):
        promote(path, now=NOW, reason=None)

    assert promotion_of(path) is None


def test_a_promotion_by_force_keeps_its_reason(tmp_path: Path) -> None:
    path = proved(tmp_path, scenarios=1, gain=0.0)

    promote(path, now=NOW, reason="the customer wants it")

    kept = promotion_of(path)
    assert kept
    assert (kept["forced"], kept["reason"]) == (True, "the customer wants it")


def test_a_snapshot_without_a_comparison_is_not_promoted(tmp_path: Path) -> None:
    template = a_template(tmp_path)
    own = [run for run in fresh(template) if run.cell.specialist]
    path = minted_at(tmp_path, own).path

    with pytest.raises(UsageError, match="there is no comparison in this snapshot"):
        promote(path, now=NOW, reason=None)


def test_a_record_of_promotions_that_is_none_is_named(tmp_path: Path) -> None:
    path = proved(tmp_path)
    (path.parent.parent / "promoted.json5").write_text("{promotions: [1]}")

    with pytest.raises(BadFile, match=r"promoted\.json5.*no record of promotions"):
        promote(path, now=NOW, reason=None)
    found = catalogue(tmp_path)
    assert len(found.entries) == 1
    assert "is no record of promotions" in found.unreadable[0].reason


def test_a_snapshot_of_the_first_version_is_listed_and_claims_nothing(tmp_path: Path) -> None:
    path = minted_at(tmp_path).path
    document = parse_snapshot(path.read_bytes())
    del document["benchmarks"]["comparison"]["statistics"]["inference"]
    del document["snapshot_metadata"]["provenance"]["chain"]
    path.write_text(to_json5(document))

    (entry,) = catalogue(tmp_path).entries

    assert (entry.improvement, entry.verdict, entry.interval) == (0.2, None, None)
    assert "averages only" in entry.claim
    assert card_of(document).overall


def test_an_entry_says_when_no_model_took_part(tmp_path: Path) -> None:
    path = minted_at(tmp_path).path
    document = parse_snapshot(path.read_bytes())
    assert not entry_of(path, document).simulated

    for run in document["benchmarks"]["runs"]:
        run["simulated"] = True

    assert entry_of(path, document).simulated
