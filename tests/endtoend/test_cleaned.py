"""What a stored run needs stays, however old it is and however much around it goes."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness import upkeep, wiring
from harness.cleaning import remove
from harness.cli.entry import PASSED
from harness.domain.changes import Changes
from harness.domain.ids import RunId
from harness.load.scenarios import load_project
from harness.settings import Settings
from tests.endtoend.projects import Project, new_project

pytestmark = pytest.mark.docker

MONTH_S = 30 * 24 * 3600.0
OF_FILES = {"artefacts", "trees", "fixture copy", "archive"}
"""What lies on the engine is others' too, who run tests at the same time."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path / "project")


def grow_old(folder: Path) -> None:
    at = time.time() - MONTH_S
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (at, at), follow_symlinks=False)


def test_a_stored_run_is_shown_checked_out_replayed_and_regraded_after_a_month_and_a_cleaning(
    project: Project, tmp_path: Path
) -> None:
    assert project.bench("sample", "greet", "--agent", "oracle").returncode == PASSED
    (run,) = json.loads(project.bench("batch", "last", "--json").stdout)["runs"]
    views = ("--diff", "--transcript", "--tests", "--json")
    before = [project.bench("show", run["run_id"], view).stdout for view in views]
    settings = Settings(project.root)
    artifacts, ledger = wiring.open_artifacts(settings), wiring.open_ledger(settings)
    lost = artifacts.put("log", b"of a run that was never stored")
    ledger.commit(RunId("run_lost"), run["tree"]["base"], Changes())
    (settings.state / "fixtures" / ("0" * 32)).mkdir()
    grow_old(settings.results)

    loaded = load_project(settings.root, wiring.evaluator_kinds())
    week = datetime.now(UTC) - timedelta(days=7)
    elsewhere = upkeep.open_cleaner(replace(settings, artifacts=str(tmp_path / "else")), loaded)
    assert {waste.kind for waste in elsewhere.find(week)}.isdisjoint({"artefacts", "trees"})
    cleaner = upkeep.open_cleaner(settings, loaded)
    found = list(cleaner.find(week))
    mine = [waste for waste in found if waste.kind in OF_FILES]
    assert sorted(waste.kind for waste in mine) == ["artefacts", "fixture copy", "trees"]
    assert sum(waste.count for waste in mine) == 3
    assert not remove(mine).faults

    assert [project.bench("show", run["run_id"], view).stdout for view in views] == before
    assert project.bench("checkout", run["run_id"], str(tmp_path / "out")).returncode == PASSED
    assert (tmp_path / "out/src/greeting.py").exists()
    replayed = project.bench("replay", run["run_id"])
    assert replayed.returncode == PASSED, replayed.stderr
    assert project.bench("sample", "greet", "--agent", "oracle").returncode == PASSED
    place = settings.results / "artifacts" / lost.digest[:2] / lost.digest[2:]
    assert not place.exists()
