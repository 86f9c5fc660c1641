from datetime import timedelta
from pathlib import Path

import pytest

from snapkeep.config import Config, ConfigError, load_config
from snapkeep.durations import parse_duration

EXAMPLE = Path(__file__).parent.parent / "examples" / "snapkeep.ini"


def ini(folder, text):
    path = folder / "site.ini"
    path.write_text("[snapkeep]\n" + text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_hold():
    assert load_config(None) == Config()


def test_the_example_loads():
    assert load_config(EXAMPLE) == Config(
        root="/srv/backups/shop",
        pattern="shop-%Y%m%d.sql.gz",
        exclude=("*.part", "*.tmp"),
        keep_daily=14,
        keep_weekly=8,
        min_age=timedelta(minutes=90),
        color="never",
        notify_spool="/var/spool/snapkeep/shop#1",
    )


def test_zero_no_and_an_empty_list_are_values(tmp_path):
    config = load_config(ini(tmp_path, "keep_daily = 0\ndry_run = Off\nexclude =\n"))
    assert (config.keep_daily, config.dry_run, config.exclude) == (0, False, ())


def test_unknown_keys_are_ignored(tmp_path):
    assert load_config(ini(tmp_path, "colour = blue\n")) == Config()


@pytest.mark.parametrize(
    "text",
    ["keep_daily = seven", "keep_daily = -1", "dry_run = maybe", "color = blue", "min_age = x"],
)
def test_a_wrong_value_is_an_error_with_the_name_of_the_file(tmp_path, text):
    with pytest.raises(ConfigError, match="site.ini"):
        load_config(ini(tmp_path, text))


def test_a_file_that_is_not_there_or_has_no_section_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="nowhere.ini"):
        load_config(tmp_path / "nowhere.ini")
    (tmp_path / "other.ini").write_text("[other]\n")
    with pytest.raises(ConfigError, match="other.ini"):
        load_config(tmp_path / "other.ini")


@pytest.mark.parametrize(("text", "minutes"), [("90", 90), ("90m", 90), ("2h", 120), ("3d", 4320)])
def test_durations(text, minutes):
    assert parse_duration(text) == timedelta(minutes=minutes)
