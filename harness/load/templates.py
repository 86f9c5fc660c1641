"""Templates: found by name or path, loaded whole or refused with everything that is wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from harness.domain.digests import bytes_digest
from harness.domain.ids import Digest
from harness.domain.template import (
    Ancestor,
    Capabilities,
    Deprecation,
    DocumentRef,
    Enrichment,
    ModelPrompts,
    Persona,
    PreferredModel,
    PromptSet,
    TaskDetection,
    TaskPrompts,
    Template,
    Texts,
)
from harness.errors import BadFile, nearest
from harness.load.enriched import SUFFIXES, home_of
from harness.load.files import read_document
from harness.load.inherit import FROM, MERGE, Resolved, merged, resolve
from harness.load.mcps import mcp_problems, mcp_servers, unused_dependencies
from harness.load.places import Problem, pointer, shown, sound
from harness.load.schema import SNAPSHOT, TEMPLATE, schema_problems
from harness.load.task_patterns import pattern_problem
from harness.load.template_files import (
    TEMPLATES,
    every_file,
    find_file,
    parent_file,
)

__all__ = [
    "SUFFIXES",
    "TEMPLATES",
    "check_snapshot",
    "deprecation_of",
    "document_problems",
    "draft_template",
    "find_exact",
    "find_template",
    "load_template",
    "read_document",
    "refusal",
    "resolve_template",
    "snapshot_problems",
]

UNUSED: Mapping[str, str] = {
    "dependencies": "a subscription, available_tools, and version and permissions of mcps are not"
    " acted on",
    "llm_config": "not acted on: --compose-with names the model that chooses",
    "spawnable_sub_agent_specialists": "not supported in this version: nobody is spawned",
    "spawnable_sub-agent_specialists": "not supported in this version: nobody is spawned",
}

_NOT_TASKS = ("default", "model_specific", "prompt_strategy")


@dataclass(frozen=True, slots=True)
class Draft:
    """A template as far as its files allow."""

    resolved: Resolved
    problems: tuple[Problem, ...]
    sound: Mapping[str, Any]
    """What its schema accepts of it; None stands in lists for what it does not."""
    template: Template
    """That as a template, with nothing in place of what is missing."""


def draft_template(path: Path, library: Path | None = None, *, enriched: bool = True) -> Draft:
    """A template with what it inherits and all that is wrong with it; BadFile for bad syntax.

    Named parents are looked for below `library`, where there is one, else below the `templates`
    around the file; with `enriched`, the newest enriched file of a parent takes its place.
    """
    resolved = resolve(path, lambda ref, child: parent_file(library, ref, child, enriched=enriched))
    _refuse_snapshot(path, resolved.value)
    unfit = schema_problems(resolved.value, TEMPLATE)
    raw: Any = sound(resolved.value, unfit) if isinstance(resolved.value, dict) else {}
    orphaned = any(problem.place == (FROM,) for problem in resolved.problems)
    problems = (
        *resolved.problems,
        # what is missing here may stand in a parent that is missing itself
        *(p for p in unfit if not (orphaned and p.text.endswith("is missing"))),
        *mcp_problems(raw),
        *_pattern_problems(raw),
    )
    return Draft(resolved, problems, raw, _template(raw, path, _ancestors(resolved)))


def load_template(path: Path, library: Path | None = None, *, enriched: bool = True) -> Template:
    """A template with what it inherits; raises BadFile with all that is wrong with it."""
    return _whole(draft_template(path, library, enriched=enriched)).template


def resolve_template(path: Path, library: Path | None = None, *, enriched: bool = True) -> Resolved:
    """A template's data with what it inherits, found to be good; raises BadFile."""
    return _whole(draft_template(path, library, enriched=enriched)).resolved


def _whole(draft: Draft) -> Draft:
    if draft.problems:
        raise BadFile(draft.resolved.chain[0].path, draft.resolved.report(draft.problems))
    return draft


def document_problems(draft: Draft) -> Iterator[Problem]:
    """Of the template's documents, those files that nobody will be able to read."""
    home = home_of(draft.resolved.chain[0].path)
    for index, each in enumerate(draft.sound.get("documentation", ())):
        location = _location(each) if each else "://"
        if "://" not in location and (said := _unreadable(home, location)):
            yield Problem(("documentation", index), said)


def _unreadable(home: Path, location: str) -> str | None:
    try:
        path = (home / location).resolve()
    except (OSError, ValueError, RuntimeError):
        path = home
    if not path.is_relative_to(home.resolve()):
        text = "is outside of the template's folder: mint enrich wants --allow-folder for it"
        return f"{shown(location)} {text}"
    there = os.path.isfile(path)  # noqa: PTH113  # Path raises for names that are too long
    return None if there else f"there is no file {shown(location)} beside the template"


def refusal(template: Template, problems: Iterable[Problem]) -> BadFile:
    """What to raise of a template that was loaded: each problem with the line that it is in."""
    paths = (template.source, *(each.path for each in template.ancestors))
    resolved = merged([read_document(path) for path in paths])
    return BadFile(template.source, resolved.report(tuple(problems)))


def find_template(root: Path, ref: str, *, enriched: bool = True) -> Template:
    """The template at a path, or the newest called `[@scope/]name[@version]` below templates/.

    With `enriched`, the newest enriched file of that version takes its place; its notes say so.
    Raises UsageError, or BadFile when the one that was found cannot be used.
    """
    found = find_file(root, ref, enriched=enriched)
    template = load_template(found.path, root / TEMPLATES, enriched=enriched)
    return replace(template, notes=(*found.notes, *template.notes))


def find_exact(root: Path, name: str, version: str, digest: Digest) -> Template | None:
    """The template below templates/ that has this very content, enriched or not."""
    paths = every_file(root, name, version)
    for path, enriched in product(paths, (True, False)):
        try:
            template = load_template(path, root / TEMPLATES, enriched=enriched)
        except BadFile:
            continue
        if template.digest == digest:
            return template
    return None


def snapshot_problems(document: Mapping[str, object]) -> tuple[str, ...]:
    """What keeps a document from being a snapshot, as sentences with places."""
    problems = schema_problems(document, SNAPSHOT)
    return tuple(f"{pointer(problem.place)}: {problem.text}" for problem in problems)


def check_snapshot(document: Mapping[str, object]) -> None:
    """Hold what is about to be written to the schema; a ValueError is a bug of ours."""
    problems = snapshot_problems(document)
    if problems:
        raise ValueError("not a snapshot: " + "; ".join(problems))


def _ancestors(resolved: Resolved) -> tuple[Ancestor, ...]:
    return tuple(
        Ancestor(str(raw.get("name", "")), str(raw.get("version", "")), document.path)
        for document in resolved.chain[1:]
        if isinstance(raw := document.value, dict)
    )


def _refuse_snapshot(path: Path, value: object) -> None:
    if isinstance(value, dict) and "snapshot_metadata" in value:
        name = f"{value.get('name')}@{value.get('version')}"
        raise BadFile(path, [f"is a snapshot, not a template; give the one that it is of: {name}"])


def _pattern_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    detection = raw.get("task_detection", {})
    patterns = detection.get("patterns", {})
    for task, given in patterns.items():
        for index, pattern in enumerate(given):
            if pattern and (said := pattern_problem(pattern)):
                place = ("task_detection", "patterns", task, index)
                yield Problem(place, f"{shown(pattern)} is no regular expression: {said}")
    for index, task in enumerate(detection.get("priority", ())):
        if task and patterns and task not in patterns:
            text = f"no task {task!r} among the patterns; {nearest(task, patterns)}"
            yield Problem(("task_detection", "priority", index), text)


def _template(raw: Mapping[str, Any], path: Path, ancestors: tuple[Ancestor, ...]) -> Template:
    raw = _without_gaps({key: raw[key] for key in raw if key not in {FROM, MERGE}})
    # its history says nothing to a model: a deprecation leaves runs what they were
    words = {key: value for key, value in raw.items() if key != "version_metadata"}
    canonical = json.dumps(words, sort_keys=True, separators=(",", ":"))
    persona, capabilities = raw.get("persona", {}), raw.get("capabilities", {})
    prompts, detection = raw.get("prompts", {}), raw.get("task_detection", {})
    return Template(
        name=raw.get("name", ""),
        mcps=mcp_servers(raw),
        version=raw.get("version", ""),
        persona=Persona(
            purpose=persona.get("purpose", ""),
            values=tuple(persona.get("values", ())),
            attributes=tuple(persona.get("attributes", ())),
            tech_stack=tuple(persona.get("tech_stack", ())),
        ),
        capabilities=Capabilities(
            tags=tuple(capabilities.get("tags", ())),
            descriptions=_texts(capabilities.get("descriptions", {})),
            considerations=tuple(capabilities.get("considerations", ())),
        ),
        source=path.absolute(),
        document=json.dumps(raw, ensure_ascii=False, separators=(",", ":")),
        digest=bytes_digest(canonical.encode()),
        display_name=raw.get("displayName"),
        prompts=_prompt_set(prompts),
        tasks=tuple(
            TaskPrompts(task, _prompt_set(given))
            for task, given in prompts.items()
            if task not in _NOT_TASKS
        ),
        task_detection=TaskDetection(
            patterns=tuple((t, tuple(p)) for t, p in detection.get("patterns", {}).items()),
            priority=tuple(detection.get("priority", ())),
        ),
        preferred_models=tuple(_model(model) for model in raw.get("preferred_models", ())),
        documentation=tuple(_document(each) for each in raw.get("documentation", ())),
        deprecation=deprecation_of(raw.get("version_metadata", {})),
        notes=tuple(_notes(raw)),
        ancestors=ancestors,
        needs_model_words=prompts.get("prompt_strategy", {}).get("fallback") == "error",
    )


def _without_gaps(value: Any) -> Any:  # noqa: ANN401  # JSON as it was read
    if isinstance(value, dict):
        return {key: _without_gaps(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_gaps(item) for item in value if item is not None]
    return value


def _texts(given: Mapping[str, str]) -> Texts:
    return tuple(given.items())


def _prompt_set(given: Mapping[str, Any]) -> PromptSet:
    by_model = given.get("model_specific", {})
    return PromptSet(
        default=_texts(given.get("default", {})),
        model_specific=tuple(ModelPrompts(m, _texts(texts)) for m, texts in by_model.items()),
    )


def _model(given: str | Mapping[str, Any]) -> PreferredModel:
    if isinstance(given, str):
        return PreferredModel(given)
    return PreferredModel(given["model"], given.get("weight"), given.get("specialist_enabled"))


def _document(given: Mapping[str, Any]) -> DocumentRef:
    return DocumentRef(
        location=_location(given),
        kind=given.get("type"),
        description=given.get("description", ""),
        enrichment=_enrichment(given["enrichment"]) if "enrichment" in given else None,
    )


def _location(given: Mapping[str, Any]) -> str:
    return next(str(given[key]) for key in ("url", "path", "source") if key in given)


def _enrichment(given: Mapping[str, Any]) -> Enrichment:
    lists = ("key_concepts", "code_patterns", "relevant_for_tasks", "relevant_tech_stack")
    return Enrichment(
        summary=given.get("summary", ""),
        relevance=given.get("relevance_to_specialist", ""),
        **{key: tuple(given.get(key, ())) for key in (*lists, "relevant_tags", "use_cases")},
    )


def deprecation_of(given: Mapping[str, Any]) -> Deprecation | None:
    """What `version_metadata` says of it, if it is deprecated."""
    if not given.get("deprecated", False):
        return None
    return Deprecation(
        reason=given.get("deprecated_reason", ""),
        since=given.get("deprecated_in"),
        replacement=given.get("replacement"),
    )


def _notes(raw: Mapping[str, Any]) -> Iterator[str]:
    given = {**raw, "dependencies": unused_dependencies(raw)}
    for key, said in UNUSED.items():
        if given.get(key):
            yield f"{key}: {said}"
    style = raw.get("prompts", {}).get("prompt_strategy", {}).get("interpolation", {})
    if style.get("escape_html"):
        yield "prompts (prompt_strategy): nothing is escaped: a prompt is no HTML"
    if style.get("style") == "handlebars":
        yield "prompts (prompt_strategy): only what mustache has is filled in, no helpers"
