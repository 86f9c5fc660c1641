from __future__ import annotations

import time

import pytest

from harness.load import task_patterns
from harness.load.searching import Searcher
from harness.load.task_patterns import SlowPatternError, first_that_fits, pattern_problem


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("ant", "I want it", False),
        ("ant", "An ANT.", True),
        ("migrat*", "the migration of", True),
        ("migrat*", "immigration", False),
        ("write * tests", "Write some more tests", True),
        ("write * tests", "write tests", False),
        ("write * the * tests", "write all of the hidden tests", True),
        ("set up", "set\n  up", True),
        ("c++ code", "C++ code", True),
        (r"/fix(es|ed)?\b/i", "It FIXES that", True),
        ("/fix/", "FIX", False),
        ("/a.c/gs", "a\nc", True),
    ],
)
def test_a_pattern_is_words_or_a_regular_expression(pattern: str, text: str, *, fits: bool) -> None:
    assert first_that_fits((pattern,), text) == (0 if fits else None)


def test_the_first_pattern_that_fits_is_told() -> None:
    assert first_that_fits(("none", "/tw./", "one"), "one two") == 1


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("/(/", "parenthes"),
        ("a*a*a*a*b", "more than 3"),
        ("x * y * z * w * v", "more than 3"),
        # the engine's stack would not hold it, and the whole command would die
        (f"/{'|' * 100_000}/", "longer than 10,000 characters"),
    ],
    ids=["broken", "stars in a word", "stars between words", "too long"],
)
def test_what_is_no_pattern_is_refused(pattern: str, said: str) -> None:
    assert said in (pattern_problem(pattern) or "")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("/(a+)+$/", f"{'a' * 60}!"),
        ("a*a*a*b", "a" * 20_000),
        ("port * to", "port " * 40_000),
    ],
)
def test_a_pattern_that_would_hold_everything_up_is_ended(
    monkeypatch: pytest.MonkeyPatch, pattern: str, text: str
) -> None:
    monkeypatch.setattr(task_patterns, "DEADLINE_S", 0.2)
    began = time.monotonic()
    with pytest.raises(SlowPatternError) as caught:
        first_that_fits(("nothing", pattern), text)
    assert (caught.value.index, caught.value.why) == (1, "took over 0.2 s")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("pattern", ["fix*", "a whole line of words", "port * to"])
def test_words_begin_no_process(monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setattr(Searcher, "find", None)
    assert first_that_fits((pattern,), "Nothing of the kind is here.") is None
