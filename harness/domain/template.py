"""A specialist's template: who it is, what it can do, what a model is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.domain.ids import Digest
from harness.domain.mcp import McpServer

Texts = tuple[tuple[str, str], ...]
"""Texts by key, in the order of the file."""


@dataclass(frozen=True, slots=True)
class Persona:
    """Who the specialist is."""

    purpose: str
    values: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    tech_stack: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the specialist can do, by tag."""

    tags: tuple[str, ...]
    descriptions: Texts = ()
    considerations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelPrompts:
    """The prompts for one model, in place of the default ones of the same keys."""

    model: str
    prompts: Texts


@dataclass(frozen=True, slots=True)
class PromptSet:
    """Prompts by key (`spawnerPrompt`, `systemPrompt`, …) and their variants by model."""

    default: Texts = ()
    model_specific: tuple[ModelPrompts, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskPrompts:
    """The prompts for one kind of task."""

    task: str
    prompts: PromptSet


@dataclass(frozen=True, slots=True)
class PreferredModel:
    """A model that the specialist is meant for."""

    model: str
    weight: float | None = None
    specialist_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What was drawn from a document by a model."""

    summary: str = ""
    key_concepts: tuple[str, ...] = ()
    code_patterns: tuple[str, ...] = ()
    relevant_for_tasks: tuple[str, ...] = ()
    relevant_tech_stack: tuple[str, ...] = ()
    relevant_tags: tuple[str, ...] = ()
    use_cases: tuple[str, ...] = ()
    relevance: str = ""


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """A document that the specialist leans on; `location` is a URL or a path."""

    location: str
    kind: str | None = None
    description: str = ""
    enrichment: Enrichment | None = None


@dataclass(frozen=True, slots=True)
class TaskDetection:
    """Patterns by task, tried in the order of `priority`."""

    patterns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    priority: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Why a template should no longer be used, and what to use."""

    reason: str = ""
    since: str | None = None
    replacement: str | None = None


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A template that another one inherits from, as it was when it was read."""

    name: str
    version: str
    path: Path


@dataclass(frozen=True, slots=True)
class Template:
    """A loaded, validated template."""

    name: str
    version: str
    persona: Persona
    capabilities: Capabilities
    source: Path
    document: str
    """All it says, what it inherits too, as JSON text in the file's own order."""
    digest: Digest
    """Of that content: comments, spacing and the order of keys do not change it."""
    display_name: str | None = None
    prompts: PromptSet = PromptSet()
    tasks: tuple[TaskPrompts, ...] = ()
    task_detection: TaskDetection = TaskDetection()
    preferred_models: tuple[PreferredModel, ...] = ()
    documentation: tuple[DocumentRef, ...] = ()
    mcps: tuple[McpServer, ...] = ()
    deprecation: Deprecation | None = None
    notes: tuple[str, ...] = ()
    """What the file says that this version keeps but does not act on."""
    ancestors: tuple[Ancestor, ...] = ()
    """What it inherits from, the nearest first."""
    needs_model_words: bool = False
    """A model that it has no words of its own for is refused (`prompt_strategy.fallback`)."""

    @property
    def short_name(self) -> str:
        """The name without its scope: how folders of snapshots are called."""
        return self.name.rpartition("/")[2]

    @property
    def version_key(self) -> tuple[int, ...]:
        """The version's numbers, which compare as versions should."""
        return tuple(int(number) for number in self.version.split("."))
