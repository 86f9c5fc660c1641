"""Lists that are too long for one page."""

from __future__ import annotations

import base64
import binascii
import json
import sqlite3
from collections.abc import Callable, Sequence

from toolshed.errors import BadCursor
from toolshed.model import Item, Page


def page(
    db: sqlite3.Connection,
    query: str,
    values: Sequence[object],
    build: Callable[..., Item],
    after: str | None,
    limit: int,
) -> Page[Item]:
    """Run a query with an order and cut out what comes after the cursor."""
    if limit < 1:
        raise ValueError(f"a page has at least one row, not {limit!r}")
    start = decode(after) if after is not None else 0
    rows = db.execute(f"{query} LIMIT ? OFFSET ?", (*values, limit, start)).fetchall()
    more = len(rows) == limit
    return Page(tuple(build(*row) for row in rows), encode(start + limit) if more else None)


def encode(position: object) -> str:
    """Text that nobody is tempted to make up."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def decode(cursor: str) -> int:
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (binascii.Error, ValueError) as error:
        raise BadCursor(f"{cursor!r} is no cursor") from error
    if not isinstance(position, int):
        raise BadCursor(f"{cursor!r} is no cursor")
    return position
