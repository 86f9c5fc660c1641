"""INI files, their migration, and the old Python interface."""

import json
import tomllib
from typing import Any

from grading import Raised, cases, python
from site_box import do, problems, show, shown, site, warnings
from table import Table

OLD = r"""# nightly
[snapkeep]
; comment
root = C:\backups\"new" äöü
pattern = shop-%Y%m%d.sql.gz   ; inline
exclude = *.part, *.tmp,
   lock*
Keep_Daily = 14
keep_weekly=0
min_age = 90
DRY_RUN = On
format = json
notify_spool = /var/spool/shop#1;x
notify_token = p"a\ss%20w'rd
"""

MEANING: dict[str, dict[str, Any]] = {
    "source": {
        "root": 'C:\\backups\\"new" äöü',
        "pattern": "shop-%Y%m%d.sql.gz",
        "exclude": ["*.part", "*.tmp", "lock*"],
    },
    "retention": {"daily": 14, "weekly": 0, "min_age": "90m"},
    "run": {"dry_run": True},
    "output": {"format": "json"},
    "notify": {"spool": "/var/spool/shop#1;x", "token": "p\"a\\ss%20w'rd"},
}


def test_an_old_file_means_what_it_meant() -> None:
    (seen,) = shown({"snapkeep.ini": OLD}, show())
    old_names = {
        "source.root": "root", "source.pattern": "pattern", "source.exclude": "exclude",
        "retention.daily": "keep_daily", "retention.weekly": "keep_weekly",
        "retention.min_age": "min_age", "run.dry_run": "dry_run", "output.format": "format",
        "notify.spool": "notify_spool", "notify.token": "notify_token",
    }
    for key, old in old_names.items():
        table, _, name = key.partition(".")
        value = "***" if key == "notify.token" else MEANING[table][name]
        assert seen[key] == [value, f"file snapkeep.ini ({old})"], key
    assert seen["output.color"] == ["auto", "default"]


def test_a_bare_number_means_minutes_in_old_files() -> None:
    kept = {"90": "90m", "0": "0m", "45m": "45m", "2h": "2h", "3d": "3d"}
    files = {f"{text}.ini": f"[snapkeep]\nmin_age = {text}\n" for text in kept}
    seen = shown(files, *(show("--config", name) for name in files))
    assert [item["retention.min_age"] for item in seen] == [
        [value, f"file {text}.ini (min_age)"] for text, value in kept.items()
    ]


def test_an_empty_list_and_an_empty_text_are_values_in_old_files() -> None:
    text = "[snapkeep]\nexclude =\nnotify_spool =\ndry_run = 0\n"
    (seen,) = shown({"snapkeep.ini": text}, show())
    assert seen["source.exclude"] == [[], "file snapkeep.ini (exclude)"]
    assert seen["notify.spool"] == ["", "file snapkeep.ini (notify_spool)"]
    assert seen["run.dry_run"] == [False, "file snapkeep.ini (dry_run)"]


def test_stronger_layers_win_over_an_old_file() -> None:
    (seen,) = shown({"snapkeep.ini": OLD}, show("--weekly", "9", RETENTION_DAILY="3"))
    assert seen["retention.daily"] == [3, "env SNAPKEEP_RETENTION_DAILY"]
    assert seen["retention.weekly"] == [9, "flag --weekly"]


def test_the_warning_comes_once_and_not_on_standard_output() -> None:
    files = {"snapkeep.ini": "[snapkeep]\nroot = b\nformat = json\n", "b/db-2020-01-01.tar.gz": ""}
    outcome = site(
        files, show(), do("plan"), do("prune", "--dry-run"), show("--config", "snapkeep.ini")
    )
    for done in outcome["seen"]:
        assert done["status"] == 0, done
        json.loads(done["out"])
        assert len(warnings(done, "snapkeep.ini: the INI format is deprecated")) == 1, done


def test_nothing_is_said_about_toml_files_and_defaults() -> None:
    files = {"a.toml": "[retention]\ndaily = 1\n"}
    for done in site(files, show(), show("--config", "a.toml"))["seen"]:
        assert (done["status"], done["err"]) == (0, "")


def test_an_unknown_old_key_is_a_warning() -> None:
    done = site({"snapkeep.ini": "[snapkeep]\ncolour = blue\nkeep_daily = 3\n"}, show())["seen"][0]
    assert done["status"] == 0
    assert json.loads(done["out"])["retention.daily"]["value"] == 3
    assert len(warnings(done, "snapkeep.ini: unknown key colour")) == 1
    assert not warnings(done, "snapkeep.ini: unknown key keep_daily")


def test_migrating_prints_the_same_meaning() -> None:
    few = "[snapkeep]\nx = 1\nkeep_weekly=2\n"
    outcome = site(
        {"snapkeep.ini": OLD, "elsewhere.ini": OLD, "few.ini": few},
        do("config", "migrate"),
        do("config", "migrate", "--config", "elsewhere.ini"),
        do("config", "migrate", CONFIG="elsewhere.ini"),
        do("config", "migrate", "--config", "few.ini"),
    )
    for done in outcome["seen"][:3]:
        assert done["status"] == 0, done
        assert tomllib.loads(done["out"]) == MEANING
    assert tomllib.loads(outcome["seen"][3]["out"]) == {"retention": {"weekly": 2}}
    assert outcome["toml"] == {}


AWKWARD = ["\\", '"', "'''", '"""', "a\tb", "\\u0041", "ünï😀", "#x", "[y]", "{z}", "a\n  b"]


def ask(texts: list[str]) -> list[Any]:
    keys = ("root", "pattern", "exclude", "notify_spool")
    files: dict[str, str] = {}
    commands = []
    for at in range(0, len(texts), len(keys)):
        lines = (f"{key} = a{text}z\n" for key, text in zip(keys, texts[at:], strict=False))
        files[f"{at}.ini"] = "[snapkeep]\n" + "".join(lines)
        commands += [
            show("--config", f"{at}.ini"),
            do("config", "migrate", "--write", "--config", f"{at}.ini"),
            show("--config", f"{at}.toml"),
        ]
    seen = site(files, *commands)["seen"]
    return [seen[number // len(keys) * 3 :][:3] for number in range(len(texts))]


SEEN = Table(ask, AWKWARD)


@cases(AWKWARD)
def test_awkward_texts_survive_the_migration(text: str) -> None:
    old, migrated, new = SEEN[text]
    assert [old["status"], migrated["status"], new["status"]] == [0, 0, 0], (migrated, new)
    before, after = json.loads(old["out"]), json.loads(new["out"])
    for key in ("source.root", "source.pattern", "source.exclude", "notify.spool"):
        assert before[key]["value"] == after[key]["value"], key
    shown_texts = [item["value"] for item in after.values()]
    wanted = f"a{text}z".replace("\n  ", "\n")
    assert wanted in shown_texts or [wanted] in shown_texts, shown_texts


def test_migrating_writes_beside_the_old_file_for_the_owner_only() -> None:
    outcome = site(
        {"etc/shop.ini": OLD},
        do("config", "migrate", "--write", "--config", "etc/shop.ini"),
        show("--config", "etc/shop.toml"),
    )
    assert outcome["seen"][0]["status"] == 0
    assert outcome["seen"][0]["out"].strip() == "written etc/shop.toml"
    assert outcome["names"] == ["etc/shop.ini", "etc/shop.toml"]
    mode, text = outcome["toml"]["etc/shop.toml"]
    assert mode == "0o600"
    assert tomllib.loads(text) == MEANING
    assert json.loads(outcome["seen"][1]["out"])["retention.daily"]["value"] == 14


def test_migrating_touches_nothing_that_is_there() -> None:
    outcome = site(
        {"shop.ini": OLD, "shop.toml": "# mine\n"},
        do("config", "migrate", "--write", "--config", "shop.ini"),
    )
    assert outcome["seen"][0]["status"] == 2
    assert outcome["seen"][0]["out"] == ""
    assert outcome["toml"]["shop.toml"][1] == "# mine\n"


def test_only_a_sound_old_file_is_migrated() -> None:
    outcome = site(
        {"new.toml": "[retention]\ndaily = 1\n", "bad.ini": "[snapkeep]\nkeep_daily = x\n"},
        do("config", "migrate", "--config", "new.toml"),
        do("config", "migrate"),
        do("config", "migrate", "--config", "gone.ini"),
        do("config", "migrate", "--write", "--config", "bad.ini"),
    )
    for done in outcome["seen"]:
        assert (done["status"], done["out"]) == (2, ""), done
        assert "Traceback" not in done["err"]
    expected = 'retention.daily: expected a whole number >= 0, got "x"'
    assert problems(outcome["seen"][3]) == [f"snapkeep: file bad.ini (keep_daily): {expected}"]
    assert outcome["names"] == ["bad.ini", "new.toml"]


LOAD = """
import os, tempfile, warnings
from dataclasses import fields
from pathlib import Path

def main(name, text):
    os.environ["SNAPKEEP_RETENTION_DAILY"] = "99"
    from snapkeep.config import Config, ConfigError, load_config
    path = None
    if name is not None:
        path = Path(tempfile.mkdtemp()) / name
        if text is not None:
            path.write_text(text, encoding="utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        config = load_config(path)
    kinds = {item.category.__name__ for item in caught}
    assert isinstance(config, Config)
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    types = {key: type(value).__name__ for key, value in values.items()}
    values["min_age"] = config.min_age.total_seconds()
    return {"values": {**values, "exclude": list(config.exclude)}, "types": types,
            "kinds": sorted(kinds)}
"""

TYPES = {
    "root": "str", "pattern": "str", "exclude": "tuple", "keep_daily": "int",
    "keep_weekly": "int", "min_age": "timedelta", "dry_run": "bool", "color": "str",
    "format": "str", "notify_spool": "str", "notify_token": "str",
}  # fmt: skip


@cases(
    [
        ("a.toml", "[retention]\ndaily = 3\nmin_age = '2h'\n[source]\nexclude = ['x']\n"),
        ("a.ini", "[snapkeep]\nkeep_daily = 3\nmin_age = 120\nexclude = x\n"),
    ]
)
def test_load_config_reads_both_formats(case: tuple[str, str]) -> None:
    seen = python(LOAD, *case)
    assert seen["types"] == TYPES
    assert seen["values"] == {
        "root": ".", "pattern": "db-%Y-%m-%d.tar.gz", "exclude": ["x"], "keep_daily": 3,
        "keep_weekly": 4, "min_age": 7200.0, "dry_run": False, "color": "auto",
        "format": "text", "notify_spool": "", "notify_token": "",
    }
    assert "DeprecationWarning" in seen["kinds"]


def test_load_config_without_a_file_gives_the_defaults() -> None:
    seen = python(LOAD, None, None)
    assert (seen["values"]["keep_daily"], seen["values"]["min_age"]) == (7, 3600.0)
    assert "DeprecationWarning" in seen["kinds"]


@cases(
    [
        ("a.toml", "[retention]\ndaily = true\n"),
        ("a.toml", "[retention]\ndayly = 1\n"),
        ("a.toml", "nonsense"),
        ("a.toml", None),
        ("a.ini", "[snapkeep]\nkeep_daily = -3\n"),
        ("a.ini", None),
    ]
)
def test_load_config_still_raises_config_error(case: tuple[str, str | None]) -> None:
    try:
        seen = python(LOAD, *case)
    except Raised as error:
        assert error.is_a("ConfigError"), error
    else:
        raise AssertionError(f"accepted: {seen}")
