"""Patterns in the manner of .gitignore, as scenarios give them."""

from __future__ import annotations

import re
import warnings

from pathspec import GitIgnoreSpec

from harness.load.places import shown


def glob_problem(glob: str) -> str:
    """Why it is no pattern that could mean a path, or nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            (pattern,) = GitIgnoreSpec.from_lines([glob]).patterns or (None,)
    except (ValueError, OverflowError, RecursionError, re.error):
        return _no_glob(glob)
    if "\n" in glob or _is_open(glob):
        return _no_glob(glob)
    if pattern is None or pattern.include is None:
        return f"{shown(glob)} means no path to .gitignore"
    return ""


def _no_glob(glob: str) -> str:
    return f"{shown(glob)} is no glob as .gitignore writes it"


def _is_open(glob: str) -> bool:
    """A bracket that nothing closes: git matches nothing by it, others the letter."""
    at = 0
    while at < len(glob):
        if glob[at] == "\\":
            at += 1
        elif glob[at] == "[":
            begin = at + 1 + (glob[at + 1 : at + 2] in ("!", "^"))
            # a ] that comes first is a member, and a backslash takes the next letter in
            found = re.compile(r"\]?+(?:\\.|\[:[a-z]*:\]|[^\]\\])*\]", re.DOTALL).match(glob, begin)
            if not found:
                return True
            at = found.end() - 1
        at += 1
    return False
