from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness import roster
from harness.domain.application import Choice, Wearing
from harness.domain.model import ModelRef
from harness.domain.spec import AgentRef
from harness.domain.template import Template
from harness.errors import ProviderFault
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.sandbox.owner import this_process
from harness.settings import Secrets
from harness.specialists.choosing import Chooser
from harness.specialists.compose import Job, compose
from harness.specialists.outfit import Outfit
from harness.testing.builders import a_scenario
from harness.testing.provider import KEY, Answer, ProviderDouble, Says, Seen
from harness.tools import Panel
from tests.specialists.templates import a_template

MODEL = ModelRef("anthropic", "claude-opus-4-5")
GOOD = {
    "intent": "Move to the app router.",
    "task": "migration",
    "documents": [2],
    "values": {"framework": "Next.js"},
}
CHOICE = Choice(
    "anthropic:claude-opus-4-5",
    "migration",
    ("https://x.example/b",),
    (("framework", "Next.js"),),
    "Move to the app router.",
)


def template_of(folder: Path) -> Template:
    return a_template(
        folder,
        prompts={"default": {"spawnerPrompt": "Spawned.", "migration": "Migrate {framework}."}},
        documentation=[{"url": "https://x.example/a"}, {"url": "https://x.example/b"}],
    )


@dataclass(slots=True)
class Asked:
    """Asks a provider that says one thing after the other."""

    folder: Path
    replies: list[str]
    seen: list[str] = field(default_factory=list)

    def __call__(self, text: str = "Move the app.", model: ModelRef = MODEL) -> Choice:
        with ProviderDouble(self._answer) as double:
            targets = Targets(
                Secrets({"ANTHROPIC_API_KEY": KEY}), None, {"ANTHROPIC_BASE_URL": double.url}
            )
            day = datetime(2026, 11, 1, tzinfo=UTC)
            with closing(ModelGateway(targets, Prices({}), lambda: day, this_process())) as gateway:
                seats = Panel(gateway, roster.open_chat, "compose", (model,))
                return Chooser(model, seats, self.folder / "choices")(
                    template_of(self.folder), text
                )

    def _answer(self, seen: Seen, _number: int) -> Answer:
        self.seen.append(json.dumps(seen.body))
        return Says(self.replies[min(len(self.seen), len(self.replies)) - 1])


def test_a_choice_is_asked_for_once_metered_and_kept_by_content(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [json.dumps(GOOD)])
    first = asked()
    assert replace(first, use=None) == CHOICE
    assert first.use is not None
    assert first.use.requests == 1
    assert asked() == CHOICE
    assert len(asked.seen) == 1
    assert "Move the app." in asked.seen[0]
    asked("Something else.")
    asked(model=ModelRef("anthropic", "claude-haiku-4-5"))
    assert len(asked.seen) == 3


def test_a_choice_that_cannot_be_used_is_asked_for_again(tmp_path: Path) -> None:
    wrong = [
        "no idea",
        json.dumps({**GOOD, "task": "migrate", "documents": [3], "values": {"other": "x"}}),
        f"```json\n{json.dumps(GOOD)}\n```",
    ]
    asked = Asked(tmp_path, wrong)
    assert replace(asked(), use=None) == CHOICE
    for words in ("none of the tasks", "numbers from 1 to 2", "short texts for framework"):
        assert words in asked.seen[2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"documents": [True]},
        {"documents": [0]},
        {"documents": "2"},
        {"values": {"framework": "x" * 201}},
        {"values": {"framework": 3}},
        {"task": 3},
    ],
    ids=str,
)
def test_what_a_choice_may_not_hold_is_asked_for_again(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    asked = Asked(tmp_path, [json.dumps({**GOOD, **wrong}), json.dumps(GOOD)])
    assert replace(asked(), use=None) == CHOICE
    assert len(asked.seen) == 2


def test_a_document_that_is_named_twice_is_chosen_once(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [json.dumps({**GOOD, "documents": [2, 2]})])
    assert asked().documents == CHOICE.documents


def test_an_object_among_words_is_not_taken_for_the_choice(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [f"You said {json.dumps({**GOOD, 'task': None})}.", json.dumps(GOOD)])
    assert asked().task == "migration"


def test_without_a_usable_choice_nothing_runs_and_nothing_is_kept(tmp_path: Path) -> None:
    asked = Asked(tmp_path, ["no idea"])
    with pytest.raises(ProviderFault, match="asked 3 times; at last: it is not one JSON object"):
        asked()
    assert not (tmp_path / "choices").exists()


def test_a_choice_decides_task_documents_and_missing_words(tmp_path: Path) -> None:
    made = compose(template_of(tmp_path), None, Job("Move the app.", choice=CHOICE))
    assert "Migrate Next.js." in made.system_prompt
    assert "https://x.example/b" in made.system_prompt
    assert "https://x.example/a" not in made.system_prompt
    application = made.application
    assert application is not None
    assert application.choice == CHOICE
    assert application.task_reason == "chosen by anthropic:claude-opus-4-5"
    assert application.left_out == ("https://x.example/a: not chosen by anthropic:claude-opus-4-5",)


def test_a_task_that_was_asked_for_is_not_a_models_to_choose(tmp_path: Path) -> None:
    template = a_template(tmp_path, prompts={"testing": {"default": {"systemPrompt": "Test."}}})
    job = Job("Move.", Wearing("testing"), replace(CHOICE, documents=()))
    assert "Test." in compose(template, None, job).system_prompt


def test_every_cell_of_a_prompt_is_told_what_was_chosen(tmp_path: Path) -> None:
    asked = Asked(tmp_path, [json.dumps(GOOD)])
    outfit = Outfit(
        template_of(tmp_path),
        Wearing(chooser=MODEL),
        roster.model_label,
        lambda _template, text: asked(text),
    )
    scenario = a_scenario(tmp_path / "scenario")
    agents = (AgentRef("echo"), AgentRef("anthropic", model="m"))
    first, second = (outfit(scenario.prompts[0], agent) for agent in agents)
    assert first.system_prompt == second.system_prompt
    assert len(asked.seen) == 1
