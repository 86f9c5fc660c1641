"""Sources as data: replaced modules, silenced compilers."""

import json
import os
import re

from grading import cases, read, run
from ranges import admits

SUFFIXES = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".cjs", ".mjs")
SKIPPED = {"node_modules", "dist", ".git", ".nx", "test"}
OLD = re.compile(
    r"""(?:from|import|require|require\.resolve|import\.meta\.resolve)\s*\(?\s*["'`]xterm(?:-headless)?(?:/[^"'`]*)?["'`]"""
)
COMMENT = re.compile(r"^\s*(?://|\*|/\*).*$", re.MULTILINE)
DIRECTIVE = re.compile(r"@ts-(?:ignore|nocheck|expect-error)")
ANY = re.compile(r"\bas\s+any\b|:\s*any\b|<any>")
STRICT = ("strict", "noUncheckedIndexedAccess", "noFallthroughCasesInSwitch")
FAMILY = (
    "noImplicitAny",
    "strictNullChecks",
    "strictFunctionTypes",
    "strictPropertyInitialization",
    "noImplicitThis",
)


def sources() -> dict[str, str]:
    """Our own code below apps, libs and tools, by path."""
    found = {}
    for top in ("apps", "libs", "tools"):
        for folder, folders, names in os.walk(f"/workspace/{top}"):
            folders[:] = [name for name in folders if name not in SKIPPED]
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), "/workspace")
                if name.endswith(SUFFIXES):
                    found[path] = read(path)
    return found


def test_nothing_imports_a_replaced_module() -> None:
    found = sources()
    assert found
    assert [path for path, text in found.items() if OLD.search(COMMENT.sub("", text))] == []


def test_no_compiler_is_silenced() -> None:
    found = sources()
    assert [path for path, text in found.items() if DIRECTIVE.search(text)] == []
    assert [path for path, text in found.items() if ANY.search(COMMENT.sub("", text))] == []


@cases(["apps/app", "libs/term", "libs/util"])
def test_the_compiler_is_as_strict_as_before(case: str) -> None:
    done = run(["node", "node_modules/typescript/lib/tsc.js", "--showConfig", "-p", case])
    assert done.exit_code == 0, done
    options = json.loads(done.stdout)["compilerOptions"]
    assert "suppressImplicitAnyIndexErrors" not in options
    assert [name for name in STRICT if options.get(name) is not True] == []
    assert [name for name in FAMILY if options.get(name) is False] == []
    assert options.get("noCheck") is not True


@cases(["apps/app", "libs/term", "libs/util"])
def test_types_agree(case: str) -> None:
    compiler = f"{case}/node_modules/typescript/lib/tsc.js"
    done = run(["node", compiler, "--noEmit", "-p", case], timeout_s=60)
    assert done.exit_code == 0, done
    version = run(["node", compiler, "--version"]).stdout.split()[-1]
    assert admits(">=5.5.0 <6.0.0", version), version
