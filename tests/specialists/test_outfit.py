from __future__ import annotations

from pathlib import Path

import pytest

from harness.domain.application import Wearing
from harness.domain.spec import AgentRef
from harness.errors import UsageError
from harness.plan import Outfit as Wears
from harness.plan import Selection, plan
from harness.roster import model_label
from harness.specialists.outfit import Outfit, preferred_model
from harness.testing.builders import a_scenario
from tests.specialists.templates import a_template

AGENT = AgentRef("anthropic", model="m")
SERVER = {"mcps": [{"name": "figma", "command": "figma-mcp"}]}


def outfit(folder: Path, **changes: object) -> Outfit:
    return Outfit(a_template(folder, **changes), Wearing(), model_label)


def selection(folder: Path, *specialists: Wears | None, own_tools: bool = False) -> Selection:
    return Selection((a_scenario(folder),), ("L1",), (AGENT,), specialists, 2, own_tools=own_tools)


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (AgentRef("anthropic", model="claude-x"), "Anthropic X."),
        (AgentRef("claude-code", model="claude-x@http://localhost:1"), "Anthropic X."),
        (AgentRef("command", "mine", model="openai:gpt-x"), "GPT X."),
        (AgentRef("openrouter", model="anthropic/claude-x"), "Anthropic X."),
        (AgentRef("scripted", "demo"), "Anybody."),
    ],
)
def test_the_words_are_for_the_model_that_the_agent_really_asks(
    tmp_path: Path, agent: AgentRef, expected: str
) -> None:
    words = {"claude-x": "Anthropic X.", "gpt-x": "GPT X."}
    specific = {model: {"spawnerPrompt": text} for model, text in words.items()}
    prompts = {"default": {"spawnerPrompt": "Anybody."}, "model_specific": specific}
    worn = outfit(tmp_path, prompts=prompts)
    scenario = a_scenario(tmp_path)
    assert worn(scenario.prompts[0], agent).system_prompt.startswith(expected)


def test_the_words_are_for_the_prompt_of_the_cell(tmp_path: Path) -> None:
    task = {"bug_fix": {"default": {"systemPrompt": "Find the cause first."}}}
    (bare, worn, *_) = plan(selection(tmp_path, None, outfit(tmp_path, prompts=task)))
    assert bare.specialist is None
    assert worn.specialist is not None
    assert worn.prompt.text == "Please mend it."
    assert worn.specialist.application is not None
    assert worn.specialist.application.task is None
    assert worn.digest != bare.digest
    assert worn.task_digest == bare.task_digest


def test_every_iteration_has_the_same_words(tmp_path: Path) -> None:
    first, second = plan(selection(tmp_path, outfit(tmp_path)))
    assert first.specialist == second.specialist
    assert first.digest == second.digest


def test_servers_that_only_one_side_has_are_refused_unless_asked_for(tmp_path: Path) -> None:
    worn = outfit(tmp_path, dependencies=SERVER)
    with pytest.raises(UsageError, match=r"servers of tools \(figma\) that the baseline does not"):
        plan(selection(tmp_path, None, worn))
    assert len(plan(selection(tmp_path, None, worn, own_tools=True))) == 4
    assert len(plan(selection(tmp_path, worn))) == 2
    other = outfit(tmp_path / "other", name="other")
    with pytest.raises(UsageError, match="that another specialist does not have"):
        plan(selection(tmp_path, worn, other))


def test_two_specialists_of_one_name_and_version_are_refused(tmp_path: Path) -> None:
    one, other = outfit(tmp_path), outfit(tmp_path / "other", license="MIT")
    with pytest.raises(UsageError, match=r"two different specialists are called @acme/debugger@1"):
        plan(selection(tmp_path, one, other))
    newer = outfit(tmp_path / "newer", version="1.0.1")
    assert len(plan(selection(tmp_path, None, one, newer))) == 6


def test_the_same_run_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the same run would be made twice"):
        plan(selection(tmp_path, outfit(tmp_path), outfit(tmp_path)))


@pytest.mark.parametrize(
    ("models", "provider", "expected"),
    [
        (["claude-sonnet-4.5", "gpt-4o"], "anthropic", "claude-sonnet-4-5"),
        (["claude-sonnet-4.5", "gpt-4o"], "openai", "gpt-4o"),
        (["anthropic/claude-a", "anthropic:claude-b"], "anthropic", "claude-a"),
        (["anthropic/claude-a"], "openrouter", "anthropic/claude-a"),
        (["claude-a"], "openrouter", None),
        (["anthropic/claude-a"], "openai", None),
        ([{"model": "gpt-a", "weight": 0.2}, {"model": "gpt-b", "weight": 0.9}], "openai", "gpt-b"),
        ([{"model": "gpt-a", "weight": 0.9}, "gpt-b"], "openai", "gpt-b"),
        ([{"model": "gpt-a", "specialist_enabled": False}, "gpt-b"], "openai", "gpt-b"),
        ([{"model": "gpt-a", "weight": 0}], "openai", None),
        ([], "openai", None),
    ],
)
def test_the_preferred_model_of_a_provider(
    tmp_path: Path, models: list[object], provider: str, expected: str | None
) -> None:
    template = a_template(tmp_path, preferred_models=models)
    assert preferred_model([template], provider) == expected


def test_specialists_that_prefer_different_models_are_refused(tmp_path: Path) -> None:
    one = a_template(tmp_path, preferred_models=["gpt-a"])
    same = a_template(tmp_path, name="same", preferred_models=["openai/gpt-a"])
    other = a_template(tmp_path, name="other", preferred_models=["gpt-b"])
    assert preferred_model([one, same], "openai") == "gpt-a"
    with pytest.raises(UsageError, match=r"prefer different models .*'gpt-a'.*other 'gpt-b'"):
        preferred_model([one, other], "openai")
