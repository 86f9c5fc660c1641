from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from harness.domain.patch import Patch
from harness.domain.rubric import Rubric
from harness.judging import Case
from harness.judging.prompt import instructions
from harness.judging.ranking import Rank, rank
from harness.judging.shown import show, visible
from harness.patches import parse_patch
from tests.judging.works import RUBRIC, WORK, a_case, patch

MODIFIED = b"""\
diff --git a/a.py b/a.py
index 123..456 100755
--- a/a.py
+++ b/a.py
@@ -1,2 +1,2 @@ def f():
 kept
-was
+is
"""
BINARY = b"""\
diff --git a/logo.png b/logo.png
new file mode 100644
GIT binary patch
literal 5
Mc$~{iWB~vG0000

"""


def document(case: Case, rubric: Rubric = RUBRIC, room: float = 1.0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(show(case, rubric, room).document)
    return found


def test_a_small_case_is_shown_whole_in_the_order_of_its_paths() -> None:
    files = {"z.lock": "l\n", "b/test_x.py": "t\n", "a.py": "s\n"}
    results = (("build", 1.0, ("make build: exit code 0",)), ("lint", None, ("could not run",)))
    found = document(replace(a_case(files), results=results))
    assert found["task"] == ["Please mend the sums."]
    assert [file["path"] for file in found["work"]["files"]] == ["z.lock", "b/test_x.py", "a.py"]
    assert "files_left_out" not in found["work"]
    assert found["results"][1] == {"name": "lint", "score": None, "details": ["could not run"]}
    assert set(found) == {"task", "work", "results"}


def test_what_the_author_says_of_the_scenario_is_shown_beside_the_task() -> None:
    assert document(replace(a_case(), about="Sums\nOf money."))["about"] == ["Sums", "Of money."]


def test_a_file_is_its_hunks_line_by_line() -> None:
    case = replace(a_case(), patch=parse_patch(MODIFIED))
    (file,) = document(case)["work"]["files"]
    assert file == {
        "path": "a.py",
        "change": "modified",
        "diff": ["@@ -1,2 +1,2 @@ def f():", " kept", "-was", "+is"],
    }


def test_a_binary_file_is_named_and_not_shown() -> None:
    work = document(replace(a_case(), patch=parse_patch(BINARY + MODIFIED)))["work"]
    assert [file["path"] for file in work["files"]] == ["a.py"]
    (left_out,) = work["files_left_out"]
    assert (left_out["path"], left_out["why"]) == ("logo.png", "binary")


def test_the_solution_and_the_statement_are_shown_only_where_the_rubric_says_so() -> None:
    case = replace(a_case(), statement="All done!", solution=patch({"s.py": "best()\n"}))
    assert "All done!" not in show(case, RUBRIC).document
    assert "best()" not in show(case, RUBRIC).document
    both = document(case, replace(RUBRIC, with_solution=True, with_statement=True))
    assert both["statement"] == ["All done!"]
    assert both["reference_solution"]["files"][0]["diff"][1] == "+best()"


def test_the_solution_is_nothing_that_can_be_quoted() -> None:
    case = replace(a_case(), solution=patch({"s.py": "best()\n"}))
    shown = show(case, replace(RUBRIC, with_solution=True))
    assert "best" not in repr(shown.work)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/app.py", Rank.SOURCE),
        ("Makefile", Rank.SOURCE),
        ("latest.py", Rank.SOURCE),
        ("contest/main.go", Rank.SOURCE),
        ("package.json", Rank.SETTINGS),
        (".eslintrc", Rank.SETTINGS),
        ("tests/helper.py", Rank.TESTS),
        ("src/app.test.tsx", Rank.TESTS),
        ("pkg/sum_test.go", Rank.TESTS),
        ("README.md", Rank.TEXTS),
        ("pnpm-lock.yaml", Rank.GENERATED),
        ("poetry.lock", Rank.GENERATED),
        ("node_modules/a/index.js", Rank.GENERATED),
        ("dist/app.js", Rank.GENERATED),
        ("a" * 100_000, Rank.SOURCE),
    ],
)
def test_a_files_name_says_how_much_it_matters(path: str, kind: Rank) -> None:
    assert rank(replace(patch({"x": "1"}).files[0], path=path)) is kind


def test_what_does_not_fit_is_ranked_cut_and_named() -> None:
    lines = "some_line_of_code = 1234\n"
    files = {
        "a.lock": lines * 3000,
        "big.py": lines * 6000,
        "small.py": lines,
        "test_small.py": lines * 2,
    }
    shown = show(a_case(files), RUBRIC)
    work = json.loads(shown.document)["work"]
    assert [f["path"] for f in work["files"]] == ["small.py", "big.py", "test_small.py", "a.lock"]
    big = work["files"][1]
    assert big["lines_left_out"] == 6001 - len(big["diff"])
    assert 0 < len(big["diff"]) < 2000
    assert shown.notes == ["only the beginning of big.py, a.lock was shown"]


def test_a_flood_of_new_files_does_not_hide_a_file_that_was_changed() -> None:
    flood = patch({f"a{n:04}.py": "x = 1\n" for n in range(3000)}).files
    (changed,) = parse_patch(MODIFIED + b"+more\n" * 100).files
    case = replace(a_case(), patch=Patch((*flood, changed)))
    assert document(case)["work"]["files"][0]["path"] == changed.path


def test_files_without_room_are_named_and_counted() -> None:
    files = {f"src/f{n:04}.py": "x = 1\n" * 50 for n in range(1000)}
    shown = show(a_case(files), RUBRIC)
    work = json.loads(shown.document)["work"]
    assert len(work["files"]) + work["number_of_files_left_out"] == 1000
    assert len(work["files_left_out"]) == 100
    assert work["files_left_out"][0]["lines_added"] == 50
    assert "more" in shown.notes[0]


def test_a_case_keeps_its_size_whatever_is_in_it() -> None:
    wild = "\u202e" * 3_000_000 + "\n" + '"\n' * 400_000 + "\x00" * 1_000_000
    case = replace(
        a_case({"a.py": wild, "b.py": wild[:900]}),
        task=wild,
        statement=wild,
        results=tuple((wild, 0.5, (wild,) * 500) for _ in range(500)),
        solution=patch({"s.py": wild}),
    )
    rubric = replace(RUBRIC, with_solution=True, with_statement=True)
    whole, less = (len(show(case, rubric, room).document) for room in (1.0, 0.15))
    assert whole < 500_000
    assert less < whole


def test_a_patch_that_was_too_long_to_be_read_says_so() -> None:
    case = replace(a_case(), patch=replace(a_case().patch, cut=True))
    assert "note" in document(case)["work"]
    assert show(case, RUBRIC).notes == ["the patch was too long to be read to its end"]


def test_long_lines_are_cut_and_say_so() -> None:
    (file,) = document(a_case({"a.js": "x" * 50_000}))["work"]["files"]
    assert file["diff"][1].endswith("<cut: the line has 50001 characters>")
    assert len(file["diff"][1]) < 1100


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain\ttext, Grüße, 数, 🎉", "plain\ttext, Grüße, 数, 🎉"),
        ("\u202e", "<U+202E>"),
        ("\u200b\u2060\ufeff", "<U+200B><U+2060><U+FEFF>"),
        ("\x1b[1m\x7f\x9b", "<U+001B>[1m<U+007F><U+009B>"),
        ("\U000e0041", "<U+E0041>"),
        ("\ufe0f\U000e0100\u3164", "<U+FE0F><U+E0100><U+3164>"),
        ("\ud800", "<U+D800>"),
        ("\u00a0", "<U+00A0>"),
    ],
)
def test_every_character_can_be_seen(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_the_rubric_is_in_the_rules_with_weights_and_anchors() -> None:
    told = instructions(RUBRIC)
    assert "## Correctness (60%)\nIt works.\n- 1: no\n- 5: yes" in told
    assert "## Tests & style (40%)" in told


def test_an_empty_patch_can_be_shown() -> None:
    assert document(replace(a_case(), patch=Patch()))["work"] == {"files": []}
    assert document(a_case(WORK))["work"]["files"]
