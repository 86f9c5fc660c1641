from __future__ import annotations

from pathlib import Path

import pytest

from harness.domain.application import Wearing
from harness.domain.digests import bytes_digest
from harness.errors import BadFile
from harness.load.places import pointer
from harness.load.templates import find_template
from harness.specialists.compose import Job, compose, prompt_problems
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
        ("acme:model-4-5-20250929", "Dotted."),
        ("acme:model-4-5-latest", "Dotted."),
        (None, "Default."),
    ],
)
def test_the_prompt_is_that_of_the_model_that_runs(
    tmp_path: Path, model: str | None, expected: str
) -> None:
    words = prompts("Default.", acme__one="Exact.", two="Bare.", **{"model-4.5": "Dotted."})
    template = a_template(tmp_path, prompts=words)

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
        ("{{displayName}} {{model}}|{{task}}", "The Debugger |"),
        ("{{capabilities.descriptions.sweep}}", "Look everywhere."),
        ("{{#persona.values}}<{{.}}>{{/persona.values}}", "<Evidence><Small changes>"),
        ("{{#persona}}{{purpose}}{{/persona}}", "Find the cause."),
        ("{{^model}}Any model.{{/model}}{{! never said }}", "Any model."),
        ("{{=<% %>=}}<%name%> {{name}}", "@acme/debugger {{name}}"),
        ("{version} {purpose} of f'{value}' {} ${x}", "{version} {purpose} of f'{value}' {} ${x}"),
        ("${{ github.ref }} style={{color: 1}}", "${{ github.ref }} style={{color: 1}}"),
        ("a < b & c", "a < b & c"),
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


def test_every_unknown_name_is_refused_with_its_place_and_the_nearest(tmp_path: Path) -> None:
    template = a_template(
        tmp_path, prompts=prompts("Hello {{persona.purpos}} {{#tags}}x{{/tags}} {{nam}}")
    )

    with pytest.raises(BadFile) as refused:
        compose(template, None)

    first, second, third = refused.value.problems
    place = "/prompts/default/spawnerPrompt (line 1): nothing fills"
    assert first == f"{place} {{{{persona.purpos}}}}; did you mean 'persona.purpose'?"
    assert second == f"{place} {{{{tags}}}}; did you mean 'capabilities.tags'?"
    assert third == f"{place} {{{{nam}}}}; did you mean 'name'?"


def test_a_name_that_is_near_to_none_is_answered_with_the_beginnings_of_those_there_are(
    tmp_path: Path,
) -> None:
    with pytest.raises(BadFile) as refused:
        compose(a_template(tmp_path, prompts=prompts("{{framework}}")), None)
    (said,) = refused.value.problems
    known = "'capabilities.…', 'displayName', 'model', 'name', 'persona.…', 'task', 'version'"
    assert said.endswith(f"nothing fills {{{{framework}}}}; there is {known}")


def test_what_cannot_be_filled_in_is_said_of_the_file_that_has_it(tmp_path: Path) -> None:
    base = a_template(tmp_path, name="base", prompts=prompts("{{nam}}"))
    parent = base.source.rename(base.source.with_name("base.json5"))
    kid = a_template(tmp_path, **{"from": "base"})

    with pytest.raises(BadFile) as refused:
        compose(kid, None)

    assert refused.value.path == kid.source
    (said,) = refused.value.problems
    assert said.startswith(f"{parent}: /prompts/default/spawnerPrompt (line 1): nothing fills")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{#name}}", "matching tag"),
        ("{{/name}}", "mismatch"),
        ("{{>other}}", "there are no other texts"),
        ("{{.}}", "has no text of its own"),
        ("{{persona}}", "has no text of its own"),
    ],
)
def test_what_mustache_cannot_fill_in_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        compose(a_template(tmp_path, prompts=prompts(text)), None)


def test_a_placeholder_is_refused_where_it_stands(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts=prompts("Fine.", acme__one="{{what}}"))

    assert compose(template, None)
    with pytest.raises(BadFile, match=r"/prompts/model_specific/acme~1one/spawnerPrompt \(line 1"):
        compose(template, "acme:one")


def test_the_reference_names_the_template_and_the_application_the_words(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts=prompts("Default.", acme__one="Other."))
    plain, special = compose(template, None), compose(template, "acme:one")

    assert plain.ref == special.ref
    assert (plain.ref.name, plain.ref.digest) == ("@acme/debugger", template.digest)
    assert plain.application is not None
    assert special.application is not None
    assert plain.application.prompt_digest != special.application.prompt_digest
    assert plain.application.prompt_digest == bytes_digest(plain.system_prompt.encode())
    assert (plain.application.model_words, special.application.model_words) == (None, "acme/one")
    assert compose(template, None) == compose(template, "acme:other")


TASKS: dict[str, object] = {
    "default": {"spawnerPrompt": "Spawned.", "systemPrompt": "In general.", "testing": "Test."},
    "model_specific": {"one": {"systemPrompt": "In general, One."}},
    "bug_fix": {
        "default": {"systemPrompt": "Fix it.", "checklist": "Check it."},
        "model_specific": {"one": {"systemPrompt": "Fix it, One."}},
    },
}


@pytest.mark.parametrize(
    ("text", "model", "expected"),
    [
        ("Please fix this.", None, "Spawned.\n\nFix it.\n\nCheck it.\n\n"),
        ("Please fix this.", "acme:one", "Spawned.\n\nFix it, One.\n\nCheck it.\n\n"),
        ("Paint it.", None, "Spawned.\n\nIn general.\n\n## "),
        ("Paint it.", "acme:one", "Spawned.\n\nIn general, One.\n\n## "),
        ("Add tests.", None, "Spawned.\n\nIn general.\n\nTest.\n\n## "),
    ],
)
def test_the_words_are_those_of_the_task_and_of_the_model_that_runs(
    tmp_path: Path, text: str, model: str | None, expected: str
) -> None:
    template = a_template(tmp_path, prompts=TASKS)

    assert compose(template, model, Job(text)).system_prompt.startswith(expected)


def test_a_forced_task_is_taken_and_said_to_be(tmp_path: Path) -> None:
    made = compose(a_template(tmp_path, prompts=TASKS), None, Job("Paint.", Wearing("bug_fix")))

    assert "Fix it." in made.system_prompt
    assert made.application is not None
    assert (made.application.task, made.application.task_reason) == ("bug_fix", "asked for")


def test_words_that_wait_for_the_request_are_left_out_and_said_to_be(tmp_path: Path) -> None:
    default = {"spawnerPrompt": "Spawned.", "migration": "Migrate to {framework} {version}."}

    made = compose(a_template(tmp_path, prompts={"default": default}), None, Job("Migrate it."))

    assert "{framework}" not in made.system_prompt
    assert made.application is not None
    assert made.application.left_out == (
        "/prompts/default/migration: nobody fills in {framework}, {version}",
    )


def test_a_template_may_insist_on_words_for_the_model(tmp_path: Path) -> None:
    given = {**prompts("D.", one="O."), "prompt_strategy": {"fallback": "error"}}
    template = a_template(tmp_path, prompts=given)

    assert compose(template, "acme:one")
    said = r"fallback \(line 1\): there are no words for the model 'acme:two'"
    with pytest.raises(BadFile, match=said):
        compose(template, "acme:two")


def test_every_prompt_is_checked_whatever_model_and_task_it_is_for(tmp_path: Path) -> None:
    task = {"default": {"systemPrompt": "{{b}}"}, "model_specific": {"m": {"x": "{{c}}"}}}
    template = a_template(tmp_path, prompts={**prompts("Fine.", one="{{a}}"), "bug_fix": task})

    assert [pointer(problem.place) for problem in prompt_problems(template)] == [
        "/prompts/model_specific/one/spawnerPrompt",
        "/prompts/bug_fix/default/systemPrompt",
        "/prompts/bug_fix/model_specific/m/x",
    ]


@pytest.mark.parametrize("name", ["model", "task"])
def test_a_prompt_is_checked_with_and_without_a_model_and_a_task(tmp_path: Path, name: str) -> None:
    text = (
        f"{{{{#{name}}}}}{{{{a}}}}{{{{/{name}}}}} {{{{^{name}}}}}{{{{b}}}}{{{{/{name}}}}} {{{{c}}}}"
    )
    found = prompt_problems(a_template(tmp_path, prompts=prompts(text)))
    names = {problem.text.split(";")[0] for problem in found}
    assert names == {f"nothing fills {{{{{each}}}}}" for each in "abc"}
    assert len(found) == 3


def test_the_shipped_template_composes_without_a_placeholder_left() -> None:
    prompt = compose(find_template(ROOT, "@mintmark/careful-debugger"), None).system_prompt

    assert prompt.startswith("You are a careful debugger. Find the cause")
    assert "{{" not in prompt
