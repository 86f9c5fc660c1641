from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.domain.model import ModelSettings
from harness.domain.rubric import DEFAULT_CATEGORIES, Category, Combine, Rubric
from harness.load.rubric import RubricFile, read_rubric
from harness.load.source import read_source
from tests.load.project import MINIMAL, Project

Make = Callable[..., Project]


@pytest.fixture
def read(project: Make) -> Callable[[str], RubricFile]:
    """The rubric of a scenario.yaml that ends with some lines; there is a solution."""

    def make(lines: str) -> RubricFile:
        made = project(MINIMAL + lines).write({"solution/a.py": ""})
        return read_rubric(read_source(made.folder / "scenario.yaml"))

    return make


Read = Callable[[str], RubricFile]


def sound(found: RubricFile) -> Rubric:
    assert found.problems == ()
    assert found.rubric is not None
    return found.rubric


ORIGINAL = """\
llm_judge:
  enabled: true
  model: "anthropic/claude-3.5-sonnet"
  temperature: 0.1
  max_tokens: 2000
  categories:
    - "Targets (30%): Updates x (>=5.5 <6). Score 1-5: 1=wrong, missing, 3=half, 5=all targets met"
    - "TypeScript & Type Safety (Weight: 25%): Proper typing"
    - "Package Manager (weight: 45 %)"
"""


def test_the_originals_form_is_read(read: Read) -> None:
    rubric = sound(read(ORIGINAL))
    assert rubric.categories == (
        Category(
            "Targets",
            0.3,
            "Updates x (>=5.5 <6).",
            ((1, "wrong, missing"), (3, "half"), (5, "all targets met")),
        ),
        Category("TypeScript & Type Safety", 0.25, "Proper typing"),
        Category("Package Manager", 0.45),
    )
    assert rubric.judges == ("openrouter:anthropic/claude-3.5-sonnet",)
    assert rubric.settings == ModelSettings(temperature=0.1, max_output_tokens=2000)
    assert (rubric.samples, rubric.combine, rubric.disagreement) == (1, Combine.MEDIAN, 1.0)
    assert not rubric.with_solution
    assert not rubric.with_statement


def test_every_field_of_our_own_is_read(read: Read) -> None:
    rubric = sound(
        read("""\
llm_judge:
  enabled: true
  judges: ["anthropic:a", "openai:b@http://localhost:1/v1", "meta-llama/c:free"]
  samples: 3
  combine: majority
  disagreement: 1.5
  show: {solution: true, statement: true}
  categories:
    - {name: Safety, weight: 60, text: "Nothing breaks.", anchors: {"5": none, "1": much}}
    - {name: Style, weight: 40}
""")
    )
    assert rubric == Rubric(
        categories=(
            Category("Safety", 0.6, "Nothing breaks.", ((1, "much"), (5, "none"))),
            Category("Style", 0.4),
        ),
        judges=("anthropic:a", "openai:b@http://localhost:1/v1", "openrouter:meta-llama/c:free"),
        samples=3,
        combine=Combine.MAJORITY,
        disagreement=1.5,
        with_solution=True,
        with_statement=True,
    )


def test_without_weights_every_category_counts_alike(read: Read) -> None:
    rubric = sound(read('llm_judge: {enabled: true, categories: ["A: b", {name: C}, "D"]}\n'))
    assert [(c.name, c.weight) for c in rubric.categories] == [
        ("A", pytest.approx(1 / 3)),
        ("C", pytest.approx(1 / 3)),
        ("D", pytest.approx(1 / 3)),
    ]


@pytest.mark.parametrize("weights", [(33, 33, 33), (33.3, 33.3, 33.3), (16.67, 33.33, 50)])
def test_weights_may_be_rounded_and_still_make_a_whole(
    read: Read, weights: tuple[float, ...]
) -> None:
    names = ", ".join(f'"{n} ({weight}%)"' for n, weight in enumerate(weights))
    rubric = sound(read(f"llm_judge: {{enabled: true, categories: [{names}]}}\n"))
    assert sum(c.weight for c in rubric.categories) == pytest.approx(1)


def test_without_categories_there_are_four_that_are_documented(read: Read) -> None:
    rubric = sound(read("llm_judge: {enabled: true}\n"))
    assert rubric.categories == DEFAULT_CATEGORIES
    assert sum(c.weight for c in DEFAULT_CATEGORIES) == pytest.approx(1)
    assert all([level for level, _ in c.anchors] == [1, 3, 5] for c in DEFAULT_CATEGORIES)
    assert rubric.judges == ()


@pytest.mark.parametrize(
    ("categories", "problem"),
    [
        ('["A (30%)", "B (60%)"]', "the weights add up to 90%; they must add up to 100%"),
        ('["A (30%)", "B (71%)"]', "the weights add up to 101%"),
        ('["A (50%)", "B (50%)", "C (50%)"]', "the weights add up to 150%"),
        ("[{name: A, weight: 0.5}, {name: B, weight: 0.5}]", "the weights add up to 1%"),
        ('["A (100%)", "B"]', "'B' has no weight, and others have"),
        ('["A (100%)", {name: B}]', "'B' has no weight, and others have"),
        ('["A (Weight 30%): x"]', "the weight in 'A (Weight 30%)' cannot be read"),
        ('["A (about 30%)", "B (100%)"]', "the weight in 'A (about 30%)' cannot be read"),
        ('["A (100%)", "B (0%)"]', "'B' has a weight of 0%"),
        ('["A (50%): x", "a (50%): y"]', "names more than one category"),
        ('[": x"]', "has no name before its colon"),
    ],
)
def test_categories_that_do_not_add_up_are_said_before_any_money_is_spent(
    read: Read, categories: str, problem: str
) -> None:
    found = read(f"llm_judge: {{enabled: true, categories: {categories}}}\n")
    assert any(problem in each.text for each in found.problems)
    assert all(each.place[:2] == ("llm_judge", "categories") for each in found.problems)


@pytest.mark.parametrize(
    ("lines", "place", "problem"),
    [
        (
            "model: gpt-4o",
            ("model",),
            "'gpt-4o' says no provider; write provider:model, with one of anthropic, openai,",
        ),
        ("judges: ['antropic:claude']", ("judges", 0), "did you mean 'anthropic'?"),
        ("model: 'llama3:8b@http://localhost:1/v1'", ("model",), "no provider 'llama3'; there is"),
        ("model: 'openai:'", ("model",), "names no model"),
        ("model: 'openai:x@http:nowhere'", ("model",), "is no URL"),
        ("judges: ['openai:a', 'b']", ("judges", 1), "'b' says no provider"),
        ("model: 'openai:a', judges: ['openai:b']", ("model",), "give only one of them"),
        ("model: 'anthropic:a', temperature: 1.5", ("model",), "it goes from 0 to 1"),
    ],
)
def test_judges_that_cannot_be_asked_are_named(
    read: Read, lines: str, place: tuple[str | int, ...], problem: str
) -> None:
    found = read(f"llm_judge: {{enabled: true, {lines}}}\n")
    assert [each.place for each in found.problems] == [("llm_judge", *place)]
    assert problem in found.problems[0].text


LISTED = MINIMAL + "  - {name: review, uses: llm_judge}\n"


def test_a_rubric_is_there_exactly_when_a_check_is_made_by_it(project: Make) -> None:
    def rubric(text: str) -> RubricFile:
        return read_rubric(read_source(project(text).folder / "scenario.yaml"))

    assert rubric(MINIMAL) == RubricFile()
    assert rubric(MINIMAL + "llm_judge: {model: nonsense}\n") == RubricFile()
    assert rubric(MINIMAL + "llm_judge: {enabled: false}\n") == RubricFile()
    assert sound(rubric(LISTED)).categories == DEFAULT_CATEGORIES
    assert sound(rubric(LISTED + "llm_judge: {samples: 2}\n")).samples == 2
    (problem,) = rubric(LISTED + "llm_judge: {enabled: false}\n").problems
    assert problem.place == ("llm_judge", "enabled")


def test_a_solution_that_is_not_there_cannot_be_shown(project: Make) -> None:
    made = project(MINIMAL + "llm_judge: {enabled: true, show: {solution: true}}\n")
    (problem,) = read_rubric(read_source(made.folder / "scenario.yaml")).problems
    assert problem.place == ("llm_judge", "show", "solution")
    made.write({"solution/a.py": ""})
    assert sound(read_rubric(read_source(made.folder / "scenario.yaml"))).with_solution


def test_what_the_schema_refuses_is_said_once(project: Make) -> None:
    made = project(MINIMAL + 'llm_judge: {enabled: true, samples: 0, categories: ["A (3%)"]}\n')
    (error,) = [each for each in made.errors() if "llm_judge" in each and "evaluator" not in each]
    assert "samples" in error


@pytest.mark.parametrize(
    ("category", "said"),
    [
        ("{weight: 3}", "'name' is missing"),
        ("{name: A, wieght: 3}", "did you mean 'weight'"),
        ('{name: A, anchors: {"6": x}}', "unknown key '6'"),
        ("{name: A, weight: 0}", "more than 0"),
        ('{name: "A\\nB"}', "a name on one line"),
        ('" "', "text with something in it"),
        ("7", "is not text or a mapping"),
    ],
)
def test_a_category_that_is_none_is_explained(project: Make, category: str, said: str) -> None:
    made = project(MINIMAL + f"llm_judge: {{enabled: true, categories: [{category}]}}\n")
    assert any(said in each for each in made.errors())


def test_an_anchor_text_that_cannot_be_split_stays_in_the_text(read: Read) -> None:
    odd = "Score 1-5: as you like, 5=best, 5=again"
    rubric = sound(read(f'llm_judge: {{enabled: true, categories: ["A: b. {odd}"]}}\n'))
    assert rubric.categories[0].text == f"b. {odd}"
    assert rubric.categories[0].anchors == ()
