"""`bench watch`: a batch as somebody sees it who does not run it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console, Group

from harness.cli import watch
from harness.cli.watch import Look, picture
from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.ids import BatchId, RunId
from harness.domain.record import Cell, CheckResult, Fault, RunRecord
from harness.report.progress import Command, UnderWay
from harness.sandbox.owner import this_process
from harness.settings import Settings
from harness.store.base import Wanted
from harness.store.codec import encode
from harness.testing.builders import Fakes
from harness.testing.store import NOON, a_cell, a_record
from tests.cli.conftest import Cli

MINE = BatchId("b")
CELLS = [a_cell("look-alike-names", agent="claude-code"), a_cell("lost-updates")]


def run(cell: Cell, number: int, *, passed: bool = True) -> RunRecord:
    check = CheckResult("test", "test", float(passed), 1.0, required=True)
    name = f"run_{cell.scenario}_{number}"
    return replace(
        a_record(name, cell=cell), iteration=number, passed=passed, checks=(check,),
        total_score=float(passed),
    )  # fmt: skip


def plan(fakes: Fakes, count: int = 3) -> None:
    wanted = [Wanted(cell, count, text_digest("spec")) for cell in CELLS]
    fakes.store.plan(MINE, wanted, NOON)


def at_work(project: Path, *under_way: UnderWay, owner: str = "", runs: int = 6) -> Path:
    now = datetime.now(UTC)
    command = Command(
        owner or this_process(), MINE, now - timedelta(minutes=2), now, runs, 2, 2,
        under_way=under_way,
    )  # fmt: skip
    path = project / f"results/state/commands/{owner.replace('/', '-') or 'me'}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(encode(command))
    return path


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK_S", 0.01)
    monkeypatch.setattr(watch, "GRACE_S", 0.0)


def when_it_sleeps(monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> None:
    """What happens elsewhere, look by look."""
    waiting = list(acts)
    monkeypatch.setattr(watch.time, "sleep", lambda _: waiting.pop(0)() if waiting else None)


def test_it_follows_two_commands_to_the_end(
    cli: Cli, fakes: Fakes, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(fakes, 1)
    first = at_work(project, UnderWay(RunId("run_x"), CELLS[0], 1, NOON, "work"))
    second = at_work(project, owner="elsewhere/1/1")
    when_it_sleeps(
        monkeypatch,
        lambda: fakes.store.save(run(CELLS[0], 1)),
        first.unlink,
        lambda: fakes.store.save(run(CELLS[1], 1, passed=False)),
        second.unlink,
    )
    result = cli("watch", "b")
    assert result.exit_code == 1
    said = result.stderr.splitlines()
    assert said[0].startswith("b: 0 of 2 runs done, 0 passed, 0 failed, 1 under way, 1 waiting")
    assert said[1].startswith("[1/2] PASS  1.00   60.0s  look-alike-names L1 claude-code #1")
    assert said[2].startswith("[2/2] FAIL")
    assert len(said) == 3
    assert "2 of 2 runs done, 1 passed, 1 failed" in result.stdout


def test_it_ends_when_nobody_works_on_the_batch_any_more(cli: Cli, fakes: Fakes) -> None:
    plan(fakes)
    fakes.store.save(run(CELLS[0], 1))
    result = cli("watch", "last")
    assert result.exit_code == 3
    assert "nobody works on it; to go on: bench resume b" in result.stderr


def test_it_waits_when_it_is_told_to(
    cli: Cli, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(fakes, 1)

    def finish() -> None:
        for cell in CELLS:
            fakes.store.save(run(cell, 1))

    when_it_sleeps(monkeypatch, *[lambda: None] * 3, finish)
    assert cli("watch", "b", "--wait").exit_code == 0


def test_a_long_silence_is_broken(
    cli: Cli, fakes: Fakes, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SAY_S", 0.0)
    plan(fakes)
    path = at_work(project)
    when_it_sleeps(monkeypatch, lambda: None, path.unlink)
    lines = cli("watch", "b").stderr.splitlines()
    assert [line.startswith("b: 0 of 6 runs done") for line in lines[:2]] == [True, True]


def test_one_snapshot_as_json(cli: Cli, fakes: Fakes, project: Path) -> None:
    plan(fakes)
    fakes.store.save(run(CELLS[0], 1))
    at_work(project, UnderWay(RunId("run_x"), CELLS[1], 1, NOON, "work", "read_file"))
    document = json.loads(cli("watch", "b", "--json").stdout)
    assert document["states"]["done"] == 1
    assert document["states"]["under_way"] == 1
    assert document["under_way"][0]["scenario"] == "lost-updates"
    assert document["finished"] is False


def test_a_batch_that_is_not_there_is_named(cli: Cli, fakes: Fakes) -> None:
    plan(fakes)
    result = cli("watch", "c")
    assert result.exit_code == 2
    assert "'b'" in result.stderr


def test_what_was_read_once_is_not_read_again(fakes: Fakes, tmp_path: Path) -> None:
    plan(fakes)
    look = Look(Settings(tmp_path), fakes.store, MINE)
    fakes.store.save(run(CELLS[0], 1))
    look.again()
    assert look.new == []
    fakes.store.save(run(CELLS[0], 2))
    look.again()
    assert [record.iteration for record in look.new] == [2]
    assert look.again().tally.passed == 2
    assert look.new == []
    plan(fakes, 1)
    assert look.again().tally.planned == 8


def test_a_large_batch_is_counted_whole_though_a_part_at_a_time(
    fakes: Fakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.cli.watch.AT_ONCE", 2)
    plan(fakes, 5)
    for iteration in range(1, 6):
        fakes.store.save(run(CELLS[0], iteration))
    assert Look(Settings(tmp_path), fakes.store, MINE).again().tally.passed == 5


@pytest.mark.parametrize("width", [80, 160])
def test_the_picture_fits_a_terminal(fakes: Fakes, tmp_path: Path, width: int) -> None:
    many = [a_cell(f"scenario-number-{n}", agent="claude-code") for n in range(40)]
    fakes.store.plan(MINE, [Wanted(cell, 2, text_digest("spec")) for cell in many], NOON)
    for cell in many[:9]:
        fakes.store.save(run(cell, 1, passed=False))
    fault = Fault(Cause.SANDBOX, "work", "\x1b[2J" + "no engine " * 40)
    fakes.store.save(replace(run(many[9], 1), passed=False, total_score=None, fault=fault))
    under_way = [
        UnderWay(RunId(f"run_u{n}"), cell, 2, NOON, "work", "run_command: " + "x" * 200)
        for n, cell in enumerate(many[20:32])
    ]
    at_work(tmp_path, *under_way, runs=80)
    seen = Look(Settings(tmp_path), fakes.store, MINE).again()
    shown = io.StringIO()
    console = Console(file=shown, width=width, height=40, force_terminal=True, color_system=None)
    console.print(Group(*picture(seen, 40)))
    lines = shown.getvalue().splitlines()
    assert max(len(line) for line in lines) <= width
    assert len(lines) < 40
    assert (
        "10 of 80 runs done, 0 passed, 9 failed, 1 faulted, 12 under way, 58 waiting"
        in " ".join(shown.getvalue().split())
    )
    assert "and 4 runs more" in shown.getvalue()
    assert "\x1b[2J" not in shown.getvalue()
    # where something happens comes first when not all can be shown
    first = next(n for n, line in enumerate(lines) if line.startswith("Scenario")) + 1
    assert lines[first].startswith("scenario-number-20 ")
    assert "scenario-number-39" not in shown.getvalue()
