from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluators.breaking import BreakingEvaluator
from evaluators.deprecated import DeprecatedEvaluator
from evaluators.monorepo import MonorepoEvaluator
from evaluators.namespaces import NamespacesEvaluator
from harness.domain.dependencies import Blocked, Companion, DependencyRules, Migration, Target
from tests.evaluators.projects import Files, Given, everything_deleted, judge, package

WEBPACK = Given(
    {"package.json": package({"webpack": "^5.90.0", "vite": "^5.0.0"})},
    DependencyRules(blocked=(Blocked("webpack"),)),
)


def npm_lock(deps: dict[str, str], deprecated: str = "") -> str:
    return json.dumps(
        {
            "lockfileVersion": 3,
            "packages": {
                "": {"dependencies": {name: f"^{version}" for name, version in deps.items()}},
                **{
                    f"node_modules/{name}": {
                        "version": version,
                        **({"deprecated": "no longer kept"} if name == deprecated else {}),
                    }
                    for name, version in deps.items()
                },
            },
        }
    )


@pytest.mark.parametrize(
    ("changed", "score"),
    [
        ({}, 1.0),
        ({"package.json": package({"webpack": "^5.90.0", "vite": "^6.0.0"})}, 1.0),
        ({"package.json": package({"webpack": "^5.91.0", "vite": "^5.0.0"})}, 0.0),
        ({"package.json": package({"vite": "^5.0.0"})}, 0.0),
        ({"a/package.json": package({"webpack": "^5.90.0"})}, 0.0),
        (everything_deleted(WEBPACK), 0.0),
    ],
    ids=["nothing", "another", "moved", "dropped", "spread", "deleted"],
)
def test_a_blocked_package_stays_as_it_is(tmp_path: Path, changed: Files, score: float) -> None:
    assert judge(tmp_path, DeprecatedEvaluator(), WEBPACK, changed).score == score


def test_a_blocked_version_is_neither_declared_nor_locked(tmp_path: Path) -> None:
    rules = DependencyRules(blocked=(Blocked("left", (">=1.2 <1.3", "3.x")),))
    given = Given(
        {
            "package.json": package({"left": "^1.0.0"}),
            "package-lock.json": npm_lock({"left": "1.0.0"}),
        },
        rules,
    )
    changed = {"package-lock.json": npm_lock({"left": "1.2.9"})}
    assert judge(tmp_path / "a", DeprecatedEvaluator(), given).score == 1.0
    assert judge(tmp_path / "b", DeprecatedEvaluator(), given, changed).score == 0.5
    changed = {"package.json": package({"left": "3.1.0"}), "package-lock.json": None}
    assert judge(tmp_path / "c", DeprecatedEvaluator(), given, changed).score == 0.0


def test_a_new_dependency_that_is_deprecated_is_named(tmp_path: Path) -> None:
    files = {
        "package.json": package({"left": "^1.0.0"}),
        "package-lock.json": npm_lock({"left": "1.0.0"}),
    }
    deps = {"left": "1.0.0", "request": "2.88.2"}
    changed = {
        "package.json": package({name: f"^{version}" for name, version in deps.items()}),
        "package-lock.json": npm_lock(deps, deprecated="request"),
    }
    result = judge(tmp_path, DeprecatedEvaluator(), Given(files), changed)
    assert result.score == 0.5
    assert "request '^2.88.2' is new and deprecated: no longer kept" in result.details[1]


XTERM = Given(
    {
        "package.json": package({"xterm": "^5.3.0"}),
        "src/a.ts": "import { Terminal } from 'xterm';\n",
        "src/b.css": "@import 'xterm/css/xterm.css';\n",
        "src/c.js": "const other = require('xterm-addon-fit');\n",
        "src/d.js": "// import 'xterm' is gone since long\n",
    },
    DependencyRules(migrations=(Migration("xterm", "@xterm/xterm"),)),
)
NEW_NAME = {"package.json": package({"@xterm/xterm": "^5.5.0"})}


@pytest.mark.parametrize(
    ("changed", "score"),
    [
        ({}, 0.0),
        (everything_deleted(XTERM), 0.0),
        (NEW_NAME, 0.5),
        ({"package.json": package({"xterm": "^5.3.0", "@xterm/xterm": "^5.5.0"})}, 0.0),
        ({"package.json": package({"xterm": "npm:@xterm/xterm@^5.5.0"})}, 0.0),
        ({**NEW_NAME, "src/a.ts": "import t from '@xterm/xterm'"}, 0.75),
        ({**NEW_NAME, "src/a.ts": None, "src/b.css": None}, 0.5),
        (
            {**NEW_NAME, "src/a.ts": None, "src/b.css": None, "src/t.ts": "import '@xterm/xterm';"},
            1.0,
        ),
    ],
)
def test_the_old_name_goes_and_the_new_one_comes(
    tmp_path: Path, changed: Files, score: float
) -> None:
    result = judge(tmp_path, NamespacesEvaluator(), XTERM, changed)
    assert result.score == score, result.details


def test_imports_of_python_are_found(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": '[project]\ndependencies = ["old-name"]\n',
        "a.py": "import os, old_name.inner as x\n",
        "b.py": "    from old_name import y\n",
        "c.py": "import old_names\n# import old_name\n",
    }
    rules = DependencyRules(migrations=(Migration("old-name", "new-name"),))
    changed = {
        "pyproject.toml": '[project]\ndependencies = ["New_Name>=2"]\n',
        "a.py": "import new_name\n",
    }
    assert judge(tmp_path, NamespacesEvaluator(), Given(files, rules), changed).score == 0.75


def test_an_old_name_that_is_nowhere_leaves_nothing_to_look_at(tmp_path: Path) -> None:
    given = Given({"package.json": package()}, XTERM.rules)
    assert judge(tmp_path / "a", NamespacesEvaluator(), given).score is None
    changed = {"package.json": package({"xterm": "^5.3.0"})}
    assert judge(tmp_path / "b", NamespacesEvaluator(), given, changed).score == 0.0


MAJORS = Given(
    {"package.json": package({"nx": "^19.0.0", "vite": "^5.0.0", "@types/nx": "^19.0.0"})},
    DependencyRules(targets=(Target("nx", "~20.0"),), companions=(Companion("nx", "@types/nx"),)),
    passed=("test", "lint"),
)
HAD_TO = "✗ package.json: nx ^19.0.0 had to move to ~20.0"


@pytest.mark.parametrize(
    ("deps", "passing", "score"),
    [
        ({"nx": "20.0.1", "vite": "^5.2.0", "@types/nx": "20.0.0"}, ("test", "lint"), 1.0),
        ({"nx": "20.0.1", "vite": "^5.2.0", "@types/nx": "20.0.0"}, ("lint",), 0.5),
        ({"nx": "20.0.1", "vite": "^6.0.0", "@types/nx": "19.0.0"}, ("test", "lint"), 0.5),
        ({"nx": "21.0.0", "vite": "^5.0.0", "@types/nx": "19.0.0"}, ("test", "lint"), 0.0),
        ({"nx": "^19.0.0", "vite": "^5.0.0", "@types/nx": "19.0.0"}, ("test", "lint"), 0.0),
        ({}, ("test", "lint"), 0.0),
    ],
    ids=["asked for", "a test broke", "one unasked", "too far", "nothing", "emptied"],
)
def test_majors_move_where_they_were_asked_to_and_nothing_breaks(
    tmp_path: Path, deps: dict[str, str], passing: tuple[str, ...], score: float
) -> None:
    changed = {"package.json": package(deps)}
    result = judge(tmp_path, BreakingEvaluator(), MAJORS, changed, passing)
    assert result.score == score, result.details


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("~20.0.1", "✓ package.json: nx moved from ^19.0.0 to ~20.0.1"),
        ("21.0.0", "✗ package.json: nx moved from ^19.0.0 to 21.0.0, and the target is ~20.0"),
        ("^19.4", f"{HAD_TO}, is ^19.4"),
        ("latest", f"{HAD_TO}, is latest, of which no version is known"),
        (None, f"{HAD_TO}, is not there"),
    ],
)
def test_what_is_said_of_a_major_quotes_what_is_written(
    tmp_path: Path, version: str | None, said: str
) -> None:
    changed = {"package.json": package({"nx": version} if version else {})}
    result = judge(tmp_path, BreakingEvaluator(), MAJORS, changed, ("test", "lint"))
    assert said in result.details


MONOREPO = Given(
    {
        "package.json": package(workspaces=["apps/*", "libs/**", "!libs/old"]),
        "apps/web/package.json": package({"@a/ui": "workspace:*", "zod": "^3.0.0"}, name="@a/web"),
        "libs/deep/ui/package.json": package({"zod": "^3.0.0"}, name="@a/ui"),
        "libs/old/package.json": package({"zod": "^1.0.0"}, name="@a/old"),
    }
)
UI = {"libs/deep/ui/package.json": package({"zod": "^3.9.0"}, name="@a/ui")}


@pytest.mark.parametrize(
    ("changed", "score"),
    [
        ({}, 1.0),
        (everything_deleted(MONOREPO), 0.0),
        ({"package.json": package(workspaces=["libs/**"])}, pytest.approx(2.5 / 3)),
        (UI, 0.75),
        ({"apps/web/package-lock.json": "{}"}, pytest.approx(2 / 3)),
        (
            {"apps/web/package.json": package({"@a/ui": "^1.0.0", "zod": "^3.0.0"}, name="@a/web")},
            pytest.approx(2 / 3),
        ),
    ],
    ids=["nothing", "deleted", "a member lost", "two versions", "inner lock", "link lost"],
)
def test_workspaces_stay_workspaces(tmp_path: Path, changed: Files, score: float) -> None:
    result = judge(tmp_path, MonorepoEvaluator(), MONOREPO, changed)
    assert result.score == score, result.details


def test_workspaces_of_uv_and_pnpm_are_found(tmp_path: Path) -> None:
    uv = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["libs/{a,b}"]\n',
        "libs/a/pyproject.toml": '[project]\nname = "a"\n',
    }
    pnpm = {
        "package.json": package(),
        "pnpm-workspace.yaml": "packages:\n- libs/*\n",
        "libs/a/package.json": package(),
    }
    for name, files in (("uv", uv), ("pnpm", pnpm)):
        assert judge(tmp_path / name, MonorepoEvaluator(), Given(files)).score == 1.0
    assert judge(tmp_path / "no", MonorepoEvaluator(), WEBPACK).score is None
