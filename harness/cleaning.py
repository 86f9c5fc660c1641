"""What can go from the disks: found by what refers to it and by its age, removed one by one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from harness.domain.scenario import MIB, Scenario
from harness.errors import EnvironmentFault
from harness.ledger import Ledger
from harness.sandbox import bases
from harness.sandbox.base import Program
from harness.sandbox.engine import size
from harness.sandbox.npm import expected
from harness.sandbox.owner import is_alive
from harness.sandbox.programs import archive_file, program_volume
from harness.sandbox.reaper import Leftover, Reaper, owner_of
from harness.sandbox.stale import Waste
from harness.sandbox.volumes import fixture_volume
from harness.store.artifacts import FileArtifacts
from harness.store.base import Store
from harness.workspace import FixtureStore, copy_name

BLOCK = 512
YOUNG = timedelta(days=1)
"""A run writes its artefacts and its tree before its record, and a clock may jump by hours."""

Find = Callable[[datetime], Iterable[Waste]]
"""What can go of one kind, where nobody used it since then."""


@dataclass(frozen=True, slots=True)
class Swept:
    """How a cleaning went."""

    gone: tuple[Waste, ...]
    spared: tuple[Waste, ...]
    """Somebody turned out to need it, or was quicker."""
    faults: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """What is free again, about."""
        return sum(waste.size_bytes for waste in self.gone)

    def lines(self) -> Iterator[str]:
        """What was removed and what could not be, for people."""
        count = sum(waste.count for waste in self.gone)
        if not count and not self.faults:
            yield "nothing was found that is unused"
            return
        yield f"removed {count} unused, at least {room(self.size_bytes)}"
        for waste in self.gone:
            yield f"  {waste.kind} {waste.name}: {waste.why}"
        for fault in self.faults:
            yield f"  could not remove {fault}"


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Every kind of waste of a project, in the order in which it can go."""

    kinds: Sequence[Find]

    def find(self, before: datetime) -> Iterator[Waste]:
        """What can go; raises SandboxFault and StoreFault."""
        for find in self.kinds:
            yield from find(before)

    def sweep(self, before: datetime) -> Swept:
        """Remove what can go; a fault of one kind keeps no other from going."""
        done: list[Swept] = []
        for find in self.kinds:
            try:
                done.append(remove(list(find(before))))
            except EnvironmentFault as fault:
                done.append(Swept((), (), (str(fault),)))
        return Swept(
            tuple(waste for each in done for waste in each.gone),
            tuple(waste for each in done for waste in each.spared),
            tuple(fault for each in done for fault in each.faults),
        )


def remove(found: Iterable[Waste]) -> Swept:
    """Remove each; one that cannot go keeps no other from going."""
    gone: list[Waste] = []
    spared: list[Waste] = []
    faults: list[str] = []
    for waste in found:
        try:
            (gone if waste.remove() else spared).append(waste)
        except (EnvironmentFault, OSError) as fault:
            faults.append(f"{waste.kind} {waste.name}: {fault}")
    return Swept(tuple(gone), tuple(spared), tuple(faults))


def leftovers(reaper: Reaper, state: Path) -> Iterator[Waste]:
    """What dead processes owned: nobody can use it any more, whatever its age."""
    for left in reaper.find():
        yield Waste(
            left.kind, Path(left.name).name[:32], 0, "left by a command that is gone",
            partial(_reaped, reaper, left),
        )  # fmt: skip
    for folder in bases.abandoned(state):
        yield Waste(
            "half a base", folder.name, taken_bytes(folder), "left by a command that is gone",
            partial(bases.clear_abandoned, folder),
        )  # fmt: skip


def artefacts(store: Store, kept: FileArtifacts, before: datetime) -> Iterator[Waste]:
    """Artefacts that no stored run, control or judgement refers to; none where nothing is stored.

    A database that was moved away may come back, and what it refers to is then needed.
    """
    referenced = store.references()
    if not referenced.runs:
        return
    paths = list(kept.unreferenced(referenced.digests, before))
    if paths:
        yield Waste(
            "artefacts",
            f"{len(paths)} that no stored run refers to",
            _sum(paths),
            "of runs that were not stored",
            lambda: sum(kept.remove(path, before) for path in paths) > 0,
            len(paths),
        )
    halves = kept.unfinished(before)
    if halves:
        yield Waste(
            "artefacts", f"{len(halves)} half written", _sum(halves),
            "left by a command that is gone", lambda: kept.sweep(before) > 0, len(halves),
        )  # fmt: skip


def trees(store: Store, ledger: Ledger, before: datetime) -> Iterator[Waste]:
    """Final trees of runs that were never stored."""
    runs = store.references().runs
    lost = ledger.lost(runs, before) if runs else ()
    if lost:
        yield Waste(
            "trees",
            f"{len(lost)} in the ledger",
            ledger.size_bytes(lost),
            "of runs that were not stored",
            lambda: ledger.prune(runs, before) > 0,
            len(lost),
        )


def copies(fixtures: FixtureStore, needed: Needs, state: Path, before: datetime) -> Iterator[Waste]:
    """Copies of fixtures; none while a run is under way here, which may stand on one."""
    if any(is_alive(owner_of(folder)) for folder in state.glob("run/*")):
        return
    for home in fixtures.unused(needed.copies, before):
        used = _changed(home)
        yield Waste(
            "fixture copy",
            home.name,
            taken_bytes(home),
            f"last used {used:%Y-%m-%d}",
            partial(fixtures.drop, home.name),
        )


def archives(state: Path, needed: Needs, before: datetime) -> Iterator[Waste]:
    """Agents' programs as they came, and such as came by half."""
    for path in sorted((state / "programs").glob("*.*")):
        made = _changed(path)
        is_half = path.suffix == ".part"
        if path.name in needed.archives or path.suffix not in {".tgz", ".part"} or made >= before:
            continue
        why = "half fetched" if is_half else f"fetched {made:%Y-%m-%d}"
        yield Waste("archive", path.name, _sum([path]), why, partial(_unlinked, path))


@dataclass(frozen=True, slots=True)
class Needs:
    """What the scenarios of a project, and the programs of its agents, are kept as."""

    copies: frozenset[str]
    volumes: frozenset[str]
    archives: frozenset[str]

    @classmethod
    def of(cls, scenarios: Iterable[Scenario], programs: Iterable[Program]) -> Needs:
        """By content: whatever the files are now."""
        scenarios = tuple(scenarios)
        pairs = [(p, archive) for p in programs for _, archive in p.archives]
        volumes = {fixture_volume(s.digests.fixture) for s in scenarios}
        return cls(
            frozenset(copy_name(s) for s in scenarios),
            frozenset(volumes | {program_volume(*pair) for pair in pairs}),
            frozenset(archive_file(a) for _, a in pairs if expected(a.integrity)),
        )


def room(size_bytes: int) -> str:
    """Room for people."""
    return size(size_bytes) if not 0 < size_bytes < MIB else "under 1 MiB"


def taken_bytes(folder: Path) -> int:
    """What a folder takes up on the disk; links are not followed."""
    return _sum(Path(where, name) for where, _, names in os.walk(folder) for name in names)


def _sum(paths: Iterable[Path]) -> int:
    """What files take up; one that somebody else has just removed takes nothing."""
    total = 0
    for path in paths:
        with suppress(FileNotFoundError):
            total += path.lstat().st_blocks * BLOCK
    return total


def _changed(path: Path) -> datetime:
    """When it was changed last; now for what somebody else has just removed."""
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return datetime.now(UTC)


def _reaped(reaper: Reaper, left: Leftover) -> bool:
    reaper.remove(left)
    return True


def _unlinked(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True
