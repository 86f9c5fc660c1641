"""`mint new`, `mint validate` and `mint show`: templates before anything is run with them."""
# ruff: noqa: PLC0415  # each command loads what it needs

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from harness.cli.entry import PASSED, USAGE, json_option, root_option, settings_for
from harness.cli.places import near
from harness.errors import BadFile, UsageError

if TYPE_CHECKING:
    from harness.domain.template import Template
    from harness.load.inherit import Resolved
    from harness.settings import Settings

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
DEPRECATED = "deprecated"
NAME = re.compile(r"(?:@[a-z0-9-]+/)?[a-z0-9][a-z0-9-]*")

STARTER = """\
// A specialist: who it is and what it tells the model that works for it. Change the words, then
//
//   mint validate {file}
//   bench SUITE SCENARIO --agent AGENT --specialist {file} --with-baseline
{{
  schema_version: "0.1.0",
  name: {name},
  version: "0.1.0",

  persona: {{
    purpose: "Say in one sentence what this specialist is for.",
    values: ["What it puts first when two things pull apart."],
    tech_stack: [],
  }},
  capabilities: {{
    // Letters, digits and '-'. Each may have a description below.
    tags: ["example"],
    descriptions: {{ example: "What it can do, as you would tell a colleague." }},
    considerations: ["What it has to keep in mind every time."],
  }},
  prompts: {{
    // What the model is told first; filled in by mustache.
    default: {{ spawnerPrompt: "You are {{{{displayName}}}}. {{{{persona.purpose}}}}" }},
    // Words for one kind of task, or for one model, go beside it:
    //   bug_fix: {{ default: {{ systemPrompt: "…" }} }},
    //   model_specific: {{ "claude-sonnet-4-5": {{ spawnerPrompt: "…" }} }},
  }},
  // Web pages and files that it leans on; mint enrich draws what matters from them.
  documentation: [],
}}
"""
CHILD = """\
// A specialist that inherits: what it does not say itself it has from its parent, null takes an
// inherited key away, and a list takes the inherited one's place unless `merge` names it.
//
//   mint show {file} --resolved
{{
  name: {name},
  version: "0.1.0",
  from: {parent},
  merge: {{ "capabilities.considerations": "append" }},

  persona: {{ purpose: "Say in one sentence what this specialist is for." }},
  capabilities: {{ considerations: ["What it has to keep in mind beside the inherited."] }},
}}
"""


@click.command(context_settings=CONTEXT)
@click.argument("name")
@click.option("--from", "parent", metavar="REF", help="A template to inherit from: path or name.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write [templates/NAME.json5].",
)
@root_option
def new(*, name: str, parent: str | None, output: Path | None, root: Path | None) -> int:
    """Write a small template that is valid as it stands.

    \b
    Examples:
      mint new @org/my-specialist
      mint new my-specialist --from @org/base@1.0.0
    """  # noqa: D301  # click wants its \b
    from harness.cli.console import output as console
    from harness.load.templates import TEMPLATES, load_template

    settings = settings_for(root)
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name; write my-specialist or @org/my-specialist")
    path = output or settings.root / TEMPLATES / f"{name.rpartition('/')[2]}.json5"
    if path.suffix not in {".json5", ".jsonc"}:
        raise UsageError(f"{path} has comments in it; let it end with .json5 or .jsonc")
    values = {"file": near(path), "name": json.dumps(name), "parent": json.dumps(parent)}
    text = (CHILD if parent else STARTER).format(**values)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} exists; it was left as it is") from error
    try:
        load_template(path, settings.root / TEMPLATES)
    except BadFile:
        path.unlink()
        raise
    console().print(Text(f"wrote {near(path)}"), soft_wrap=True)
    return PASSED


@click.command(context_settings=CONTEXT)
@click.argument("templates", nargs=-1)
@json_option
@root_option
def validate(*, templates: tuple[str, ...], as_json: bool, root: Path | None) -> int:
    """Check templates, all of the project's without TEMPLATES: every problem, with its line.

    Each is checked with what it inherits, and every prompt for every model and task.
    """
    from harness.cli.console import output, print_json

    settings = settings_for(root)
    documents = template_reports(settings, _wanted(settings, templates))
    if as_json:
        print_json({"templates": documents})
    for document in () if as_json else documents:
        sign, style = ("✓", "green") if document["ok"] else ("✗", "red")
        output().print(Text(f"{sign} {document['path']}", style), soft_wrap=True)
        for line in document["errors"]:
            output().print(Text(f"    {line}"), soft_wrap=True)
        for line in document["warnings"]:
            output().print(Text(f"    note: {line}", "dim"), soft_wrap=True)
    return PASSED if all(document["ok"] for document in documents) else USAGE


def template_reports(settings: Settings, paths: Iterable[Path]) -> list[dict[str, Any]]:
    """What is wrong with templates' files, and what somebody should know of them."""
    from harness.load.template_files import doubles
    from harness.load.templates import TEMPLATES

    claims = doubles(settings.root / TEMPLATES)
    return [_report(settings, path, claims.get(path.absolute(), ())) for path in paths]


def _report(settings: Settings, path: Path, rivals: Iterable[Path]) -> dict[str, Any]:
    from harness.load.places import Problem
    from harness.load.templates import TEMPLATES, document_problems, draft_template
    from harness.specialists.compose import prompt_problems, unspoken

    warnings: tuple[str, ...] = ()
    try:
        draft = draft_template(path, settings.root / TEMPLATES)
    except BadFile as error:
        errors = error.problems
    else:
        said = "claims the same name and version; raise the version of one, or rename it"
        twice = [Problem(("name",), f"{near(other)} {said}") for other in rivals]
        found = (*draft.problems, *prompt_problems(draft.template), *twice)
        errors = draft.resolved.report(found)
        unread = document_problems(draft)
        notes = draft.resolved.report((*unread, *unspoken(draft.template)))
        warnings = (*draft.template.notes, *notes)
    return {
        "path": near(path, settings.root),
        "ok": not errors,
        "errors": list(errors),
        "warnings": list(warnings),
    }


@click.command(context_settings=CONTEXT)
@click.argument("template")
@click.option("--resolved", is_flag=True, help="The whole template with all that it inherits.")
@click.option("--words", is_flag=True, help="The system prompt that is made of it.")
@click.option("--model", metavar="MODEL", help="With --words: the model that is told.")
@click.option("--task", metavar="TASK", help="With --words: the kind of task.")
@click.option(
    "--prompt",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --words: the task's prompt, by which its kind is recognised.",
)
@click.option("--no-enriched", is_flag=True, help="The author's file, not an enriched one.")
@json_option
@root_option
def show(  # noqa: PLR0913  # click hands over one argument per option
    *,
    template: str,
    resolved: bool,
    words: bool,
    model: str | None,
    task: str | None,
    prompt: Path | None,
    no_enriched: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Show TEMPLATE, a path or @org/name[@version]: what it says, inherits and composes to.

    \b
    Examples:
      mint show @org/my-specialist
      mint show templates/my-specialist.json5 --resolved
      mint show @org/my-specialist --words --model claude-sonnet-4-5 --task bug_fix
    """  # noqa: D301  # click wants its \b
    from harness.cli.console import clean, print_json
    from harness.cli.mint_browse import show_snapshot
    from harness.load.templates import find_template

    settings = settings_for(root)
    is_plain = not (resolved or words or no_enriched)
    if is_plain and show_snapshot(settings, template, as_json=as_json):
        return PASSED
    if (model or task or prompt) and not words:
        raise UsageError("--model, --task and --prompt go with --words")
    if resolved and words:
        raise UsageError("--resolved and --words exclude each other; give one of them")
    found = find_template(settings.root, template, enriched=not no_enriched)
    if resolved:
        _show_resolved(settings, found, enriched=not no_enriched, as_json=as_json)
    elif words:
        document = _composed(found, model, task, prompt)
        if as_json:
            print_json(document)
        else:
            click.echo(clean(document["system_prompt"]), nl=False)
    elif as_json:
        print_json(dict(_facts(settings, found)))
    else:
        _print_facts(_facts(settings, found))
    return PASSED


def _wanted(settings: Settings, refs: tuple[str, ...]) -> list[Path]:
    from harness.load.template_files import existing, files_below
    from harness.load.templates import SUFFIXES, TEMPLATES, find_template

    if refs:
        return [
            existing(settings.root, ref)
            if ref.endswith(SUFFIXES)
            else find_template(settings.root, ref).source
            for ref in refs
        ]
    folder = settings.root / TEMPLATES
    found = files_below(folder)
    if not found:
        raise UsageError(f"no templates below {folder}; mint new NAME writes one")
    return found


def _show_resolved(
    settings: Settings, template: Template, *, enriched: bool, as_json: bool
) -> None:
    from harness.cli.console import clean, print_json
    from harness.load.places import pointer
    from harness.load.templates import TEMPLATES, resolve_template
    from harness.specialists.json5 import to_json5

    found = resolve_template(template.source, settings.root / TEMPLATES, enriched=enriched)
    names = {document.path: _plainly(document.path) for document in found.chain}
    if as_json:
        origins = {pointer(place): names[origin.path] for place, origin in found.origins.items()}
        print_json({"template": found.value, "origins": origins, "files": list(names.values())})
        return
    click.echo(clean(to_json5(found.value, _origin_comments(found, names))), nl=False)


def _origin_comments(
    found: Resolved, names: Mapping[Path, str]
) -> dict[tuple[str | int, ...], str]:
    first, *others = names.values()
    inherits = f", with what it inherits from {', then '.join(others)}" if others else ""
    comments: dict[tuple[str | int, ...], str] = {(): f"{first}{inherits}."}
    files: dict[tuple[str | int, ...], set[Path]] = {}
    for place, origin in found.origins.items():
        for end in range(1, len(place) + 1):
            files.setdefault(place[:end], set()).add(origin.path)
    for place, origin in found.origins.items():
        # one comment above a mapping that is from one file, else one above each part of it
        for end in range(1, len(place) + 1):
            if len(files[place[:end]]) == 1:
                if names[origin.path] != first:
                    comments[place[:end]] = f"from {names[origin.path]}"
                break
    return comments


def _composed(
    template: Template, model: str | None, task: str | None, prompt: Path | None
) -> dict[str, Any]:
    from dataclasses import asdict

    from harness.domain.application import Wearing
    from harness.load.files import read_text
    from harness.specialists.compose import Job, compose

    text = read_text(prompt) if prompt else ""
    made = compose(template, model, Job(text, Wearing(task)))
    application = asdict(made.application) if made.application else None
    return {"system_prompt": made.system_prompt, "application": application}


def _facts(settings: Settings, template: Template) -> Iterator[tuple[str, Any]]:
    from harness.specialists.cards import deprecation_words
    from harness.specialists.detect import tasks_of

    yield "name", template.name
    yield "version", template.version
    if template.deprecation:
        yield DEPRECATED, deprecation_words(template.deprecation)
    yield "digest", template.digest
    yield "file", near(template.source)
    yield "from", [f"{each.name}@{each.version} ({_plainly(each.path)})"
                   for each in template.ancestors]  # fmt: skip
    yield "purpose", template.persona.purpose
    yield "tags", list(template.capabilities.tags)
    yield "tasks", list(tasks_of(template))
    models = [each.model for each in template.prompts.model_specific]
    models += [m.model for task in template.tasks for m in task.prompts.model_specific]
    yield "words_for", list(dict.fromkeys(models))
    yield "preferred_models", [each.model for each in template.preferred_models]
    enriched = sum(each.enrichment is not None for each in template.documentation)
    yield "documents", f"{len(template.documentation)}, {enriched} of them enriched"
    yield "servers", [server.name for server in template.mcps]
    snapshots = settings.root / "snapshots" / template.short_name / template.version
    yield "snapshots", [near(path) for path in sorted(snapshots.glob("snapshot-*.json5"))]
    yield "notes", list(template.notes)


def _print_facts(facts: Iterator[tuple[str, Any]]) -> None:
    from harness.cli.console import clean, output

    for name, value in facts:
        lines = value if isinstance(value, list) else [value]
        for index, line in enumerate(lines):
            # it says so itself
            head = "" if index or name == DEPRECATED else name.replace("_", " ")
            style = "bold yellow" if name == DEPRECATED else ""
            output().print(Text(f"{head:<18}{clean(str(line))}", style), soft_wrap=True)


def _plainly(path: Path) -> str:
    # a parent's path is its child's folder and what `from` says: deep/../base.json5
    return near(Path(os.path.normpath(path)))
