"""A template's version and its history, changed in the author's own text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from harness.errors import UsageError
from harness.load.template_files import version_key
from harness.specialists.edit import append, remove, set_value

METADATA = "version_metadata"
MOST = 999_999_999
"""The largest number in a version, as the schema has it."""

CATEGORIES: Mapping[str, str] = {
    "enrich": "enrichment",
    "prompt": "prompt",
    "doc": "documentation",
    "persona": "persona",
    "capabilit": "capabilities",
    "fix": "fix",
}
"""What a change is about by words in its message; the first that is in it counts."""
OTHER = "other"

_DEPRECATION = ("deprecated", "deprecated_in", "deprecated_reason", "replacement")

Raw = Mapping[str, Any]


class Part(StrEnum):
    """Which number of a version goes up."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class Change:
    """What a new version brings."""

    message: str
    category: str | None = None
    """None reads it from the message."""
    breaking: bool = False
    migration_notes: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One version in a template's history."""

    version: str
    date: str
    kind: str
    changes: tuple[Raw, ...]
    author: str | None

    @property
    def is_breaking(self) -> bool:
        """Somebody who takes it has something to do."""
        return any(change.get("breaking") for change in self.changes)


def next_version(version: str, part: Part) -> str:
    """`1.4.2` is followed by `2.0.0`, `1.5.0` or `1.4.3`; raises UsageError at the end of all."""
    major, minor, patch = version_key(version)
    numbers = {
        Part.MAJOR: (major + 1, 0, 0),
        Part.MINOR: (major, minor + 1, 0),
        Part.PATCH: (major, minor, patch + 1),
    }[part]
    if max(numbers) > MOST:
        raise UsageError(f"version {version} has no {part} version after it")
    return ".".join(map(str, numbers))


def category_of(message: str) -> str:
    """What a change is about, by the words of its message."""
    plain = message.casefold()
    return next((name for word, name in CATEGORIES.items() if word in plain), OTHER)


def check_change(version: str, part: Part, change: Change) -> None:
    """Refuse a change that its version number, or its history, would not tell truly."""
    if not change.message.strip():
        raise UsageError("the message is empty; say what has changed with -m")
    if change.migration_notes is not None and not change.breaking:
        raise UsageError("--migration-notes go with --breaking: nobody else has to migrate")
    if not change.breaking:
        return
    if not (change.migration_notes or "").strip():
        raise UsageError("--breaking needs --migration-notes: what must a user of it do?")
    is_early = version_key(version)[0] == 0
    if part is Part.PATCH or (part is Part.MINOR and not is_early):
        usual = "--minor or --major" if is_early else "--major"
        raise UsageError(f"a breaking change of {version} takes {usual}, not --{part}")


def bumped(text: str, raw: Raw, part: Part, change: Change, now: datetime) -> str:
    """A template's text with its next version, and what that brings in its changelog."""
    version = str(raw["version"])
    check_change(version, part, change)
    new, date = next_version(version, part), _date(now)
    entry: dict[str, Any] = {
        "version": new,
        "date": date,
        "type": part.value,
        "changes": [
            {
                "category": change.category or category_of(change.message),
                "description": change.message.strip(),
                **_breaking(change),
            }
        ],
    }
    if change.author:
        entry["author"] = change.author
    text = set_value(text, ("version",), new)
    text = append(text, (METADATA, "changelog"), entry)
    if change.breaking:
        broken = {
            "version": new,
            "date": date,
            "description": change.message.strip(),
            "affected_areas": [change.category or category_of(change.message)],
            "migration_guide": (change.migration_notes or "").strip(),
        }
        text = append(text, (METADATA, "breaking_changes"), broken)
    return set_value(text, (METADATA, "updated_at"), _moment(now))


def deprecated(text: str, raw: Raw, reason: str, replacement: str | None, now: datetime) -> str:
    """A template's text that says it should no longer be used, why, and what to use."""
    if not reason.strip():
        raise UsageError("the message is empty; say why with -m")
    found = {
        "deprecated": True,
        "deprecated_in": str(raw["version"]),
        "deprecated_reason": reason.strip(),
    }
    text = _restored(text, raw)
    for key, value in found.items():
        text = set_value(text, (METADATA, key), value)
    if replacement:
        text = set_value(text, (METADATA, "replacement"), replacement)
    return set_value(text, (METADATA, "updated_at"), _moment(now))


def restored(text: str, raw: Raw, now: datetime) -> str:
    """A template's text that may be used again; raises UsageError when it always might."""
    if not metadata(raw).get("deprecated"):
        raise UsageError(f"{raw['name']} is not deprecated")
    return set_value(_restored(text, raw), (METADATA, "updated_at"), _moment(now))


def history(raw: Raw) -> tuple[Entry, ...]:
    """A template's changelog, the newest version first."""
    entries = [
        Entry(
            version=str(each["version"]),
            date=str(each["date"]),
            kind=str(each["type"]),
            changes=tuple(each["changes"]),
            author=each.get("author"),
        )
        for each in metadata(raw).get("changelog") or ()
    ]
    # of one version the later entry first: what is equal keeps its order
    entries.reverse()
    entries.sort(key=lambda entry: [-number for number in version_key(entry.version)])
    return tuple(entries)


def metadata(raw: Raw) -> Raw:
    """What a template says of its versions."""
    found: Raw = raw.get(METADATA) or {}
    return found


def migrations(raw: Raw, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """What somebody has to do who takes one of these versions: the version, and the guide."""
    wanted = {entry.version for entry in entries}
    for each in metadata(raw).get("breaking_changes") or ():
        if each["version"] in wanted and each.get("migration_guide"):
            yield str(each["version"]), str(each["migration_guide"])


def _breaking(change: Change) -> dict[str, Any]:
    if not change.breaking:
        return {}
    return {"breaking": True, "migration_notes": (change.migration_notes or "").strip()}


def _restored(text: str, raw: Raw) -> str:
    for key in _DEPRECATION:
        if key in metadata(raw):
            text = remove(text, (METADATA, key))
    return text


def _date(now: datetime) -> str:
    return now.astimezone(UTC).date().isoformat()


def _moment(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
