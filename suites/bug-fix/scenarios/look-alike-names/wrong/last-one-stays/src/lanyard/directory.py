"""Who is registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from lanyard.errors import BadHandle, HandleTaken, UnknownAttendee
from lanyard.handles import is_allowed, key
from lanyard.model import Attendee


class Directory:
    """All guests, each under the key of the handle."""

    def __init__(self) -> None:
        self._by_key: dict[str, Attendee] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Attendee]:
        """In the order of joining."""
        return iter(sorted(self._by_key.values(), key=lambda one: one.joined))

    def register(self, handle: str, name: str, joined: datetime | None = None) -> Attendee:
        """Add a guest, or raise BadHandle or HandleTaken."""
        if not is_allowed(handle):
            raise BadHandle(handle)
        if (owner := self._by_key.get(key(handle))) is not None:
            raise HandleTaken(handle, owner.handle)
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        attendee = Attendee(handle, name, joined or now)
        self._by_key[key(handle)] = attendee
        return attendee

    def find(self, handle: str) -> Attendee:
        try:
            return self._by_key[key(handle)]
        except KeyError:
            raise UnknownAttendee(handle) from None

    def rename(self, old: str, new: str) -> Attendee:
        """Give a guest another handle, or raise what `find` and `register` raise."""
        attendee = self.find(old)
        if not is_allowed(new):
            raise BadHandle(new)
        owner = self._by_key.get(key(new))
        if owner is not None and owner is not attendee:
            raise HandleTaken(new, owner.handle)
        del self._by_key[key(old)]
        renamed = replace(attendee, handle=new)
        self._by_key[key(new)] = renamed
        return renamed

    def remove(self, handle: str) -> Attendee:
        attendee = self.find(handle)
        del self._by_key[key(handle)]
        return attendee

    def restore(self, attendee: Attendee, stored_key: str) -> None:
        """Put back a guest from the file, where the handle was checked once."""
        self._by_key[key(attendee.handle)] = attendee
