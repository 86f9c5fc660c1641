from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from evaluators.command import CommandEvaluator
from harness import __version__
from harness.agents.base import Outcome, Task, Workbench
from harness.crew import run_batch
from harness.domain.changes import Change
from harness.domain.digests import bytes_digest
from harness.domain.failures import ENDINGS, TABLE, Cause
from harness.domain.ids import BatchId
from harness.domain.record import CheckResult, Maker, PriceTables, RunRecord
from harness.domain.scenario import CheckSpec
from harness.domain.session import Ending
from harness.domain.spec import Warmup
from harness.errors import BoxClosed, Interrupted, ProviderFault, SandboxFault, StoreFault
from harness.evaluate import Cost, Evidence, scored
from harness.run import attempt
from harness.sandbox.base import BoxError, Completed, Purpose
from harness.settings import Settings
from harness.testing.builders import START, FakeAgent, a_scenario, a_spec, some_tools
from harness.testing.sandbox import FakeBox
from harness.wiring import maker_of

BATCH = BatchId("batch")
BUILD = {"build": CommandEvaluator()}


def writes(path: str, text: str) -> FakeAgent:
    def act(_task: Task, bench: Workbench) -> Outcome:
        bench.call("write_file", f'{{"path": "{path}", "content": "{text}"}}')
        return Outcome()

    return FakeAgent(act)


def raises(error: BaseException) -> FakeAgent:
    def act(_task: Task, _bench: Workbench) -> Outcome:
        raise error

    return FakeAgent(act)


def test_the_judged_sandbox_holds_the_work_and_is_not_the_agents(tmp_path: Path) -> None:
    fakes = some_tools(BUILD, agent=writes("app.py", "x = 2"))
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    purposes = [spec.purpose for spec in fakes.sandboxes.opened]
    assert purposes == [Purpose.GRADE, Purpose.WORK, Purpose.GRADE]
    control, work, graded = fakes.sandboxes.boxes
    assert control.files["app.py"] == b"x = 1\n"
    assert graded.files["app.py"] == work.files["app.py"] == b"x = 2"
    assert graded is not work
    assert record.passed
    assert record.total_score == 1.0


def test_what_the_agent_does_to_protected_paths_does_not_reach_the_judge(tmp_path: Path) -> None:
    fakes = some_tools(BUILD, agent=writes("tests/test_app.py", "pass"))
    scenario = replace(a_scenario(tmp_path), protected=("tests/**",))
    record = attempt(a_spec(scenario), BATCH, fakes.tools)
    assert "tests/test_app.py" not in fakes.sandboxes.boxes[-1].files
    assert len(fakes.ledger.recorded[record.id]) == 1


def test_the_untouched_fixture_is_graded_once_per_image(tmp_path: Path) -> None:
    fakes = some_tools(BUILD)
    spec = a_spec(a_scenario(tmp_path))
    list(run_batch([spec, replace(spec, iteration=2)], BATCH, fakes.tools))
    assert [s.purpose for s in fakes.sandboxes.opened].count(Purpose.GRADE) == 3


def test_a_skipped_warm_up_grades_nothing_but_the_work(tmp_path: Path) -> None:
    fakes = some_tools(BUILD)
    attempt(replace(a_spec(a_scenario(tmp_path)), warmup=Warmup.SKIP), BATCH, fakes.tools)
    assert [s.purpose for s in fakes.sandboxes.opened] == [Purpose.WORK, Purpose.GRADE]


def test_a_record_says_what_made_it_and_what_it_was_metered_with_however_it_ends(
    tmp_path: Path,
) -> None:
    maker = Maker("0.1.0", PriceTables("genai-prices 1"))
    for agent in (FakeAgent(), raises(SandboxFault("no engine"))):
        tools = replace(some_tools(BUILD, agent=agent).tools, maker=maker)
        record = attempt(a_spec(a_scenario(tmp_path)), BATCH, tools)
        assert record.maker == maker
        assert tools.store.run(record.id).maker == maker


@pytest.mark.parametrize("own", [None, b"{}"])
def test_the_maker_of_runs_is_this_harness_with_the_projects_prices(
    tmp_path: Path, own: bytes | None
) -> None:
    if own is not None:
        (tmp_path / "prices.json5").write_bytes(own)

    maker = maker_of(Settings(tmp_path))

    assert maker.harness == __version__
    assert maker.prices.own == (own and bytes_digest(own))
    assert maker.prices.library == f"genai-prices {version('genai-prices')}"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (SandboxFault("no engine"), Cause.SANDBOX),
        (ProviderFault("529"), Cause.PROVIDER),
    ],
    ids=str,
)
def test_a_fault_of_the_world_is_stored_without_a_score(
    tmp_path: Path, error: Exception, cause: Cause
) -> None:
    fakes = some_tools(BUILD, agent=raises(error))
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert record.fault is not None
    assert (record.fault.cause, record.fault.stage) == (cause, "work")
    assert record.total_score is None
    assert fakes.store.run(record.id) == record


def test_a_bug_of_ours_is_stored_and_flies(tmp_path: Path) -> None:
    fakes = some_tools(BUILD, agent=raises(ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError):
        attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    (record,) = fakes.store.runs()
    assert record.fault is not None
    assert record.fault.cause is Cause.HARNESS


@pytest.mark.parametrize("hours", [-12, 12])
def test_a_clock_that_jumps_in_the_middle_of_a_run_changes_no_duration(
    tmp_path: Path, hours: int
) -> None:
    fakes = some_tools(BUILD)
    moments = iter([START, START])

    def now() -> datetime:
        return next(moments, START + timedelta(hours=hours))

    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, replace(fakes.tools, now=now))
    assert fakes.store.run(record.id) == record
    assert record.fault is None
    assert record.session is not None
    assert 0 <= record.session.duration_s < 60
    assert all(0 <= seconds < 60 for _, seconds in record.stages_s)


def test_a_run_whose_store_is_locked_or_full_for_a_while_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.store.patience.PAUSE_S", 0.0)
    fakes, refusals = some_tools(BUILD), iter([StoreFault("full"), StoreFault("full")])
    save = fakes.store.save

    def refuse(record: RunRecord) -> None:
        if fault := next(refusals, None):
            raise fault
        save(record)

    monkeypatch.setattr(fakes.store, "save", refuse)
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert fakes.store.run(record.id) == record
    assert record.fault is None


def test_an_interrupted_run_is_stored_with_its_work_and_ends_the_batch(tmp_path: Path) -> None:
    def act(_task: Task, bench: Workbench) -> Outcome:
        bench.call("write_file", '{"path": "half.py", "content": "x"}')
        raise Interrupted

    fakes = some_tools(BUILD, agent=FakeAgent(act))
    spec = a_spec(a_scenario(tmp_path))
    with pytest.raises(Interrupted):
        list(run_batch([spec, spec], BATCH, fakes.tools))
    (record,) = fakes.store.runs()
    assert record.status == "interrupted"
    assert record.session is not None
    assert record.session.tool_calls == 1
    assert [c.display for c in fakes.ledger.recorded[record.id]] == ["half.py"]


def test_an_agent_that_ends_its_sandbox_is_graded_for_what_it_left(tmp_path: Path) -> None:
    fakes = some_tools(BUILD, agent=raises(BoxClosed("killed")))
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert record.status == "broke_sandbox"
    assert record.total_score == 1.0


def test_grading_that_loses_its_sandbox_is_a_fault_and_keeps_the_session(tmp_path: Path) -> None:
    @dataclass
    class Dies:
        cost = Cost.SANDBOX

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            if evidence.control is None:
                return scored(check, 0.0)
            raise BoxClosed("out of memory")

    fakes = some_tools({"build": Dies()})
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert record.fault is not None
    assert record.fault.cause is Cause.EVALUATOR
    assert record.session is not None
    assert record.tree is not None


def test_a_check_nobody_can_judge_leaves_the_mean_alone_and_says_why(tmp_path: Path) -> None:
    checks = (CheckSpec("build", "build", 1.0), CheckSpec("judge", "llm_judge", 9.0))
    fakes = some_tools(BUILD)
    record = attempt(a_spec(a_scenario(tmp_path, checks=checks)), BATCH, fakes.tools)
    assert record.total_score == 1.0
    assert record.checks[1].score is None
    assert "no evaluator 'llm_judge'" in record.checks[1].reason


def test_a_sandbox_that_refuses_because_of_the_work_scores_zero(tmp_path: Path) -> None:
    @dataclass
    class Refused:
        cost = Cost.SANDBOX

        def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
            if evidence.control is None:
                return scored(check, 1.0)
            raise BoxError("no_process", "no more processes")

    fakes = some_tools({"build": Refused()})
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert record.fault is None
    assert record.total_score == 0.0


@pytest.mark.parametrize(
    ("kind", "status", "score"), [("no_space", "finished", 0.0), ("io", "faulted", None)]
)
def test_work_that_cannot_be_rebuilt_is_worth_nothing_unless_the_world_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, status: str, score: float | None
) -> None:
    def apply(_box: FakeBox, changes: tuple[Change, ...]) -> None:
        if changes:
            raise BoxError(kind, "refused")

    monkeypatch.setattr(FakeBox, "apply", apply)
    fakes = some_tools(BUILD, agent=writes("app.py", "x = 2"))
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert (record.status, record.total_score) == (status, score)


def test_a_command_that_cannot_start_has_failed(tmp_path: Path) -> None:
    def refuse(_box: FakeBox) -> Completed:
        raise BoxError("no_process", "no more processes")

    fakes = some_tools(BUILD, answers={"make build": refuse})
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert not record.passed
    assert record.commands[0].exit_code == 126


def test_a_failing_command_fails_the_run(tmp_path: Path) -> None:
    def build(box: FakeBox) -> Completed:
        return Completed(2 if b"broken" in box.files["app.py"] else 0, "", "boom", 0.1)

    fakes = some_tools(BUILD, agent=writes("app.py", "broken"), answers={"make build": build})
    record = attempt(a_spec(a_scenario(tmp_path)), BATCH, fakes.tools)
    assert record.total_score == 0.0
    assert not record.passed
    assert record.checks[0].details == (
        "make build: exit code 2",
        "on the untouched fixture: exit code 0",
    )


def test_every_ending_and_every_cause_has_its_row() -> None:
    assert set(ENDINGS) == set(Ending)
    assert set(TABLE) == set(Cause)
    assert {cause for cause in ENDINGS.values() if cause} <= set(TABLE)
