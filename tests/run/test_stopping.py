"""Batches that end before their plan does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from evaluators.command import CommandEvaluator
from harness.agents.base import Needs, Outcome, Task, Workbench
from harness.crew import run_batch
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.model import ModelRef
from harness.domain.record import RunRecord
from harness.domain.session import Ending
from harness.domain.spec import RunSpec
from harness.errors import BatchStopped, Interrupted
from harness.gateway.base import Access, Line, Refusal
from harness.testing.builders import FakeAgent, Fakes, a_scenario, a_spec, some_tools
from harness.testing.gateway import FakeGateway
from harness.testing.line import FakeLine

BATCH = BatchId("batch")
SPENT = "the batch's budget is spent: 200 of 150 tokens are used"
NEEDS = Needs(ModelRef("openai", "m"))


@dataclass(slots=True)
class Spending(FakeGateway):
    """Whose batch has nothing left once the given runs were made."""

    lasts: int = 0
    cuts: bool = False

    @contextmanager
    def open(self, access: Access) -> Iterator[Line]:
        self.opened.append(access)
        is_last = len(self.opened) >= self.lasts
        cut = is_last and self.cuts
        yield FakeLine(
            access,
            spent=Refusal.BUDGET if cut else None,
            spent_why=SPENT if cut else "",
            cut_by_batch=cut,
        )
        self.stop = SPENT if is_last else None


def some_specs(folder: Path) -> list[RunSpec]:
    spec = a_spec(a_scenario(folder))
    return [replace(spec, iteration=n) for n in (1, 2, 3)]


def run(fakes: Fakes, specs: list[RunSpec]) -> tuple[list[RunRecord], str | None]:
    made: list[RunRecord] = []
    try:
        made.extend(run_batch(specs, BATCH, fakes.tools))
    except BatchStopped as stop:
        return list(fakes.store.runs(BATCH)), str(stop)
    return made, None


def spending(lasts: int, *, cuts: bool = False) -> Fakes:
    agent = FakeAgent(needs=NEEDS, simulated=False)
    gateway = Spending(lasts=lasts, cuts=cuts)
    return some_tools({"build": CommandEvaluator()}, agent=agent, models=gateway)


def test_no_run_begins_once_the_batchs_budget_is_spent(tmp_path: Path) -> None:
    records, why = run(spending(2), some_specs(tmp_path))
    assert [record.status for record in records] == ["finished", "finished"]
    assert why == SPENT


def test_a_budget_that_lasts_until_the_end_stops_nothing(tmp_path: Path) -> None:
    records, why = run(spending(3), some_specs(tmp_path))
    assert [record.iteration for record in records] == [1, 2, 3]
    assert why is None


@pytest.mark.parametrize("lasts", [2, 3], ids=["in the middle", "the last"])
def test_a_run_that_the_batchs_budget_cut_has_no_score_and_is_still_missing(
    tmp_path: Path, lasts: int
) -> None:
    records, why = run(spending(lasts, cuts=True), some_specs(tmp_path))
    assert why == SPENT
    *_, cut = records
    assert len(records) == lasts
    assert (cut.total_score, cut.passed) == (None, False)
    assert cut.fault is not None
    assert (cut.fault.cause, cut.fault.stage) == (Cause.CANCELLED, "work")
    assert SPENT in cut.fault.message
    assert cut.session is not None
    assert cut.session.ending is Ending.INTERRUPTED


def test_a_budget_of_its_own_that_ended_is_the_agents_doing_in_the_gateways_words(
    tmp_path: Path,
) -> None:
    def act(_task: Task, _bench: Workbench) -> Outcome:
        return Outcome(Ending.AGENT_ERROR, detail='{"error": {"message": "gateway: …"}}')

    own = "the budget is spent: $0.5012 of $0.5000 are spent"
    gateway = FakeGateway(lambda access: FakeLine(access, spent=Refusal.BUDGET, spent_why=own))
    agent = FakeAgent(act, needs=NEEDS, simulated=False)
    fakes = some_tools({"build": CommandEvaluator()}, agent=agent, models=gateway)
    records, why = run(fakes, some_specs(tmp_path)[:1])
    assert why is None
    assert records[0].session is not None
    assert (records[0].session.ending, records[0].session.detail) == (Ending.BUDGET, own)
    assert records[0].fault is None
    assert records[0].total_score is not None


def test_whoever_presses_ctrl_c_stops_the_work_and_not_the_capture(tmp_path: Path) -> None:
    def act(_task: Task, _bench: Workbench) -> Outcome:
        raise Interrupted

    fakes = some_tools({"build": CommandEvaluator()}, agent=FakeAgent(act))
    with pytest.raises(Interrupted):
        list(run_batch(some_specs(tmp_path), BATCH, fakes.tools))
    (record,) = fakes.store.runs(BATCH)
    assert record.fault is not None
    assert record.fault.stage == "work"
