from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evaluators.scope import ScopeEvaluator
from harness.domain.patch import FilePatch, Patch, PatchKind
from harness.evaluate import Work
from tests.evaluators.diffs import check_of, evidence_of

BEFORE = {"src/a.py": "a\n", "docs/a.md": "a\n", "src/gen/x.py": "x\n"}
ALL = {"src/a.py": "b\n", "docs/a.md": "b\n", "src/gen/x.py": "y\n", "new.txt": "n\n"}


def test_the_score_is_the_share_of_files_inside(tmp_path: Path) -> None:
    check = check_of("scope", allowed=["src/"], forbidden=["src/gen/"])
    result = ScopeEvaluator().judge(evidence_of(tmp_path, BEFORE, dict(ALL)), check)
    assert result.score == 0.25
    assert result.details[0] == "1 of 4 changed files are inside"
    assert "outside: src/gen/x.py" in result.details


def test_protected_paths_are_outside_even_without_options(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path, BEFORE, {"src/a.py": "b\n", "docs/a.md": None})
    evidence = replace(evidence, scenario=replace(evidence.scenario, protected=("docs/",)))
    assert ScopeEvaluator().judge(evidence, check_of("scope")).score == 0.5


def test_a_file_that_moved_was_changed_where_it_was(tmp_path: Path) -> None:
    moved = FilePatch("src/b.md", PatchKind.RENAMED, was="docs/a.md")
    evidence = replace(evidence_of(tmp_path, BEFORE, {}), work=Work(patch=Patch((moved,))))
    assert ScopeEvaluator().judge(evidence, check_of("scope", allowed=["src/"])).score == 0.5


def test_nothing_changed_scores_nothing(tmp_path: Path) -> None:
    check = check_of("scope", allowed=["src/"])
    assert ScopeEvaluator().judge(evidence_of(tmp_path, BEFORE, {}), check).score == 0.0


def test_without_a_word_on_where_the_task_is_there_is_no_score(tmp_path: Path) -> None:
    result = ScopeEvaluator().judge(evidence_of(tmp_path, BEFORE, dict(ALL)), check_of("scope"))
    assert result.score is None


def test_a_thousand_strays_are_counted_and_not_listed(tmp_path: Path) -> None:
    after: dict[str, str | None] = {f"x{n}.txt": "x\n" for n in range(1000)}
    check = check_of("scope", allowed=["src/"])
    result = ScopeEvaluator().judge(evidence_of(tmp_path, BEFORE, after), check)
    assert result.score == 0.0
    assert len(result.details) == 12
