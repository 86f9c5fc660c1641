"""Who imports a package: lines of source files, looked at without running anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evaluators.dependencies.tree import Tree

SCRIPTS = (
    *(".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte", ".astro"),
    *(".mdx", ".css", ".scss", ".less", ".html"),
)
PYTHON = (".py", ".pyi")
_COMMENT = ("//", "*", "/*", "#")


def importers(tree: Tree, package: str) -> frozenset[str]:
    """The files that import a package, in JavaScript's way or in Python's."""
    return frozenset(_importers(tree, package))


def _importers(tree: Tree, package: str) -> Iterator[str]:
    script, python = _script_pattern(package), _python_pattern(package)
    needles = (package.encode(), _module(package).encode())
    for path in tree.names:
        is_python = path.endswith(PYTHON)
        if not is_python and not path.endswith(SCRIPTS):
            continue
        data = tree.read(path)
        if data is None or not any(needle in data for needle in needles):
            continue
        pattern = python if is_python else script
        text = data.decode("utf-8", "replace")
        if any(pattern.search(line) for line in text.splitlines() if _is_code(line)):
            yield path


def _is_code(line: str) -> bool:
    return not line.lstrip().startswith(_COMMENT)


def _module(package: str) -> str:
    return package.replace("-", "_")


def _script_pattern(package: str) -> re.Pattern[str]:
    # every gap is bounded, so that a line of a million blanks costs no more than its length
    name = re.escape(package)
    return re.compile(
        r"(?:\bfrom|\bimport|\brequire\s{0,4}\(|\bimport\s{0,4}\(|\bresolve\s{0,4}\(|\burl\()"
        rf"\s{{0,4}}(?P<quote>['\"`])~?{name}(?:/[^'\"`]{{0,300}})?(?P=quote)"
    )


def _python_pattern(package: str) -> re.Pattern[str]:
    name = re.escape(_module(package))
    return re.compile(
        rf"^\s{{0,200}}(?:from\s{{1,4}}{name}(?:\.[\w.]{{0,200}})?\s{{1,4}}import\b"
        rf"|import\s(?:[^#]{{0,300}}[\s,])?\s{{0,4}}{name}(?:\.[\w.]{{0,200}})?\s{{0,4}}(?:,|$|\bas\b|;|#))"
    )
