"""What the protocols have in common on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise

from harness.testing.provider.seen import Body


@dataclass(frozen=True, slots=True)
class Turn:
    """The request that an answer belongs to."""

    body: Body
    number: int
    created: int
    """Unix time."""

    @property
    def model(self) -> str:
        """As the request names it."""
        return str(self.body.get("model"))

    def id(self, prefix: str, index: int | None = None) -> str:
        """The id of the answer, or of a part of it."""
        tail = "" if index is None else f"_{index}"
        return f"{prefix}_double_{self.number:06}{tail}"


@dataclass(frozen=True, slots=True)
class Event:
    """A server-sent event; Chat Completions gives them no names."""

    data: Body | str
    name: str | None = None
    is_piece: bool = False
    """A delta: Says.pause_s comes before it."""

    @property
    def wire(self) -> bytes:
        """As it is sent."""
        head = f"event: {self.name}\n" if self.name else ""
        data = self.data if isinstance(self.data, str) else json_text(self.data)
        return f"{head}data: {data}\n\n".encode()


def json_text(value: object) -> str:
    """JSON as the providers write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def split(text: str, pieces: int) -> list[str]:
    """A text in that many parts of about one length; never an empty one."""
    count = max(1, min(pieces, len(text)))
    marks = [len(text) * n // count for n in range(count + 1)]
    return [text[a:b] for a, b in pairwise(marks) if a < b]
