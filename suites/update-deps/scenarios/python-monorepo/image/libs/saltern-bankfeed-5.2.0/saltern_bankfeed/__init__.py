"""Reads the account statements that the bank delivers."""

from dataclasses import dataclass

import saltern_xml

__version__ = "5.2.0"


@dataclass(frozen=True)
class Payment:
    """One payment that arrived."""

    reference: str
    cents: int


def payments(statement: str) -> list[Payment]:
    """The payments of a statement, oldest first."""
    return [
        Payment(entry.attributes["Ref"], int(entry.text))
        for entry in saltern_xml.read(statement).children
        if entry.tag == "Entry"
    ]
