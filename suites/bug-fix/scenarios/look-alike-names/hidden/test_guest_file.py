"""Rules 11 and 12: files of older versions."""

from __future__ import annotations

import json

from driving import drive


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
