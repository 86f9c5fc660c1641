from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import wiring
from harness.cli.wearing import with_models
from harness.domain.application import Wearing
from harness.domain.ids import BatchId
from harness.domain.spec import AgentRef
from harness.errors import SandboxFault, UsageError
from harness.settings import Settings
from harness.testing.builders import Fakes
from tests.cli.conftest import Cli

TEMPLATE: dict[str, Any] = {
    "name": "@org/greeter",
    "version": "1.0.0",
    "persona": {"purpose": "Greet well."},
    "capabilities": {"tags": ["greeting"]},
    "prompts": {"bug_fix": {"default": {"systemPrompt": "Find the cause."}}},
    "documentation": [{"url": "https://x.example", "description": "Greetings"}],
}
RUN = ("sample", "greet", "--specialist", "@org/greeter", "--batch-id", "b")


def write(project: Path, file: str = "greeter.json5", **changes: object) -> None:
    path = project / "templates" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**TEMPLATE, **changes}), encoding="utf-8")


def runs(cli: Cli) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cli("batch", "b", "--json").stdout)["runs"]
    return found


@pytest.mark.usefixtures("fakes")
def test_a_run_shows_who_worked_and_in_which_words(cli: Cli, project: Path) -> None:
    write(project)
    cli(*RUN, "--task", "bug_fix")
    shown = cli("show", "last").stdout
    for words in ("Specialist", "@org/greeter@1.0.0", "greeter.json5", "bug_fix: asked for"):
        assert words in shown
    assert "Find the cause." in cli("show", "last", "--output", "system-prompt").stdout
    document = json.loads(cli("show", "last", "--json").stdout)["specialist"]
    assert (document["name"], document["version"]) == ("@org/greeter", "1.0.0")
    assert document["application"]["prompt_digest"] == document["application"]["prompt"]["digest"]


@pytest.mark.usefixtures("fakes")
def test_several_specialists_and_the_baseline_are_an_axis(cli: Cli, project: Path) -> None:
    write(project)
    write(project, "newer.json5", version="1.1.0")
    cli(*RUN[:4], "--specialist", "@org/greeter@1.0.0", "--with-baseline", "--batch-id", "b")
    versions = [each["specialist"] and each["specialist"]["version"] for each in runs(cli)]
    assert versions == [None, "1.1.0", "1.0.0"]


@pytest.mark.usefixtures("fakes")
def test_the_enriched_file_is_used_and_said_to_be(cli: Cli, project: Path) -> None:
    write(project)
    documents = [{**TEMPLATE["documentation"][0], "enrichment": {"summary": "Say hello."}}]
    write(project, "greeter/enriched/1.0.0/enriched-001.json5", documentation=documents)
    assert "note: @org/greeter: enriched: enriched-001.json5 is used" in cli(*RUN).stdout
    assert "Say hello." in cli("show", "last", "--output", "system-prompt").stdout
    cli(*RUN, "--no-enriched")
    assert "Say hello." not in cli("show", "last", "--output", "system-prompt").stdout


@pytest.mark.usefixtures("fakes")
def test_a_repeated_run_wears_what_it_wore(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoLedger:
        def changes(self, _between: object) -> tuple[object, ...]:
            return ()

        def drop(self, _run: object) -> None:
            pass

    monkeypatch.setattr(wiring, "open_ledger", lambda _settings: NoLedger())
    write(project)
    cli(*RUN, "--task", "bug_fix", "--document-tokens", "0")
    documents = [{**TEMPLATE["documentation"][0], "enrichment": {"summary": "Say hello."}}]
    write(project, "greeter/enriched/1.0.0/enriched-001.json5", documentation=documents)
    again = cli("replay", "last")
    assert again.exit_code == 0, again.stderr
    write(project, persona={"purpose": "Greet badly."})
    refused = cli("replay", "last")
    assert refused.exit_code == 2
    assert "is @org/greeter@1.0.0 as it was" in refused.stderr


@pytest.mark.usefixtures("fakes")
def test_a_deprecated_specialist_is_said_to_be(cli: Cli, project: Path) -> None:
    gone = {"deprecated": True, "deprecated_reason": "Too old.", "replacement": "@org/new"}
    write(project, version_metadata=gone)
    said = "warning: @org/greeter is deprecated: Too old; use @org/new\n"
    assert cli(*RUN).stderr.count(said) == 1


def test_a_resumed_run_wears_what_it_was_planned_with(
    cli: Cli, project: Path, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoEngine:
        def open(self, _spec: object) -> None:
            raise SandboxFault("no engine")

    write(project)
    tools = wiring.open_tools
    with monkeypatch.context() as broken:
        broken.setattr(
            wiring, "open_tools", lambda *args: replace(tools(*args), sandboxes=NoEngine())
        )
        assert cli(*RUN, "--task", "bug_fix", "--document-tokens", "0").exit_code == 3
    documents = [{**TEMPLATE["documentation"][0], "enrichment": {"summary": "Say hello."}}]
    write(project, "greeter/enriched/1.0.0/enriched-001.json5", documentation=documents)

    assert cli("resume", "b").exit_code in {0, 1}

    first, second = fakes.store.runs(BatchId("b"))
    assert (first.fault is None, second.fault is None) == (False, True)
    assert first.spec_digest == second.spec_digest
    assert first.application == second.application
    assert second.application is not None
    assert second.application.wearing == Wearing("bug_fix", 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--task", "bugfix"], "has no task 'bugfix'; did you mean 'bug_fix'?"),
        (["--specialist", "@org/greeter"], "the same run would be made twice"),
        (["--agent", "anthropic"], "needs a model"),
        (["--compose-with", "claude"], "--compose-with 'claude' names no provider"),
        (["--compose-with", "anthropic:claude"], "ANTHROPIC_API_KEY"),
    ],
)
@pytest.mark.usefixtures("fakes")
def test_a_selection_that_cannot_be_is_refused(
    cli: Cli, project: Path, arguments: list[str], words: str
) -> None:
    write(project)
    result = cli(*RUN, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize(
    ("arguments", "how"),
    [
        (["--max-turns", "3"], "turns 100 instead of 3"),
        (["--skip", "test"], "another prompt, fixture or grading"),
    ],
)
@pytest.mark.usefixtures("fakes")
def test_the_other_side_of_a_comparison_has_to_be_asked_as_the_first_was(
    cli: Cli, project: Path, arguments: list[str], how: str
) -> None:
    write(project)
    cli("sample", "greet", "--batch-id", "b")
    refused = cli(*RUN, *arguments)
    assert refused.exit_code == 2
    assert "batch b has runs of sample/greet L1 echo (baseline) with" in refused.stderr
    assert how in refused.stderr
    assert cli("sample", "greet", "--batch-id", "b", "--max-turns", "3").exit_code in {0, 1}
    assert cli(*RUN).exit_code == 2
    assert cli(*RUN[:-1], "c", *arguments).exit_code in {0, 1}


def test_the_specialists_preferred_model_is_taken_where_none_is_named(project: Path) -> None:
    write(project, preferred_models=["gpt-x", "claude-sonnet-4.5"])
    settings = Settings.from_env({}, root=project)
    outfits = [wiring.find_specialist(settings, "@org/greeter")]
    agents = [
        AgentRef("anthropic"),
        AgentRef("codex"),
        AgentRef("claude-code", model="mine"),
        AgentRef("echo"),
    ]
    models = [agent.model for agent in with_models(agents, outfits)]
    assert models == ["claude-sonnet-4-5", "gpt-x", "mine", None]
    assert [agent.model for agent in with_models(agents, [])] == [None, None, "mine", None]
    write(project, "other.json5", name="other", preferred_models=["claude-b"])
    outfits.append(wiring.find_specialist(settings, "other"))
    with pytest.raises(UsageError, match="prefer different models"):
        with_models(agents, outfits)


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(
    ("given", "named"), [((), "REF"), (("--specialist", "@org/greeter"), "@org/greeter")]
)
def test_a_place_for_a_snapshot_without_a_template_is_refused(
    cli: Cli, project: Path, given: tuple[str, ...], named: str
) -> None:
    write(project)
    refused = cli("sample", "greet", *given, "--mint-output", "out", "--batch-id", "b")
    assert refused.exit_code == 2
    assert f"add --mint-template {named}" in refused.stderr
    assert cli("batch", "b").exit_code == 2


@pytest.mark.usefixtures("fakes")
def test_what_no_run_wears_is_not_minted(cli: Cli, project: Path) -> None:
    write(project)
    write(project, "other.json5", name="other")
    worn = ("--specialist", "@org/greeter", "--batch-id", "b")
    refused = cli("sample", "greet", *worn, "--mint-template", "other")
    assert refused.exit_code == 2
    assert "the runs wear @org/greeter@" in refused.stderr
    assert "add --specialist other" in refused.stderr
    assert cli("batch", "b").exit_code == 2
