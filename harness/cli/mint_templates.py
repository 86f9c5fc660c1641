"""`mint new`, `mint validate` and `mint show`: templates before anything is run with them."""
# ruff: noqa: PLC0415  # each command loads what it needs

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from harness.cli.entry import PASSED, USAGE, json_option, root_option, settings_for
from harness.cli.mint_browse import names_snapshot, show_snapshot
from harness.errors import BadFile, UsageError

if TYPE_CHECKING:
    from harness.domain.template import Template
    from harness.load.inherit import Resolved
    from harness.settings import Settings

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
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
    values = {"file": _shown(path), "name": json.dumps(name), "parent": json.dumps(parent)}
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
    console().print(Text(f"wrote {_shown(path)}"), soft_wrap=True)
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
    documents = [template_report(settings, path) for path in _wanted(settings, templates)]
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


def template_report(settings: Settings, path: Path) -> dict[str, Any]:
    """What is wrong with a template's file, and what somebody should know of it."""
    from harness.load.templates import TEMPLATES, load_template
    from harness.specialists.compose import prompt_problems

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    library = settings.root / TEMPLATES
    try:
        template = load_template(path, library if library.is_dir() else None)
        warnings = (*template.notes, *unspoken(template))
        errors = prompt_problems(template)
    except BadFile as error:
        errors = error.problems
    inside = path.is_relative_to(settings.root)
    return {
        "path": str(path.relative_to(settings.root) if inside else path),
        "ok": not errors,
        "errors": list(errors),
        "warnings": list(warnings),
    }


def unspoken(template: Template) -> Iterator[str]:
    """Prompts that are never said as they stand: they wait for words of the request."""
    from harness.specialists.detect import ALWAYS
    from harness.specialists.mustache import unfilled

    sets = [("default", template.prompts.default)]
    sets += [(f"model_specific/{m.model}", m.prompts) for m in template.prompts.model_specific]
    never = []
    for where, texts in sets:
        for key, text in texts:
            names = ", ".join(f"{{{name}}}" for name in unfilled(text))
            if names and key in ALWAYS:
                yield f"/prompts/{where}/{key}: {names} stays as it is; mustache is {{{{name}}}}"
            elif names:
                never.append(f"{where}/{key} ({names})")
    if never:
        yield f"prompts that are never said, as nobody fills them in: {'; '.join(never)}"


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
    from harness.load.templates import find_template

    settings = settings_for(root)
    if not (resolved or words or no_enriched) and names_snapshot(settings, template):
        return show_snapshot(settings, template, as_json=as_json)
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
    from harness.load.template_files import existing
    from harness.load.templates import SUFFIXES, TEMPLATES, find_template

    if refs:
        return [
            existing(settings.root, ref)
            if ref.endswith(SUFFIXES)
            else find_template(settings.root, ref).source
            for ref in refs
        ]
    folder = settings.root / TEMPLATES
    found = sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES and p.is_file())
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

    library = settings.root / TEMPLATES
    found = resolve_template(
        template.source, library if library.is_dir() else None, enriched=enriched
    )
    names = {document.path: _shown(document.path) for document in found.chain}
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
    for place, origin in found.origins.items():
        # one comment above a mapping that is from one file, else one above each part of it
        for end in range(1, len(place) + 1):
            files = {o.path for p, o in found.origins.items() if p[:end] == place[:end]}
            if len(files) == 1:
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
    from harness.specialists.detect import tasks_of

    yield "name", template.name
    yield "version", template.version
    yield "digest", template.digest
    yield "file", _shown(template.source)
    yield "from", [f"{each.name}@{each.version} ({_shown(each.path)})"
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
    if template.deprecation:
        gone = template.deprecation
        yield "deprecated", f"{gone.reason} {gone.replacement or ''}".strip() or "yes"
    snapshots = settings.root / "snapshots" / template.short_name / template.version
    yield "snapshots", [_shown(path) for path in sorted(snapshots.glob("snapshot-*.json5"))]
    yield "notes", list(template.notes)


def _print_facts(facts: Iterator[tuple[str, Any]]) -> None:
    from harness.cli.console import clean, output

    for name, value in facts:
        lines = value if isinstance(value, list) else [value]
        for index, line in enumerate(lines):
            head = "" if index else name.replace("_", " ")
            output().print(Text(f"{head:<18}{clean(str(line))}"), soft_wrap=True)


def _shown(path: Path) -> str:
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near
