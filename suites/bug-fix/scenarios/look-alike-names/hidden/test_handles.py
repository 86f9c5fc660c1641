"""Rules 1 to 6: handles and mentions."""

from __future__ import annotations

from grading import cases

from driving import E_ACUTE, answer, drive

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
