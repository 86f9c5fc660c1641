"""Which process made a thing: so that only the things of dead processes are swept away."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_process() -> str:
    """This host, this process, and when it started: a pid alone comes back."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{pid}/{_started(pid)}"


def is_alive(owner: str) -> bool:
    """Whether the owner still runs; another host's process counts as alive, nonsense does not."""
    host, pid, started = (*owner.split("/"), "", "")[:3]
    if not pid.isdigit():
        return False
    return host != socket.gethostname() or _started(int(pid)) == started


def _started(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "gone"
    return stat.rpartition(")")[2].split()[19]
