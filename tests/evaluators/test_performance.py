from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from evaluators.figures import Figures
from evaluators.performance import PerformanceEvaluator
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest
from harness.domain.record import CheckResult, Control
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evidence
from harness.sandbox.base import Completed
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

FILES = {"app.py": "slow", "lib/x.py": "x", "old.py": "old"}
EDIT = Change(b"app.py", ChangeKind.FILE, data=b"work")
Bench = Callable[[FakeBox], Completed]


def takes(before_s: float, after_s: float) -> Bench:
    """A benchmark that takes so long on either side."""

    def bench(box: FakeBox) -> Completed:
        return Completed(0, "", "", before_s if box.files["app.py"] == b"slow" else after_s)

    return bench


def judge(
    folder: Path,
    bench: Bench,
    *changes: Change,
    options: Mapping[str, Any] | None = None,
    first: Bench | None = None,
    evaluator: PerformanceEvaluator | None = None,
) -> tuple[CheckResult, FakeBox]:
    check = CheckSpec(
        "performance", "performance", 1.0, options={"command": "bench", **(options or {})}
    )
    scenario = a_scenario(folder, files=FILES, checks=(check,))
    inside = {name: text.encode() for name, text in FILES.items()}
    evidence = Evidence(
        scenario,
        Changes(),
        FakeBox(dict(inside), {"bench": first or takes(1.0, 1.0)}),
        (),
        None,
        {},
        MemoryArtifacts().put,
    )
    evaluator = evaluator or PerformanceEvaluator()
    before = evaluator.judge(replace(evidence, untouched=True), check)
    box = FakeBox(dict(inside), {"bench": bench, "find": _find})
    box.apply(changes)
    known = Control(Digest("k"), (), (before,))
    later = replace(evidence, box=box, changes=Changes(changes), control=known)
    return evaluator.judge(later, check), box


def _find(box: FakeBox) -> Completed:
    return Completed(0, "".join(f"./{name}\0" for name in box.files), "", 0.1)


@pytest.mark.parametrize(
    ("before_s", "after_s", "options", "score"),
    [
        (1.0, 0.5, {}, 1.0),
        (1.0, 1.0, {}, 1.0),
        (1.0, 1.5, {}, 0.5),
        (1.0, 2.0, {}, 0.0),
        (1.0, 9.0, {}, 0.0),
        (1.0, 0.5, {"target": 2}, 1.0),
        (1.0, 1.0, {"target": 2, "worst": 1.5}, 0.5),
        (1.0, 1.0, {"target": 2, "worst": 1}, 0.0),
        (1.0, 2.0, {"worst": 3}, 0.5),
        (1.0, 1.1, {"worst": 1}, 0.0),
    ],
)
def test_the_score_falls_in_a_line_from_the_target_to_the_worst(
    tmp_path: Path, before_s: float, after_s: float, options: Mapping[str, Any], score: float
) -> None:
    result, _ = judge(tmp_path, takes(before_s, after_s), EDIT, options=options)
    assert result.score == pytest.approx(score)


def test_one_slow_turn_does_not_decide_and_the_spread_is_said(tmp_path: Path) -> None:
    noise = cycle([1.0, 1.0, 1.0, 50.0, 1.0, 1.0])

    def bench(_box: FakeBox) -> Completed:
        return Completed(0, "", "", next(noise))

    result, _ = judge(tmp_path, bench, EDIT, options={"rounds": 3})
    assert result.score == 1.0
    assert "median of 3 pairs, 0.020 to 1.000" in result.details[0]


def test_the_sides_take_turns_and_each_begins_in_its_turn(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def bench(box: FakeBox) -> Completed:
        seen.append(box.files["app.py"])
        return Completed(0, "", "", 1.0)

    judge(tmp_path, bench, EDIT, options={"rounds": 3})
    assert seen == [b"slow", b"work", b"work", b"slow", b"slow", b"work"]


CHANGES = (
    EDIT,
    Change(b"new/file.py", ChangeKind.FILE, data=b"new"),
    Change(b"old.py", ChangeKind.DELETE),
)


def test_each_side_sees_its_own_files_and_the_work_comes_back(tmp_path: Path) -> None:
    seen: list[dict[str, bytes]] = []

    def bench(box: FakeBox) -> Completed:
        seen.append(dict(box.files))
        # what runs makes a mess of files that are not its own, and leaves some lying about
        box.files |= {"lib/x.py": b"broken", "json.py": b"shadow", "app.py": b"?"}
        return Completed(0, "", "", 1.0)

    result, box = judge(tmp_path, bench, *CHANGES, options={"rounds": 1})
    fixture = {name: text.encode() for name, text in FILES.items()}
    work = {"app.py": b"work", "lib/x.py": b"x", "new/file.py": b"new"}
    assert seen == [fixture, work]
    assert box.files == work
    assert result.score == 1.0


def test_a_file_that_became_a_folder_is_a_file_again(tmp_path: Path) -> None:
    seen: list[set[str]] = []

    def bench(box: FakeBox) -> Completed:
        seen.append(set(box.files))
        return Completed(0, "", "", 1.0)

    gone = Change(b"old.py", ChangeKind.DELETE)
    inside = Change(b"old.py/inner.py", ChangeKind.FILE, data=b"x")
    judge(tmp_path, bench, gone, inside, options={"rounds": 1})
    assert seen[0] == set(FILES)


@pytest.mark.parametrize(
    "end", [Completed(1, "", "boom", 1.0), Completed(None, "", "", 1.0)], ids=["fails", "endless"]
)
@pytest.mark.parametrize("side", [b"slow", b"work"], ids=["before", "after"])
def test_a_benchmark_that_the_work_breaks_scores_nothing(
    tmp_path: Path, end: Completed, side: bytes
) -> None:
    def bench(box: FakeBox) -> Completed:
        return end if box.files["app.py"] == side else Completed(0, "", "", 1.0)

    result, _ = judge(tmp_path, bench, EDIT)
    assert result.score == 0.0


def test_a_benchmark_that_the_fixture_breaks_could_not_run(tmp_path: Path) -> None:
    fails = Completed(3, "", "", 1.0)
    result, _ = judge(tmp_path, lambda _box: fails, EDIT, first=lambda _box: fails)
    assert result.score is None
    assert "exit code 3" in result.reason


def test_unchanged_work_is_as_fast_as_the_fixture_and_is_not_measured(tmp_path: Path) -> None:
    result, box = judge(tmp_path, takes(1.0, 1.0), options={"target": 2, "worst": 1.5})
    assert result.score == 0.5
    assert box.asked == []


@pytest.mark.parametrize(
    ("printed", "more", "score"),
    [
        *(("ops: 15", {}, 0.5), ("ops: 0", {}, 0.0), ("ops: -1", {}, 0.0), ("ops: nan", {}, 0.0)),
        *(("", {}, 0.0), (f"ops: {'9' * 5000}", {}, 0.0)),
        *(("ops: 20", {"higher_is_better": True}, 1.0), ("ops: 5", {"higher_is_better": True}, 0)),
    ],
    ids=["slower", "zero", "negative", "nan", "nothing", "huge", "more-is-better", "less-is-worse"],
)
def test_a_printed_figure_takes_the_place_of_time(
    tmp_path: Path, printed: str, more: Mapping[str, Any], score: float
) -> None:
    def bench(box: FakeBox) -> Completed:
        return Completed(0, printed if box.files["app.py"] == b"work" else "ops: 10", "", 1.0)

    options = {"metric": r"ops: (\S+)", **more}
    result, _ = judge(tmp_path, bench, EDIT, options=options, first=bench)
    assert result.score == pytest.approx(score)


def test_an_expression_that_never_ends_is_ended(tmp_path: Path) -> None:
    def bench(box: FakeBox) -> Completed:
        return Completed(0, "a" * 40 if box.files["app.py"] == b"work" else "aa: 10", "", 1.0)

    evaluator = PerformanceEvaluator(partial(Figures, deadline_s=2.0))
    options = {"metric": r"(?:a+)+: (\d+)"}
    result, _ = judge(tmp_path, bench, EDIT, options=options, first=bench, evaluator=evaluator)
    assert result.score == 0.0
    assert "took over 2 s" in result.details[0]


def test_more_files_than_can_be_swept_away_score_nothing_and_the_work_comes_back(
    tmp_path: Path,
) -> None:
    flood = Completed(0, "", "", 0.1, dropped_bytes=1)

    def bench(box: FakeBox) -> Completed:
        box.answers = {**box.answers, "find": flood}
        return Completed(0, "", "", 1.0)

    result, box = judge(tmp_path, bench, EDIT)
    assert result.score == 0.0
    assert box.files["app.py"] == b"work"


def test_folders_that_runs_leave_are_swept_away_whole(tmp_path: Path) -> None:
    def bench(box: FakeBox) -> Completed:
        assert not any(name.startswith("junk") for name in box.files)
        box.files |= {"junk/a/b": b"", "junk/c": b"", "junk-too": b"", "junk": b""}
        return Completed(0, "", "", 1.0)

    result, box = judge(tmp_path, bench, EDIT)
    assert result.score == 1.0
    assert set(box.files) == set(FILES)


def test_what_is_prepared_is_not_measured(tmp_path: Path) -> None:
    result, box = judge(tmp_path, takes(1.0, 1.0), EDIT, options={"prepare": "make", "rounds": 1})
    assert box.asked.count("make") == 2
    assert result.score == 1.0
