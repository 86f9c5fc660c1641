"""From what was measured to tables in Markdown: medians with p10–p90, ratios pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import log10
from statistics import median

from figures import Crowd, Curve, Figure, Growth, Results, Throng, p10_p90

FIGURES = ("<!-- figures: begin, written by measure.py --write -->", "<!-- figures: end -->")
GROWTH = ("<!-- growth: begin, written by measure.py --write -->", "<!-- growth: end -->")
MIB = 1024**2
SMALL_RATIO = 0.01
ABOUT_REQUESTS = (
    "The provider is a double in a process of its own, asked in turn with and without the gateway,"
    " which lives in a thread of the measuring process, as in a run. Every request brings 20 tools;"
    " the long conversation repeats 40 turns and ends differently each time. A turn's whole price"
    " is in it: checking, passing on, metering, booking, recording. The double sends a stream at"
    " once, so that its first byte waits for the interpreter that also reads the rest and books it;"
    " a real model has paused by then."
)
ABOUT_CROWD = (
    "Each run has a line, a workspace and a sandbox on the engine, opened one after another before"
    " the clock starts. A turn is a streamed request and `run_command true`; the last one calls no"
    " tool. All runs think in step, so that all requests and all calls come in the same moment,"
    " which is the worst case. Memory in the harness is what came on top of the program itself; the"
    " machine's is all that was missing at the end, the engine's own processes and the kernel's"
    " share included."
)

ABOUT_GROWTH = (
    "Processor time, user and system, of the command in a loaded program, from the question to the"
    " printed text; the clock on the wall adds what other programs take. The runs are in two"
    " batches of 20 cells; four checks each. A cell is planned, claimed, made with fakes in place"
    " of engine, agent and ledger, graded, and stored in SQLite with two commits, of which the"
    " run's is flushed. Both axes of the picture are logarithmic: a straight line at the angle of"
    " the dashed one is linear."
)
ABOUT_THRONGS = (
    "Whole commands, from the shell's prompt to the next. Ours opens two containers a run and"
    " grades in the second; the floor is as many `docker run --rm --network none IMAGE true`, so"
    " many pairs at once; Inspect AI opens one container a sample from the same image and runs"
    " `true` in it, with `max_samples` and `max_sandboxes` at the same number."
)
ABOUT_CURVES = (
    "Wall-clock time of all of `attempt()`, the agent's session included, over a fixture that was"
    " met before. The agent changes files by one command, and reads one small file in each tool"
    " call. Both axes of the picture are logarithmic; the dashed line is linear growth."
)
RUNS_AT_ONCE = "{} runs of an agent that does nothing"

_MET = {True: "met", False: "missed", None: ""}


def page_section(results: Results) -> str:
    """The tables in Markdown, which reads well on a terminal too."""
    head = ("what", "Mintmark", "compared with", "ratio", "target", "")
    stages = [(stage.name, _seconds(stage.ours)) for stage in results.stages]
    return "\n".join(
        (
            _where(results),
            "",
            *_table(head, [_row(figure) for figure in results.figures]),
            "",
            "The overhead of a run, stage by stage:",
            "",
            *_table(("stage", "time"), stages),
            "",
            "What the gateway adds to a request:",
            "",
            *_table(
                ("request", "through the gateway", "without it", "added", "target", ""),
                [_added_row(figure) for figure in results.requests],
            ),
            "",
            ABOUT_REQUESTS,
            "",
            _crowd_head(results.crowd),
            "",
            *_table(("what", "figure", "target", ""), _crowd_rows(results.crowd)),
            "",
            ABOUT_CROWD,
            "",
            f"{RUNS_AT_ONCE.format(results.throngs[0].runs)}:",
            "",
            *_table(
                ("at once", "Mintmark", "floor", "ratio", "target", "Inspect AI", "to us", ""),
                [_throng_row(throng) for throng in results.throngs],
            ),
            "",
            ABOUT_THRONGS,
            *(
                ("", f"Inspect AI was not measured: {results.without_peer}.")
                * bool(results.without_peer)
            ),
            "",
            "Whole runs over larger repositories, changes and sessions:",
            "",
            *_table(
                ("what", "so many", "a run", "ten times as many cost"), _curve_rows(results.curves)
            ),
            "",
            ABOUT_CURVES,
            "",
            "![time of a run by size](sizes.svg)",
        )
    )


def growth_section(growth: Growth) -> str:
    """Stores and batches of ever more runs, in Markdown."""
    head = ("processor time", "Mintmark", "compared with", "ratio", "target", "")
    batches = [
        (
            f"{point.size:,}",
            _seconds(point.seconds),
            _seconds([s / point.size for s in point.seconds]),
        )
        for point in growth.batches.points
    ]
    processes = [
        (f"{each.runs:,}", _seconds([each.process_s]), _mebibytes(each.process_bytes))
        for each in growth.sizes
    ]
    return "\n".join(
        (
            f"{growth.date}; {growth.cores} cores, load average {growth.load:.1f}.",
            "",
            *_table(head, [_row(figure) for figure in (*growth.figures, *growth.cells)]),
            "",
            *_table(
                ("stored runs", "`bench batch`, a whole process", "its memory at the peak"),
                processes,
            ),
            "",
            *_table(("cells in a batch, 4 at once", "the whole batch", "a cell"), batches),
            "",
            ABOUT_GROWTH,
            "",
            "![processor time by stored runs and by cells](growth.svg)",
        )
    )


def replaced(page: str, section: str, marks: tuple[str, str] = FIGURES) -> str:
    """The page with a new generated section; raises ValueError when it has no place for one."""
    head, begin, rest = page.partition(marks[0])
    _, end, tail = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"the page has no lines {marks[0]!r} and {marks[1]!r}")
    return f"{head}{begin}\n\n{section}\n\n{end}{tail}"


def _where(results: Results) -> str:
    machine = results.machine
    return (
        f"{results.date}, {results.minutes:.1f} minutes; {machine.cores} cores,"
        f" {machine.memory_gib:.0f} GiB, Linux {machine.kernel}, Python {machine.python}, Docker"
        f" Engine {machine.engine} with {machine.storage_driver}, workspaces by"
        f" {machine.workspaces}; load average {machine.load_before:.1f} before and"
        f" {machine.load_after:.1f} after. Median (p10–p90)."
    )


def _row(figure: Figure) -> tuple[str, ...]:
    targets = [f"≤ {_seconds([figure.most_s])}"] if figure.most_s is not None else []
    targets += [f"≤ {figure.most_times:g} ×"] if figure.most_times is not None else []
    base = f"{figure.against}: {_seconds(figure.base)}" if figure.base else ""
    ratio = _ratio(figure.ratios)
    met = _MET[figure.is_met]
    return (figure.name, _seconds(figure.ours), base, ratio, ", ".join(targets), met)


def _ratio(values: Sequence[float]) -> str:
    return _spelled(values, 1, 2 if not values or median(values) >= SMALL_RATIO else 4)


def _added_row(figure: Figure) -> tuple[str, ...]:
    target = "" if figure.most_added_s is None else f"≤ {_seconds([figure.most_added_s])}"
    return (
        figure.name,
        _seconds(figure.ours),
        _seconds(figure.base),
        _seconds(figure.added),
        target,
        _MET[figure.is_met],
    )


def _crowd_head(crowd: Crowd) -> str:
    return (
        f"{len(crowd.runs_s)} tool loops at once, {crowd.turns} turns each, and a provider that"
        f" thinks for {crowd.thinking_s:g} s in every turn:"
    )


def _crowd_rows(crowd: Crowd) -> list[tuple[str, ...]]:
    runs = len(crowd.runs_s)
    turns = runs * crowd.turns
    own = [run_s / crowd.turns - crowd.thinking_s for run_s in crowd.runs_s]
    alone = [run_s / crowd.turns for run_s in crowd.alone_s]
    rows = (
        ("turns in a second", f"{turns / crowd.wall_s:.1f} of {turns / crowd.ideal_s:.1f}"),
        ("from the first start to the last end", f"{crowd.wall_s:.1f} s for {crowd.ideal_s:.1f} s"),
        ("a turn beside the thinking", _seconds(own)),
        ("the same of a run alone", _seconds(alone)),
        ("the harness's processor time in a turn", _seconds([crowd.cpu_s / turns])),
        ("a run's start: line, workspace, sandbox, one after another", _seconds(crowd.opening_s)),
        ("all starts", _seconds([sum(crowd.opening_s)])),
        ("all ends, one after another", _seconds([crowd.closing_s])),
        ("memory of a run in the harness, at its peak", _mebibytes(crowd.process_bytes / runs)),
        ("memory of a run's sandbox, by its own count", _mebibytes(crowd.boxes_bytes / runs)),
        ("memory of a run, all that the machine misses", _mebibytes(crowd.machine_bytes / runs)),
    )
    share = (
        "throughput, of what thinking alone would allow",
        f"{crowd.share:.0%}",
        f"≥ {crowd.least_share:.0%}",
        _MET[crowd.is_met],
    )
    return [share, *((*row, "", "") for row in rows)]


def _mebibytes(count: float) -> str:
    return f"{count / MIB:.1f} MiB"


def _seconds(values: Sequence[float]) -> str:
    """All in the unit that suits the median."""
    middle = median(values)
    if middle >= 1:
        return _spelled(values, 1, 2, " s")
    return _spelled(values, 1000, 1 if middle < 0.1 else 0, " ms")


def _spelled(values: Sequence[float], scale: float, digits: int, unit: str = "") -> str:
    if not values:
        return ""
    middle, low, high = (
        f"{scale * value:.{digits}f}" for value in (median(values), *p10_p90(values))
    )
    return f"{middle}{unit} ({low}–{high})" if len(values) > 1 else f"{middle}{unit}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    ruled = [head, ["-" * max(width, 3) for width in widths], *rows]
    return [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in ruled
    ]


def _throng_row(throng: Throng) -> tuple[str, ...]:
    return (
        str(throng.at_once),
        _seconds(throng.ours),
        _seconds(throng.floor),
        _ratio(throng.ratios),
        f"≤ {throng.most_times:g} ×, ahead of the peer",
        _seconds(throng.peer) if throng.peer else "",
        f"{_ratio(throng.peer_ratios)} ×" if throng.peer else "",
        _MET[throng.is_met],
    )


def _curve_rows(curves: Sequence[Curve]) -> list[tuple[str, ...]]:
    rows = []
    for curve in curves:
        rows.append(
            (curve.name, f"{curve.points[0].size:,}", _seconds(curve.points[0].seconds), "")
        )
        for less, more in pairwise(curve.points):
            steps = log10(more.size / less.size)
            times = (median(more.seconds) / median(less.seconds)) ** (1 / steps)
            rows.append(("", f"{more.size:,}", _seconds(more.seconds), f"{times:.2f} ×"))
    return rows
