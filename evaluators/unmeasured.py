"""Changed lines that a check of code did not look at: a name may keep code out of a figure."""

from __future__ import annotations

from collections.abc import Iterable

from evaluators.tampering.places import is_generated
from harness.domain.patch import LINK, FilePatch

MOST_NAMED = 5


def unmeasured(files: Iterable[FilePatch]) -> tuple[str, ...]:
    """One sentence with the longest of these files, or none; what tools generate is left out."""
    counts = {
        file.path: len(file.added)
        for file in files
        if file.added and file.mode != LINK and not is_generated(file.path)
    }
    if not counts:
        return ()
    longest = sorted(counts, key=lambda path: (-counts[path], path))[:MOST_NAMED]
    named = ", ".join(f"{path[:200]} ({counts[path]})" for path in longest)
    more = f" and {len(counts) - MOST_NAMED} more" if len(counts) > MOST_NAMED else ""
    return (f"not measured: {sum(counts.values())} changed lines of other files: {named}{more}",)
