"""Rules 7 to 10: search, highlighting and badges."""

from __future__ import annotations

from grading import cases

from driving import E_ACUTE, answer, drive

# names of guests g1, g2 …, query, who is found (in any order)
SEARCHES = [
    (["José Campo", f"Jos{E_ACUTE} Field", "Jose Hill", "Joan Lake"], "jose", ["g1", "g2", "g3"]),
    (["José Campo", f"Jos{E_ACUTE} Field", "Jose Hill"], f"JOS{E_ACUTE.upper()}", ["g1", "g2", "g3"]),
    (["Anna Groß", "Anna GROSS", "Anna Gros"], "gross", ["g1", "g2"]),
    (["Anna Groß", "Anna GROSS", "Anna Gros"], "groß", ["g1", "g2"]),
    (["\ufb01ona Hill", "Fiona Hill"], "fio", ["g1", "g2"]),
    (["Fiona Hill"], "\ufb01on", ["g1"]),
    (["\uff2d\uff41\uff52\uff41 Lake"], "mara", ["g1"]),
    (["\U0001d40cara Lake"], "mara", ["g1"]),
    (["Οδυσσεύς Ελύτης"], "ΟΔΥΣ", ["g1"]),
    (["Οδυσσεύς Ελύτης"], "οδυσσευσ", ["g1"]),
    (["Jo\u00adsé Campo", "Ma\u200bria Lake"], "jose", ["g1"]),
    (["Maria Lake"], "ma\u200bria", ["g1"]),
    (["e\u200d\u0301va Lake"], "eva", ["g1"]),
    (["が Lake", "か Hill", "か\u3099 Pond"], "か", ["g2"]),
    (["が Lake", "か Hill", "か\u3099 Pond"], "が", ["g1", "g3"]),
    (["한국 Lake", "하늘 Hill", "\u1112\u1161\u11ab\u1100\u116e\u11a8 Pond"], "하", ["g2"]),
    (["한국 Lake", "하늘 Hill", "\u1112\u1161\u11ab\u1100\u116e\u11a8 Pond"], "한", ["g1", "g3"]),
    (["सत्य Lake", "सतय Hill"], "सतय", ["g2"]),
    (["सत्य Lake", "सतय Hill"], "सत्य", ["g1"]),
    (["शांति Lake"], "शांति", ["g1"]),
    (["Ana María López", "Ana Lake"], "lop ANA", ["g1"]),
    (["Jean-Luc Lake"], "luc", ["g1"]),
    (["Anna Lake"], "nna", []),
    (["Anna Lake"], " - !", []),
]


@cases(SEARCHES)
def test_search_ignores_what_the_rules_say_and_nothing_else(case: tuple) -> None:
    expected = case[2]
    found = answer(
        """
def one(names, query):
    directory = lanyard.Directory()
    for number, name in enumerate(names, 1):
        directory.register("g%d" % number, name, datetime(2024, 1, number))
    return sorted(handles(lanyard.search(directory, query)))
""",
        [row[:2] for row in SEARCHES],
        case[:2],
    )
    assert found == expected


def test_search_finds_handles_too() -> None:
    found = drive(
        """
def main():
    directory = registered("Straße_1", "josé")
    return [handles(lanyard.search(directory, query)) for query in ("STRASSE", "jose", "rasse")]
"""
    )
    assert found == [["Straße_1"], ["josé"], []]


HIGHLIGHTS = [
    ("Groß", "gros", "[Groß]"),
    ("Groß", "gro", "[Gro]ß"),
    ("Große Ana", "ana", "Große [Ana]"),
    ("İpek Ana Su", "ana", "İpek [Ana] Su"),
    ("\ufb01ona Hill", "fi", "[\ufb01]ona Hill"),
    ("\ufb01ona Hill", "f", "[\ufb01]ona Hill"),
    ("\ufb03 \ufb01ona Hill", "hill", "\ufb03 \ufb01ona [Hill]"),
    (f"Jos{E_ACUTE} Lake", "jose", f"[Jos{E_ACUTE}] Lake"),
    (f"Jos{E_ACUTE} Lake", "jos", f"[Jos]{E_ACUTE} Lake"),
    (f"Jos{E_ACUTE} Lake", "lake", f"Jos{E_ACUTE} [Lake]"),
    ("José Lake", "josé", "[José] Lake"),
    ("Jo\u00adsé Lake", "jos", "[Jo\u00ads]é Lake"),
    ("Anna Andersson", "an anna", "[Anna] [An]dersson"),
    ("Anna Andersson", "anna A", "[Anna] [A]ndersson"),
    ("한국 Lake", "한", "[한]국 Lake"),
    ("\u1112\u1161\u11ab국 Lake", "한", "[\u1112\u1161\u11ab]국 Lake"),
    ("\uff76\uff9e\uff77 Lake", "ガ", "[\uff76\uff9e]\uff77 Lake"),
    ("Anna \U0001f469\u200d\U0001f467 Lake", "lake", "Anna \U0001f469\u200d\U0001f467 [Lake]"),
    ("Groß", "ß", "Groß"),
    ("Anna", "", "Anna"),
]


@cases(HIGHLIGHTS)
def test_highlighting_takes_whole_characters(case: tuple) -> None:
    driver = "def one(name, query):\n    return lanyard.highlight(name, query)\n"
    shown = answer(driver, [row[:2] for row in HIGHLIGHTS], case[:2])
    assert shown == case[2]


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
GERMANY, FRANCE = "\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"

LINES = [
    (f"Jos{E_ACUTE} Lake", 8, "Jos…"),
    (f"Jos{E_ACUTE} Lake", 9, f"Jos{E_ACUTE}…"),
    (f"Jos{E_ACUTE}", 6, f"Jos{E_ACUTE}"),
    (f"Al {FAMILY} Lake", 22, "Al…"),
    (f"Al {FAMILY} Lake", 24, f"Al {FAMILY}…"),
    (f"{GERMANY}{FRANCE}!", 16, f"{GERMANY}…"),
    (f"{GERMANY}{FRANCE}!", 15, f"{GERMANY}…"),
    (f"{GERMANY}{FRANCE}", 16, f"{GERMANY}{FRANCE}"),
    ("Hi \U0001f44d\U0001f3fd there", 11, "Hi…"),
    ("Hi \U0001f44d\U0001f3fd there", 14, "Hi \U0001f44d\U0001f3fd…"),
    ("\u1112\u1161\u11ab\u1100\u116e\u11a8", 12, "\u1112\u1161\u11ab…"),
    ("\u1112\u1161\u11ab\u1100\u116e\u11a8", 11, "…"),
    ("हिन्दी", 10, "हि…"),
    ("हिन्दी", 8, "…"),
    ("a\u0301\u0302\u0303bcd", 9, "…"),
    ("a\u0301\u0302\u0303b", 8, "a\u0301\u0302\u0303b"),
    ("Ana Lake", 7, "Ana…"),
    (f"{FAMILY}", 17, "…"),
    (f"{FAMILY}", 3, "…"),
    (f"{FAMILY}", 2, ""),
    ("1\ufe0f\u20e3 first", 8, "…"),
    ("1\ufe0f\u20e3 first", 10, "1\ufe0f\u20e3…"),
]


@cases(LINES)
def test_a_line_is_cut_between_characters(case: tuple) -> None:
    driver = "def one(text, limit):\n    return lanyard.fit(text, limit)\n"
    line = answer(driver, [row[:2] for row in LINES], case[:2])
    assert line == case[2]


def test_a_badge_is_cut_like_its_lines() -> None:
    lines = drive(
        """
def main(handle, name):
    directory = lanyard.Directory()
    return lanyard.badge(directory.register(handle, name), 9)
""",
        f"Jos{E_ACUTE}_maria",
        f"Jos{E_ACUTE} Lake",
    )
    assert lines == ["JL", f"Jos{E_ACUTE}…", "@Jos…"]
