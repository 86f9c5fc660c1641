"""Lists that are too long for one page."""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from toolshed.errors import BadCursor
from toolshed.model import Item, Page


@dataclass(frozen=True, slots=True)
class Listing:
    """What to select; `order` names a place in the list, unique and never NULL."""

    columns: str
    rows: str
    order: tuple[str, ...]


def page(
    db: sqlite3.Connection,
    listing: Listing,
    build: Callable[..., Item],
    after: str | None,
    limit: int,
    **values: object,
) -> Page[Item]:
    """Cut out what comes after the cursor.

    The cursor holds the place of the last row seen, not a count of rows: rows come and go
    while somebody turns pages.
    """
    if limit < 1:
        raise ValueError(f"a page has at least one row, not {limit!r}")
    place = ", ".join(listing.order)
    query = f"SELECT {place}, {listing.columns} FROM {listing.rows}"
    if after is not None:
        values |= {f"place{n}": value for n, value in enumerate(decode(after, len(listing.order)))}
        query += f" AND ({place}) > ({', '.join(f':place{n}' for n in range(len(listing.order)))})"
    rows = db.execute(f"{query} ORDER BY {place} LIMIT :rows", {**values, "rows": limit + 1}).fetchall()
    shown, width = rows[:limit], len(listing.order)
    return Page(
        tuple(build(*row[width:]) for row in shown),
        encode(shown[-1][:width]) if len(rows) > limit else None,
    )


def encode(place: tuple[int | str, ...]) -> str:
    """Text that nobody is tempted to make up."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def decode(cursor: str, width: int) -> list[int | str]:
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError) as error:
        raise BadCursor(f"{cursor!r} is no cursor") from error
    if not isinstance(place, list) or len(place) != width:
        raise BadCursor(f"{cursor!r} is no cursor")
    if not all(isinstance(value, (int, str)) for value in place):
        raise BadCursor(f"{cursor!r} is no cursor")
    return place
