"""Words as Markdown that shows them and obeys nothing in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.report.words import printable


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; only its cells may be anybody's words."""
    lines = [heads, ["---"] * len(heads), *([plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """Words of a template or an agent as words: on one line, and nothing in them is Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", printable(" ".join(text.split())))


def code(text: str) -> str:
    """What may stand between backticks."""
    return printable(" ".join(text.replace("`", "'").split()))
