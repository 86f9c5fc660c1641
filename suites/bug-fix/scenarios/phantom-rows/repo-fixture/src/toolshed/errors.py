"""Everything toolshed raises on purpose."""

from __future__ import annotations


class ToolshedError(Exception):
    """Base of the family."""


class Unknown(ToolshedError):
    def __init__(self, kind: str, number: int) -> None:
        super().__init__(f"no {kind} with number {number}")
        self.kind = kind
        self.number = number


class AlreadyLent(ToolshedError):
    """Somebody else has the tool."""


class NotLendable(ToolshedError):
    """The tool is broken."""


class TooManyLoans(ToolshedError):
    """The member has as many tools as anybody may have."""


class NotOpen(ToolshedError):
    """The loan was given back before."""


class OnLoan(ToolshedError):
    """What is on loan can be neither retired nor inspected."""


class BadCursor(ToolshedError):
    """`after` did not come from `next` of such a list."""
