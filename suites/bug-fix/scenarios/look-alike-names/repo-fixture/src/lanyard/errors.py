"""Everything lanyard raises on purpose."""

from __future__ import annotations


class LanyardError(Exception):
    """Base of the family."""


class BadHandle(LanyardError):
    def __init__(self, handle: str) -> None:
        super().__init__(f"{handle!r} cannot be a handle")
        self.handle = handle


class HandleTaken(LanyardError):
    def __init__(self, handle: str, owner: str) -> None:
        super().__init__(f"{handle!r} is taken by {owner!r}")
        self.handle = handle
        self.owner = owner


class UnknownAttendee(LanyardError):
    def __init__(self, handle: str) -> None:
        super().__init__(f"nobody is called {handle!r}")
        self.handle = handle


class BadFile(LanyardError):
    """The guest file is damaged."""
