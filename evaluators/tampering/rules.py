"""Rules over lines: a word that must be there, a pattern, and what it is a sign of."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from evaluators.tampering.scene import Look, Sign

LANGUAGES = {
    "python": (".py", ".pyi"),
    "javascript": (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte"),
}


@dataclass(frozen=True, slots=True)
class Before:
    """What has to stand before a pattern, and near to it.

    In one expression, `before.{0,60}pattern`, every `before` would go over the same letters again.
    """

    either: re.Pattern[str]
    """The pattern, or as the group `before` what precedes it."""
    within: int
    barring: str

    def is_near(self, text: str) -> bool:
        """The last of its kind before some match is near enough."""
        end: int | None = None
        for found in self.either.finditer(text):
            begin = found.start()
            if found["before"]:
                end = found.end()
            elif end is not None and begin - end <= self.within:
                barred = self.barring and text.find(self.barring, end, begin) >= 0
                if not barred:
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to find in new lines; `rules.toml` says what each field means."""

    word: str
    pattern: re.Pattern[str]
    after: Before | None
    what: str
    serious: bool
    where: str
    raw: bool
    suffixes: tuple[str, ...]

    def applies(self, look: Look) -> bool:
        """The file is one that the rule is for."""
        if self.suffixes and look.suffix not in self.suffixes:
            return False
        return self.where == "all" or (self.where == "tests") == look.is_test

    def found_in(self, text: str) -> bool:
        """The line matches."""
        found = bool(self.pattern.search(text))
        return self.after.is_near(text) if found and self.after else found


@dataclass(frozen=True, slots=True)
class PathRule:
    """What a path says."""

    family: str
    pattern: re.Pattern[str]
    what: str
    serious: bool


@cache
def rules_of(table: str) -> tuple[Rule, ...]:
    """A table of the rules' file."""
    return tuple(map(_rule, _tables()[table]))


@cache
def path_rules() -> tuple[PathRule, ...]:
    """The rules for paths."""
    return tuple(
        PathRule(r["family"], re.compile(r["pattern"]), r["what"], r.get("serious", True))
        for r in _tables()["paths"]
    )


@cache
def names(group: str) -> frozenset[str]:
    """A group of names."""
    return frozenset(_tables()["names"][group])


@cache
def _tables() -> Mapping[str, Any]:
    text = resources.files("evaluators.tampering").joinpath("rules.toml").read_text("utf-8")
    return tomllib.loads(text)


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        word=row["word"],
        pattern=re.compile(row["pattern"], re.IGNORECASE),
        after=_before(row) if "after" in row else None,
        what=row["what"],
        serious=row.get("serious", True),
        where=row.get("where", "all"),
        raw=row.get("raw", False),
        suffixes=tuple(suffix for name in row.get("languages", ()) for suffix in LANGUAGES[name]),
    )


def _before(row: Mapping[str, Any]) -> Before:
    either = re.compile(f"(?P<before>{row['after']})|{row['pattern']}", re.IGNORECASE)
    return Before(either, row["within"], row.get("barring", ""))


def found_by(table: str, family: str, look: Look) -> Iterator[Sign]:
    """What a table's rules find in a file's new lines: one sign a line and a rule."""
    raw = "\n".join(line.text for line in look.news).lower()
    for each in rules_of(table):
        if each.word not in raw or not each.applies(look):
            continue
        for line in look.news:
            if each.found_in(line.text if each.raw else line.code):
                yield look.sign(family, each.what, line.number, serious=each.serious)
