"""Templates: found by name or path, loaded whole or refused with everything that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
from harness.load.enriched import SUFFIXES
from harness.load.files import read_document
from harness.load.inherit import FROM, MERGE, Resolved, resolve
from harness.load.mcps import PLACE, mcp_problems, mcp_servers, unused_dependencies
from harness.load.places import Problem, pointer, shown
from harness.load.schema import SNAPSHOT, TEMPLATE, schema_problems
from harness.load.task_patterns import matcher
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
    "find_exact",
    "find_template",
    "load_template",
    "read_document",
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


def load_template(path: Path, library: Path | None = None, *, enriched: bool = True) -> Template:
    """A template with what it inherits; raises BadFile with all that is wrong with it.

    Named parents are looked for below `library`, else below the `templates` around the file; with
    `enriched`, the newest enriched file of a parent takes its place.
    """
    resolved = resolve_template(path, library, enriched=enriched)
    raw: Any = resolved.value
    return _template(raw, path, _ancestors(resolved))


def resolve_template(path: Path, library: Path | None = None, *, enriched: bool = True) -> Resolved:
    """A template's data with what it inherits, found to be good; raises BadFile."""
    resolved = resolve(path, lambda ref, child: parent_file(library, ref, child, enriched=enriched))
    problems = [
        *resolved.problems,
        # what is missing here may stand in a parent that is missing itself
        *(
            problem
            for problem in schema_problems(resolved.value, TEMPLATE)
            if not (resolved.problems and problem.text.endswith("is missing"))
        ),
    ]
    raw: Mapping[str, Any] = resolved.value if isinstance(resolved.value, dict) else {}
    if not any(problem.place[:1] == PLACE[:1] for problem in problems):
        problems.extend(mcp_problems(raw))
    if not any(problem.place[:1] == ("task_detection",) for problem in problems):
        problems.extend(_pattern_problems(raw))
    if problems:
        raise BadFile(path, resolved.report(problems))
    return resolved


def find_template(root: Path, ref: str, *, enriched: bool = True) -> Template:
    """The template at a path, or the newest called `[@scope/]name[@version]` below templates/.

    With `enriched`, the newest enriched file of that version takes its place; its notes say so.
    Raises UsageError, or BadFile when the one that was found cannot be used.
    """
    found = find_file(root, ref, enriched=enriched)
    library = root / TEMPLATES
    template = load_template(found.path, library if library.is_dir() else None, enriched=enriched)
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
    raws: list[Any] = [document.value for document in resolved.chain[1:]]
    return tuple(
        Ancestor(str(raw.get("name", "")), str(raw.get("version", "")), document.path)
        for raw, document in zip(raws, resolved.chain[1:], strict=True)
    )


def _pattern_problems(raw: Mapping[str, Any]) -> Iterator[Problem]:
    detection = raw.get("task_detection", {})
    patterns = detection.get("patterns", {})
    for task, given in patterns.items():
        for index, pattern in enumerate(given):
            try:
                matcher(pattern)
            except ValueError as error:
                place = ("task_detection", "patterns", task, index)
                text = f"{shown(pattern)} is no regular expression: {error}"
                yield Problem(place, text)
    for index, task in enumerate(detection.get("priority", ())):
        if patterns and task not in patterns:
            text = f"no task {task!r} among the patterns; {nearest(task, patterns)}"
            yield Problem(("task_detection", "priority", index), text)


def _template(raw: Mapping[str, Any], path: Path, ancestors: tuple[Ancestor, ...]) -> Template:
    raw = {key: value for key, value in raw.items() if key not in {FROM, MERGE}}
    # its history says nothing to a model: a deprecation leaves runs what they were
    words = {key: value for key, value in raw.items() if key != "version_metadata"}
    canonical = json.dumps(words, sort_keys=True, separators=(",", ":"))
    persona, capabilities, prompts = raw["persona"], raw["capabilities"], raw.get("prompts", {})
    detection = raw.get("task_detection", {})
    return Template(
        name=raw["name"],
        mcps=mcp_servers(raw),
        version=raw["version"],
        persona=Persona(
            purpose=persona["purpose"],
            values=tuple(persona.get("values", ())),
            attributes=tuple(persona.get("attributes", ())),
            tech_stack=tuple(persona.get("tech_stack", ())),
        ),
        capabilities=Capabilities(
            tags=tuple(capabilities["tags"]),
            descriptions=_texts(capabilities.get("descriptions", {})),
            considerations=tuple(capabilities.get("considerations", ())),
        ),
        source=path.absolute(),
        document=json.dumps(raw, ensure_ascii=False, separators=(",", ":")),
        digest=bytes_digest(canonical.encode()),
        display_name=raw.get("displayName"),
        schema_version=raw.get("schema_version"),
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
        deprecation=_deprecation(raw.get("version_metadata", {})),
        notes=tuple(_notes(raw)),
        ancestors=ancestors,
        needs_model_words=prompts.get("prompt_strategy", {}).get("fallback") == "error",
    )


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
    location = next(given[key] for key in ("url", "path", "source") if key in given)
    return DocumentRef(
        location=location,
        kind=given.get("type"),
        description=given.get("description", ""),
        enrichment=_enrichment(given["enrichment"]) if "enrichment" in given else None,
    )


def _enrichment(given: Mapping[str, Any]) -> Enrichment:
    lists = ("key_concepts", "code_patterns", "relevant_for_tasks", "relevant_tech_stack")
    return Enrichment(
        summary=given.get("summary", ""),
        relevance=given.get("relevance_to_specialist", ""),
        **{key: tuple(given.get(key, ())) for key in (*lists, "relevant_tags", "use_cases")},
    )


def _deprecation(given: Mapping[str, Any]) -> Deprecation | None:
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
