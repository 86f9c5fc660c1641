"""What stored runs say about runs that are still to be made."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from harness.domain.artifact import Artifact
from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.model import Budget, ModelUse, Usage
from harness.domain.record import Cell, CheckResult, CommandResult, RunRecord
from harness.domain.session import Ending, Session
from harness.errors import UsageError
from harness.report.forecast import Basis, Forecast, Sum, Wish, forecast
from harness.report.limits import Left, Limits, refuse_hopeless, shortfalls
from tests.report.records import DEBUGGER, a_run, a_task


def a_wish(cell: Cell | None = None, runs: int = 1, **changes: object) -> Wish:
    wish = Wish(cell or a_task(), runs, is_simulated=False)
    return replace(wish, **changes)  # type: ignore[arg-type]  # a wish's own fields


def paid(usd: float | None, cell: Cell | None = None, **changes: object) -> RunRecord:
    use = ModelUse(Usage(100), usd, 1)
    session = Session(Ending.FINISHED, 10.0, cost_usd=usd, model_use=use)
    return a_run(0.5, cell, session=session, **changes)


def only(found: Forecast) -> tuple[float | None, Basis | None, int]:
    (cell,) = found.cells
    return cell.each.cost_usd, cell.basis, cell.samples


def test_runs_of_the_cell_come_before_those_of_the_scenario_and_of_the_agent() -> None:
    cell, other = paid(1.0), paid(2.0, a_task(tier="L3"))
    far = paid(6.0, a_task("far"))
    assert only(forecast([a_wish()], [cell, other, far])) == (1.0, Basis.CELL, 1)
    assert only(forecast([a_wish()], [other, far])) == (2.0, Basis.SCENARIO, 1)
    assert only(forecast([a_wish()], [far, far])) == (6.0, Basis.AGENT, 2)
    worn = a_wish(a_task(specialist=DEBUGGER))
    assert only(forecast([worn], [cell])) == (1.0, Basis.SCENARIO, 1)


@pytest.mark.parametrize(
    "record",
    [
        paid(1.0, a_task(model="acme:two")),
        paid(1.0, a_task(agent="other")),
        paid(1.0, simulated=True),
        replace(a_run(0.5, fault=Cause.SANDBOX), session=paid(1.0).session),
        a_run(0.5, session=None),
    ],
    ids=["other model", "other agent", "simulated", "faulted", "no session"],
)
def test_other_runs_say_nothing(record: RunRecord) -> None:
    assert only(forecast([a_wish()], [record])) == (None, None, 0)


def test_an_unknown_price_is_no_price_and_the_known_ones_speak() -> None:
    assert only(forecast([a_wish()], [paid(None)])) == (None, Basis.CELL, 1)
    assert only(forecast([a_wish()], [paid(None), paid(3.0)]))[0] == 3.0


def test_who_asks_no_model_costs_nothing_whatever_is_stored() -> None:
    script = a_wish(is_simulated=True, asks=False)
    assert only(forecast([script], [])) == (0.0, None, 0)
    (cell,) = forecast([script], []).cells
    assert cell.each.seconds is None
    played = paid(5.0, simulated=True)
    assert only(forecast([script], [played])) == (0.0, Basis.CELL, 1)


def test_judges_and_a_model_that_plays_the_user_are_paid_too() -> None:
    use = ModelUse(Usage(50), 0.25, 1)
    run = paid(1.0)
    assert run.session is not None
    run = replace(
        run,
        session=replace(run.session, user_use=ModelUse(Usage(9), 2.0, 1)),
        checks=(CheckResult("judge", "llm_judge", 1.0, 1.0, use=use),),
    )
    (cell,) = forecast([a_wish()], [run]).cells
    assert (cell.each.cost_usd, cell.each.tokens) == (3.25, 159)


def test_a_run_s_own_limit_ends_each_of_them() -> None:
    capped = a_wish(budget=Budget(usd=2.0, tokens=60))
    (cell,) = forecast([capped], [paid(1.0), paid(9.0)]).cells
    assert (cell.each.cost_usd, cell.each.tokens) == (1.5, 60)


def test_time_is_that_of_the_run_itself() -> None:
    stages = (
        *(("prepare", 100.0), ("evaluate", 7.0), ("work", 5.0), ("capture", 1.0)),
        *(("wait", 50.0), ("evaluate", 2.0)),
    )
    bare = paid(1.0)
    bare = replace(bare, finished_at=bare.started_at + timedelta(seconds=30))
    (cell,) = forecast([a_wish()], [paid(1.0, stages_s=stages)]).cells
    assert cell.each.seconds == 8.0
    assert forecast([a_wish()], [bare]).cells[0].each.seconds == 30


def timed(seconds: float, cell: Cell) -> RunRecord:
    return paid(1.0, cell, stages_s=(("work", seconds),))


def test_jobs_share_the_time_but_no_run_ends_before_itself() -> None:
    slow, quick = a_task("slow"), a_task("quick")
    records = [timed(60, slow), timed(10, quick)]
    wishes = [a_wish(slow, 1), a_wish(quick, 6)]
    walls = [forecast(wishes, records, jobs).wall_s().value for jobs in (1, 2, 7)]
    assert walls == [120, 60, 60]


def test_totals_are_of_the_runs_that_are_known_and_say_of_how_many_they_are_not() -> None:
    wishes = [a_wish(runs=3), a_wish(a_task(agent="new"), 4)]
    found = forecast(wishes, [paid(2.0)])
    assert found.total("cost_usd") == Sum(6.0, 3, 4)
    assert (found.planned, found.made) == (7, 7)
    assert forecast(wishes, []).total("cost_usd").known is None


def test_what_is_kept_is_counted_once() -> None:
    one, two = (Artifact(name, text_digest(name), 10) for name in ("a", "b"))
    run = replace(
        paid(1.0),
        commands=(CommandResult("build", "make", 0, 1.0, one),),
        checks=(CheckResult("x", "test", 1.0, 1.0, artifacts=(one, two)),),
    )
    assert forecast([a_wish(runs=3)], [run]).total("kept_bytes").value == 60


def test_what_fits_is_counted_in_planned_order() -> None:
    dear, cheap = a_task("dear"), a_task("cheap")
    found = forecast(
        [a_wish(dear, 2), a_wish(cheap, 2)], [paid(5.0, dear), paid(1.0, cheap)], jobs=3
    )
    (said,) = shortfalls(found, Limits(Left(usd=7.0)))
    assert "pays for about 2 of 4 runs" in said
    assert list(shortfalls(found, Limits(Left(usd=12.0, tokens=400)))) == []
    (said,) = shortfalls(found, Limits(Left(usd=7.0, spent_usd=3.0)))
    assert "that is left of the batch's budget" in said


def test_only_what_pays_for_no_run_is_hopeless_and_what_is_unknown_is_not() -> None:
    dear, cheap, new = a_task("dear"), a_task("cheap"), a_task("new", agent="new")
    records = [paid(5.0, dear), paid(1.0, cheap)]
    both = [a_wish(dear), a_wish(cheap)]
    refuse_hopeless(forecast(both, records), Limits(Left(usd=1.0)))
    refuse_hopeless(forecast([*both, a_wish(new)], records), Limits(Left(usd=0.5)))
    with pytest.raises(UsageError, match=r"a run costs about \$1\.0000.*not one could be paid"):
        refuse_hopeless(forecast(both, records), Limits(Left(usd=0.5)))
