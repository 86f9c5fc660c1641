from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluators.manager import ManagerEvaluator
from harness.domain.dependencies import DependencyRules
from tests.evaluators.projects import Files, Given, everything_deleted, judge, package

MANIFEST = package({"ms": "^2.1.0", "old": "npm:left-pad@~1.3.0"}, packageManager="pnpm@9.1.0")
PNPM_9 = """\
lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      ms: {specifier: ^2.1.0, version: 2.1.3(peer@1.0.0)}
      old: {specifier: npm:left-pad@~1.3.0, version: left-pad@1.3.0}
packages:
  ms@2.1.3: {resolution: {integrity: sha512-x}}
"""
PNPM_6 = """\
lockfileVersion: '6.0'
dependencies:
  ms: {specifier: ^2.1.0, version: 2.1.3}
  old: {specifier: npm:left-pad@~1.3.0, version: /left-pad@1.3.0}
packages:
  /ms@2.1.3: {dev: false}
"""
PNPM_5 = """\
lockfileVersion: 5.4
specifiers: {ms: ^2.1.0, old: npm:left-pad@~1.3.0}
dependencies: {ms: 2.1.3, old: /left-pad/1.3.0}
packages:
  /ms/2.1.3: {dev: false}
"""
YARN_1 = """\
# yarn lockfile v1

ms@^2.0.0, ms@^2.1.0:
  version "2.1.3"

"old@npm:left-pad@~1.3.0":
  version "1.3.0"
"""
BERRY = """\
__metadata:
  version: 8

"ms@npm:^2.0.0, ms@npm:^2.1.0":
  version: 2.1.3

"old@npm:left-pad@~1.3.0":
  version: 1.3.0
"""
BUN = """\
{"lockfileVersion": 1, "workspaces": {"": {"dependencies":
  {"ms": "^2.1.0", "old": "npm:left-pad@~1.3.0",},},},
 "packages": {"ms": ["ms@2.1.3", "", {}, "sha"], "old": ["left-pad@1.3.0", "", {}, "sha"],},}
"""
NPM_3 = json.dumps(
    {
        "packages": {
            "": {"dependencies": {"ms": "^2.1.0", "old": "npm:left-pad@~1.3.0"}},
            "node_modules/ms": {"version": "2.1.3"},
            "node_modules/old": {"name": "left-pad", "version": "1.3.0"},
        }
    }
)
NPM_1 = json.dumps(
    {"dependencies": {"ms": {"version": "2.1.3"}, "old": {"version": "npm:left-pad@1.3.0"}}}
)
PROJECT = '[project]\nname = "x"\ndependencies = ["Left_Pad~=1.3", "ms>=2.1,<3"]\n'
TOML = """\
[[package]]
name = "left-pad"
version = "1.3.1"

[[package]]
name = "ms"
version = "2.1.3"
"""
PIPENV = '{"default": {"ms": {"version": "==2.1.3"}, "left-pad": {"version": "==1.3.1"}}}'

FORMATS = [
    ("pnpm-lock.yaml", PNPM_9, "package.json", MANIFEST, "pnpm"),
    ("pnpm-lock.yaml", PNPM_6, "package.json", MANIFEST, "pnpm"),
    ("pnpm-lock.yaml", PNPM_5, "package.json", MANIFEST, "pnpm"),
    ("yarn.lock", YARN_1, "package.json", MANIFEST, "yarn"),
    ("yarn.lock", BERRY, "package.json", MANIFEST, "yarn"),
    ("bun.lock", BUN, "package.json", MANIFEST, "bun"),
    ("package-lock.json", NPM_3, "package.json", MANIFEST, "npm"),
    ("package-lock.json", NPM_1, "package.json", MANIFEST, "npm"),
    ("uv.lock", TOML, "pyproject.toml", PROJECT, "uv"),
    ("poetry.lock", TOML, "pyproject.toml", PROJECT, "poetry"),
    ("pdm.lock", TOML, "pyproject.toml", PROJECT, "pdm"),
    ("Pipfile.lock", PIPENV, "Pipfile", '[packages]\nms = ">=2.1,<3"\nleft_pad = "*"\n', "pipenv"),
]
NAMES = (
    *("pnpm 9", "pnpm 6", "pnpm 5", "yarn classic", "yarn berry", "bun", "npm 3", "npm 1"),
    *("uv", "poetry", "pdm", "pipenv"),
)


@pytest.mark.parametrize(("lock", "text", "path", "manifest", "manager"), FORMATS, ids=NAMES)
def test_a_lock_file_has_to_be_in_step_with_the_manifests(
    tmp_path: Path, lock: str, text: str, path: str, manifest: str, manager: str
) -> None:
    given = Given({path: manifest, lock: text}, DependencyRules(managers=(manager,)))

    def score(name: str, changed: Files | None = None) -> float | None:
        return judge(tmp_path / name, ManagerEvaluator(), given, changed).score

    assert score("kept") == 1.0
    assert score("moved", {path: manifest.replace("2.1", "3.0").replace("<3", "<4")}) == 0.5
    assert score("older", {lock: text.replace("2.1.3", "2.0.3")}) == 0.5
    assert score("without a lock file", {lock: None}) == 0.0
    assert score("broken", {lock: "{[<<<<<<<"}) == 0.0
    assert score("all gone", everything_deleted(given)) == 0.0


PNPM = Given({"package.json": MANIFEST, "pnpm-lock.yaml": PNPM_9})


@pytest.mark.parametrize(
    ("changed", "score"),
    [
        ({"package-lock.json": "{}"}, 0.5),
        ({"apps/yarn.lock": ""}, 0.5),
        ({"package.json": MANIFEST.replace("pnpm@9.1.0", "pnpm@9.15.0")}, 1.0),
        ({"package.json": MANIFEST.replace("pnpm@9.1.0", "yarn@4.5.0")}, 0.5),
        ({"package.json": MANIFEST.replace("packageManager", "x")}, 0.5),
        ({"package.json": package({"ms": "^2.1.0"}, packageManager="pnpm@9.1.0")}, 0.0),
    ],
    ids=["npm's", "yarn's, deep", "newer", "another manager", "no field", "stale entry"],
)
def test_the_manager_of_the_fixture_stays_the_only_one(
    tmp_path: Path, changed: Files, score: float
) -> None:
    result = judge(tmp_path, ManagerEvaluator(), PNPM, changed)
    assert result.score == score, result.details


def test_a_lock_file_that_was_asked_for_has_to_be_made(tmp_path: Path) -> None:
    given = Given({"package.json": MANIFEST}, DependencyRules(managers=("pnpm",)))
    assert judge(tmp_path / "a", ManagerEvaluator(), given).score == 0.0
    assert judge(tmp_path / "b", ManagerEvaluator(), given, {"pnpm-lock.yaml": PNPM_9}).score == 1.0


def test_no_manager_leaves_nothing_to_look_at(tmp_path: Path) -> None:
    given = Given({"package.json": package({"ms": "^2.1.0"})})
    assert judge(tmp_path / "a", ManagerEvaluator(), given).score is None
    pip = Given({"requirements.txt": "ms==1\n"}, DependencyRules(managers=("pip",)))
    assert judge(tmp_path / "b", ManagerEvaluator(), pip).score == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\nb: [*a, *a]",
        "importers: {'.': []}\npackages: [x]",
        "importers:\n  .: {dependencies: {ms: [1]}}",
        "[" * 100_000,
        "\0",
        "x" * (5 * 1024 * 1024),
    ],
    ids=["alias", "lists", "shape", "deep", "nul", "large"],
)
def test_a_hostile_lock_file_is_worth_nothing(tmp_path: Path, text: str) -> None:
    assert judge(tmp_path, ManagerEvaluator(), PNPM, {"pnpm-lock.yaml": text}).score == 0.0
