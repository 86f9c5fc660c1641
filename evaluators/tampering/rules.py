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
class Rule:
    """One thing to find in new lines; `rules.toml` says what each field means."""

    word: str
    pattern: re.Pattern[str]
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
        what=row["what"],
        serious=row.get("serious", True),
        where=row.get("where", "all"),
        raw=row.get("raw", False),
        suffixes=tuple(suffix for name in row.get("languages", ()) for suffix in LANGUAGES[name]),
    )


def found_by(table: str, family: str, look: Look) -> Iterator[Sign]:
    """What a table's rules find in a file's new lines: one sign a line and a rule."""
    raw = "\n".join(line.text for line in look.news).lower()
    for each in rules_of(table):
        if each.word not in raw or not each.applies(look):
            continue
        for line in look.news:
            if each.pattern.search(line.text if each.raw else line.code):
                yield look.sign(family, each.what, line.number, serious=each.serious)
