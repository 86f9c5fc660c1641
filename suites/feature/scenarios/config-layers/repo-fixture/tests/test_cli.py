import json

import pytest

from snapkeep.cli import main

NAMES = [f"db-2024-04-{day:02}.tar.gz" for day in (20, 28, 29, 30)]


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNAPKEEP_CONFIG", raising=False)
    (tmp_path / "backups").mkdir()
    for name in NAMES:
        (tmp_path / "backups" / name).touch()
    (tmp_path / "snapkeep.ini").write_text(
        "[snapkeep]\nroot = backups\nkeep_daily = 2\nkeep_weekly = 0\nnotify_token = s3cret\n"
    )
    return tmp_path


def snapkeep(*words):
    return main([*words, "--now", "2024-05-01T12:00:00"])


def test_plan_lists_every_backup(site, capsys):
    assert snapkeep("plan") == 0
    assert capsys.readouterr().out.splitlines() == [
        "keep    db-2024-04-30.tar.gz  daily",
        "keep    db-2024-04-29.tar.gz  daily",
        "remove  db-2024-04-28.tar.gz",
        "remove  db-2024-04-20.tar.gz",
    ]


def test_flags_win_over_the_file(site, capsys):
    assert snapkeep("plan", "--daily", "3", "--format", "json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert [item["keep"] for item in plan] == [True, True, True, False]


def test_prune_removes_and_a_dry_run_does_not(site, capsys):
    assert snapkeep("prune", "--dry-run") == 0
    assert len(list((site / "backups").iterdir())) == 4
    assert snapkeep("prune") == 0
    assert sorted(path.name for path in (site / "backups").iterdir()) == NAMES[2:]
    assert "removed 2, kept 2" in capsys.readouterr().out


def test_the_summary_is_spooled(site):
    assert snapkeep("prune", "--config", "snapkeep.ini") == 0
    with (site / "snapkeep.ini").open("a") as file:
        file.write("notify_spool = spool.jsonl\n")
    assert snapkeep("prune", "--daily", "1") == 0
    line = json.loads((site / "spool.jsonl").read_text())
    assert json.loads(line["body"]) == {"kept": 1, "removed": 1, "root": "backups"}


def test_the_secret_is_not_shown(site, capsys):
    assert snapkeep("config", "show") == 0
    assert "s3cret" not in "".join(capsys.readouterr())


def test_a_broken_configuration_is_status_2(site, capsys):
    (site / "snapkeep.ini").write_text("[snapkeep]\nkeep_daily = seven\n")
    assert snapkeep("plan") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "keep_daily" in captured.err
