from datetime import datetime

import pytest

from lanyard import Attendee, badge, fit, initials
from lanyard.clusters import clusters


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("Tove", 4, "Tove"),
        ("Tove Lindqvist", 14, "Tove Lindqvist"),
        ("Tove Lindqvist", 13, "Tove Lindq…"),
        ("Tove Lindqvist", 8, "Tove…"),
        ("Tove", 3, "…"),
        ("Tove", 2, ""),
        ("Zoë Ö", 5, "Zo…"),
    ],
)
def test_a_line_fits_the_printer(text, limit, line):
    assert fit(text, limit) == line


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Tove Lindqvist", "TL"),
        ("Juan de la Torre", "JT"),
        ("Cher", "C"),
        ("e\u0301va Nagy", "E\u0301N"),
        ("", ""),
    ],
)
def test_initials_are_whole_characters(name, letters):
    assert initials(name) == letters


def test_a_badge_has_three_lines():
    guest = Attendee("tove", "Tove Lindqvist", datetime(2024, 2, 1))
    assert badge(guest, 10) == ["TL", "Tove Li…", "@tove"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("abc", ["a", "b", "c"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", ["\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"]),
        ("\U0001f469\u200d\U0001f467x", ["\U0001f469\u200d\U0001f467", "x"]),
        ("\U0001f44d\U0001f3fd!", ["\U0001f44d\U0001f3fd", "!"]),
        ("\u1112\u1161\u11ab\u1100", ["\u1112\u1161\u11ab", "\u1100"]),
        ("कि", ["कि"]),
        ("a\r\nb", ["a", "\r\n", "b"]),
    ],
)
def test_clusters_are_what_readers_see(text, parts):
    assert list(clusters(text)) == parts
