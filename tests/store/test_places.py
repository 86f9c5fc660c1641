"""Where the environment says that results are kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness import wiring
from harness.errors import UsageError
from harness.settings import Settings
from harness.testing.store import a_record
from tests.store.places import store_of

ROOT = Path(__file__).parents[2]


def test_results_lie_in_the_project_unless_said_otherwise(tmp_path: Path) -> None:
    settings = Settings.from_env({}, root=tmp_path)
    store_of(settings).close()
    assert (tmp_path / "results" / "bench.db").is_file()


def test_a_file_can_be_named_for_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({"BENCH_STORE": "shared/runs.db"}, root=tmp_path / "project")
    with store_of(settings) as store:
        store.save(a_record())
    assert (tmp_path / "shared" / "runs.db").is_file()
    assert not (tmp_path / "project").exists()


@pytest.mark.postgres
def test_a_database_can_be_named_for_the_store(database: str, tmp_path: Path) -> None:
    settings = Settings.from_env({"BENCH_STORE": database}, root=tmp_path)
    with store_of(settings) as store:
        store.save(a_record())
    again = Settings.from_env(
        {"BENCH_STORE": database.replace("postgresql:", "postgres:")}, root=tmp_path
    )
    with store_of(again) as store:
        assert store.run("run_1") == a_record()
    assert not list(tmp_path.iterdir())


def test_a_store_of_an_unknown_kind_is_refused_without_repeating_its_address() -> None:
    settings = Settings.from_env({"BENCH_STORE": "mysql://ann:hunter2@host/runs"})
    with pytest.raises(UsageError, match="kind 'mysql'; name a file, or postgres") as said:
        wiring.open_store(settings)
    assert "hunter2" not in str(said.value)


def test_the_address_of_a_store_is_not_shown_with_the_settings() -> None:
    settings = Settings.from_env(
        {"BENCH_STORE": "postgresql://ann:hunter2@host/runs", "BENCH_ARTIFACTS": "s3://a:hunter2@b"}
    )
    assert "hunter2" not in repr(settings)


def test_a_store_in_a_file_loads_nothing_of_the_other_kinds(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from harness import wiring\n"
        "from harness.settings import Settings\n"
        f"settings = Settings(Path({str(tmp_path)!r}))\n"
        "wiring.open_store(settings).batches()\n"
        "wiring.open_artifacts(settings).put('a', b'a')\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout))
    assert "sqlalchemy.dialects.sqlite" in loaded
    assert not loaded & {"psycopg", "sqlalchemy.dialects.postgresql", "fsspec", "s3fs", "botocore"}
