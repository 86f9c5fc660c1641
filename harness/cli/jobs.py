"""`--jobs N` or `--jobs auto`: how many runs are under way at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click

from harness import wiring
from harness.crew import fitting
from harness.domain.spec import RunSpec
from harness.settings import Settings

MOST = 256
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Jobs:
    """What was asked for; None leaves it to the engine and the scenarios."""

    asked: int | None = 1

    def number(self, settings: Settings, specs: Sequence[RunSpec]) -> int:
        """So many runs at once; an engine is asked only where nobody said."""
        if self.asked is not None:
            return self.asked
        from harness.sandbox.engine import describe  # noqa: PLC0415  # only when asked for

        engine = describe(wiring.open_engine(settings))
        return min(MOST, fitting(specs, engine.cpus, engine.memory_bytes))


ONE = Jobs()


class _JobsType(click.ParamType[Jobs]):
    name = "jobs"

    def convert(
        self, value: str | Jobs, param: click.Parameter | None, ctx: click.Context | None
    ) -> Jobs:
        if isinstance(value, Jobs):
            return value
        if value == AUTO:
            return Jobs(None)
        if value.isdecimal() and 1 <= int(value) <= MOST:
            return Jobs(int(value))
        return self.fail(f"{value!r} is neither a number from 1 to {MOST} nor {AUTO!r}", param, ctx)


jobs_option = click.option(
    "--jobs",
    type=_JobsType(),
    default="1",
    show_default=True,
    metavar="N|auto",
    help="So many runs at once; auto: as many as the engine's processors and memory hold.",
)
