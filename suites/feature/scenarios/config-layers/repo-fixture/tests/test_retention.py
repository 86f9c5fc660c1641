from datetime import datetime, timedelta
from pathlib import Path

from snapkeep.config import Config
from snapkeep.retention import decide
from snapkeep.snapshots import Snapshot, find_snapshots

NOW = datetime(2024, 5, 1, 12)


def days_ago(*numbers):
    return [Snapshot(NOW - timedelta(days=n), Path(f"{n}.tar")) for n in numbers]


def kept(snapshots, **config):
    decisions = decide(snapshots, Config(**config), NOW)
    return {item.snapshot.path.stem: item.reasons for item in decisions if item.keep}


def test_the_newest_of_each_day_and_week_stays():
    reasons = kept(days_ago(1, 2, 3, 9, 16, 17), keep_daily=2, keep_weekly=3)
    assert reasons == {
        "1": ("daily", "weekly"),
        "2": ("daily",),
        "3": ("weekly",),
        "16": ("weekly",),
    }


def test_nothing_young_goes():
    assert kept(days_ago(0, 1), keep_daily=0, keep_weekly=0, min_age=timedelta(hours=1)) == {
        "0": ("young",)
    }


def test_only_matching_files_are_backups(tmp_path):
    for name in ("db-2024-05-01.tar.gz", "db-2024-04-30.tar.gz", "db-2024.part", "notes.txt"):
        (tmp_path / name).touch()
    found = find_snapshots(Config(root=str(tmp_path)))
    assert [item.path.name for item in found] == ["db-2024-05-01.tar.gz", "db-2024-04-30.tar.gz"]


def test_excluded_files_are_left_alone(tmp_path):
    (tmp_path / "db-2024-05-01.tar.gz").touch()
    assert find_snapshots(Config(root=str(tmp_path), exclude=("db-*",))) == []
