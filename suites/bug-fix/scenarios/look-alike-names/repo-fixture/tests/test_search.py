import pytest

from lanyard import Directory, highlight, mentioned, search


@pytest.fixture
def guests():
    directory = Directory()
    directory.register("tove", "Tove Lindqvist")
    directory.register("juan", "Juan de la Torre")
    directory.register("jose", "José-María Lindo")
    return directory


@pytest.mark.parametrize(
    ("query", "handles"),
    [
        ("lind", ["jose", "tove"]),
        ("LIND tov", ["tove"]),
        ("jose", ["jose"]),
        ("JOSÉ", ["jose"]),
        ("maria", ["jose"]),
        ("orre", []),
        ("", []),
        ("%", []),
        ("juan lind", []),
    ],
)
def test_words_are_found_by_how_they_begin(guests, query, handles):
    assert [guest.handle for guest in search(guests, query)] == handles


@pytest.mark.parametrize(
    ("name", "query", "shown"),
    [
        ("Tove Lindqvist", "lind", "Tove [Lind]qvist"),
        ("Anna Andersson", "an", "[An]na [An]dersson"),
        ("José Lindo", "jos", "[Jos]é Lindo"),
        ("Tove Lindqvist", "xyz", "Tove Lindqvist"),
    ],
)
def test_what_was_found_is_highlighted(name, query, shown):
    assert highlight(name, query) == shown


@pytest.mark.parametrize(
    ("message", "handles"),
    [
        ("hi @tove!", ["tove"]),
        ("@Juan and @tove, and @juan again", ["juan", "tove"]),
        ("mail me@tove.example", []),
        ("@nobody is there", []),
        ("(@tove)", ["tove"]),
    ],
)
def test_mentions_are_resolved(guests, message, handles):
    assert [guest.handle for guest in mentioned(guests, message)] == handles
