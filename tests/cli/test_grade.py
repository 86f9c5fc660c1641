"""`bench grade` and `bench agreement`: people's marks, and how judges compare with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from harness import wiring
from harness.cli.grade import ask_marks
from harness.domain.judgement import Review
from harness.domain.record import TreeRef
from harness.domain.rubric import Category, Rubric
from harness.report.agreement import FEWEST
from harness.settings import Settings
from harness.testing.store import a_record, a_review
from tests.cli.conftest import Cli
from tests.cli.judged import store_run, with_rubric

ANN = ("grade", "last", "--by", "ann")
SCORES = ("--score", "Correctness=4", "--score", "style = 2")
SOMEWHERE = TreeRef("base", "commit", 1, 2, 3)
"""Nobody looks at it: who grades has looked at the work before."""
RUBRIC = Rubric(
    (
        Category("Correctness", 0.6, "It does what was asked.", ((1, "no"), (5, "yes"))),
        Category("Style", 0.4, "It reads well."),
    )
)


@pytest.fixture
def graded(project: Path) -> Path:
    """A project with a run that can be graded in two categories."""
    with_rubric(project)
    store_run(project, tree=SOMEWHERE)
    return project


def reviews(project: Path) -> tuple[Review, ...]:
    return tuple(wiring.open_store(Settings(project)).reviews())


def test_a_person_s_marks_are_kept_beside_the_run(cli: Cli, graded: Path) -> None:
    before = wiring.open_store(Settings(graded)).run("run_1")
    result = cli(*ANN, *SCORES, "--note", "nearly")
    assert result.exit_code == 0, result.stderr
    (review,) = reviews(graded)
    said = review.judgement
    assert (review.run, said.by, said.is_human, said.note) == ("run_1", ("ann",), True, "nearly")
    assert [(m.category, m.weight, m.score) for m in said.marks] == [
        ("Correctness", 0.6, 4), ("Style", 0.4, 2),
    ]  # fmt: skip
    assert said.score == pytest.approx(0.6 * 0.75 + 0.4 * 0.25)
    assert wiring.open_store(Settings(graded)).run("run_1") == before
    for words in ("ann, a person: 0.55", "Correctness     60%     4", "nearly"):
        assert words in result.stdout


def test_a_second_grade_by_the_same_person_replaces_the_first_and_keeps_it(
    cli: Cli, graded: Path
) -> None:
    cli(*ANN, *SCORES)
    cli("grade", "last", "--by", "bob", *SCORES)
    cli(*ANN, "--score", "Correctness=5", "--score", "Style=5")
    assert len(reviews(graded)) == 3
    shown = json.loads(cli("show", "last", "--json").stdout)["reviews"]
    assert [(each["by"], each["score"], each["counts"]) for each in shown] == [
        (["ann"], pytest.approx(0.55), False),
        (["bob"], pytest.approx(0.55), True),
        (["ann"], 1.0, True),
    ]
    panel = cli("show", "last").stdout
    assert panel.count("Replaced since") == 1
    assert panel.count("Judged later") == 2


def test_marks_come_from_a_file(cli: Cli, graded: Path) -> None:
    path = graded / "marks.yaml"
    path.write_text("scores: {Correctness: 1, Style: 5}\nnote: from a file\n")
    found = json.loads(cli(*ANN, "--from", str(path), "--json").stdout)
    assert [mark["score"] for mark in found["marks"]] == [1, 5]
    assert (found["note"], found["by"]) == ("from a file", ["ann"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scores: {Correctness: 6}\n", "out of range; it must be at most 5"),
        ("scores: {Correctness: 2.5}\n", "is not a whole number"),
        ("score: {}\n", "did you mean 'scores'"),
        ("scores: {}\n", "no mark at all"),
        ("scores: {Stlye: 4}\n", "did you mean 'Style'"),
    ],
)
def test_a_broken_file_of_marks_is_refused(cli: Cli, graded: Path, text: str, said: str) -> None:
    path = graded / "marks.yaml"
    path.write_text(text)
    result = cli(*ANN, "--from", str(path))
    assert result.exit_code == 2
    assert said in result.stderr
    assert not reviews(graded)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--score", "Corectness=4"), "did you mean 'Correctness'"),
        (("--score", "Correctness=6"), "'6' is not 1, 2, 3, 4 or 5"),
        (("--score", "Correctness=0"), "'0' is not"),
        (("--score", "Correctness"), "is not CATEGORY=MARK"),
        (("--score", "Correctness=4"), "no mark for 'Style'; give all of them, or --partial"),
        ((*SCORES, "--score", "Style=3"), "'Style' has two marks"),
        ((), 'nobody is here to ask: --score "Correctness=…" --score "Style=…"'),
        ((*SCORES, "--by", " "), "is no name"),
        ((*SCORES, "--by", "openai:gpt-5.2"), "is a model's name"),
        ((*SCORES, "--by", "Anthropic: claude"), "is a model's name"),
        ((*SCORES, "--by", "a\x1b[2Jb"), "is no name"),
    ],
)
def test_marks_that_do_not_fit_the_rubric_are_refused(
    cli: Cli, graded: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = cli(*ANN, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not reviews(graded)


def test_categories_may_be_left_out_on_purpose(cli: Cli, graded: Path) -> None:
    assert cli(*ANN, "--partial", "--score", "Style=3").exit_code == 0
    (review,) = reviews(graded)
    assert [mark.category for mark in review.judgement.marks] == ["Style"]
    assert review.judgement.score == 0.5


def test_a_scenario_without_a_rubric_is_graded_in_the_usual_categories(
    cli: Cli, project: Path
) -> None:
    store_run(project, tree=SOMEWHERE)
    result = cli(*ANN, "--partial", "--score", "Restraint=5")
    assert result.exit_code == 0
    assert "Correctness, Completeness, Code quality, Restraint" in result.stderr


def answered(text: str, *, partial: bool = False) -> tuple[Mapping[str, int] | None, str]:
    """What `ask_marks` makes of somebody's typing, and what it showed."""
    found: list[Mapping[str, int]] = []

    @click.command()
    def command() -> None:
        found.append(ask_marks(RUBRIC, partial=partial))

    result = CliRunner().invoke(command, input=text)
    return (found[0] if found else None), result.stderr


def test_whoever_is_asked_sees_each_category_with_its_levels() -> None:
    marks, shown = answered("4\n2\n")
    assert marks == {"Correctness": 4, "Style": 2}
    for words in ("1/2  Correctness (60%)", "It does what was asked.", "5 = yes", "2/2  Style"):
        assert words in shown


def test_a_mark_that_is_none_is_asked_for_again() -> None:
    marks, shown = answered("six\n\n0\n3\n1\n")
    assert marks == {"Correctness": 3, "Style": 1}
    assert shown.count("is not 1, 2, 3, 4 or 5") == 3


def test_nothing_leaves_a_category_out_where_that_is_allowed() -> None:
    assert answered("\n5\n", partial=True)[0] == {"Style": 5}


def test_who_stops_half_way_has_given_no_marks() -> None:
    assert answered("4\n")[0] is None


def test_judges_are_compared_with_people_over_the_runs_of_a_batch(cli: Cli, graded: Path) -> None:
    store = wiring.open_store(Settings(graded))
    for n in range(FEWEST):
        name = f"run_x{n}"
        store.save(a_record(name))
        mark = n % 5 + 1
        store.save_review(a_review(name, "ann", scores=(mark, 3)))
        store.save_review(a_review(name, "openai:m", scores=(mark, 3)))
    found = json.loads(cli("agreement", "b", "--json").stdout)
    (match,) = found["matches"]
    assert (match["a"], match["b"], match["against_people"]) == ("ann", "openai:m", True)
    varied, same = match["categories"]
    assert (varied["kappa"], varied["exact"], varied["n"]) == (1.0, 1.0, FEWEST)
    assert (same["kappa"], same["ac1"]) == (None, None)
    assert same["why"] == "no variation: every mark is 3"
    shown = cli("agreement", "b").stdout
    assert "no kappa for B: no variation" in shown
    one = cli("agreement", "run_x0").stdout
    assert f"no kappa: too few runs: 1, and {FEWEST} are the least" in one


def test_an_agreement_of_nobody_says_what_to_do(cli: Cli, graded: Path) -> None:
    assert "bench grade RUN --by NAME" in cli("agreement").stdout
    cli(*ANN, *SCORES)
    assert "no two of them have judged the same run" in cli("agreement").stdout
    assert graded
