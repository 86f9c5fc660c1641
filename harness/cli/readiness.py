"""What runs would miss on this machine: an engine, git, a key, a price, room on the disk."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness import roster, wiring
from harness.cli.models import Shared
from harness.domain.grading import JUDGE
from harness.domain.ids import Digest
from harness.domain.model import ModelRef, parse_model
from harness.domain.provider import PROVIDERS
from harness.domain.spec import RunSpec
from harness.errors import SandboxFault, UsageError
from harness.sandbox.engine import EngineReport, size
from harness.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is not there, and how many runs would miss it."""

    what: str
    runs: int


def engine_of(settings: Settings, runs: int) -> EngineReport | Gap:
    """The engine, or why there is none."""
    try:
        return wiring.describe_engine(settings)
    except (SandboxFault, UsageError) as error:
        return Gap(str(error), runs)


def gaps_of(
    settings: Settings, specs: Sequence[RunSpec], shared: Shared, min_free_bytes: int
) -> tuple[Gap, ...]:
    """Everything that is missing beside the engine, each thing once."""
    found = list(_machine(settings, len(specs), min_free_bytes))
    if shared.cassette is None:
        found += _models(settings, specs, shared)
    return tuple(found)


def free_bytes(settings: Settings) -> int:
    """The room for results."""
    return shutil.disk_usage(_existing(settings.results)).free


def _machine(settings: Settings, runs: int, min_free_bytes: int) -> Iterator[Gap]:
    if shutil.which("git") is None:
        yield Gap("there is no git on PATH, which keeps the runs' files; install git", runs)
    free = free_bytes(settings)
    if free < min_free_bytes:
        yield Gap(
            f"{settings.results} has {size(free)} left, and runs begin only while it has"
            f" {size(min_free_bytes)} (--min-free-disk)",
            runs,
        )


def _models(settings: Settings, specs: Sequence[RunSpec], shared: Shared) -> Iterator[Gap]:
    targets, prices = wiring.open_targets(settings), None
    cells, runs_of = {spec.digest: spec for spec in specs}, Counter(spec.digest for spec in specs)
    for model, runs in _counted(cells, runs_of, _asked).items():
        try:
            targets.find(model)
        except UsageError as error:
            yield Gap(f"{model.label}: {error}", runs)
        prices = prices or wiring.open_prices(settings)
        if not prices.known(model):
            refused = shared.strict_prices or shared.limits_usd or _limited(cells.values(), model)
            what = "no run begins" if refused else "its cost will be shown as unknown"
            yield Gap(f"the price of {model.label} is not known: {what}", runs)
    for (label, check, is_required), runs in _counted(cells, runs_of, _judges).items():
        try:
            targets.find(parse_model(label, "", PROVIDERS))
        except UsageError as error:
            what = "no run begins" if is_required else f"{check!r} will not run"
            yield Gap(f"judge {label}: {error}: {what}", runs)


def _counted(
    cells: Mapping[Digest, RunSpec],
    runs_of: Mapping[Digest, int],
    needed: Callable[[RunSpec], Iterable[T]],
) -> Mapping[T, int]:
    """What cells need, and how many runs need it: those of one cell need the same."""
    found: Counter[T] = Counter()
    for digest, cell in cells.items():
        for each in needed(cell):
            found[each] += runs_of[digest]
    return found


def _asked(spec: RunSpec) -> tuple[ModelRef, ...]:
    """The models that were named for a run."""
    named = (roster.make_agent(spec).needs.model, spec.user, *spec.grading.judges)
    return tuple(dict.fromkeys(model for model in named if model))


def _judges(spec: RunSpec) -> tuple[tuple[str, str, bool], ...]:
    """The judges of the scenario's own rubric, where nobody named others."""
    check = next((each for each in spec.scenario.checks if each.kind == JUDGE), None)
    rubric = spec.scenario.rubric
    if check is None or rubric is None or spec.grading.judges:
        return ()
    return tuple((judge, check.name, check.required) for judge in dict.fromkeys(rubric.judges))


def _limited(cells: Iterable[RunSpec], model: ModelRef) -> bool:
    return any(cell.budget.usd and model in _asked(cell) for cell in cells)


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
