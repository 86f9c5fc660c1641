"""Who works where a command line leaves it open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli.workers import DEFAULT_MODELS, agents_of, choices, with_models
from harness.domain.model import ModelSettings
from harness.domain.record import RunRecord
from harness.errors import UsageError
from harness.testing.builders import Fakes
from tests.cli.conftest import Cli

PLAIN = ModelSettings()
OWN = "claude-opus-4-5"


@pytest.fixture
def before(cli: Cli, fakes: Fakes) -> list[RunRecord]:
    """A batch in which a model worked alone."""
    cli("sample", "greet", "--batch-id", "b")
    (run,) = fakes.store.runs()
    return [replace(run, cell=replace(run.cell, agent="anthropic", model=OWN))]


def test_the_other_side_of_a_batch_is_worked_by_the_agent_and_model_of_the_first(
    before: list[RunRecord],
) -> None:
    for names in ((), ("anthropic",)):
        (agent,) = agents_of(names, None, PLAIN, before)
        assert (agent.name, agent.model) == ("anthropic", OWN)
    (note,) = choices((), None, with_models([agent], []))
    assert note == f"the agent is anthropic {OWN}, as in the batch"


def test_what_was_said_is_taken_whoever_worked_before(before: list[RunRecord]) -> None:
    named = agents_of(("anthropic:mine", "echo"), None, PLAIN, before)
    assert [(each.name, each.model) for each in named] == [("anthropic", "mine"), ("echo", None)]
    assert list(choices(("anthropic:mine", "echo"), None, named)) == []
    (agent,) = agents_of((), "mine", PLAIN, before)
    assert agent.model == "mine"


def test_an_agent_is_not_guessed_where_several_worked(before: list[RunRecord]) -> None:
    (run,) = before
    both = [run, replace(run, cell=replace(run.cell, agent="codex", model="gpt-x"))]
    with pytest.raises(UsageError, match=rf"\(anthropic {OWN}, codex gpt-x\): say which"):
        agents_of((), None, PLAIN, both)


def test_a_model_is_chosen_where_nobody_names_one_and_that_is_said() -> None:
    agents = with_models(agents_of(("anthropic",), None, PLAIN, ()), [])
    usual = DEFAULT_MODELS["anthropic"]
    assert [agent.model for agent in agents] == [usual]
    assert list(choices(("anthropic",), None, agents)) == [f"anthropic: the model is {usual}"]


@pytest.mark.usefixtures("fakes")
def test_a_batch_goes_on_with_its_agent(cli: Cli, project: Path) -> None:
    scripts = project / "suites/sample/scenarios/greet/scripts"
    scripts.mkdir()
    (scripts / "default.yaml").write_text("plays: [{calls: [{tool: list_directory}]}]\n")
    cli("sample", "greet", "--batch-id", "b", "--agent", "scripted")
    said = cli("sample", "greet", "--batch-id", "b").stdout
    assert "note: the agent is scripted, as in the batch" in said
    assert "echo" not in cli("batch", "b").stdout.replace("Simulated agents (echo", "")
