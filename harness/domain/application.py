"""How a specialist's words came about for one cell of a plan: asked for, chosen, left out."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.domain.artifact import Artifact
from harness.domain.ids import Digest
from harness.domain.model import ModelRef, ModelUse

DOCUMENT_TOKENS = 4000


@dataclass(frozen=True, slots=True)
class Wearing:
    """What somebody asked of the composition."""

    task: str | None = None
    """The kind of task, in place of the one that is recognised."""
    document_tokens: int = DOCUMENT_TOKENS
    """The most that documents may take of the prompt."""
    enriched: bool = True
    """Whether enriched files take their authors' place, a parent's too."""
    chooser: ModelRef | None = None
    """The model that chooses task, documents and missing words; None leaves it to rules."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a model chose of a template for one prompt."""

    model: str
    task: str | None = None
    documents: tuple[str, ...] = ()
    """Locations, the most helpful first; of the others nothing is said."""
    values: tuple[tuple[str, str], ...] = ()
    """What names in single braces stand for."""
    intent: str = ""
    use: ModelUse | None = None
    """What it took; None where the choice had been made before."""


@dataclass(frozen=True, slots=True)
class Application:
    """What was made of a template for one task and one model, and the exact words."""

    prompt_digest: Digest
    """Of the system prompt's text."""
    template: str
    """The file's name: an enriched file's, where one was used."""
    wearing: Wearing = field(default_factory=Wearing)
    task: str | None = None
    task_reason: str = ""
    """Why it is this task, or none."""
    model_words: str | None = None
    """The name that the words for this model stand under; None is everybody's words."""
    documents: tuple[str, ...] = ()
    """Those that are told of, the most fitting first."""
    left_out: tuple[str, ...] = ()
    """What the template has and the prompt does not, and why."""
    choice: Choice | None = None
    """What a model had a say in."""
    prompt: Artifact | None = None
    """The text, kept beside the record."""
