from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.diff_size import DiffSizeEvaluator
from harness.domain.patch import FilePatch, Patch, PatchKind
from harness.evaluate import Evidence, Work
from tests.evaluators.diffs import check_of, evidence_of

BEFORE = {"a.py": "".join(f"{n}\n" for n in range(100)), "package-lock.json": "{}\n"}


def lines(count: int) -> str:
    return "".join(f"x{n}\n" for n in range(count))


def score(evidence: Evidence, **options: object) -> float | None:
    return DiffSizeEvaluator().judge(evidence, check_of("diff_size", **options)).score


@pytest.mark.parametrize(
    ("count", "expected"), [(1, 1.0), (10, 1.0), (20, 0.5), (30, 0.0), (500, 0.0)]
)
def test_the_score_falls_from_the_expected_size_to_the_most(
    tmp_path: Path, count: int, expected: float
) -> None:
    evidence = evidence_of(tmp_path, BEFORE, {"b.py": lines(count)})
    assert score(evidence, expected=10, most=30) == expected


def test_most_is_four_times_the_expected_size_and_the_other_way_round(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path, BEFORE, {"b.py": lines(25)})
    assert score(evidence, expected=10) == 0.5
    assert score(evidence, most=40) == 0.5


def test_the_reference_solution_says_what_is_expected(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path / "s", BEFORE, {"b.py": lines(150)})
    solution = tmp_path / "solution"
    solution.mkdir()
    (solution / "b.py").write_text(lines(40))
    (solution / "package-lock.json").write_text(lines(999))
    (solution / ".deleted").write_text("a.py\n")
    with_one = replace(evidence, scenario=replace(evidence.scenario, solution=solution))
    # one and a half times 140 lines are expected
    assert score(with_one) == 1.0
    (solution / ".deleted").write_text("")
    # one and a half times 40 lines are expected, four times as many are worth nothing
    assert score(with_one) == 0.5


def test_lock_files_and_what_tools_write_do_not_count_unless_asked_for(tmp_path: Path) -> None:
    after: dict[str, str | None] = {"a.py": BEFORE["a.py"] + "x\n", "package-lock.json": lines(500)}
    evidence = evidence_of(tmp_path, BEFORE, after)
    assert score(evidence, expected=10) == 1.0
    assert score(evidence, expected=10, generated=True) == 0.0
    assert score(evidence, expected=10, exclude=["a.py"]) == 0.0


def test_nothing_changed_scores_nothing(tmp_path: Path) -> None:
    assert score(evidence_of(tmp_path, BEFORE, {}), expected=10) == 0.0


def test_nobody_said_how_big_it_should_be(tmp_path: Path) -> None:
    assert score(evidence_of(tmp_path, BEFORE, {"b.py": "x\n"})) is None


def test_what_is_too_long_to_be_counted_is_too_long(tmp_path: Path) -> None:
    file = FilePatch("a.py", PatchKind.ADDED, cut=True)
    evidence = replace(evidence_of(tmp_path, BEFORE, {}), work=Work(patch=Patch((file,))))
    assert score(evidence, expected=10) == 0.0
