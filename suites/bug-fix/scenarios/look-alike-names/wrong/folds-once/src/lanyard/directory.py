"""Who is registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from lanyard.errors import BadHandle, HandleTaken, UnknownAttendee
from lanyard.handles import is_allowed, key
from lanyard.model import Attendee


class Directory:
    """All guests; files of older versions may bring several under one key."""

    def __init__(self) -> None:
        self._by_key: dict[str, list[Attendee]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_key.values()))

    def __iter__(self) -> Iterator[Attendee]:
        """In the order of joining."""
        everybody = (guest for guests in self._by_key.values() for guest in guests)
        return iter(sorted(everybody, key=lambda one: one.joined))

    def register(self, handle: str, name: str, joined: datetime | None = None) -> Attendee:
        """Add a guest, or raise BadHandle or HandleTaken."""
        self._check(handle, owner=None)
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        attendee = Attendee(handle, name, joined or now)
        self._add(attendee)
        return attendee

    def find(self, handle: str) -> Attendee:
        """Whoever spells it exactly so, else the first who joined with the same handle."""
        guests = self._by_key.get(key(handle))
        if not guests:
            raise UnknownAttendee(handle)
        exact = (guest for guest in guests if guest.handle == handle)
        return next(exact, min(guests, key=lambda guest: guest.joined))

    def rename(self, old: str, new: str) -> Attendee:
        """Give a guest another handle, or raise what `find` and `register` raise."""
        attendee = self.find(old)
        self._check(new, owner=attendee)
        self._drop(attendee)
        renamed = replace(attendee, handle=new)
        self._add(renamed)
        return renamed

    def remove(self, handle: str) -> Attendee:
        attendee = self.find(handle)
        self._drop(attendee)
        return attendee

    def restore(self, attendee: Attendee, stored_key: str) -> None:
        """Put back a guest from the file; its key may come from an older way of folding."""
        self._add(attendee)

    def _check(self, handle: str, owner: Attendee | None) -> None:
        if not is_allowed(handle):
            raise BadHandle(handle)
        for guest in self._by_key.get(key(handle), []):
            if guest is not owner:
                raise HandleTaken(handle, guest.handle)

    def _add(self, attendee: Attendee) -> None:
        self._by_key.setdefault(key(attendee.handle), []).append(attendee)

    def _drop(self, attendee: Attendee) -> None:
        guests = self._by_key[key(attendee.handle)]
        guests[:] = [guest for guest in guests if guest is not attendee]
