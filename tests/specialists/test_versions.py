from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from harness.errors import UsageError
from harness.load.json_text import parse_json5
from harness.load.schema import TEMPLATE, schema_problems
from harness.specialists.versions import (
    Change,
    Part,
    bumped,
    category_of,
    deprecated,
    history,
    metadata,
    next_version,
    restored,
)

NOW = datetime(2025, 1, 18, 12, 0, 0, 123456, tzinfo=UTC)
AUTHORS = """\
// the author's
{
  name: '@acme/debugger', // never rename
  version: '1.4.2', // raised by mint
  persona: { purpose: 'Find it.' },
  capabilities: { tags: ['debugging'] },
  // the end
}
"""


def value(text: str) -> Any:  # noqa: ANN401  # whatever the text holds
    parsed = parse_json5(text)
    assert not parsed.problems
    return parsed.value


RAW = value(AUTHORS)
BREAKING = Change("speak of React only", breaking=True, migration_notes="take another")


@pytest.mark.parametrize(
    ("part", "after"), [(Part.MAJOR, "2.0.0"), (Part.MINOR, "1.5.0"), (Part.PATCH, "1.4.3")]
)
def test_the_number_goes_up_and_those_behind_it_begin_again(part: Part, after: str) -> None:
    assert next_version("1.4.2", part) == after


def test_versions_end_where_the_schema_has_no_room() -> None:
    with pytest.raises(UsageError, match="no patch version after it"):
        next_version("1.0.999999999", Part.PATCH)


def test_a_bump_adds_to_the_text_and_changes_only_the_version_in_it() -> None:
    text = bumped(AUTHORS, RAW, Part.PATCH, Change("fix a typo"), NOW)
    kept = text.replace("'1.4.3', // raised", "'1.4.2', // raised")
    begin, end = kept.index("  version_metadata"), kept.index("  // the end")
    assert kept[:begin] + kept[end:] == AUTHORS


def test_a_bumped_template_is_still_one_by_its_schema() -> None:
    text = bumped(AUTHORS, RAW, Part.MAJOR, BREAKING, NOW)
    text = deprecated(text, value(text), "old", "@acme/new", NOW)
    assert schema_problems(value(text), TEMPLATE) == ()


def test_a_bump_says_what_it_brings_and_when() -> None:
    change = Change("better prompt", author="Ann")
    found = metadata(value(bumped(AUTHORS, RAW, Part.MINOR, change, NOW)))
    assert found["changelog"] == [
        {
            "version": "1.5.0",
            "date": "2025-01-18",
            "type": "minor",
            "changes": [{"category": "prompt", "description": "better prompt"}],
            "author": "Ann",
        }
    ]
    assert found["updated_at"] == "2025-01-18T12:00:00Z"
    assert "breaking_changes" not in found


def test_a_breaking_change_is_kept_with_what_to_do_about_it() -> None:
    found = metadata(value(bumped(AUTHORS, RAW, Part.MAJOR, BREAKING, NOW)))
    (entry,) = found["changelog"]
    assert entry["changes"][0]["breaking"]
    assert entry["changes"][0]["migration_notes"] == "take another"
    assert found["breaking_changes"][0]["migration_guide"] == "take another"


@pytest.mark.parametrize(
    ("version", "part", "change", "said"),
    [
        ("1.0.0", Part.MINOR, BREAKING, "takes --major, not --minor"),
        ("0.1.0", Part.PATCH, BREAKING, "takes --minor or --major"),
        ("1.0.0", Part.MAJOR, Change("x", breaking=True), "needs --migration-notes"),
        ("1.0.0", Part.MAJOR, Change("x", migration_notes="y"), "go with --breaking"),
        ("1.0.0", Part.PATCH, Change(" "), "message is empty"),
    ],
    ids=["minor", "early patch", "no notes", "notes alone", "empty"],
)
def test_a_bump_that_would_mislead_is_refused(
    version: str, part: Part, change: Change, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        bumped(AUTHORS, {**RAW, "version": version}, part, change, NOW)


def test_a_breaking_change_of_an_early_version_may_be_minor() -> None:
    early = AUTHORS.replace("1.4.2", "0.3.1")
    assert value(bumped(early, value(early), Part.MINOR, BREAKING, NOW))["version"] == "0.4.0"


@pytest.mark.parametrize(
    ("message", "category"),
    [
        ("Fix a typo", "fix"),
        ("new docs", "documentation"),
        ("Enriched documents", "enrichment"),
        ("more capabilities", "capabilities"),
        ("anything", "other"),
    ],
)
def test_the_category_is_read_from_the_message(message: str, category: str) -> None:
    assert category_of(message) == category
    named = Change(message, category="persona")
    found = value(bumped(AUTHORS, RAW, Part.PATCH, named, NOW))
    assert metadata(found)["changelog"][0]["changes"][0]["category"] == "persona"


def test_history_goes_from_the_newest_version_to_the_oldest() -> None:
    text = AUTHORS
    for part in (Part.PATCH, Part.MINOR, Part.MAJOR):
        text = bumped(text, value(text), part, Change("fix it"), NOW)
    assert [entry.version for entry in history(value(text))] == ["2.0.0", "1.5.0", "1.4.3"]
    shuffled = {"version_metadata": {"changelog": metadata(value(text))["changelog"][::-1]}}
    assert history(shuffled) == history(value(text))
    assert history(RAW) == ()


def test_what_is_deprecated_says_why_and_can_be_taken_back() -> None:
    text = deprecated(AUTHORS, RAW, "too old", "@acme/new", NOW)
    found = metadata(value(text))
    assert found["deprecated"] is True
    assert found["deprecated_in"] == "1.4.2"
    assert (found["deprecated_reason"], found["replacement"]) == ("too old", "@acme/new")
    back = restored(text, value(text), NOW)
    assert list(metadata(value(back))) == ["updated_at"]
    with pytest.raises(UsageError, match="is not deprecated"):
        restored(back, value(back), NOW)


def test_a_second_deprecation_takes_the_place_of_the_first() -> None:
    text = deprecated(AUTHORS, RAW, "too old", "@acme/new", NOW)
    text = deprecated(text, value(text), "no longer true", None, NOW)
    found = metadata(value(text))
    assert found["deprecated_reason"] == "no longer true"
    assert "replacement" not in found
