"""A template with documents, a model that describes them, and `mint` as people run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from harness.load.json_text import parse_json5
from harness.testing.provider import Answer, ProviderDouble, Says, Script, Seen

Mint = Callable[..., Result]
Provider = Callable[[Script], ProviderDouble]

MODEL = "openai:gpt-5-mini"
AUTHORS = """\
// The author's own words.
{
  schema_version: "1.0.0",
  name: "@org/my-specialist", // never rename
  version: '1.0.0',
  persona: { purpose: "Help with dialogs.", tech_stack: ["React", "TypeScript"] },
  capabilities: { tags: ["ui", "components"] },
  prompts: {
    default: { spawnerPrompt: "You know dialogs." },
    migration: { default: { systemPrompt: "Migrate." } },
  },
  documentation: [
    { source: "%s/dialog", type: "web" },
    // kept beside this file
    {
      path: "guide.md",   /* ours */
      description: "the guide",
    },
  ],
}
"""
CODE = "const open = useDialog()"


def answer(**changes: object) -> dict[str, Any]:
    """What a model says of the dialog page."""
    return {
        "summary": "Dialogs ask one question.",
        "key_concepts": ["dialogs"],
        "use_cases": ["asking"],
        "relevance_to_specialist": "It is about dialogs.",
        "relevant_for_tasks": ["migration"],
        "relevant_tech_stack": ["React"],
        "relevant_tags": ["ui"],
        "code_patterns": [],
        **changes,
    }


def says(**changes: object) -> Answer:
    return Says(json.dumps(answer(**changes)))


GOOD = says()


def always(_seen: object, _number: int) -> Answer:
    """The same good answer to whoever asks."""
    return GOOD


def about(what: str, then: Answer, otherwise: Answer) -> Script:
    """One answer to whoever asks about a document that holds `what`, another to the rest."""

    def script(seen: Seen, _number: int) -> Answer:
        return then if what in seen.raw.decode() else otherwise

    return script


def a_project(root: Path, site: str) -> Path:
    """The template's file in a project of its own."""
    path = root / "templates" / "my-specialist.json5"
    path.parent.mkdir(parents=True)
    path.write_text(AUTHORS % site)
    (path.parent / "guide.md").write_text(f"# The guide\n\nOpen it with\n\n    {CODE}\n")
    return path


def value(path: Path) -> Any:  # noqa: ANN401  # whatever the file holds
    parsed = parse_json5(path.read_text())
    assert not parsed.problems, parsed.problems
    return parsed.value


def drawn(path: Path) -> list[Any]:
    """What an enriched file says of each document."""
    return [document.get("enrichment") for document in value(path)["documentation"]]
