"""What a terminal shows while runs go by: a line for the batch, one for each run under way."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from harness.cli.console import clean, messages, number, partly, who, word
from harness.domain.ids import RunId
from harness.domain.record import RunRecord
from harness.domain.spec import RunSpec
from harness.interrupts import INTERRUPTS
from harness.report.words import plural, span

SHOWN = 12
"""So many runs under way have a line; of more it is said how many."""
REFRESH_PER_S = 5


@dataclass(slots=True)
class UnderWay:
    """A run, as somebody sees it who looks on."""

    name: str
    stage: str = "plan"
    said: str = ""
    since: float = field(default_factory=time.monotonic)


class LiveWatch:
    """Lines that move while runs go by, and one that stays for each that ended."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._console = messages()
        self._total = total
        self._quiet = quiet
        self._lock = threading.Lock()
        self._runs: dict[RunId, UnderWay] = {}
        self._ended = self._failed = self._faulted = 0
        self._cost_usd = 0.0
        self._since = time.monotonic()
        self._spinner = Spinner("dots")
        self._live = (
            Live(
                console=self._console,
                get_renderable=self._picture,
                refresh_per_second=REFRESH_PER_S,
                transient=True,
            )
            if self._console.is_terminal and not quiet
            else None
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    def began(self, run: RunId, spec: RunSpec) -> None:
        """A run begins."""
        cell = spec.cell
        with self._lock:
            self._runs[run] = UnderWay(f"{cell.scenario} {cell.tier} {who(cell)} #{spec.iteration}")

    def stage(self, run: RunId, name: str) -> None:
        """A stage of the run begins."""
        if shown := self._runs.get(run):
            shown.stage, shown.said = name, ""

    def tell(self, run: RunId, text: str) -> None:
        """Something worth a glance; where no line moves, only what takes long is printed."""
        shown = self._runs.get(run)
        if shown is None:
            return
        shown.said = text
        if not self._live and shown.stage == "prepare" and not self._quiet:
            of = f"{shown.name}: " if len(self._runs) > 1 else ""
            self._console.print(Text(clean(f"         {of}{text}")))

    def dropped(self, run: RunId) -> None:
        """Nothing came of the run."""
        with self._lock:
            self._runs.pop(run, None)

    def ended(self, record: RunRecord) -> None:
        """The run is stored."""
        with self._lock:
            shown = self._runs.pop(record.id)
            self._ended += 1
            self._faulted += record.fault is not None
            self._failed += record.fault is None and not record.passed
            if record.session and record.session.cost_usd:
                self._cost_usd += record.session.cost_usd
            place = f"{self._ended:>{len(str(self._total))}}/{self._total}"
        if self._quiet:
            return
        took_s = time.monotonic() - shown.since
        line = Text(f"[{place}] ")
        line += Text.from_markup(
            f"{word(record)}{partly(record)}  {number(record.total_score)}  {took_s:5.1f}s  "
        )
        line += Text(clean(shown.name))
        if record.fault:
            line += Text(clean(f"\n        {record.fault.stage}: {record.fault.message}"))
        self._console.print(line)

    def _picture(self) -> Group:
        with self._lock:
            runs = sorted(self._runs.values(), key=lambda run: run.since)
            words = [f"{self._ended}/{self._total}", f"{len(runs)} under way"]
            words += [f"{self._failed} failed"] if self._failed else []
            words += [f"{self._faulted} faulted"] if self._faulted else []
            words += [f"${self._cost_usd:.2f}"] if self._cost_usd else []
            left = self._left_s(len(runs))
            words += [f"about {span(left)} left"] if left is not None else []
            words += ["stopping" if INTERRUPTS.stopping else "ending"] * INTERRUPTS.draining
        self._spinner.update(text=Text("  ".join(words)))
        if not runs:
            return Group(self._spinner)
        grid = Table.grid(padding=(0, 2))
        grid.add_column(justify="right")
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True)
        now = time.monotonic()
        for run in runs[:SHOWN]:
            doing = f"{run.stage}: {run.said}" if run.said else run.stage
            grid.add_row(f"{now - run.since:.0f}s", Text(clean(run.name)), Text(clean(doing)))
        more = len(runs) - SHOWN
        rest = [Text(f"and {plural(more, 'run')} more", "dim")] if more > 0 else []
        return Group(self._spinner, grid, *rest)

    def _left_s(self, under_way: int) -> float | None:
        """By how fast runs ended until now; those under way are half done."""
        if not self._ended:
            return None
        pace = (time.monotonic() - self._since) / (self._ended + under_way / 2)
        return pace * max(0.0, self._total - self._ended - under_way / 2)
