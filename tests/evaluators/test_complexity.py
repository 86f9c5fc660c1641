from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.complexity import MOST_FILES, ComplexityEvaluator, Source, measure
from harness.domain.changes import Changes
from harness.domain.patch import FilePatch, PatchKind
from harness.domain.record import CheckResult
from tests.evaluators.diffs import check_of, evidence_of


def function(name: str, branches: int) -> str:
    ifs = "".join(f"    if x == {n}:\n        return {n}\n" for n in range(branches))
    return f"def {name}(x):\n{ifs}    return None\n\n\n"


def judge(
    folder: Path, before: dict[str, str], after: dict[str, str | None], **options: object
) -> CheckResult:
    evidence = evidence_of(folder, before, after)
    return ComplexityEvaluator().judge(evidence, check_of("complexity", **options))


def test_the_score_is_the_share_of_changed_functions_that_are_simple(tmp_path: Path) -> None:
    before = {"a.py": function("old", 30)}
    after: dict[str, str | None] = {
        "a.py": function("old", 30) + function("easy", 2) + function("hard", 20)
    }
    result = judge(tmp_path, before, after)
    assert result.score == 0.5
    assert [(f.path, f.line) for f in result.findings] == [("a.py", 73)]
    assert "hard has a complexity of 21; 15 is the most" in result.findings[0].message


def test_a_function_that_was_tangled_may_stay_so_but_not_get_worse(tmp_path: Path) -> None:
    before = {"a.py": function("f", 20)}
    same: dict[str, str | None] = {"a.py": function("f", 20).replace("return 3", "return 33")}
    assert judge(tmp_path / "1", before, same).score == 1.0
    assert judge(tmp_path / "2", before, {"a.py": function("f", 21)}).score == 0.0


def test_a_scenario_may_ask_for_more(tmp_path: Path) -> None:
    assert judge(tmp_path, {}, {"a.py": function("f", 8)}, most=5).score == 0.0


def test_typescript_is_measured_too(tmp_path: Path) -> None:
    body = "".join(f"  if (x === {n}) return {n}\n" for n in range(20))
    after: dict[str, str | None] = {"a.ts": f"export function f(x: number) {{\n{body}}}\n"}
    assert judge(tmp_path, {}, after).score == 0.0


@pytest.mark.parametrize("path", ["a.md", "b.py"])
def test_without_a_touched_function_there_is_nothing_to_score(tmp_path: Path, path: str) -> None:
    result = judge(tmp_path, {"a.py": function("f", 3)}, {path: "x = 1\n"})
    assert (result.score, result.reason) == (None, "could not run: no function is new or changed")


@pytest.mark.parametrize("left", [None, "x = 1\n"], ids=["the file", "what was in it"])
def test_taking_functions_away_makes_nothing_simpler(tmp_path: Path, left: str | None) -> None:
    result = judge(tmp_path, {"a.py": "x = 1\n" + function("f", 30)}, {"a.py": left})
    assert result.score == 0.0
    assert "functions were taken away, none is new or changed: f" in result.details


def test_a_function_may_go_where_another_comes(tmp_path: Path) -> None:
    before = {"a.py": function("f", 30)}
    assert judge(tmp_path, before, {"a.py": function("g", 3)}).score == 1.0


def test_nothing_changed_scores_nothing(tmp_path: Path) -> None:
    assert judge(tmp_path, {"a.py": function("f", 1)}, {}).score == 0.0


def test_what_did_not_reach_grading_is_not_measured(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path, {}, {"a.py": function("f", 30)})
    evidence = replace(evidence, changes=Changes())
    assert ComplexityEvaluator().judge(evidence, check_of("complexity")).score == 0.0


@pytest.mark.parametrize(
    "text", ["function f(){" * 20_000, "x = 1\n" * 100_000], ids=["deep", "long"]
)
def test_what_cannot_be_measured_is_not_simple(tmp_path: Path, text: str) -> None:
    assert judge(tmp_path, {}, {"a.js": text}).score == 0.0


def test_a_text_that_takes_too_long_has_no_numbers_and_the_others_keep_theirs() -> None:
    file = FilePatch("a.py", PatchKind.ADDED)
    texts = [function("f", 1).encode(), ("(" * 400_000).encode()]
    sources = [Source(file, text, ".py") for text in texts]
    first, second = measure(sources, deadline_s=30.0)
    assert first is not None
    assert first[0].complexity == 2
    assert second is not None
    assert measure(sources, deadline_s=0.0) == [None, None]


@pytest.mark.parametrize("path", ["bin/tool", "tool.dat", "a.mts", "a.pyw", "a.svelte"])
def test_a_name_keeps_no_code_from_being_measured(tmp_path: Path, path: str) -> None:
    ifs = "".join(f"  if (x === {n}) return {n}\n" for n in range(20))
    script = f"export function f(x: number) {{\n{ifs}}}\n"
    text = {
        "bin/tool": f"#!/usr/bin/env python3\n{function('f', 20)}",
        "tool.dat": f"#!/usr/bin/node\n{script.replace(': number', '')}",
        "a.mts": script,
        "a.pyw": function("f", 20),
        "a.svelte": f"<script>\n{script}</script>\n",
    }
    result = judge(tmp_path, {}, {path: text[path]})
    assert result.score == 0.0
    assert "f has a complexity of 21" in result.findings[0].message


@pytest.mark.parametrize(("easy", "score"), [({}, None), ({"a.py": function("f", 2)}, 1.0)])
def test_what_was_not_measured_is_named(
    tmp_path: Path, easy: dict[str, str], score: float | None
) -> None:
    text = {"a.txt": function("f", 20), "b.xyz": "x\n", "uv.lock": "x\n", "c.md": "x\n"}
    result = judge(tmp_path, {}, {**easy, **text}, ignore=["c.md"])
    said = "not measured: 45 changed lines of other files: a.txt (44), b.xyz (1)"
    assert (result.score, result.details[-1]) == (score, said)


def test_many_small_files_push_no_tangled_one_out(tmp_path: Path) -> None:
    after = {f"a{n:03}.py": function("f", 0) for n in range(MOST_FILES)}
    result = judge(tmp_path, {}, {**after, "z.py": function("f", 20)})
    assert [finding.path for finding in result.findings] == ["z.py"]
