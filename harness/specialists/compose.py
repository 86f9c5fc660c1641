"""A template's words as one system prompt: the same template and model give the same text.

Only prompts are templates of text. Persona, capabilities and documents are data and are copied
as they stand. In a prompt these placeholders are filled, lists joined by commas:

    {{name}} {{version}} {{persona.purpose}} {{persona.values}} {{persona.attributes}}
    {{persona.tech_stack}} {{capabilities.tags}} {{capabilities.considerations}}
    {name} {version} {purpose} {values} {attributes} {tech_stack} {tags} {considerations}

Any other name in double braces is refused, sections too. Any other single brace is text, because
prompts quote code; so is `${{…}}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from harness.domain.digests import text_digest
from harness.domain.record import SpecialistRef
from harness.domain.spec import Specialist
from harness.domain.template import DocumentRef, Template
from harness.errors import BadFile, nearest

PROMPTS = ("spawnerPrompt", "systemPrompt", "contextPrompt")
"""The keys that are always said, in this order; others belong to tasks."""

_PLACEHOLDER = re.compile(
    r"(?<!\$)\{\{\{?\s*(?P<double>[#/^&>!]?[\w.\-]+)\s*\}\}\}?"
    r"|(?<![${])\{(?P<single>[a-z_]+)\}(?!\})"
)


def compose(template: Template, model: str | None) -> Specialist:
    """The specialist as `model` is told it; raises BadFile for a placeholder nobody can fill."""
    prompt = "\n\n".join(_parts(template, model)) + "\n"
    digest = text_digest(template.digest, prompt)
    ref = SpecialistRef(template.name, template.version, digest)
    return Specialist(ref, prompt, template.mcps)


def _parts(template: Template, model: str | None) -> Iterator[str]:
    persona, capabilities = template.persona, template.capabilities
    spoken = "\n\n".join(_prompts(template, model))
    yield spoken or f"You are {template.display_name or template.short_name}."
    if persona.purpose.strip() not in spoken:
        yield f"## Your purpose\n\n{persona.purpose.strip()}"
    yield from _section("What you value", persona.values)
    yield from _section("How you work", persona.attributes)
    yield from _section("What you work with", persona.tech_stack)
    descriptions = dict(capabilities.descriptions)
    able = [f"{tag}: {descriptions.get(tag, '')}" for tag in capabilities.tags]
    yield from _section("What you can do", [each.removesuffix(": ") for each in able])
    yield from _section("What you keep in mind", capabilities.considerations)
    yield from _section(
        "Documents",
        [_document(document) for document in template.documentation],
        "You may not be able to open them here; then go by what is said about them.",
    )


def _section(title: str, items: Sequence[str], lead: str = "") -> Iterator[str]:
    if items:
        listed = "\n".join(f"- {_indented(item)}" for item in items)
        yield "\n\n".join(filter(None, [f"## {title}", lead, listed]))


def _indented(item: str) -> str:
    return "\n  ".join(line.rstrip() for line in item.strip().splitlines())


def _document(document: DocumentRef) -> str:
    described = document.description.strip()
    head = f"{described} ({document.location})" if described else document.location
    summary = document.enrichment.summary.strip() if document.enrichment else ""
    return f"{head}\n{summary}" if summary else head


def _prompts(template: Template, model: str | None) -> Iterator[str]:
    default = dict(template.prompts.default)
    special, name = _for_model(template, model)
    texts = {key: special.get(key, default.get(key, "")).strip() for key in PROMPTS}
    problems = [
        f"/prompts/{f'model_specific/{name}' if key in special else 'default'}/{key}: {problem}"
        for key, text in texts.items()
        for problem in _unknown(template, text)
    ]
    if problems:
        raise BadFile(template.source, problems)
    yield from (_filled(template, text) for text in texts.values() if text)


def _for_model(template: Template, model: str | None) -> tuple[Mapping[str, str], str]:
    """The prompts meant for a model and the name they stand under: its own, else a near one."""
    variants = {each.model: dict(each.prompts) for each in template.prompts.model_specific}
    if model is None:
        return {}, ""
    names = [name for name in variants if name == model]
    names += [name for name in variants if {name, _last(name)} & _without_provider(model)]
    return (variants[names[0]], names[0]) if names else ({}, "")


def _without_provider(model: str) -> frozenset[str]:
    """`claude-x` of `anthropic:claude-x`, `anthropic/claude-x`, `openrouter:anthropic/claude-x`."""
    rest = model.partition(":")[2] or model
    return frozenset({model, rest, _last(rest)})


def _last(model: str) -> str:
    return model.rpartition("/")[2]


def _filled(template: Template, text: str) -> str:
    known = _values(template)
    short = {name.rpartition(".")[2]: value for name, value in known.items()}

    def fill(found: re.Match[str]) -> str:
        if found["single"]:
            return short.get(found["single"], found[0])
        return known[found["double"].lstrip("&")]

    return _PLACEHOLDER.sub(fill, text)


def _unknown(template: Template, text: str) -> Iterator[str]:
    known = _values(template)
    for found in dict.fromkeys(match["double"] for match in _PLACEHOLDER.finditer(text)):
        if found and found[0] in "#/^>!":
            yield f"{{{{{found}}}}} is not supported in this version; write the text out"
        elif found and found.lstrip("&") not in known:
            yield f"nothing fills {{{{{found}}}}}; {nearest(found, known)}"


def _values(template: Template) -> Mapping[str, str]:
    persona, capabilities = template.persona, template.capabilities
    return {
        "name": template.name,
        "version": template.version,
        "persona.purpose": persona.purpose,
        "persona.values": ", ".join(persona.values),
        "persona.attributes": ", ".join(persona.attributes),
        "persona.tech_stack": ", ".join(persona.tech_stack),
        "capabilities.tags": ", ".join(capabilities.tags),
        "capabilities.considerations": ", ".join(capabilities.considerations),
    }
