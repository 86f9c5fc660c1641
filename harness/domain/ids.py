"""Every identifier and derived name, made in one place."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NewType

from harness.errors import UsageError

RunId = NewType("RunId", str)
BatchId = NewType("BatchId", str)
Digest = NewType("Digest", str)

LABEL = "mintmark"
"""Every container, volume and image that we make carries labels below this name."""
OWNER_LABEL = f"{LABEL}.owner"
RUN_LABEL = f"{LABEL}.run"
BATCH_LABEL = f"{LABEL}.batch"
EXPIRES_LABEL = f"{LABEL}.expires"

_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def _stamp(now: datetime) -> str:
    return now.strftime("%Y%m%d%H%M%S")


def new_run_id(now: datetime, random: str) -> RunId:
    """`run_<timestamp>_<random>`, the shape of the guide."""
    return RunId(f"run_{_stamp(now)}_{random}")


def new_batch_id(now: datetime, random: str) -> BatchId:
    """`batch_<timestamp>_<random>`."""
    return BatchId(f"batch_{_stamp(now)}_{random}")


def batch_id(text: str) -> BatchId:
    """A user's batch id, refused when it could not be a file name everywhere."""
    if not _BATCH_ID.fullmatch(text):
        raise UsageError(
            f"batch id {text!r} cannot be used: it starts with a letter or digit and holds only"
            " letters, digits, '.', '_' and '-', at most 100 of them"
        )
    return BatchId(text)


def container_name(run: str, purpose: str) -> str:
    """The container of a run for one purpose, or one that keeps workspaces."""
    return f"{LABEL}-{purpose}-{run}"


def volume_name(kind: str, name: str) -> str:
    """A volume of the engine: `fixture` and `program` by content, others by a number of theirs."""
    return f"{LABEL}-{kind}-{name}"


def prepared_tag(key: Digest) -> str:
    """The image that holds everything a scenario installs, named by what went into it."""
    return f"{LABEL}/prepared:{key[:16]}"


def snapshot_name(number: int) -> str:
    """`snapshot-001.json5` and on; more than three digits when they are needed."""
    return f"snapshot-{number:03d}.json5"
