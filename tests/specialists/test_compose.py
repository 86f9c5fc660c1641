from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BadFile
from harness.load.templates import find_template
from harness.specialists.compose import compose
from tests.specialists.templates import a_template

ROOT = Path(__file__).parents[2]

FULL = {
    "displayName": "The Debugger",
    "persona": {
        "purpose": "Find the cause.",
        "values": ["Evidence", "Small changes"],
        "attributes": ["Patient"],
        "tech_stack": ["Python", "SQL"],
    },
    "capabilities": {
        "tags": ["sweep", "verify"],
        "descriptions": {"sweep": "Look everywhere."},
        "considerations": ["Tests stay as they are."],
    },
    "documentation": [
        {
            "type": "official",
            "url": "https://example.com/pdb",
            "description": "pdb",
            "enrichment": {"summary": "Steps through code.\nSlowly."},
        },
        {"type": "reference", "path": "notes.md"},
    ],
}

COMPOSED = """\
You are The Debugger.

## Your purpose

Find the cause.

## What you value

- Evidence
- Small changes

## How you work

- Patient

## What you work with

- Python
- SQL

## What you can do

- sweep: Look everywhere.
- verify

## What you keep in mind

- Tests stay as they are.

## Documents

You may not be able to open them here; then go by what is said about them.

- pdb (https://example.com/pdb)
  Steps through code.
  Slowly.
- notes.md
"""


def prompts(text: str, **by_model: str) -> dict[str, object]:
    return {
        "default": {"spawnerPrompt": text},
        "model_specific": {
            model.replace("__", "/"): {"spawnerPrompt": words} for model, words in by_model.items()
        },
    }


def test_a_template_is_composed_into_one_text(tmp_path: Path) -> None:
    assert compose(a_template(tmp_path, **FULL), None).system_prompt == COMPOSED


def test_the_spawner_prompt_comes_first_and_the_purpose_is_not_said_twice(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts=prompts("Be careful. {{persona.purpose}}\n"))

    prompt = compose(template, None).system_prompt

    assert prompt.startswith("Be careful. Find the cause.\n\n## What you can do")
    assert prompt.count("Find the cause.") == 1


def test_spawner_system_and_context_prompts_are_said_in_that_order(tmp_path: Path) -> None:
    given = {"contextPrompt": "Three.", "systemPrompt": "Two.", "spawnerPrompt": "One."}

    template = a_template(tmp_path, prompts={"default": {**given, "bug_fix": "Never."}})

    assert compose(template, None).system_prompt.startswith("One.\n\nTwo.\n\nThree.\n\n## ")
    assert "Never." not in compose(template, None).system_prompt


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("acme/one", "Exact."),
        ("acme:one", "Exact."),
        ("one", "Exact."),
        ("router:acme/one", "Exact."),
        ("other:two", "Bare."),
        ("other/two", "Bare."),
        ("acme:three", "Default."),
        ("acme:one-large", "Default."),
        (None, "Default."),
    ],
)
def test_the_prompt_is_that_of_the_model_that_runs(
    tmp_path: Path, model: str | None, expected: str
) -> None:
    template = a_template(tmp_path, prompts=prompts("Default.", acme__one="Exact.", two="Bare."))

    assert compose(template, model).system_prompt.startswith(expected)


def test_an_exact_name_wins_over_one_without_provider(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts=prompts("D.", one="Bare.", acme__one="Exact."))

    assert compose(template, "acme/one").system_prompt.startswith("Exact.")
    assert compose(template, "one").system_prompt.startswith("Bare.")


def test_a_key_that_a_model_has_no_words_for_is_taken_from_the_default(tmp_path: Path) -> None:
    default = {"spawnerPrompt": "One.", "systemPrompt": "Two."}
    special = {"acme/one": {"systemPrompt": "Two, for you."}}

    template = a_template(tmp_path, prompts={"default": default, "model_specific": special})

    assert compose(template, "acme:one").system_prompt.startswith("One.\n\nTwo, for you.\n")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{name}} {{ version }}", "@acme/debugger 1.0.0"),
        ("{{persona.values}}; {{{persona.tech_stack}}}", "Evidence, Small changes; Python, SQL"),
        ("{purpose} {tags}", "Find the cause. sweep, verify"),
        ("f'{value}' {Purpose} {x.y} {} ${purpose}", "f'{value}' {Purpose} {x.y} {} ${purpose}"),
        ("${{ github.ref }} style={{color: 1}}", "${{ github.ref }} style={{color: 1}}"),
    ],
)
def test_documented_placeholders_are_filled_and_code_is_left_alone(
    tmp_path: Path, text: str, filled: str
) -> None:
    template = a_template(tmp_path, **FULL, prompts=prompts(text))

    assert compose(template, None).system_prompt.startswith(filled + "\n")


def test_what_is_filled_in_is_not_searched_for_placeholders(tmp_path: Path) -> None:
    persona = {"purpose": "Say {tags} and {{name}}."}

    template = a_template(tmp_path, persona=persona, prompts=prompts("{{persona.purpose}}"))

    assert compose(template, None).system_prompt.startswith("Say {tags} and {{name}}.\n")


def test_an_unknown_placeholder_is_refused_with_its_place_and_the_nearest(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts=prompts("Hello {{persona.purpos}} {{#tags}}{{.}}"))

    with pytest.raises(BadFile) as refused:
        compose(template, None)

    first, second, third = refused.value.problems
    assert first.startswith("/prompts/default/spawnerPrompt: nothing fills {{persona.purpos}};")
    assert "did you mean 'persona.purpose'?" in first
    assert "{{#tags}} is not supported" in second
    assert "{{.}}" in third


def test_a_placeholder_is_refused_where_it_stands(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts=prompts("Fine.", acme__one="{{what}}"))

    assert compose(template, None)
    with pytest.raises(BadFile, match=r"/prompts/model_specific/acme/one/spawnerPrompt"):
        compose(template, "acme:one")


def test_the_digest_names_the_template_and_the_words(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts=prompts("Default.", acme__one="Other."))
    edited = replace(template, digest=a_template(tmp_path, license="MIT").digest)
    digests = {
        compose(template, None).ref.digest,
        compose(template, "acme:one").ref.digest,
        compose(edited, None).ref.digest,
    }

    assert len(digests) == 3
    assert compose(template, None) == compose(template, "acme:other")
    assert compose(template, None).ref.name == "@acme/debugger"


def test_the_shipped_template_composes_without_a_placeholder_left() -> None:
    prompt = compose(find_template(ROOT, "@mintmark/careful-debugger"), None).system_prompt

    assert prompt.startswith("You are a careful debugger. Find the cause")
    assert "{{" not in prompt
