"""What a run costs over ever more files, changes and tool calls."""

from __future__ import annotations

from collections.abc import Mapping

import subjects
from figures import Curve, Point
from subjects import FEW, MANY, Tick

from harness.domain.spec import RunSpec
from harness.settings import Settings
from harness.tools import Tools

FILES = (FEW, 200, 2_000, MANY)
CHANGES = (10, 100, 1_000, 10_000)
CALLS = (10, 100, 1_000, 5_000)
WRITES = "mkdir out; i=0; while [ $i -lt {} ]; do echo line $i > out/$i.txt; i=$((i+1)); done"
FEW_FILES = "few-files"
"""The scenario that is changed, and talked about."""


def time_sizes(
    settings: Settings, tools: Tools, specs: Mapping[int, RunSpec], rounds: int, tick: Tick
) -> tuple[Curve, ...]:
    """Whole runs on the engine, the agent's session included; the sizes in turn.

    `specs` are the runs over so many files that are there already.
    """
    by_files = {n: specs.get(n) or subjects.make_scenario(settings, f"files-{n}", n) for n in FILES}
    runs = {
        "files in the repository": by_files,
        "files that the agent changed": {
            n: subjects.scripted(
                settings,
                FEW_FILES,
                f"changes-{n}",
                [("run_command", {"command": WRITES.format(n)})],
            )
            for n in CHANGES
        },
        "tool calls": {
            n: subjects.scripted(
                settings, FEW_FILES, f"calls-{n}", [("read_file", {"path": "README.md"})] * n
            )
            for n in CALLS
        },
    }
    for spec in by_files.values():
        # what is done once per fixture
        subjects.one_run(spec, tools)
    taken: dict[str, dict[int, list[float]]] = {
        name: {n: [] for n in sizes} for name, sizes in runs.items()
    }
    for number in range(rounds):
        for name, sizes in runs.items():
            for size, spec in sizes.items():
                taken[name][size].append(subjects.one_run(spec, tools).wall_s)
        tick(number + 1, rounds)
    return tuple(
        Curve(name, tuple(Point(size, tuple(seconds)) for size, seconds in sizes.items()))
        for name, sizes in taken.items()
    )
