from __future__ import annotations

import json
from typing import Any

import pytest

from harness.judging.answers import Passages, Verdict, read_answer
from tests.judging.works import CATEGORIES

DIFF = [
    "@@ -1,4 +1,5 @@",
    " def total(items):",
    "-    return 0",
    "+    checked = [int(x) for x in items]",
    "+    return sum(checked)",
    " # ----------",
    "+}",
    "+x = 1",
]
PASSAGES = Passages([DIFF, ["build", "make build: exit code 0"]])


def item(category: str = "Correctness", **other: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever a model writes
    usual = {"reasoning": "It sums.", "quotes": ["return sum(checked)"], "score": 4}
    return {"category": category, **usual, **other}


def reply(*items: object) -> str:
    return json.dumps({"scores": list(items)})


def read(*items: object) -> tuple[Verdict, ...]:
    answer = read_answer(reply(*items), CATEGORIES, PASSAGES)
    assert answer.problems == ()
    return answer.verdicts


def test_every_category_once_in_any_order_with_whole_and_half_marks() -> None:
    found = read(item("tests &  STYLE", score=3.5), item(score=5))
    assert [verdict.score for verdict in found] == [5.0, 3.5]
    assert found[0].quotes == ("return sum(checked)",)
    assert found[0].reasoning == "It sums."


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "\n```\n{}\n```\n", "  {}\n"])
def test_a_fence_around_the_answer_does_no_harm(fence: str) -> None:
    text = fence.replace("{}", reply(item(), item("Tests & style")))
    assert read_answer(text, CATEGORIES, PASSAGES).verdicts


def test_line_ends_within_a_text_do_no_harm() -> None:
    text = reply(item(), item("Tests & style")).replace("It sums.", "It\nsums.")
    assert read_answer(text, CATEGORIES, PASSAGES).verdicts[0].reasoning == "It\nsums."


GOOD = reply(item(), item("Tests & style"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not one JSON object"),
        ("4 out of 5", "not one JSON object"),
        ("[1]", "not one JSON object"),
        (f"Here you are: {GOOD}", "not one JSON object"),
        (f"{GOOD}\n{GOOD}", "not one JSON object"),
        (f"```\n{GOOD}\n```\n```\n{GOOD}\n```", "not one JSON object"),
        (GOOD[:-2], "not one JSON object"),
        ('{"scores": [], "scores": []}', "not one JSON object"),
        (GOOD.replace("4", "NaN"), "not one JSON object"),
        ("[" * 100_000, "not one JSON object"),
        ('{"a":' * 100_000, "not one JSON object"),
        ('{"scores": ' + "9" * 10_000 + "}", "not one JSON object"),
        (" " * 500_000 + GOOD, "not one JSON object"),
        ("{}", "no list `scores`"),
        ('{"scores": {"Correctness": 4}}', "no list `scores`"),
        (reply(item()), '"Tests & style" is missing'),
        (reply(item(), item(), item("Tests & style")), "scores[1]: its category stands there"),
        (reply(item(), item("Style"), item("Tests & style")), "scores[1]: `category` is none"),
        (reply(item(), item("Tests & style"), "x"), "scores[2]: is no object"),
        (reply(item(), item(["Tests & style"])), "scores[1]: `category` is none"),  # type: ignore[arg-type]  # no text
        *(
            (reply(item(score=score), item("Tests & style")), "scores[0]: `score` is no mark")
            for score in (0, 6, 4.25, "4", True, None, [4], 1e308, 10**30)
        ),
        (reply(item(reasoning=" "), item("Tests & style")), "scores[0]: `reasoning`"),
        (reply(item(reasoning=None), item("Tests & style")), "scores[0]: `reasoning`"),
        (reply(item(quotes="sum"), item("Tests & style")), "scores[0]: `quotes`"),
        (reply(item(quotes=[1]), item("Tests & style")), "scores[0]: `quotes`"),
        (reply({"category": "Correctness"}, item("Tests & style")), "scores[0]: `score`"),
    ],
)
def test_everything_else_is_no_answer_and_says_why(text: str, problem: str) -> None:
    answer = read_answer(text, CATEGORIES, PASSAGES)
    assert answer.verdicts == ()
    assert any(problem in said for said in answer.problems)


def test_all_that_is_wrong_is_said_at_once_but_not_without_end() -> None:
    answer = read_answer(reply(item(score=9, reasoning=""), item("X")), CATEGORIES, PASSAGES)
    assert len(answer.problems) == 4
    endless = read_answer(reply(*[item("X")] * 1_000), CATEGORIES, PASSAGES)
    assert len(endless.problems) == 20


@pytest.mark.parametrize(
    "quote",
    [
        "return sum(checked)",
        "+    return sum(checked)",
        "checked = [int(x) for x in items]\n    return sum(checked)",
        "+    checked = [int(x) for x in items]\n+    return sum(checked)",
        "def total(items): return 0",
        "def total(items):\n    checked = [int(x)",
        " def total(items):\n-    return 0\n+    checked",
        "  return \t sum(checked) ",
        "make build: exit code 0",
    ],
    ids=[
        "a line",
        "with its mark",
        "two lines",
        "two with marks",
        "as it was",
        "as it is",
        "as the diff stands",
        "white space",
        "a result",
    ],
)
def test_a_quotation_is_found_however_it_was_copied(quote: str) -> None:
    assert PASSAGES.hold(quote)


def test_a_short_quotation_has_to_be_a_whole_line() -> None:
    lines = Passages([["+x_1 = 2", "+y = 1"]])
    assert lines.hold("x_1 = 2")
    assert not lines.hold("x_1 =")
    assert not lines.hold("y = 1")


@pytest.mark.parametrize(
    "quote",
    [
        "",
        "}",
        "# ----------",
        "return",
        "sum(",
        "return sum(items)",
        "RETURN SUM(CHECKED)",
        "+",
        "@@",
    ],
)
def test_what_is_not_in_the_work_or_on_every_page_is_no_quotation(quote: str) -> None:
    assert not PASSAGES.hold(quote)


def test_a_good_mark_without_a_quotation_that_is_found_counts_as_three() -> None:
    invented, empty = read(
        item(score=5, quotes=["return max(x)"]), item("Tests & style", quotes=[])
    )
    assert (invented.score, invented.capped, invented.unfounded) == (3.0, True, ("return max(x)",))
    assert (empty.score, empty.capped) == (3.0, True)


def test_a_low_mark_needs_no_quotation_and_one_that_is_found_is_enough() -> None:
    low, good = read(
        item(score=2.5, quotes=["nowhere at all"]),
        item("Tests & style", score=5, quotes=["nowhere at all", "return sum(checked)"]),
    )
    assert (low.score, low.capped, low.unfounded) == (2.5, False, ("nowhere at all",))
    assert (good.score, good.unfounded) == (5.0, ("nowhere at all",))


def test_quotations_are_cut_in_number_and_length() -> None:
    (found, _) = read(item(quotes=["x" * 5000] * 50), item("Tests & style"))
    assert len(found.quotes) == 10
    assert len(found.quotes[0]) == 2000
