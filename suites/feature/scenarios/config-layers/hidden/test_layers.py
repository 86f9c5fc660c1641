"""Which layer decides, and how that is shown."""

import json

from grading import cases
from site_box import do, show, shown, site, warnings

DEFAULTS = {
    "source.root": ".",
    "source.pattern": "db-%Y-%m-%d.tar.gz",
    "source.exclude": ["*.part"],
    "retention.daily": 7,
    "retention.weekly": 4,
    "retention.min_age": "60m",
    "run.dry_run": False,
    "output.color": "auto",
    "output.format": "text",
    "notify.spool": "",
    "notify.token": "",
}

FULL = """
[source]
root = "/srv/b"
pattern = "x-%Y.gz"
exclude = ["a", "b"]
[retention]
daily = 1
weekly = 2
min_age = "3h"
[run]
dry_run = true
[output]
color = "never"
format = "json"
[notify]
spool = "/tmp/spool"
"""


def test_the_defaults_are_shown_in_order() -> None:
    outcome = site(
        {},
        do("config", "show", "--json"),
        do("config", "show"),
        do("config", "show", "--origin"),
        do("config", "show", "--json", "--origin"),
    )
    plain, text, origins, both = outcome["seen"]
    assert [item["status"] for item in outcome["seen"]] == [0, 0, 0, 0]
    assert json.loads(plain["out"]) == DEFAULTS
    assert list(json.loads(plain["out"])) == list(DEFAULTS)
    pairs = [line.split(" = ", 1) for line in text["out"].splitlines()]
    assert [(key, json.loads(value)) for key, value in pairs] == list(DEFAULTS.items())
    assert origins["out"].splitlines() == [
        f"{line}  # default" for line in text["out"].splitlines()
    ]
    assert json.loads(both["out"]) == {
        key: {"value": value, "origin": "default"} for key, value in DEFAULTS.items()
    }


def test_each_layer_wins_over_the_ones_below() -> None:
    low, mid, high = shown(
        {"snapkeep.toml": FULL},
        show(),
        show(RETENTION_DAILY="11", OUTPUT_COLOR="always", SOURCE_ROOT="/env", NOTIFY_SPOOL="s"),
        show("--daily", "21", "--root", "/flag", RETENTION_DAILY="11", RETENTION_WEEKLY="12"),
    )
    file = "file snapkeep.toml"
    assert low["retention.daily"] == [1, file]
    assert low["source.exclude"] == [["a", "b"], file]
    assert low["notify.token"] == ["", "default"]
    assert mid["retention.daily"] == [11, "env SNAPKEEP_RETENTION_DAILY"]
    assert mid["retention.weekly"] == [2, file]
    assert mid["output.color"] == ["always", "env SNAPKEEP_OUTPUT_COLOR"]
    assert mid["source.root"] == ["/env", "env SNAPKEEP_SOURCE_ROOT"]
    assert mid["notify.spool"] == ["s", "env SNAPKEEP_NOTIFY_SPOOL"]
    assert high["retention.daily"] == [21, "flag --daily"]
    assert high["retention.weekly"] == [12, "env SNAPKEEP_RETENTION_WEEKLY"]
    assert high["source.root"] == ["/flag", "flag --root"]


def test_every_flag_reaches_its_key() -> None:
    (seen,) = shown(
        {"snapkeep.toml": FULL},
        show(
            "--root", "r", "--exclude", "x", "--daily", "5", "--weekly", "6", "--min-age", "7d",
            "--no-dry-run", "--color", "auto", "--format", "text",
        ),
    )
    assert seen["source.root"] == ["r", "flag --root"]
    assert seen["source.exclude"] == [["x"], "flag --exclude"]
    assert seen["retention.daily"] == [5, "flag --daily"]
    assert seen["retention.weekly"] == [6, "flag --weekly"]
    assert seen["retention.min_age"] == ["7d", "flag --min-age"]
    assert seen["run.dry_run"] == [False, "flag --no-dry-run"]
    assert seen["output.color"] == ["auto", "flag --color"]
    assert seen["output.format"] == ["text", "flag --format"]


def test_zero_false_and_an_empty_list_are_values() -> None:
    file, env, flag, empty = shown(
        {
            "snapkeep.toml": FULL,
            "zero.toml": "[retention]\ndaily = 0\n[source]\nexclude = []\nroot = ''\n",
        },
        show("--config", "zero.toml"),
        show(RETENTION_DAILY="0", RUN_DRY_RUN="false", SOURCE_EXCLUDE=","),
        show("--daily", "0", "--weekly", "0", "--no-dry-run", RETENTION_DAILY="5"),
        show("--dry-run", RUN_DRY_RUN="no"),
    )
    assert file["retention.daily"] == [0, "file zero.toml"]
    assert file["source.exclude"] == [[], "file zero.toml"]
    assert file["source.root"] == ["", "file zero.toml"]
    assert env["retention.daily"] == [0, "env SNAPKEEP_RETENTION_DAILY"]
    assert env["run.dry_run"] == [False, "env SNAPKEEP_RUN_DRY_RUN"]
    assert env["source.exclude"] == [[], "env SNAPKEEP_SOURCE_EXCLUDE"]
    assert flag["retention.daily"] == [0, "flag --daily"]
    assert flag["retention.weekly"] == [0, "flag --weekly"]
    assert flag["run.dry_run"] == [False, "flag --no-dry-run"]
    assert empty["run.dry_run"] == [True, "flag --dry-run"]


def test_lists_are_replaced_and_read_as_each_layer_writes_them() -> None:
    env, flag = shown(
        {"snapkeep.toml": FULL},
        show(SOURCE_EXCLUDE=" *.tmp , ,lock,"),
        show("--exclude", "x,y", "--exclude", "z", SOURCE_EXCLUDE="q"),
    )
    assert env["source.exclude"] == [["*.tmp", "lock"], "env SNAPKEEP_SOURCE_EXCLUDE"]
    assert flag["source.exclude"] == [["x,y", "z"], "flag --exclude"]


def test_an_empty_variable_is_not_set_and_others_are_ignored() -> None:
    (seen,) = shown(
        {"snapkeep.toml": FULL},
        show(RETENTION_DAILY="", SOURCE_EXCLUDE="", RETENTION_DAYLY="x", COLOUR="blue"),
    )
    assert seen["retention.daily"] == [1, "file snapkeep.toml"]
    assert seen["source.exclude"] == [["a", "b"], "file snapkeep.toml"]


def test_booleans_in_the_environment() -> None:
    words = {"yes": True, "ON": True, "1": True, "Off": False, "FALSE": False}
    seen = shown({"snapkeep.toml": FULL}, *(show(RUN_DRY_RUN=word) for word in words))
    assert [item["run.dry_run"][0] for item in seen] == list(words.values())


def test_durations_stay_as_they_were_written() -> None:
    file, env, flag = shown(
        {"snapkeep.toml": "[retention]\nmin_age = '120m'\n"},
        show(), show(RETENTION_MIN_AGE="48h"), show("--min-age", "1440m"),
    )
    seen = [item["retention.min_age"][0] for item in (file, env, flag)]
    assert seen == ["120m", "48h", "1440m"]


def test_the_file_is_looked_for_in_the_documented_order() -> None:
    def daily(number: int) -> str:
        return f"[retention]\ndaily = {number}\n"

    files = {
        "flag.toml": daily(1),
        "env.toml": daily(2),
        "settings": daily(3),
        "snapkeep.toml": daily(4),
        "snapkeep.ini": "[snapkeep]\nkeep_daily = 5\n",
    }
    seen = shown(
        files,
        show("--config", "flag.toml", CONFIG="env.toml"),
        show(CONFIG="env.toml"),
        show("--config", "settings"),
        show(),
    )
    assert [item["retention.daily"] for item in seen] == [
        [1, "file flag.toml"], [2, "file env.toml"], [3, "file settings"],
        [4, "file snapkeep.toml"],
    ]
    del files["snapkeep.toml"]
    (old,) = shown(files, show())
    assert old["retention.daily"] == [5, "file snapkeep.ini (keep_daily)"]


def test_an_old_file_beside_the_new_one_is_ignored_with_one_line() -> None:
    files = {"snapkeep.toml": FULL, "snapkeep.ini": "[snapkeep]\nkeep_daily = seven\n"}
    beside, named = site(files, show(), show("--config", "snapkeep.toml"))["seen"]
    assert beside["status"] == named["status"] == 0
    assert len(warnings(beside, "snapkeep.ini is ignored")) == 1
    assert not warnings(beside, "snapkeep.ini: the INI format")


def test_the_output_format_does_not_change_config_show() -> None:
    text, json_ = site({"snapkeep.toml": FULL}, do("config", "show"), show())["seen"]
    assert "output.format = \"json\"" in text["out"].splitlines()
    assert json.loads(json_["out"])["output.format"]["value"] == "json"


def test_a_secret_is_never_shown() -> None:
    files = {
        "snapkeep.toml": "[notify]\ntoken = 'hunter22'\n",
        "snapkeep.ini": "[snapkeep]\nnotify_token = hunter22\n",
    }
    outcome = site(
        files,
        show(), do("config", "show"), do("config", "show", "--origin"),
        show(NOTIFY_TOKEN="hunter22x"), show("--config", "snapkeep.ini"),
        do("config", "show", NOTIFY_TOKEN="hunter22", RETENTION_DAILY="x"),
    )
    for done in outcome["seen"]:
        assert "hunter22" not in done["out"] + done["err"], done
    for index in (0, 3, 4):
        assert json.loads(outcome["seen"][index]["out"])["notify.token"]["value"] == "***"
    assert 'notify.token = "***"' in outcome["seen"][1]["out"].splitlines()


NAMES = [f"db-2024-04-{day:02}.tar.gz" for day in (26, 27, 28, 29, 30)]
BACKUPS = {f"backups/{name}": "" for name in NAMES}
NOW = ("--now", "2024-05-01T12:00:00")


@cases(
    [
        ([], {}, 2),
        ([], {"RETENTION_DAILY": "4"}, 4),
        (["--daily", "0"], {"RETENTION_DAILY": "4"}, 0),
        (["--min-age", "4d"], {}, 3),
        (["--exclude", "db-2024-04-30*"], {}, 2),
        ([], {"RETENTION_WEEKLY": "5", "RETENTION_DAILY": "0"}, 2),
    ]
)
def test_plan_follows_the_settings(case: tuple[list[str], dict[str, str], int]) -> None:
    words, env, kept = case
    toml = "[source]\nroot = 'backups'\n[retention]\ndaily = 2\nweekly = 0\n"
    files = {**BACKUPS, "snapkeep.toml": toml}
    done = site(files, do("plan", *NOW, "--format", "json", *words, **env))["seen"][0]
    assert done["status"] == 0, done
    assert sum(item["keep"] for item in json.loads(done["out"])) == kept


def test_prune_follows_the_settings() -> None:
    toml = "[source]\nroot = 'backups'\n[retention]\ndaily = 2\nweekly = 0\n[run]\ndry_run = true\n"
    outcome = site(
        {**BACKUPS, "snapkeep.toml": toml},
        do("prune", *NOW), do("prune", *NOW, RUN_DRY_RUN="no"),
        do("prune", *NOW, "--daily", "1"), do("plan", *NOW, OUTPUT_FORMAT="json"),
    )
    outputs = [done["out"].strip() for done in outcome["seen"][:3]]
    assert outputs == ["removed 3, kept 2", "removed 3, kept 2", "removed 1, kept 1"]
    assert [item["name"] for item in json.loads(outcome["seen"][3]["out"])] == NAMES[:2:-1]
