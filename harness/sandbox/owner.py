"""Whose a thing is, and until when: only what nobody can need any more is swept away."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.domain.ids import BATCH_LABEL, EXPIRES_LABEL, LABEL, OWNER_LABEL, RUN_LABEL

MARGIN = timedelta(days=1)
"""What a thing lives beyond its limits: clocks are set anew, and those of two hosts differ."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What the labels of containers and volumes say; the run is empty where none has begun."""

    owner: str
    expires: datetime
    run: str = ""
    batch: str = ""

    def labels(self, kind: str) -> Mapping[str, str]:
        """The labels of a thing of one kind."""
        said = {
            LABEL: kind,
            OWNER_LABEL: self.owner,
            RUN_LABEL: self.run,
            BATCH_LABEL: self.batch,
            EXPIRES_LABEL: self.expires.astimezone(UTC).isoformat(timespec="seconds"),
        }
        return {name: value for name, value in said.items() if value}


def is_left(labels: Mapping[str, str], now: datetime) -> bool:
    """Whether nobody needs what is labelled so.

    What a living process of this host made is never left. Of another host's nobody knows: it is
    left when it has expired.
    """
    owner = labels.get(OWNER_LABEL, "")
    if not is_alive(owner):
        return True
    return not _is_here(owner) and _has_expired(labels.get(EXPIRES_LABEL, ""), now)


def _has_expired(text: str, now: datetime) -> bool:
    try:
        return datetime.fromisoformat(text) < now
    except (ValueError, TypeError):
        # it says nothing, or nothing that has a time zone
        return False


def this_process() -> str:
    """This host, this process, and when it started: a pid alone comes back."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{pid}/{_started(pid)}"


def owned_name(name: str) -> str:
    """A name that tells whose the folder is before a file within does, and after."""
    return "@".join((name, *this_process().split("/")))


def owner_in(name: str) -> str:
    """Whose a folder is by its name; empty where that does not tell."""
    return "/".join(name.split("@")[1:])


def is_alive(owner: str) -> bool:
    """Whether the owner still runs; another host's process counts as alive, nonsense does not."""
    _, pid, started = (*owner.split("/"), "", "", "")[:3]
    if not pid.isdigit():
        return False
    return not _is_here(owner) or _started(int(pid)) == started


def _is_here(owner: str) -> bool:
    return owner.partition("/")[0] == socket.gethostname()


def _started(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "gone"
    return stat.rpartition(")")[2].split()[19]
