"""A template's words as one system prompt: the same template, model and task give the same text.

Only prompts are templates of text. Persona, capabilities and documents are data and are copied
as they stand. Prompts are mustache; the names are `name`, `version`, `displayName`, `model`,
`task`, and what the template has under `persona` and `capabilities`. A list where no section goes
through it is joined by commas. A name that is none of these is refused, never left empty.

Single braces are text. In the original's templates `{version}` means the version of the library
in the request, `{purpose}` that of a component: nothing of the template fits there. A prompt for a
task that needs such words is left out, and the run says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.domain.application import Application, Choice, Wearing
from harness.domain.digests import bytes_digest
from harness.domain.record import SpecialistRef
from harness.domain.spec import Specialist
from harness.domain.template import DocumentRef, ModelPrompts, PromptSet, Template, Texts
from harness.load.places import Place, Problem, pointer
from harness.load.templates import refusal
from harness.specialists.detect import ALWAYS, Detected, detect
from harness.specialists.documents import Chosen, choose, rank
from harness.specialists.mustache import BRACE, Filled, Value, fill, unfilled

_DATE = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$")


@dataclass(frozen=True, slots=True)
class Job:
    """What the specialist is wanted for."""

    text: str = ""
    """The prompt that the agent is given."""
    wearing: Wearing = field(default_factory=Wearing)
    choice: Choice | None = None
    """What a model chose, in place of what rules say."""


class Words(NamedTuple):
    """A prompt's text and where it stands in the file."""

    place: Place
    text: str


def compose(template: Template, model: str | None, job: Job | None = None) -> Specialist:
    """The specialist as `model` is told it for a job.

    Raises BadFile for a placeholder nobody can fill and for a model that the template has no words
    for, where it insists on them; UsageError for a task that it does not have.
    """
    job = job or Job()
    detected = _detected(template, job)
    documents, unchosen = _documents(template, job, detected.task)
    chosen = choose(documents, job.wearing.document_tokens)
    block = next((t.prompts for t in template.tasks if t.task == detected.task), PromptSet())
    special, block_special = for_model(template.prompts, model), for_model(block, model)
    words_for = special or block_special
    if template.needs_model_words and model is not None and words_for is None:
        place = ("prompts", "prompt_strategy", "fallback")
        raise refusal(template, [Problem(place, f"there are no words for the model {model!r}")])
    general = _words((), template.prompts, special)
    particular = _words((detected.task or "",), block, block_special)
    if job.choice:
        general = {key: _with_values(words, job.choice) for key, words in general.items()}
    texts, left_out = _texts(general, particular, detected.task)
    spoken = _filled(template, texts, values_of(template, model, detected))
    prompt = "\n\n".join(_parts(template, spoken, chosen)) + "\n"
    return Specialist(
        ref=SpecialistRef(template.name, template.version, template.digest),
        system_prompt=prompt,
        mcps=template.mcps,
        application=Application(
            prompt_digest=bytes_digest(prompt.encode()),
            template=template.source.name,
            wearing=job.wearing,
            task=detected.task,
            task_reason=detected.reason,
            model_words=words_for.model if words_for else None,
            documents=chosen.told,
            left_out=(*left_out, *chosen.left_out, *unchosen),
            choice=job.choice,
        ),
    )


def _detected(template: Template, job: Job) -> Detected:
    if job.choice and job.wearing.task is None:
        return Detected(job.choice.task, f"chosen by {job.choice.model}")
    return detect(template, job.text, job.wearing.task)


def _documents(
    template: Template, job: Job, task: str | None
) -> tuple[tuple[DocumentRef, ...], tuple[str, ...]]:
    """Those that may be told of, the most fitting first, and those that a model has not chosen."""
    if job.choice is None:
        ranked = rank(template.documentation, task, job.text)
        return tuple(each.document for each in ranked), ()
    order = {location: number for number, location in enumerate(job.choice.documents)}
    chosen = [each for each in template.documentation if each.location in order]
    others = [each for each in template.documentation if each.location not in order]
    said = tuple(f"{each.location}: not chosen by {job.choice.model}" for each in others)
    return tuple(sorted(chosen, key=lambda each: order[each.location])), said


def _with_values(words: Words, choice: Choice) -> Words:
    """The names in single braces that the request makes clear, filled in."""
    values = dict(choice.values)
    text = BRACE.sub(lambda found: values.get(found["name"], found[0]), words.text)
    return words._replace(text=text)


def prompt_problems(template: Template) -> tuple[Problem, ...]:
    """What cannot be filled in, in every prompt of a template: for any model, for any task."""
    told = (
        values_of(template, None, Detected(None, "")),
        values_of(template, "any", Detected("any", "")),
    )
    return _unfilled((w.place, fill(w.text, v)) for w in _every_text(template) for v in told)


def unspoken(template: Template) -> Iterator[Problem]:
    """Prompts that are never said as they stand: they wait for words of the request."""
    never = []
    for words in _texts_of((), template.prompts):
        *_, key = words.place
        names = ", ".join(f"{{{name}}}" for name in unfilled(words.text))
        if names and key in ALWAYS:
            yield Problem(words.place, f"{names} stays as it is; mustache is {{{{name}}}}")
        elif names:
            never.append(f"{pointer(words.place[1:])[1:]} ({names})")
    if never:
        text = f"texts that are never said, as nobody fills them in: {'; '.join(never)}"
        yield Problem(("prompts",), text)


def values_of(template: Template, model: str | None, detected: Detected) -> Mapping[str, Value]:
    """What the names in a prompt stand for."""
    persona, capabilities = template.persona, template.capabilities
    return {
        "name": template.name,
        "version": template.version,
        "displayName": template.display_name or template.short_name,
        "model": model or "",
        "task": detected.task or "",
        "persona": {
            "purpose": persona.purpose,
            "values": persona.values,
            "attributes": persona.attributes,
            "tech_stack": persona.tech_stack,
        },
        "capabilities": {
            "tags": capabilities.tags,
            "descriptions": dict(capabilities.descriptions),
            "considerations": capabilities.considerations,
        },
    }


def for_model(prompts: PromptSet, model: str | None) -> ModelPrompts | None:
    """The words meant for a model: those under its own name, else under one that means the same.

    A provider before the name, a date after it, and dots for dashes make no other model.
    """
    if model is None:
        return None
    exact = [each for each in prompts.model_specific if each.model == model]
    same = [each for each in prompts.model_specific if _means(each.model, model)]
    return next(iter([*exact, *same]), None)


def _means(name: str, model: str) -> bool:
    rest = model.partition(":")[2] or model
    forms = {_plain(form) for form in (model, rest, _last(rest))}
    return bool({_plain(name), _plain(_last(name))} & forms)


def _plain(model: str) -> str:
    return _DATE.sub("", model.lower().replace(".", "-"))


def _last(model: str) -> str:
    return model.rpartition("/")[2]


def _texts(
    general: Mapping[str, Words], particular: Mapping[str, Words], task: str | None
) -> tuple[tuple[Words, ...], tuple[str, ...]]:
    """The prompts to say, the task's own before the general ones, and what is left out."""
    said = {key: particular.get(key) or general.get(key) for key in ALWAYS}
    texts = [words for words in said.values() if words]
    texts += [words for key, words in particular.items() if key not in ALWAYS]
    alone = general.get(task) if task is not None and not particular else None
    if alone and (names := unfilled(alone.text)):
        listed = ", ".join(f"{{{name}}}" for name in names)
        return tuple(texts), (f"{pointer(alone.place)}: nobody fills in {listed}",)
    return (*texts, alone) if alone else tuple(texts), ()


def _words(task: Place, prompts: PromptSet, special: ModelPrompts | None) -> dict[str, Words]:
    """The texts of a task, or of none, a model's in place of those of the same key."""
    found = _placed((*task, "default"), prompts.default)
    if special:
        found |= _placed((*task, "model_specific", special.model), special.prompts)
    return found


def _placed(where: Place, texts: Texts) -> dict[str, Words]:
    return {key: Words(("prompts", *where, key), text.strip()) for key, text in texts}


def _every_text(template: Template) -> Iterator[Words]:
    yield from _texts_of((), template.prompts)
    for each in template.tasks:
        yield from _texts_of((each.task,), each.prompts)


def _texts_of(task: Place, prompts: PromptSet) -> Iterator[Words]:
    yield from _words(task, prompts, None).values()
    for special in prompts.model_specific:
        yield from _placed((*task, "model_specific", special.model), special.prompts).values()


def _filled(template: Template, texts: Sequence[Words], values: Mapping[str, Value]) -> str:
    filled = [(words.place, fill(words.text, values)) for words in texts]
    if any(done.problems for _, done in filled):
        raise refusal(template, _unfilled(filled))
    return "\n\n".join(done.text.strip() for _, done in filled if done.text.strip())


def _unfilled(filled: Iterable[tuple[Place, Filled]]) -> tuple[Problem, ...]:
    found = (Problem(place, said) for place, done in filled for said in done.problems)
    return tuple(dict.fromkeys(found))


def _parts(template: Template, spoken: str, chosen: Chosen) -> Iterator[str]:
    persona, capabilities = template.persona, template.capabilities
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
    lead = "You may not be able to open them here; then go by what is said about them."
    yield from _section("Documents", chosen.items, lead)


def _section(title: str, items: Sequence[str], lead: str = "") -> Iterator[str]:
    if items:
        listed = "\n".join(f"- {_indented(item)}" for item in items)
        yield "\n\n".join(filter(None, [f"## {title}", lead, listed]))


def _indented(item: str) -> str:
    return "\n  ".join(line.rstrip() for line in item.strip().splitlines())
