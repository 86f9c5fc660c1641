from __future__ import annotations

import pytest

from harness.load.task_patterns import matcher


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("ant", "I want it", False),
        ("ant", "An ANT.", True),
        ("migrat*", "the migration of", True),
        ("migrat*", "immigration", False),
        ("write * tests", "Write some more tests", True),
        ("write * tests", "write tests", False),
        ("set up", "set\n  up", True),
        ("c++ code", "C++ code", True),
        (r"/fix(es|ed)?\b/i", "It FIXES that", True),
        ("/fix/", "FIX", False),
        ("/a.c/gs", "a\nc", True),
    ],
)
def test_a_pattern_is_words_or_a_regular_expression(pattern: str, text: str, *, fits: bool) -> None:
    assert matcher(pattern)(text) is fits


def test_a_broken_expression_is_refused() -> None:
    with pytest.raises(ValueError, match="parenthes"):
        matcher("/(/")
