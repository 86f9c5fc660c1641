"""What is said about a configuration that is wrong."""

from typing import Any

from grading import cases
from site_box import do, problems, show, site
from table import Table

COUNT = "expected a whole number >= 0"
DURATION = 'expected a duration such as "90m", "2h" or "3d"'
COLORS = "expected one of auto, always, never"


WRONG = [
    ("retention", "daily", '"seven"', f'{COUNT}, got "seven"'),
    ("retention", "daily", '"7"', f'{COUNT}, got "7"'),
    ("retention", "daily", "true", f"{COUNT}, got true"),
    ("retention", "weekly", "-1", f"{COUNT}, got -1"),
    ("retention", "weekly", "1.5", f"{COUNT}, got 1.5"),
    ("retention", "min_age", "90", f"{DURATION}, got 90"),
    ("retention", "min_age", '"90"', f'{DURATION}, got "90"'),
    ("retention", "min_age", '"2 weeks"', f'{DURATION}, got "2 weeks"'),
    ("run", "dry_run", '"yes"', 'expected true or false, got "yes"'),
    ("run", "dry_run", "1", "expected true or false, got 1"),
    ("output", "color", '"blue"', f'{COLORS}, got "blue"'),
    ("output", "format", '"JSON"', 'expected one of text, json, got "JSON"'),
    ("source", "root", "5", "expected a text, got 5"),
    ("source", "root", "2024-05-01", 'expected a text, got "2024-05-01"'),
    ("source", "exclude", '"*.tmp"', 'expected a list of texts, got "*.tmp"'),
    ("source", "exclude", '["a", 1]', 'expected a list of texts, got ["a", 1]'),
]


def ask(rows: list[Any]) -> list[Any]:
    """Each row's value in the first file that does not have its key yet."""
    files: list[dict[tuple[str, str], str]] = []
    where = []
    for table, key, value in rows:
        number = next((n for n, keys in enumerate(files) if (table, key) not in keys), len(files))
        if number == len(files):
            files.append({})
        files[number][table, key] = value
        where.append(number)
    texts = {
        f"{number}.toml": "".join(f"{'.'.join(key)} = {value}\n" for key, value in keys.items())
        for number, keys in enumerate(files)
    }
    seen = site(texts, *(show("--config", name) for name in texts))["seen"]
    return [{"file": f"{n}.toml", "wrong": len(files[n]), "done": seen[n]} for n in where]


SEEN = Table(ask, [case[:3] for case in WRONG])


@cases(WRONG)
def test_a_value_of_the_wrong_type_is_described(case: tuple[str, str, str, str]) -> None:
    table, key, value, problem = case
    seen = SEEN[[table, key, value]]
    found = problems(seen["done"])
    assert f"snapkeep: file {seen['file']}: {table}.{key}: {problem}" in found, found
    assert len(found) == seen["wrong"], found


def test_the_environment_and_the_flags_are_described_alike() -> None:
    env, flags = site(
        {},
        show(
            RETENTION_DAILY="seven", RETENTION_WEEKLY="-2", RUN_DRY_RUN="maybe",
            OUTPUT_COLOR="blue", RETENTION_MIN_AGE="90",
        ),
        show("--daily", "seven", "--color", "blue", "--format", "xml", "--min-age", "soon"),
    )["seen"]
    assert problems(env) == [
        f'snapkeep: env SNAPKEEP_OUTPUT_COLOR: output.color: {COLORS}, got "blue"',
        f'snapkeep: env SNAPKEEP_RETENTION_DAILY: retention.daily: {COUNT}, got "seven"',
        f'snapkeep: env SNAPKEEP_RETENTION_MIN_AGE: retention.min_age: {DURATION}, got "90"',
        f'snapkeep: env SNAPKEEP_RETENTION_WEEKLY: retention.weekly: {COUNT}, got "-2"',
        'snapkeep: env SNAPKEEP_RUN_DRY_RUN: run.dry_run: expected true or false, got "maybe"',
    ]
    assert problems(flags) == [
        f'snapkeep: flag --color: output.color: {COLORS}, got "blue"',
        f'snapkeep: flag --daily: retention.daily: {COUNT}, got "seven"',
        'snapkeep: flag --format: output.format: expected one of text, json, got "xml"',
        f'snapkeep: flag --min-age: retention.min_age: {DURATION}, got "soon"',
    ]


def test_an_unknown_key_is_an_error_with_a_suggestion() -> None:
    text = "colour = 1\n[retention]\ndayly = 7\n[retension]\nweekly = 3\n[output]\nzzz = 1\n"
    done = site({"snapkeep.toml": text}, show())["seen"][0]
    found = problems(done)
    start = "snapkeep: file snapkeep.toml: "
    assert len(found) == 4, found
    assert found[0].startswith(f"{start}colour: unknown key")
    assert found[1].startswith(f"{start}output.zzz: unknown key")
    assert found[2:] == [
        f"{start}retension.weekly: unknown key, did you mean retention.weekly?",
        f"{start}retention.dayly: unknown key, did you mean retention.daily?",
    ]


def test_a_table_has_to_be_a_table() -> None:
    done = site({"snapkeep.toml": "retention = 7\n"}, show())["seen"][0]
    assert problems(done) == ["snapkeep: file snapkeep.toml: retention: expected a table"]


def test_all_problems_of_all_layers_are_reported_for_every_command() -> None:
    text = "[retention]\ndaily = 'x'\nweekly = 'y'\n[source]\nruut = '.'\n"
    outcome = site(
        {"snapkeep.toml": text, "db-2020-01-01.tar.gz": ""},
        show("--daily", "3", "--weekly", "zz", RETENTION_DAILY="4", OUTPUT_COLOR="red"),
        do("plan", "--daily", "3", "--weekly", "zz", RETENTION_DAILY="4", OUTPUT_COLOR="red"),
        do("prune", "--daily", "3", "--weekly", "zz", RETENTION_DAILY="4", OUTPUT_COLOR="red"),
    )
    expected = [
        f'snapkeep: env SNAPKEEP_OUTPUT_COLOR: output.color: {COLORS}, got "red"',
        f'snapkeep: file snapkeep.toml: retention.daily: {COUNT}, got "x"',
        f'snapkeep: file snapkeep.toml: retention.weekly: {COUNT}, got "y"',
        "snapkeep: file snapkeep.toml: source.ruut: unknown key, did you mean source.root?",
        f'snapkeep: flag --weekly: retention.weekly: {COUNT}, got "zz"',
    ]
    assert [problems(done) for done in outcome["seen"]] == [expected] * 3
    assert "db-2020-01-01.tar.gz" in outcome["names"]


@cases(
    [
        ("gone.toml", None),
        ("gone.ini", None),
        ("broken.toml", "[retention\ndaily = 1\n"),
        ("latin.toml", [91, 110, 111, 116, 105, 102, 121, 93, 10, 35, 228, 10]),
        ("latin.ini", [91, 115, 110, 97, 112, 107, 101, 101, 112, 93, 10, 35, 228, 10]),
        ("other.ini", "[other]\nroot = x\n"),
        ("loose.ini", "root = x\n"),
    ]
)
def test_a_file_that_cannot_be_used_is_named(case: tuple[str, Any]) -> None:
    name, content = case
    files = {} if content is None else {name: content}
    found = problems(site(files, show(CONFIG=name))["seen"][0])
    assert len(found) == 1, found
    assert found[0].startswith(f"snapkeep: file {name}: "), found


def test_a_wrong_secret_is_not_repeated() -> None:
    done = site({"snapkeep.toml": "[notify]\ntoken = 4711\n"}, show())["seen"][0]
    assert problems(done) == ["snapkeep: file snapkeep.toml: notify.token: expected a text"]


def test_problems_in_an_old_file_name_the_old_key() -> None:
    text = "[snapkeep]\nkeep_daily = seven\ndry_run = maybe\nColor = blue\nmin_age = soon\n"
    done = site({"snapkeep.ini": text}, show())["seen"][0]
    start = "snapkeep: file snapkeep.ini"
    assert problems(done) == [
        f'{start} (color): output.color: {COLORS}, got "blue"',
        f'{start} (dry_run): run.dry_run: expected true or false, got "maybe"',
        f'{start} (keep_daily): retention.daily: {COUNT}, got "seven"',
        f'{start} (min_age): retention.min_age: {DURATION}, got "soon"',
    ]
