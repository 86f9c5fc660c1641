"""What a command of a package manager does to dependencies: changes these, all, or installs."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluators.shell_lines import Words

JAVASCRIPT = ("npm", "pnpm", "yarn", "bun")
PYTHON = ("pip", "uv", "poetry", "pdm", "pipenv")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PYTHON_PROGRAM = re.compile(r"python[0-9.]*")
_PIP_PROGRAM = re.compile(r"pip[0-9.]*")
MOST_PATTERN_CHARS = 200

_JS_VERBS: Mapping[str, str] = {
    **dict.fromkeys(("add", "a", "install", "i", "in", "ci", "isntall"), "add"),
    **dict.fromkeys(("update", "up", "upgrade", "upgrade-interactive"), "update"),
    **dict.fromkeys(("uninstall", "remove", "rm", "un", "r", "unlink"), "add"),
    **dict.fromkeys(("dedupe", "import"), "install"),
}
_PY_VERBS: Mapping[str, str] = {
    **dict.fromkeys(("add", "install", "remove", "uninstall"), "add"),
    **dict.fromkeys(("update", "upgrade"), "update"),
    **dict.fromkeys(("sync", "lock", "compile"), "install"),
}
_TAKES_A_VALUE = frozenset({
    "--filter", "-F", "-C", "--dir", "--cwd", "--prefix", "--workspace", "--registry", "--tag",
    "--group", "-G", "--extra", "-E", "--index-url", "--index", "-c", "--constraint", "--source",
    "--directory", "--project", "--python", "-p", "--package", "-t", "--target", "--loglevel",
})  # fmt: skip
_FROM_FILE = frozenset({"-r", "--requirement", "--requirements"})
_ELSEWHERE = frozenset({"-g", "--global", "--user", "--help", "-h", "--dry-run", "global"})
_NEWER = frozenset({"-U", "--upgrade"})


@dataclass(frozen=True, slots=True)
class ManagerCommand:
    """A command of a package manager that touches what a project depends on."""

    manager: str
    line: str
    names: tuple[str, ...] = ()
    """The packages that it names; an update may name patterns."""
    everything: bool = False
    """It moves whatever it finds."""

    def explains(self, name: str) -> bool:
        """Whether it can have changed this dependency itself."""
        return self.everything or any(_same(name, each) for each in self.names)


def manager_command(words: Words) -> ManagerCommand | None:
    """What a command does, when it is one of a manager's that changes or installs something."""
    manager, rest = _manager(words)
    if manager is None or _ELSEWHERE.intersection(rest):
        return None
    positional, options = _split(rest, manager)
    if manager == "yarn" and positional[:1] == ["workspace"]:
        positional = positional[2:]
    verbs = _JS_VERBS if manager in JAVASCRIPT else _PY_VERBS
    if manager == "uv" and positional[:1] == ["pip"]:
        positional = positional[1:]
    if not positional and manager == "yarn":
        positional = ["install"]
    kind = verbs.get(positional[0]) if positional else None
    if kind is None:
        return None
    line = " ".join(words)
    if kind == "install":
        everything = bool(_NEWER.intersection(options))
        return ManagerCommand(manager, line, everything=everything)
    read = [option for option in options if option in _FROM_FILE]
    names = tuple(filter(None, (package_name(word, manager) for word in positional[1:])))
    from_file = bool(read) or (manager == "pip" and not names)
    everything = from_file or (kind == "update" and not names)
    return ManagerCommand(manager, line, names, everything)


def package_name(word: str, manager: str) -> str:
    """The package in `react@18`, `@types/node@^20`, `requests[socks]>=2`; nothing for a path."""
    if word.startswith((".", "/")) or "://" in word:
        return ""
    if manager in JAVASCRIPT:
        return word[:1] + word[1:].partition("@")[0]
    found = _NAME.match(word)
    return found[0] if found else ""


def normal(name: str) -> str:
    """A name as it is compared: Python's do not tell `-`, `_` and `.` apart."""
    lowered = name.lower()
    return lowered if lowered.startswith("@") else re.sub(r"[-_.]+", "-", lowered)


def _manager(words: Words) -> tuple[str | None, Sequence[str]]:
    name, rest = words[0], list(words[1:])
    if name in ("npx", "bunx"):
        rest = rest[next((i for i, word in enumerate(rest) if word[:1] != "-"), len(rest)) :]
        name = rest.pop(0).partition("@")[0] if rest else ""
        if name not in JAVASCRIPT:
            return None, ()
    if _PYTHON_PROGRAM.fullmatch(name) and rest[:1] == ["-m"] and len(rest) > 1:
        name, rest = rest[1], rest[2:]
    name = name.partition("@")[0]
    if _PIP_PROGRAM.fullmatch(name):
        name = "pip"
    return (name if name in (*JAVASCRIPT, *PYTHON) else None), rest


def _split(rest: Sequence[str], manager: str) -> tuple[list[str], list[str]]:
    positional: list[str] = []
    options: list[str] = []
    takes = _TAKES_A_VALUE | _FROM_FILE | ({"-w"} if manager == "npm" else set())
    skips = False
    for word in rest:
        if skips:
            skips = False
        elif word.startswith("-") and word != "-":
            option, given, _ = word.partition("=")
            options.append(option)
            skips = option in takes and not given
        else:
            positional.append(word)
    return positional, options


def _same(name: str, pattern: str) -> bool:
    if normal(name) == normal(pattern):
        return True
    if "*" not in pattern or len(pattern) > MOST_PATTERN_CHARS:
        return False
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())
