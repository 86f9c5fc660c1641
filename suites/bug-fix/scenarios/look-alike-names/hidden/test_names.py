"""Every rule of docs/names.md, through what `lanyard` exports."""

from __future__ import annotations

import functools
import json

from grading import cases, python

COMMON = '''
import json
from datetime import datetime

import lanyard


def registered(*handles):
    directory = lanyard.Directory()
    for day, handle in enumerate(handles, 1):
        directory.register(handle, "Guest %d" % day, datetime(2024, 1, day))
    return directory


def outcome(action, *arguments):
    try:
        value = action(*arguments)
    except lanyard.LanyardError as error:
        return type(error).__name__
    return value.handle if isinstance(value, lanyard.Attendee) else value


def handles(guests):
    return [guest.handle for guest in guests]
'''


EACH = """

def main(table):
    answers = []
    for row in table:
        try:
            answers.append({"answer": one(*row)})
        except Exception as error:
            answers.append({"error": repr(error)})
    return answers
"""


def drive(body: str, *arguments: object) -> object:
    return python(COMMON + body, *arguments, path=["src"])


@functools.cache
def _answers(body: str, table: str) -> list:
    return python(COMMON + body + EACH, json.loads(table), path=["src"])


def answer(body: str, table: list, row: object) -> object:
    """What `one(*row)` of the driver returns; a whole table shares one worker."""
    found = _answers(body, json.dumps(table))[table.index(row)]
    assert list(found) == ["answer"], found
    return found["answer"]


E_ACUTE = "e\u0301"

SAME = [
    ("Straße", "STRASSE"),
    ("STRA\u1e9eE", "straße"),
    ("οδός", "ΟΔΌΣ"),
    ("οδοσ", "οδος"),
    ("Amélie", f"am{E_ACUTE}lie"),
    (f"Am{E_ACUTE}lie", "AMÉLIE"),
    ("\ufb01ona", "FIONA"),
    ("\uff21nna", "anna"),
    ("\U0001d400nna", "Anna"),
    ("\u212bke", "åke"),
    ("\u039c\u0391\u03aa\u0301\u039f\u03a5", "\u03bc\u03b1\u0390\u03bf\u03c5"),
    ("J\u030cana", "\u01f0ana"),
    ("\uff76\uff9e\uff6f\uff77", "ガッキ"),
    ("\u1112\u1161\u11ab\u1109\u1161", "한사"),
    ("an\u200dna", "ANNA"),
    ("anna\u00ad", "anna"),
    ("e\u200d\u0301va", "éva"),
    ("\u0646\u0627\u0645\u0647\u200c\u0647\u0627", "\u0646\u0627\u0645\u0647\u0647\u0627"),
]


@cases(SAME)
def test_the_same_handle_is_one_guest(case: tuple) -> None:
    typed, asked = case
    found, again, kept, mentioned, reverse = answer(
        """
def one(typed, asked):
    directory = registered(typed, "somebody")
    return [
        outcome(directory.find, asked),
        outcome(directory.register, asked, "Other"),
        handles(directory),
        handles(lanyard.mentioned(directory, "hi @" + asked + ", hi @" + typed + "!")),
        outcome(registered(asked).find, typed),
    ]
""",
        SAME,
        case,
    )
    assert found == typed
    assert again == "HandleTaken"
    assert kept == [typed, "somebody"]
    assert mentioned == [typed]
    assert reverse == asked


DIFFERENT = [
    ("jose", "josé"),
    ("naive", "naïve"),
    ("oca", "оса"),
    ("カキ", "ガキ"),
    ("סלום", "שלום"),
    ("सतय", "सत्य"),
    ("und1", "und_1"),
    ("ann", "anna"),
    ("hakon", "håkon"),
]


@cases(DIFFERENT)
def test_different_handles_are_two_guests(case: tuple) -> None:
    one, other = case
    kept, first, second, mentioned = answer(
        """
def one(this, other):
    directory = registered(this, other)
    return [
        handles(directory),
        outcome(directory.find, this.upper()),
        outcome(directory.find, other),
        handles(lanyard.mentioned(directory, "@" + other + " and @" + this)),
    ]
""",
        DIFFERENT,
        case,
    )
    assert kept == [one, other]
    assert (first, second) == (one, other)
    assert mentioned == [other, one]


ALLOWED = [
    f"Jos{E_ACUTE}",
    "हिन्दी",
    "\u0646\u0627\u0645\u0647\u200c\u0647\u0627",
    E_ACUTE * 20,
    "n\u0303a",
    "\u1112\u1161\u11ab" * 20,
    "x\u0301\u0302_1",
    "ab" + "\u200d" * 30,
    "עִבְרִית",
    "ab\u0661",
]
FORBIDDEN = [
    E_ACUTE * 21,
    E_ACUTE,
    "x\u200d\u200d",
    "\u200dab",
    "\u0301ab",
    "1\u0301ab",
    "a b",
    "a\u0301-b",
    "ab\u2028",
    "na\U0001f600",
    "\u00ad\u00ad",
    "",
]


@cases([[handle] for handle in (*ALLOWED, *FORBIDDEN)])
def test_what_can_be_a_handle(case: list) -> None:
    (handle,) = case
    found = answer(
        """
def one(handle):
    directory = registered("somebody")
    return [outcome(directory.register, handle, "Guest"), outcome(directory.rename, "somebody", handle)]
""",
        [[each] for each in (*ALLOWED, *FORBIDDEN)],
        case,
    )
    assert found == ([handle, "HandleTaken"] if handle in ALLOWED else ["BadHandle", "BadHandle"])


def test_ones_own_handle_can_be_spelled_anew() -> None:
    answers, kept, found = drive(
        """
def main():
    directory = registered("strasse", "jose")
    answers = [
        outcome(directory.rename, "STRASSE", "Straße"),
        outcome(directory.rename, "jose", "josé"),
        outcome(directory.rename, "josé", "STRAẞE"),
        outcome(directory.rename, "JOSÉ", "JOSE\\u0301"),
    ]
    return answers, handles(directory), outcome(directory.find, "jose")
"""
    )
    assert answers == ["Straße", "josé", "HandleTaken", f"JOS{E_ACUTE.upper()}"]
    assert kept == ["Straße", f"JOS{E_ACUTE.upper()}"]
    assert found == "UnknownAttendee"


MENTIONS = [
    (["jose", "josé"], f"@JOS{E_ACUTE.upper()}!", ["josé"]),
    (["हिन्दी"], "नमस्ते @हिन्दी।", ["हिन्दी"]),
    (["anna", "ann"], "@an\u200dna's turn, (@ANN)", ["anna", "ann"]),
    (["anna"], "write to me@anna.example or e\u0301@anna", []),
    (["anna"], "see_@anna 1@anna ß@anna", []),
    (["anna"], "@anna_ @annabel @ann", []),
    (["anna"], "@@anna -@anna", ["anna"]),
    (["anna"], "¡@anna\u200b!", ["anna"]),
    (["éva", "anna"], "@anna @e\u0301va @EVA @ÉVA @anna", ["anna", "éva"]),
    (["anna"], "@ @. @", []),
    (["anna"], "\u200f@anna", ["anna"]),
]


@cases(MENTIONS)
def test_mentions_name_guests(case: tuple) -> None:
    expected = case[2]
    found = answer(
        """
def one(guests, message):
    return handles(lanyard.mentioned(registered(*guests), message))
""",
        [row[:2] for row in MENTIONS],
        case[:2],
    )
    assert found == expected


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


def guest(handle: str, day: int, key: str | None = None) -> dict[str, str]:
    record = {"handle": handle, "name": f"Guest {day}", "joined": f"2024-01-{day:02d}T10:00:00"}
    return record if key is None else {**record, "key": key}


LOADED = """
def main(text, asked):
    directory = lanyard.load(text)
    found = [outcome(directory.find, handle) for handle in asked]
    return found, len(directory), handles(directory), json.loads(lanyard.dump(directory))
"""


def test_stored_keys_are_not_believed() -> None:
    old = [guest("Straße", 1, "straße"), guest("ann", 2, "zzz"), guest("josé", 3, ""), guest("kim", 4)]
    found, count, order, _ = drive(LOADED, json.dumps(old), ["STRASSE", "ANN", "zzz", "JOSÉ", "Kim"])
    assert found == ["Straße", "ann", "UnknownAttendee", "josé", "kim"]
    assert count == 4
    assert order == ["Straße", "ann", "josé", "kim"]


def test_guests_who_share_a_handle_both_stay() -> None:
    old = [guest("STRASSE", 3, "strasse"), guest("Straße", 1, "straße"), guest("ana", 2, "ana")]
    found, count, order, saved = drive(
        LOADED, json.dumps(old), ["STRASSE", "Straße", "strasse", "STRA\u1e9eE", "Ana"]
    )
    assert found == ["STRASSE", "Straße", "Straße", "Straße", "ana"]
    assert count == 3
    assert order == ["Straße", "ana", "STRASSE"]
    assert sorted(one["handle"] for one in saved) == sorted(one["handle"] for one in old)


def test_guests_who_share_a_handle_can_be_told_apart() -> None:
    old = [guest("STRASSE", 3, "strasse"), guest("Straße", 1, "straße")]
    answers = drive(
        """
def main(text):
    directory = lanyard.load(text)
    answers = [
        handles(lanyard.search(directory, "guest")),
        outcome(directory.register, "strasse", "Third"),
        outcome(directory.rename, "STRASSE", "via"),
        handles(directory),
        outcome(directory.find, "STRASSE"),
        outcome(directory.remove, "strasse"),
        handles(directory),
    ]
    again = lanyard.load(text)
    again.remove("STRASSE")
    return [*answers, handles(again)]
""",
        json.dumps(old),
    )
    assert sorted(answers[0]) == ["STRASSE", "Straße"]
    assert answers[1:] == ["HandleTaken", "via", ["Straße", "via"], "Straße", "Straße", ["via"], ["Straße"]]


@cases([*SAME, *DIFFERENT])
def test_saved_keys_are_equal_for_the_same_handle(case: tuple) -> None:
    first, second = answer(
        """
def one(this, other):
    return [json.loads(lanyard.dump(registered(handle)))[0] for handle in (this, other)]
""",
        [*SAME, *DIFFERENT],
        case,
    )
    assert first["handle"] == case[0]
    assert (first["key"] == second["key"]) is (case in SAME)
