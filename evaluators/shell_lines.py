"""Shell lines as the commands in them: enough of the grammar to know what a line runs.

It is made for looking and not for running: nothing is expanded, and a line that no shell would
take still gives the commands that can be seen in it. One pass, whatever the line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

MOST_CHARS = 64 * 1024
DEEPEST = 4
"""Shells within shells that are looked into."""

Words = tuple[str, ...]

_OPERATORS = ";&|()`\n"
_KEYWORDS = frozenset({"if", "then", "elif", "else", "do", "while", "until", "!", "{", "}", "fi"})
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ash", "ksh"})
_PREFIXES = frozenset({
    "sudo", "env", "time", "nohup", "exec", "command", "nice", "stdbuf", "corepack", "timeout",
})  # fmt: skip
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_DURATION = re.compile(r"[0-9.]+[smhd]?")
_HERE = re.compile(r"<<(-?)[ \t]*(['\"\\]?)([A-Za-z0-9_]+)")


def commands(line: str, depth: int = 0) -> Iterator[Words]:
    """Every command of a line, without what merely stands before it: `sudo`, `A=b`, `bash -c`."""
    if depth > DEEPEST:
        return
    for words in _Reader(line[:MOST_CHARS]).simple_commands():
        yield from unwrapped(words, depth)


def unwrapped(words: Sequence[str], depth: int = 0) -> Iterator[Words]:
    """What a list of words runs."""
    left = list(words)
    while left and (
        left[0] in _KEYWORDS or _ASSIGNMENT.match(left[0]) or _program(left[0]) in _PREFIXES
    ):
        prefix = _program(left.pop(0))
        while prefix in _PREFIXES and left and (left[0][:1] == "-" or _is_amount(prefix, left[0])):
            left.pop(0)
    if not left:
        return
    name = _program(left[0])
    if name == "eval":
        yield from commands(" ".join(left[1:]), depth + 1)
    elif name in _SHELLS:
        yield from _of_shell(left[1:], depth)
    else:
        yield (name, *left[1:])


def _of_shell(words: Sequence[str], depth: int) -> Iterator[Words]:
    for index, word in enumerate(words):
        if not word.startswith("-"):
            return
        if not word.startswith("--") and "c" in word:
            yield from commands(next(iter(words[index + 1 :]), ""), depth + 1)
            return


def _program(word: str) -> str:
    return word.rpartition("/")[2]


def _is_amount(prefix: str, word: str) -> bool:
    return prefix == "timeout" and _DURATION.fullmatch(word) is not None


class _Reader:
    """Goes over a line once, collecting words."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\\\n", "")
        self._at = 0
        self._word: list[str] | None = None
        self._words: list[str] = []
        self._drops = False
        self._awaited: list[str] = []

    def simple_commands(self) -> Iterator[Words]:
        """The words between operators; where redirections lead to is left out."""
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in _OPERATORS:
                self._end_word()
                if self._words:
                    yield tuple(self._words)
                self._words, self._drops = [], False
                self._at += 1
                if char == "\n":
                    self._skip_documents()
            else:
                self._step(char)
        self._end_word()
        if self._words:
            yield tuple(self._words)

    def _step(self, char: str) -> None:
        if char in " \t\r":
            self._end_word()
        elif char == "#" and self._word is None:
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
            return
        elif char in "<>":
            self._redirection()
            return
        elif char == "'":
            self._quoted("'")
            return
        elif char == '"':
            self._quoted('"')
            return
        elif char == "\\":
            self._add(self._text[self._at + 1 : self._at + 2])
            self._at += 1
        elif char == "$" and self._text.startswith("$(", self._at):
            # what is run for its output stands on its own: the rest of the word is not known
            self._end_word()
            self._at += 1
            return
        else:
            self._add(char)
        self._at += 1

    def _redirection(self) -> None:
        """`> file`, `2>&1`, `<<EOF`: no word of the command."""
        if self._word and "".join(self._word).isdigit():
            self._word = None
        self._end_word()
        here = _HERE.match(self._text, self._at)
        if here:
            self._awaited.append(here[3])
            self._at = here.end() + len(here[2].strip("\\"))
            return
        while self._at < len(self._text) and self._text[self._at] in "<>&|":
            self._at += 1
        self._drops = True

    def _skip_documents(self) -> None:
        for delimiter in self._awaited:
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                body, self._at = self._text[self._at : end], end + 1
                if body.strip() == delimiter:
                    break
        self._awaited = []

    def _quoted(self, quote: str) -> None:
        self._add("")
        self._at += 1
        while self._at < len(self._text) and self._text[self._at] != quote:
            if quote == '"' and self._text[self._at] == "\\":
                self._at += 1
            self._add(self._text[self._at : self._at + 1])
            self._at += 1
        self._at += 1

    def _add(self, text: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _end_word(self) -> None:
        if self._word is not None:
            if not self._drops:
                self._words.append("".join(self._word))
            self._drops = False
        self._word = None
