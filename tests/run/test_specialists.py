"""What a specialist's template becomes in the request that a provider receives."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evaluators.command import CommandEvaluator
from harness import roster
from harness.domain.application import Wearing
from harness.domain.digests import bytes_digest
from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.domain.session import Role
from harness.domain.spec import AgentRef
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.load.templates import find_template
from harness.plan import Selection, plan
from harness.run import attempt
from harness.sandbox.owner import this_process
from harness.settings import Secrets
from harness.specialists.outfit import Outfit
from harness.store.codec import decode, encode
from harness.store.transcripts import read
from harness.testing.builders import Fakes, a_scenario, some_tools
from harness.testing.provider import KEY, Answer, ProviderDouble, Says, Seen

DAY = datetime(2026, 11, 1, tzinfo=UTC)
TEMPLATE: dict[str, Any] = {
    "name": "@acme/debugger",
    "version": "1.0.0",
    "persona": {"purpose": "Find the cause."},
    "capabilities": {"tags": ["debugging"]},
    "prompts": {
        "model_specific": {
            "claude-opus-4.5": {"spawnerPrompt": "You are Opus, {{persona.purpose}}"}
        }
    },
    "documentation": [{"url": "https://x.example/pdb", "description": "The debugger"}],
}
SUMMARY = "Set a breakpoint where the wrong value first appears."


@dataclass(frozen=True, slots=True)
class Bench:
    """Runs cells of a plan against a provider that notes what it was sent."""

    root: Path
    fakes: Fakes
    asked: list[dict[str, Any]] = field(default_factory=list)

    def write(self, name: str, raw: dict[str, Any]) -> None:
        path = self.root / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(raw), encoding="utf-8")

    def run(self, ref: str | None, agent: str = "anthropic", **asked: Any) -> RunRecord:  # noqa: ANN401  # of Wearing
        outfit = None
        if ref is not None:
            template = find_template(self.root, ref)
            outfit = Outfit(template, Wearing(**asked), roster.model_label)
        who = AgentRef(agent, model="claude-opus-4-5" if agent == "anthropic" else "gpt-4o")
        scenario = a_scenario(self.root / "scenario")
        (spec,) = plan(Selection((scenario,), ("L1",), (who,), (outfit,)))
        with ProviderDouble(self.answer) as double:
            urls = {"ANTHROPIC_BASE_URL": double.url, "OPENAI_BASE_URL": double.url}
            keys = Secrets({"ANTHROPIC_API_KEY": KEY, "OPENAI_API_KEY": KEY})
            targets = Targets(keys, None, urls)
            with ModelGateway(targets, Prices({}), lambda: DAY, this_process()) as gateway:
                tools = replace(self.fakes.tools, models=gateway, agent=roster.make_agent)
                return attempt(spec, BatchId("b"), tools)

    def answer(self, seen: Seen, _number: int) -> Answer:
        self.asked.append(dict(seen.body))
        return Says("Done.")

    def system(self) -> str:
        """The words before the task in the last request."""
        return "".join(block["text"] for block in self.asked[-1]["system"])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path, some_tools({"build": CommandEvaluator()}))
    made.write("debugger.json5", TEMPLATE)
    return made


def test_an_enriched_template_changes_the_prompt_that_the_model_receives(bench: Bench) -> None:
    bench.run("@acme/debugger")
    plain = bench.system()
    document = {**TEMPLATE["documentation"][0], "enrichment": {"summary": SUMMARY}}
    bench.write(
        "debugger/enriched/1.0.0/enriched-001.json5", {**TEMPLATE, "documentation": [document]}
    )
    record = bench.run("@acme/debugger")
    assert SUMMARY not in plain
    assert SUMMARY in bench.system()
    assert record.session is not None
    first = read(record.session, bench.fakes.tools.artifacts)[0]
    assert (first.role, SUMMARY in first.text) == (Role.SYSTEM, True)


def test_baseline_and_specialist_differ_in_the_system_prompt_alone(bench: Bench) -> None:
    bench.run(None)
    bench.run("@acme/debugger")
    bare, worn = bench.asked
    assert "system" not in bare
    worn.pop("system")
    assert worn == bare


def test_the_words_are_for_the_model_that_is_asked(bench: Bench) -> None:
    bench.run("@acme/debugger")
    assert bench.system().startswith("You are Opus, Find the cause.")
    bench.run("@acme/debugger", "openai")
    assert "You are debugger." in json.dumps(bench.asked[-1])
    assert "You are Opus" not in json.dumps(bench.asked[-1])


def test_the_exact_prompt_and_how_it_came_about_are_stored_with_the_run(bench: Bench) -> None:
    record = bench.run("@acme/debugger", document_tokens=0)
    application = record.application
    assert application is not None
    assert application.prompt is not None
    kept = bench.fakes.tools.artifacts.get(application.prompt)
    assert kept.decode() == bench.system()
    assert application.prompt_digest == application.prompt.digest == bytes_digest(kept)
    assert application.model_words == "claude-opus-4.5"
    assert application.template == "debugger.json5"
    assert application.task_reason == "the template tells no tasks apart"
    assert application.left_out == ("https://x.example/pdb: no room in 0 tokens",)
    assert record.cell.specialist is not None
    assert record.cell.specialist.version == "1.0.0"
    assert decode(RunRecord, encode(record)) == record
    assert bench.run(None).application is None
