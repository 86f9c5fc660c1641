"""Code without its strings and comments, so that talk of a thing is not taken for the thing.

Every step forward is one step: the text is an agent's, and no pattern may go back over it.
"""

from __future__ import annotations

import re

_PYTHON = re.compile(r"""\\.|[fFrRbBuUtT]{0,2}(?:\"{3}|'{3}|"|')|\#|\n""", re.DOTALL)
_OTHER = re.compile(r"""\\.|"|'|(?:^|(?<=[\s;{}(),]))//|\n""", re.DOTALL | re.MULTILINE)
_HASH = frozenset({".sh", ".bash", ".zsh", ".rb", ".toml", ".cfg", ".ini", ".yaml", ".yml", ".pl"})
_BLOCK = re.compile(r"^\s*(?:/\*|\*(?!\w)|--|<!--)")
_PYTHON_SUFFIXES = frozenset({".py", ".pyi"})


def masked(text: str, suffix: str) -> list[str]:
    """The lines, with blanks where strings and comments are.

    What is not sure to be a string or a comment stays: f-strings, templates, comments within a line
    of JavaScript, where a pattern could look like one.
    """
    if suffix in _PYTHON_SUFFIXES:
        return _python(text)
    if suffix in _HASH:
        return ["" if line.lstrip().startswith("#") else line for line in text.split("\n")]
    return _others(text)


def _python(text: str) -> list[str]:
    out: list[str] = []
    inside = ""
    shown, at = True, 0
    for found in _PYTHON.finditer(text):
        mark = found[0]
        quote = mark.lstrip("fFrRbBuUtT")
        piece = text[at : found.start()]
        out.append(piece if shown else "\n" * piece.count("\n"))
        at = found.end()
        if mark == "\n":
            out.append("\n")
            if len(inside) == 1:  # a comment, or a string that its line ends
                inside, shown = "", True
        elif mark.startswith("\\"):
            out.append(mark if shown else "\n" * mark.count("\n"))
        elif not inside:
            inside = "#" if mark == "#" else quote
            shown = mark[:2].lower().replace("r", "").startswith(("f", "t"))
            out.append(mark if shown else " ")
        elif inside != "#" and (quote == inside or (len(inside) == 1 and quote[:1] == inside)):
            # of three quotes that end a string of one, two are a string of their own
            inside, shown = "", True
            out.append('""')
    out.append(text[at:] if shown else "\n" * text[at:].count("\n"))
    return "".join(out).split("\n")


def _others(text: str) -> list[str]:
    out: list[str] = []
    inside = ""
    at = 0
    for found in _OTHER.finditer(text):
        mark = found[0]
        piece = text[at : found.start()]
        out.append("" if inside else piece)
        at = found.end()
        if mark == "\n":
            inside = ""
            out.append("\n")
        elif mark.startswith("\\"):
            out.append("\n" * mark.count("\n") if inside else mark)
        elif not inside:
            inside = mark
            out.append(" ")
        elif mark == inside:
            inside = ""
            out.append('""')
    out.append("" if inside else text[at:])
    return ["" if _BLOCK.match(line) else line for line in "".join(out).split("\n")]
