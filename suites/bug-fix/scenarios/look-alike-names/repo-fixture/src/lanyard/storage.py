"""The guest file: a JSON array with one object per guest."""

from __future__ import annotations

import json
from datetime import datetime

from lanyard.directory import Directory
from lanyard.errors import BadFile
from lanyard.handles import key
from lanyard.model import Attendee


def load(text: str) -> Directory:
    """Read what `dump` of this or any older version wrote."""
    directory = Directory()
    try:
        for record in json.loads(text):
            joined = datetime.fromisoformat(record["joined"])
            attendee = Attendee(record["handle"], record["name"], joined)
            directory.restore(attendee, record.get("key") or key(attendee.handle))
    except (ValueError, TypeError, KeyError) as error:
        raise BadFile(f"not a guest file: {error!r}") from error
    return directory


def dump(directory: Directory) -> str:
    records = [
        {
            "handle": attendee.handle,
            "name": attendee.name,
            "joined": attendee.joined.isoformat(),
            "key": key(attendee.handle),
        }
        for attendee in directory
    ]
    return json.dumps(records, ensure_ascii=False, indent=2) + "\n"
