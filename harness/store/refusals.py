"""What every store says when it is asked for what it does not have."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from harness.domain.record import RunRecord
from harness.errors import NEAREST_CUTOFF, AlreadyStored, UsageError, nearest

FEW = 5


def no_batch(name: str, newest: Sequence[str]) -> UsageError:
    """No batch of that id."""
    return UsageError(f"no batch {name!r}; {_near(name, newest)}")


def no_run(prefix: str, newest: Sequence[str]) -> UsageError:
    """No run whose id begins so."""
    return UsageError(f"no run {prefix!r}; {_near(prefix, newest)}")


def several_runs(prefix: str, ids: Sequence[str]) -> UsageError:
    """More than one run whose id begins so."""
    return UsageError(f"run {_several(prefix, ids)}")


def several_batches(prefix: str, ids: Sequence[str]) -> UsageError:
    """More than one batch whose id begins so."""
    return UsageError(f"batch {_several(prefix, ids)}")


def taken(run: str) -> UsageError:
    """A second record with the id of a stored run."""
    return UsageError(f"run {run!r} is already stored, and what is stored never changes")


def settled(record: RunRecord, stored: str) -> AlreadyStored:
    """A second result of a planned run."""
    cell = record.cell
    planned = (
        f"iteration {record.iteration} of {cell.suite}/{cell.scenario} {cell.tier} {cell.who} in"
        f" batch {record.batch!r}"
    )
    return AlreadyStored(record.id, planned, stored)


def _several(prefix: str, ids: Sequence[str]) -> str:
    more = ", …" if len(ids) > FEW else ""
    return f"{prefix!r} could be {', '.join(map(repr, ids[:FEW]))}{more}; give more of its id"


def _near(name: str, newest: Sequence[str]) -> str:
    # `nearest` lists every name when none is close; ids run to thousands
    close = difflib.get_close_matches(name, newest, n=1, cutoff=NEAREST_CUTOFF)
    return nearest(name, close or newest[:FEW])
