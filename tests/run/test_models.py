"""Runs whose agents ask models, over lines that are written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.command import CommandEvaluator
from harness.agents.base import Needs, Outcome, Task, Workbench
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelSettings, ModelUse, Usage
from harness.domain.session import Ending, Reported
from harness.gateway.base import Access, Line, Refusal
from harness.run import attempt
from harness.sandbox.base import SOCKET, Archive, Program, Purpose
from harness.store.transcripts import read
from harness.testing.builders import FakeAgent, Fakes, a_scenario, a_spec, some_tools
from harness.testing.gateway import FakeGateway
from harness.testing.line import FakeLine

BATCH = BatchId("batch")
MODEL = ModelRef("anthropic", "some-model")
USED = ModelUse(Usage(10, 20, 30), cost_usd=0.25, requests=2, turns=2)
PROGRAM = Program("cli", "1", (("x86_64", Archive("cli", "1", "sha512-", "cli")),))


def ends(ending: Ending, *, needs: Needs | None = None) -> FakeAgent:
    def act(_task: Task, bench: Workbench) -> Outcome:
        bench.call("write_file", '{"path": "app.py", "content": "x = 2"}')
        return Outcome(ending, reported=Reported(Usage(1, 1), 99.0, 7))

    return FakeAgent(act, simulated=False, needs=needs or Needs(MODEL))


def fakes_with(agent: FakeAgent, line: FakeLine) -> tuple[Fakes, FakeGateway]:
    def make(access: Access) -> Line:
        return replace(line, access=access)

    gateway = FakeGateway(make)
    return some_tools({"build": CommandEvaluator()}, agent=agent, models=gateway), gateway


def test_what_the_gateway_metered_is_the_runs_and_what_the_agent_says_stands_beside_it(
    tmp_path: Path,
) -> None:
    fakes, _ = fakes_with(ends(Ending.FINISHED), FakeLine(used=USED))
    session = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools).session
    assert session is not None
    assert (session.usage, session.cost_usd, session.model_use) == (USED.usage, 0.25, USED)
    assert session.reported == Reported(Usage(1, 1), 99.0, 7)


def test_a_line_is_opened_for_the_plans_model_budget_and_batch(tmp_path: Path) -> None:
    fakes, gateway = fakes_with(ends(Ending.FINISHED), FakeLine())
    spec = replace(a_spec(a_scenario(tmp_path)), budget=Budget(turns=3))
    record = attempt(spec, BATCH, fakes.tools)
    (access,) = gateway.opened
    assert (access.name, access.model, access.budget) == (record.id, MODEL, Budget(turns=3))
    assert (access.batch, access.replay) == (BATCH, None)
    assert record.budget == Budget(turns=3)


def test_an_agent_without_a_model_gets_no_line(tmp_path: Path) -> None:
    fakes, gateway = fakes_with(ends(Ending.FINISHED, needs=Needs()), FakeLine())
    session = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools).session
    assert gateway.opened == []
    assert session is not None
    assert (session.usage, session.cost_usd, session.recording) == (None, None, None)


@pytest.mark.parametrize(
    ("refusal", "ending"),
    [(Refusal.BUDGET, Ending.BUDGET), (Refusal.TURNS, Ending.TURN_LIMIT)],
)
@pytest.mark.parametrize("said", [Ending.FINISHED, Ending.AGENT_ERROR, Ending.TIMED_OUT])
def test_a_spent_budget_is_the_ending_whatever_the_agent_says_and_its_leftovers_are_graded(
    tmp_path: Path, refusal: Refusal, ending: Ending, said: Ending
) -> None:
    fakes, _ = fakes_with(ends(said), FakeLine(spent=refusal))
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert record.session is not None
    assert record.session.ending is ending
    assert record.total_score is not None


def test_a_provider_that_failed_makes_a_fault_and_keeps_what_was_paid_for(tmp_path: Path) -> None:
    line = FakeLine(fault="anthropic answered 529: overloaded", used=USED)
    fakes, _ = fakes_with(ends(Ending.AGENT_ERROR), line)
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert record.fault is not None
    assert (record.fault.cause, record.fault.stage) == (Cause.PROVIDER, "work")
    assert "overloaded" in record.fault.message
    assert record.total_score is None
    assert record.session is not None
    assert record.session.cost_usd == 0.25
    assert read(record.session, fakes.tools.artifacts)
    assert record.session.recording is not None


def test_a_provider_that_failed_before_the_agent_finished_well_is_no_fault(tmp_path: Path) -> None:
    fakes, _ = fakes_with(ends(Ending.FINISHED), FakeLine(fault="a hiccup"))
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert record.fault is None
    assert record.total_score is not None


def test_only_the_agents_own_sandbox_has_the_gateways_socket_and_its_program(
    tmp_path: Path,
) -> None:
    needs = Needs(MODEL, inside=True, programs=(PROGRAM,))
    fakes, _ = fakes_with(ends(Ending.FINISHED, needs=needs), FakeLine())
    attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    for opened in fakes.sandboxes.opened:
        targets = [mount.target for mount in opened.mounts]
        inside = opened.purpose is Purpose.WORK
        assert (SOCKET in targets) is inside
        assert any("cli" in target for target in targets) is inside


def test_an_agent_on_the_host_has_no_socket_in_its_sandbox(tmp_path: Path) -> None:
    fakes, _ = fakes_with(ends(Ending.FINISHED), FakeLine())
    attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert all(m.target != SOCKET for s in fakes.sandboxes.opened for m in s.mounts)


def test_a_run_from_a_recording_is_marked_as_simulated(tmp_path: Path) -> None:
    fakes, gateway = fakes_with(ends(Ending.FINISHED), FakeLine())
    tools = replace(fakes.tools, replay=b"recorded")
    assert attempt(a_spec(a_scenario(tmp_path)), BATCH, tools).simulated
    assert gateway.opened[0].replay == b"recorded"
    assert not attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools).simulated


def test_how_a_model_is_asked_and_what_it_may_use_are_part_of_what_a_run_is(
    tmp_path: Path,
) -> None:
    spec = a_spec(a_scenario(tmp_path))
    warm = replace(spec, agent=replace(spec.agent, settings=ModelSettings(temperature=1.0)))
    rich = replace(spec, budget=Budget(usd=1.0))
    assert len({spec.digest, warm.digest, rich.digest}) == 3
    assert len({spec.task_digest, warm.task_digest, rich.task_digest}) == 1
