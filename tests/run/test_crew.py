"""Many runs at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from evaluators.command import CommandEvaluator
from harness.agents.base import Outcome, Task, Workbench
from harness.bounds import Bounds
from harness.crew import fitting, run_batch
from harness.domain.ids import BatchId
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec, Limits, Scenario
from harness.domain.spec import AgentRef, RunSpec
from harness.errors import BadFile, BatchStopped, Interrupted, SandboxFault, UsageError
from harness.evaluate import Cost, Evidence, scored
from harness.interrupts import Interrupts
from harness.sandbox.base import PreparedImage, Purpose
from harness.testing.builders import FakeAgent, Fakes, a_scenario, a_spec, some_tools

BATCH = BatchId("batch")
BUILD = {"build": CommandEvaluator()}
PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> Interrupts:
    """Signals of this test alone."""
    made = Interrupts()
    for module in ("crew", "run", "draft", "agents.base"):
        monkeypatch.setattr(f"harness.{module}.INTERRUPTS", made)
    return made


def some_specs(folder: Path, count: int, **scenario: object) -> list[RunSpec]:
    spec = a_spec(replace(a_scenario(folder), **scenario))  # type: ignore[arg-type]  # by name
    return [replace(spec, iteration=number) for number in range(1, count + 1)]


@dataclass
class Crowd:
    """Counts how many are inside at once."""

    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def visit(self) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        with self.lock:
            self.now -= 1


def test_as_many_runs_as_jobs_are_under_way_at_once(tmp_path: Path) -> None:
    meeting = threading.Barrier(4)

    def act(_task: Task, _bench: Workbench) -> Outcome:
        # with fewer than four at once nobody gets past this
        meeting.wait(PATIENCE_S)
        return Outcome()

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    made = list(run_batch(some_specs(tmp_path, 8), BATCH, fakes.tools, jobs=4))
    assert sorted(record.iteration for record in made) == [*range(1, 9)]
    assert all(record.passed for record in made)
    assert len(fakes.store.runs(BATCH)) == 8


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_runs_than_jobs_are_under_way(tmp_path: Path, jobs: int) -> None:
    crowd = Crowd()

    def act(_task: Task, _bench: Workbench) -> Outcome:
        crowd.visit()
        return Outcome()

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    list(run_batch(some_specs(tmp_path, 9), BATCH, fakes.tools, jobs=jobs))
    assert 1 <= crowd.most <= jobs


def test_one_job_makes_the_runs_in_the_order_of_the_plan(tmp_path: Path) -> None:
    fakes = some_tools(BUILD)
    made = [r.iteration for r in run_batch(some_specs(tmp_path, 5), BATCH, fakes.tools)]
    assert made == [1, 2, 3, 4, 5]


def test_grading_has_its_own_places_and_agents_go_on_meanwhile(tmp_path: Path) -> None:
    grading, working = Crowd(), threading.Barrier(4)

    @dataclass
    class Slow:
        cost = Cost.SANDBOX

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            del evidence
            grading.visit()
            return scored(check, 1.0)

    def act(_task: Task, _bench: Workbench) -> Outcome:
        working.wait(PATIENCE_S)
        return Outcome()

    fakes = some_tools({"build": Slow()}, agent=FakeAgent(act))
    tools = replace(fakes.tools, graders=threading.BoundedSemaphore(1))
    made = list(run_batch(some_specs(tmp_path, 4), BATCH, tools, jobs=4))
    assert all(record.passed for record in made)
    assert grading.most == 1


def test_the_untouched_fixture_is_graded_once_for_all_that_begin_together(tmp_path: Path) -> None:
    fakes = some_tools(BUILD)
    list(run_batch(some_specs(tmp_path, 6), BATCH, fakes.tools, jobs=6))
    purposes = Counter(spec.purpose for spec in fakes.sandboxes.opened)
    assert purposes == {Purpose.WORK: 6, Purpose.GRADE: 7}


def test_what_only_the_user_can_mend_stops_its_scenario_and_no_other(tmp_path: Path) -> None:
    broken, whole = some_specs(tmp_path / "a", 3, id="broken"), some_specs(tmp_path / "b", 3)
    fakes = some_tools(BUILD)
    asked: list[str] = []

    class Images:
        def prepare(self, scenario: Scenario, tell: Callable[[str], None]) -> PreparedImage:
            asked.append(scenario.id)
            if scenario.id == "broken":
                raise BadFile(Path("Dockerfile"), ["line 1: no"])
            return fakes.tools.images.prepare(scenario, tell)

    plan = [spec for pair in zip(broken, whole, strict=True) for spec in pair]
    batch = run_batch(plan, BATCH, replace(fakes.tools, images=Images()))
    made = []
    with pytest.raises(UsageError, match="Dockerfile"):
        made.extend(batch)
    assert asked.count("broken") == 1
    assert [run.cell.scenario for run in fakes.store.runs(BATCH)] == ["scenario"] * 3


def test_a_bug_of_ours_begins_nothing_more_and_lets_go_of_nobody(tmp_path: Path) -> None:
    ended = []

    def act(task: Task, _bench: Workbench) -> Outcome:
        if task.iteration == 1:
            raise ZeroDivisionError("ours")
        time.sleep(0.2)
        ended.append(task.iteration)
        return Outcome()

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    with pytest.raises(ZeroDivisionError, match="ours"):
        list(run_batch(some_specs(tmp_path, 50), BATCH, fakes.tools, jobs=2))
    assert len(ended) < 10
    # the run beside it was ended and stored, and so is what broke
    assert len(fakes.store.runs(BATCH)) == len(ended) + 1


def test_the_first_signal_lets_the_runs_under_way_end_and_begins_no_more(
    tmp_path: Path, signals: Interrupts
) -> None:
    meeting = threading.Barrier(2, action=signals.arrived)

    def act(_task: Task, _bench: Workbench) -> Outcome:
        meeting.wait(PATIENCE_S)
        return Outcome()

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    with pytest.raises(Interrupted):
        list(run_batch(some_specs(tmp_path, 9), BATCH, fakes.tools, jobs=2))
    assert [run.passed for run in fakes.store.runs(BATCH)] == [True, True]


def test_a_batch_that_was_done_anyway_was_not_interrupted(
    tmp_path: Path, signals: Interrupts
) -> None:
    def act(_task: Task, _bench: Workbench) -> Outcome:
        signals.arrived()
        return Outcome()

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    (record,) = run_batch(some_specs(tmp_path, 1), BATCH, fakes.tools)
    assert record.passed


def test_the_second_signal_stops_all_that_is_under_way_and_stores_it(
    tmp_path: Path, signals: Interrupts
) -> None:
    meeting = threading.Barrier(3, action=lambda: (signals.arrived(), signals.arrived()))

    def act(_task: Task, bench: Workbench) -> Outcome:
        bench.call("write_file", '{"path": "half.py", "content": "x"}')
        meeting.wait(PATIENCE_S)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            signals.check()
            time.sleep(0.01)
        return Outcome()

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    with pytest.raises(Interrupted):
        list(run_batch(some_specs(tmp_path, 9), BATCH, fakes.tools, jobs=3))
    runs = fakes.store.runs(BATCH)
    assert [run.status for run in runs] == ["interrupted"] * 3
    assert all(run.tree for run in runs)


def test_whoever_reads_no_further_leaves_nothing_under_way(tmp_path: Path) -> None:
    crowd = Crowd()

    def act(_task: Task, _bench: Workbench) -> Outcome:
        crowd.visit()
        return Outcome()

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    records = run_batch(some_specs(tmp_path, 50), BATCH, fakes.tools, jobs=2)
    assert isinstance(records, Iterator)
    next(records)
    records.close()  # type: ignore[attr-defined]  # it is a generator
    assert crowd.now == 0
    assert len(fakes.store.runs(BATCH)) < 50


@pytest.mark.parametrize(
    ("model", "cpus", "gib", "fits"),
    [(None, 2, 64, 2), ("m", 2, 64, 8), ("m", 8, 4, 3), (None, 8, 0, 1), ("m", 64, 999, 20)],
)
def test_as_many_runs_as_an_engine_holds(
    tmp_path: Path, model: str | None, cpus: int, gib: int, fits: int
) -> None:
    specs = some_specs(tmp_path, 20, limits=Limits(memory_bytes=1 << 30))
    specs = [replace(spec, agent=AgentRef("a", model=model)) for spec in specs]
    assert fitting(specs, cpus, gib << 30) == fits


def test_what_the_world_spoiled_is_tried_again_when_all_others_were_made(tmp_path: Path) -> None:
    made: list[int] = []

    def act(task: Task, _bench: Workbench) -> Outcome:
        made.append(task.iteration)
        if task.iteration == 1 and made.count(1) < 3:
            raise SandboxFault("the engine is away")
        return Outcome()

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    records = list(run_batch(some_specs(tmp_path, 3), BATCH, fakes.tools, retries=2))
    assert made == [1, 2, 3, 1, 1]
    assert [record.fault is None for record in records] == [False, True, True, False, True]


def test_tries_have_an_end(tmp_path: Path) -> None:
    made: list[int] = []

    def act(task: Task, _bench: Workbench) -> Outcome:
        made.append(task.iteration)
        raise SandboxFault("the engine is away")

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    list(run_batch(some_specs(tmp_path, 2), BATCH, fakes.tools, retries=1))
    assert made == [1, 2, 1, 2]


def test_the_fakes_hold_what_many_threads_store(tmp_path: Path) -> None:
    fakes: Fakes = some_tools(BUILD)
    list(run_batch(some_specs(tmp_path, 40), BATCH, fakes.tools, jobs=8))
    assert len({run.id for run in fakes.store.runs(BATCH)}) == 40


def test_who_looks_on_hears_of_the_plan_of_a_limit_and_of_a_run_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(task: Task, _bench: Workbench) -> Outcome:
        if task.iteration == 1:
            raise UsageError("no such thing")
        return Outcome()

    said = iter([None, None])
    monkeypatch.setattr(Bounds, "reached", lambda _: next(said, "its time is over"))
    fakes = some_tools(BUILD, agent=FakeAgent(act))
    specs = [
        replace(spec, scenario=replace(spec.scenario, id=f"s{spec.iteration}"))
        for spec in some_specs(tmp_path, 4)
    ]
    with pytest.raises(BatchStopped):
        list(run_batch(specs, BATCH, fakes.tools, jobs=1))
    lines = fakes.watch.lines
    assert lines[0] == "planned batch 4 1"
    assert next(line for line in lines if line.startswith("refused")).endswith("no such thing")
    assert [line for line in lines if line.startswith("halts")] == ["halts limit its time is over"]


def test_a_limit_that_keeps_nothing_from_being_made_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter([None])
    monkeypatch.setattr(Bounds, "reached", lambda _: next(said, "its time is over"))
    fakes = some_tools(BUILD)
    list(run_batch(some_specs(tmp_path, 1), BATCH, fakes.tools))
    assert not [line for line in fakes.watch.lines if line.startswith("halts")]


def test_signals_are_told_once_each(tmp_path: Path, signals: Interrupts) -> None:
    fakes = some_tools(BUILD)

    def heard(halt: str) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not any(halt in line for line in fakes.watch.lines) and time.monotonic() < ends:
            time.sleep(0.01)

    def act(_task: Task, _bench: Workbench) -> Outcome:
        signals.arrived()
        heard("halts draining")
        signals.arrived()
        heard("halts stopping")
        return Outcome()

    tools = replace(fakes.tools, agent=lambda _spec: FakeAgent(act))
    with pytest.raises(Interrupted):
        list(run_batch(some_specs(tmp_path, 2), BATCH, tools))
    halts = [line.split()[1] for line in fakes.watch.lines if line.startswith("halts")]
    assert halts == ["draining", "stopping"]


def test_a_bug_is_told_as_the_end_of_its_run(tmp_path: Path) -> None:
    def act(_task: Task, _bench: Workbench) -> Outcome:
        raise ZeroDivisionError

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    with pytest.raises(ZeroDivisionError):
        list(run_batch(some_specs(tmp_path, 1), BATCH, fakes.tools))
    assert fakes.watch.lines[-1].endswith("faulted")
