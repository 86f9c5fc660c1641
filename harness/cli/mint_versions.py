"""`mint bump`, `mint changelog`, `mint deprecate` and `mint diff`: templates through time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from harness.cli.console import clean, messages, output, print_json
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.places import near
from harness.errors import UsageError
from harness.load.enriched import author_of
from harness.load.files import read_document
from harness.load.template_files import TEMPLATES, find_file
from harness.load.templates import deprecation_of, resolve_template
from harness.report.words import plural
from harness.settings import Settings
from harness.specialists import diff as differing
from harness.specialists.cards import deprecation_words
from harness.specialists.enrich import newest_enriched
from harness.specialists.sides import comparable, find_side, notes
from harness.specialists.versions import (
    CATEGORIES,
    OTHER,
    Change,
    Entry,
    Part,
    bumped,
    deprecated,
    history,
    metadata,
    migrations,
    next_version,
    restored,
)
from harness.specialists.writing import read_exactly, replace_text

Raw = Mapping[str, Any]
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

message_option = click.option(
    "-m", "--message", required=True, metavar="TEXT", help="What, or why."
)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A template's own file, found to be good."""

    path: Path
    text: str
    raw: Raw


@click.command(context_settings=CONTEXT)
@click.argument("template")
@click.option("--major", "parts", flag_value=Part.MAJOR.value, multiple=True, help="1.4.2 → 2.0.0")
@click.option("--minor", "parts", flag_value=Part.MINOR.value, multiple=True, help="1.4.2 → 1.5.0")
@click.option("--patch", "parts", flag_value=Part.PATCH.value, multiple=True, help="1.4.2 → 1.4.3")
@message_option
@click.option("--breaking", is_flag=True, help="Who uses the template has something to do.")
@click.option("--migration-notes", metavar="TEXT", help="What that is; --breaking needs it.")
@click.option(
    "--category",
    type=click.Choice([*dict.fromkeys(CATEGORIES.values()), OTHER]),
    help="What the change is about [by the words of the message].",
)
@click.option("--author", metavar="NAME", help="Whose change it is.")
@json_option
@root_option
def bump(  # noqa: PLR0913  # click hands over one argument per option
    *,
    template: str,
    parts: tuple[str, ...],
    message: str,
    breaking: bool,
    migration_notes: str | None,
    category: str | None,
    author: str | None,
    as_json: bool,
    root: Path | None,
) -> int:
    """Raise the version of TEMPLATE and write what is new into its changelog.

    The file keeps its comments, its order and its spacing.

    \b
    Examples:
      mint bump templates/my-specialist.json5 --patch -m "fix a typo in the prompt"
      mint bump @org/my-specialist --major -m "speak of React only" --breaking \\
        --migration-notes "name Vue projects to @org/vue instead"
    """  # noqa: D301  # click wants its \b
    if len(parts) != 1:
        raise UsageError("give one of --major, --minor and --patch")
    opened = _open(settings_for(root), template)
    part, change = Part(parts[0]), Change(message, category, breaking, migration_notes, author)
    text = bumped(opened.text, opened.raw, part, change, datetime.now(UTC))
    old, new = str(opened.raw["version"]), next_version(str(opened.raw["version"]), part)
    replace_text(opened.path, opened.text, text)
    enriched = newest_enriched(opened.path, old)
    if as_json:
        print_json(
            {
                "template": opened.raw["name"],
                "path": str(opened.path),
                "from_version": old,
                "to_version": new,
                "enriched_files_stay_with": old if enriched else None,
            }
        )
        return PASSED
    console = output()
    console.print(Text.assemble(("✓", "green"), f" {opened.raw['name']} {old} → {new}"))
    if enriched:
        said = (
            f"the enriched files of {old} stay with {old}, and {new} has none yet: mint enrich"
            f" {template} writes it, and reads only documents that have changed"
        )
        console.print(Text(f"  note: {said}"))
    if metadata(opened.raw).get("deprecated"):
        console.print(Text("  note: the template is still deprecated; see mint deprecate --undo"))
    return PASSED


@click.command(context_settings=CONTEXT)
@click.argument("template")
@click.option(
    "-n", "--limit", type=click.IntRange(1), default=10, show_default=True, help="So many versions."
)
@click.option("--breaking-only", is_flag=True, help="Only versions that ask for something.")
@json_option
@root_option
def changelog(
    *, template: str, limit: int, breaking_only: bool, as_json: bool, root: Path | None
) -> int:
    """What each version of TEMPLATE brought, the newest first."""
    opened = _open(settings_for(root), template)
    entries = [each for each in history(opened.raw) if each.is_breaking or not breaking_only]
    shown = entries[:limit]
    if as_json:
        print_json(_history_document(opened.raw, shown, len(entries)))
        return PASSED
    console = output()
    console.print(Text(f"{opened.raw['name']} {opened.raw['version']}", "bold"))
    if gone := deprecation_of(metadata(opened.raw)):
        console.print(Text(clean(deprecation_words(gone)), "yellow"), soft_wrap=True)
    if not shown:
        kind = "breaking changes" if breaking_only else "changelog"
        console.print(f"no {kind} yet; mint bump writes the first entry")
    guides = dict(migrations(opened.raw, shown))
    for entry in shown:
        _print_entry(console, entry, guides.get(entry.version))
    if len(entries) > len(shown):
        console.print(f"\n{plural(len(entries) - len(shown), 'earlier version')}: -n shows more")
    return PASSED


@click.command(context_settings=CONTEXT)
@click.argument("template")
@click.option("-m", "--message", metavar="TEXT", help="Why.")
@click.option("--replacement", metavar="REF", help="The template to use in its place.")
@click.option("--undo", is_flag=True, help="It may be used again.")
@click.option("--force", is_flag=True, help="Put these words in the place of earlier ones.")
@json_option
@root_option
def deprecate(  # noqa: PLR0913  # click hands over one argument per option
    *,
    template: str,
    message: str | None,
    replacement: str | None,
    undo: bool,
    force: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Say in TEMPLATE that it should no longer be used, why, and what to use.

    \b
    Example:
      mint deprecate @org/old --replacement @org/new -m "new knows React 19"
    """  # noqa: D301  # click wants its \b
    settings = settings_for(root)
    opened = _open(settings, template)
    if undo and (message or replacement or force):
        raise UsageError("--undo goes without -m, --replacement and --force")
    earlier = deprecation_of(metadata(opened.raw))
    if undo:
        text = restored(opened.text, opened.raw, datetime.now(UTC))
    elif message is None:
        raise UsageError("say why with -m")
    elif earlier and not force:
        raise UsageError(
            f"{opened.raw['name']} is {deprecation_words(earlier)}; --force puts the new words in"
            " the place of these, --undo takes them back"
        )
    else:
        _look_at_replacement(settings, opened, replacement)
        text = deprecated(opened.text, opened.raw, message, replacement, datetime.now(UTC))
    replace_text(opened.path, opened.text, text)
    if as_json:
        print_json(
            {
                "template": opened.raw["name"],
                "path": str(opened.path),
                "deprecated": not undo,
                "replacement": replacement,
            }
        )
        return PASSED
    console = output()
    done = "may be used again" if undo else "is deprecated"
    console.print(Text.assemble(("✓", "green"), f" {opened.raw['name']} {done}"))
    return PASSED


@click.command(name="diff", context_settings=CONTEXT)
@click.argument("before")
@click.argument("after")
@click.option("-u", "--unified", is_flag=True, help="Also line by line, without comments.")
@click.option("--resolved", is_flag=True, help="Templates with what they inherit.")
@json_option
@root_option
def diff(
    *,
    before: str,
    after: str,
    unified: bool,
    resolved: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """What is different between two templates or snapshots.

    Each is a path, @org/name[@version] of a template, or @org/name[@version]#NNN of a snapshot. A
    version that the template has left is taken from its newest enriched file, or from a snapshot.
    A template and a snapshot are compared by what the snapshot took over from its template.

    \b
    Examples:
      mint diff @org/my-specialist@1.0.0 @org/my-specialist@1.1.0
      mint diff @org/my-specialist@1.0.0#001 @org/my-specialist@1.1.0#001 -u
      mint diff templates/my-specialist.json5 templates/other.json5
    """  # noqa: D301  # click wants its \b
    project = settings_for(root).root
    sides = find_side(project, before), find_side(project, after)
    for note in notes(*sides):
        messages().print(Text(f"note: {clean(note)}"))
    old, new = comparable(*sides, project, resolved=resolved)
    found = differing.differences(old, new)
    names = (near(sides[0].path), near(sides[1].path))
    if as_json:
        print_json(
            {
                "before": names[0],
                "after": names[1],
                "same": not found,
                "differences": differing.document(found),
                "unified": list(differing.unified(old, new, names)),
            }
        )
        return PASSED
    console = output()
    if not found:
        console.print("they say the same")
    for sentence in differing.in_words(found):
        console.print(Text(clean(sentence)), soft_wrap=True)
    if unified and found:
        console.print()
        for line in differing.unified(old, new, names):
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "none")
            console.print(Text(clean(line), style), soft_wrap=True)
    return PASSED


def _open(settings: Settings, ref: str) -> _Opened:
    path = find_file(settings.root, ref, enriched=False).path
    if author := author_of(path):
        raise UsageError(f"{path} is an enriched file; its versions are those of {author}")
    resolve_template(path, settings.root / TEMPLATES)
    raw: Any = read_document(path).value
    return _Opened(path, read_exactly(path), raw)


def _look_at_replacement(settings: Settings, opened: _Opened, ref: str | None) -> None:
    if ref is None:
        return
    try:
        found = find_file(settings.root, ref, enriched=False).path
    except UsageError as error:
        messages().print(Text(clean(f"note: the replacement is not in this project: {error}")))
        return
    if found.resolve() == opened.path.resolve():
        raise UsageError(f"{ref} cannot be its own replacement")


def _history_document(raw: Raw, entries: list[Entry], known: int) -> dict[str, Any]:
    about = metadata(raw)
    return {
        "template": raw["name"],
        "version": raw["version"],
        "deprecated": bool(about.get("deprecated", False)),
        "deprecated_reason": about.get("deprecated_reason"),
        "replacement": about.get("replacement"),
        "versions": known,
        "changelog": [
            {
                "version": each.version,
                "date": each.date,
                "type": each.kind,
                "author": each.author,
                "breaking": each.is_breaking,
                "changes": list(each.changes),
            }
            for each in entries
        ],
        "migrations": [
            {"version": version, "guide": guide} for version, guide in migrations(raw, entries)
        ],
    }


def _print_entry(console: Console, entry: Entry, guide: str | None) -> None:
    by = f", {entry.author}" if entry.author else ""
    console.print(Text(clean(f"\n{entry.version}  {entry.date}  {entry.kind}{by}"), "bold"))
    for change in entry.changes:
        mark = ("BREAKING ", "red") if change.get("breaking") else ""
        said = f"{change['category']}: {change['description']}"
        console.print(Text.assemble("  ", mark, clean(said)), soft_wrap=True)
        notes = change.get("migration_notes") or (guide if change.get("breaking") else None)
        if notes:
            console.print(Text(clean(f"    to migrate: {notes}")), soft_wrap=True)
