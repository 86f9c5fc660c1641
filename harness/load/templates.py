"""Templates: found by name or path, loaded whole or refused with everything that is wrong."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.domain.digests import bytes_digest
from harness.domain.template import (
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
from harness.errors import BadFile, UsageError, nearest
from harness.load.files import read_document
from harness.load.mcps import PLACE, mcp_problems, mcp_servers, unused_dependencies
from harness.load.places import Problem, pointer
from harness.load.schema import SNAPSHOT, TEMPLATE, schema_problems

TEMPLATES = "templates"
SUFFIXES = (".json5", ".jsonc", ".json")

UNUSED: Mapping[str, str] = {
    "preferred_models": "not supported in this version: the agent says which model works",
    "task_detection": "not supported in this version: prompts for tasks are not used",
    "dependencies": "a subscription, available_tools, and version and permissions of mcps are not"
    " acted on",
    "llm_config": "not supported in this version: prompts are chosen without a model",
    "spawnable_sub_agent_specialists": "not supported in this version: nobody is spawned",
    "spawnable_sub-agent_specialists": "not supported in this version: nobody is spawned",
}

_REF = re.compile(r"(?P<name>(?:@[^@/]+/)?[^@/]+)(?:@(?P<version>[^@/]+))?")
_ENRICHED = re.compile(r"enriched[-.](\d{1,9})$")
_NOT_TASKS = ("default", "model_specific", "prompt_strategy")


def load_template(path: Path) -> Template:
    """One template file; raises BadFile with all that is wrong with it."""
    document = read_document(path)
    problems = [*schema_problems(document.value, TEMPLATE)]
    raw: Mapping[str, Any] = document.value if isinstance(document.value, dict) else {}
    if "from" in raw:
        text = (
            f"inheritance (from {raw['from']!r}) is not supported in this version; copy what is"
            " inherited into this file"
        )
        problems.append(Problem(("from",), text))
    if not any(problem.place[:1] == PLACE[:1] for problem in problems):
        problems.extend(mcp_problems(raw))
    if problems:
        raise BadFile(path, document.report(problems))
    return _template(raw, path)


def find_template(root: Path, ref: str) -> Template:
    """The template at a path, or the newest called `[@scope/]name[@version]` below templates/.

    Raises UsageError, or BadFile when the one that was found cannot be used.
    """
    if ref.endswith(SUFFIXES):
        return load_template(_existing(root, ref))
    asked = _REF.fullmatch(ref)
    if not asked:
        raise UsageError(f"{ref!r} is no template: neither a {', '.join(SUFFIXES)} file nor a name")
    name, version = asked["name"], asked["version"]
    found = _listing(root / TEMPLATES)
    named = [each for each in found.files if name in (each.name, each.name.rpartition("/")[2])]
    if not named:
        known = {each.name for each in found.files}
        hint = f" ({found.unreadable} files there cannot be read)" if found.unreadable else ""
        where = root / TEMPLATES
        raise UsageError(f"no template {name!r} in {where}; {nearest(name, known)}{hint}")
    fitting = [each for each in named if version in (None, each.version)]
    if not fitting:
        versions = ", ".join(sorted({each.version for each in named}, key=_version_key))
        raise UsageError(f"template {name!r} has no version {version!r}; it has {versions}")
    return load_template(_newest(ref, fitting))


def snapshot_problems(document: Mapping[str, object]) -> tuple[str, ...]:
    """What keeps a document from being a snapshot, as sentences with places."""
    problems = schema_problems(document, SNAPSHOT)
    return tuple(f"{pointer(problem.place)}: {problem.text}" for problem in problems)


def check_snapshot(document: Mapping[str, object]) -> None:
    """Hold what is about to be written to the schema; a ValueError is a bug of ours."""
    problems = snapshot_problems(document)
    if problems:
        raise ValueError("not a snapshot: " + "; ".join(problems))


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    name: str
    version: str

    @property
    def age(self) -> tuple[tuple[int, ...], int]:
        """Newer versions are more; of one version, the later enrichment."""
        number = _ENRICHED.search(self.path.stem)
        return _version_key(self.version), int(number[1]) if number else 0


@dataclass(frozen=True, slots=True)
class _Listing:
    files: tuple[_File, ...]
    unreadable: int


def _existing(root: Path, ref: str) -> Path:
    for path in (Path(ref), root / ref):
        if os.path.isfile(path):  # noqa: PTH113  # Path raises for names that are too long
            return path.absolute()
    raise UsageError(f"there is no file {ref!r}, neither here nor in {root}")


def _listing(folder: Path) -> _Listing:
    paths = sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES and p.is_file())
    files, unreadable = [], 0
    for path in paths:
        try:
            raw = read_document(path).value
        except BadFile:
            unreadable += 1
            continue
        if isinstance(raw, dict) and isinstance(raw.get("name"), str):
            files.append(_File(path, raw["name"], str(raw.get("version", ""))))
    return _Listing(tuple(files), unreadable)


def _newest(ref: str, files: list[_File]) -> Path:
    newest = max(file.age for file in files)
    rivals = [file for file in files if file.age == newest]
    if len(rivals) > 1:
        paths = " and ".join(str(file.path) for file in rivals)
        raise UsageError(f"{ref!r} means more than one template: {paths}; give the path")
    return rivals[0].path


def _version_key(version: str) -> tuple[int, ...]:
    numbers = version.split(".")
    return tuple(int(n) if n.isascii() and n.isdecimal() and len(n) < 10 else -1 for n in numbers)  # noqa: PLR2004  # as the schema


def _template(raw: Mapping[str, Any], path: Path) -> Template:
    canonical = json.dumps(raw, sort_keys=True, separators=(",", ":"))
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
    tasks = [task for task in raw.get("prompts", {}) if task not in _NOT_TASKS]
    if tasks:
        said = "not supported in this version: tasks are not told apart"
        yield f"prompts ({', '.join(tasks)}): {said}"
