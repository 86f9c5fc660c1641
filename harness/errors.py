"""Everything Mintmark raises on purpose.

    MintmarkError
    ├── UsageError             the user must change something      exit 2
    │   └── BadFile            … in a file, at a place             exit 2
    ├── EnvironmentFault       the world failed; try again         exit 3
    │   ├── SandboxFault       the engine, an image, a mount
    │   ├── ProviderFault      a model provider
    │   ├── StoreFault         the database or the artefacts
    │   │   └── AlreadyStored  … has a result of that planned run: this one is not needed
    │   └── BatchStopped       no further run of a batch can be made now
    └── BoxClosed              the sandbox does not answer any more
        └── BoxDied            … because its container ended: the doing of whoever worked in it

    BaseException
    └── Interrupted            somebody pressed Ctrl-C or sent SIGTERM  exit 130

No `except Exception` may swallow a signal, least of all one in a library: hence its own branch.

Anything else that escapes is our bug, shows its traceback and exits 70.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

NEAREST_CUTOFF = 0.6


class MintmarkError(Exception):
    """The root; never raised itself."""


class UsageError(MintmarkError):
    """Something only the user can put right; nothing was changed on disk."""


class BadFile(UsageError):
    """A file that cannot be used, with everything that is wrong with it at once."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        super().__init__(path, problems)
        self.path = path
        self.problems = tuple(problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"{self.path}: {self.problems[0]}"
        listed = "".join(f"\n  {problem}" for problem in self.problems)
        return f"{self.path}: {len(self.problems)} problems{listed}"


class EnvironmentFault(MintmarkError):
    """The world failed, not the agent: the run is stored unscored and tried again on resume."""


class SandboxFault(EnvironmentFault):
    """The engine, an image, a mount or a container did not do what it was told."""


class ProviderFault(EnvironmentFault):
    """A model provider did not answer as it should."""


class StoreFault(EnvironmentFault):
    """The database or the artefact folder could not be read or written."""


class AlreadyStored(StoreFault):
    """Somebody else finished a planned run first: what they stored counts, and nothing else."""

    def __init__(self, run: str, planned: str, stored: str) -> None:
        super().__init__(run, planned, stored)
        self.run = run
        self.planned = planned
        self.stored = stored

    def __str__(self) -> str:
        return (
            f"run {self.run!r} was not stored: {self.planned} has a result already, run"
            f" {self.stored!r}; look at that one with 'bench show {self.stored}'"
        )


class BatchStopped(EnvironmentFault):
    """A batch ends before its plan does: its budget is spent, or a provider takes no request."""


class BoxClosed(MintmarkError):
    """The sandbox died while the engine is well: whoever worked in it ended it."""


class BoxDied(BoxClosed):
    """Its container ended by itself: it was not merely slow to answer."""


class Interrupted(BaseException):
    """The person at the terminal wants to stop."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A clause for an error message: the closest known name, else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=NEAREST_CUTOFF)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there is {', '.join(map(repr, names))}" if names else "there is none"
