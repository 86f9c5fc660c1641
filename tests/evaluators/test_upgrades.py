from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.upgrades import UpgradesEvaluator
from harness.domain.dependencies import DependencyRules, Target
from tests.evaluators.projects import Files, Given, everything_deleted, judge, package

TYPESCRIPT = DependencyRules(targets=(Target("typescript", ">=5.5 <6"),))
OLD = Given({"package.json": package({"typescript": "^5.4.2"})}, TYPESCRIPT)


def score(folder: Path, given: Given, changed: Files | None = None) -> float | None:
    return judge(folder, UpgradesEvaluator(), given, changed).score


@pytest.mark.parametrize(
    ("spec", "worth"),
    [
        ("^5.6.0", 1.0),
        ("5.5.4", 1.0),
        ("npm:typescript@~5.7.2", 1.0),
        (">=5.4.9", 0.4),
        ("^5.4.2", 0.0),
        ("^5.3.0", 0.0),
        ("^6.0.0", 0.0),
        ("latest", 0.0),
        ("*", 0.0),
        ("file:./stub", 0.0),
        ("git+https://example.org/typescript.git#v5.6.0", 0.0),
    ],
)
def test_a_version_is_worth_the_way_it_came_to_the_target(
    tmp_path: Path, spec: str, worth: float
) -> None:
    assert score(tmp_path, OLD, {"package.json": package({"typescript": spec})}) == worth


def test_a_version_in_the_minor_of_a_target_is_nearer_than_one_in_its_major(tmp_path: Path) -> None:
    rules = DependencyRules(targets=(Target("nx", ">=20.1.4 <20.2"),))
    given = Given({"package.json": package({"nx": "^19.0.0"})}, rules)
    assert score(tmp_path, given, {"package.json": package({"nx": "20.1.2"})}) == 0.7
    assert score(tmp_path, given, {"package.json": package({"nx": "20.5.0"})}) == 0.4
    assert score(tmp_path, given, {"package.json": package({"nx": "21.0.0"})}) == 0.0


@pytest.mark.parametrize(
    "changed",
    [
        {},
        everything_deleted(OLD),
        {"package.json": "{"},
        {"package.json": "[]"},
        {"package.json": package()},
        {"package.json": b"\xff" * 100},
        {"package.json": "[" * 100_000},
    ],
    ids=["nothing", "deleted", "broken", "a list", "emptied", "no text", "deep"],
)
def test_who_does_nothing_or_breaks_the_manifest_scores_nothing(
    tmp_path: Path, changed: Files
) -> None:
    assert score(tmp_path, OLD, changed) == 0.0


def test_every_manifest_that_asks_for_a_target_counts(tmp_path: Path) -> None:
    files = {f"{folder}/package.json": package({"typescript": "^5.4.0"}) for folder in "abcd"}
    changed: Files = {"b/package.json": package({"typescript": "^5.6.0"}), "c/package.json": None}
    assert score(tmp_path, Given(files, TYPESCRIPT), changed) == 0.25


def test_an_optional_target_weighs_half_of_a_required_one(tmp_path: Path) -> None:
    rules = DependencyRules(targets=(Target("a", "^2"), Target("b", "^2", required=False)))
    given = Given({"package.json": package({"a": "^1.0.0", "b": "^1.0.0"})}, rules)
    changed = {"package.json": package({"a": "^1.0.0", "b": "^2.0.0"})}
    assert score(tmp_path, given, changed) == pytest.approx(1 / 3)


def test_half_of_the_worth_is_what_the_lock_file_has(tmp_path: Path) -> None:
    def lock(version: str) -> str:
        return (
            f'# yarn lockfile v1\n\ntypescript@^5.4.2, typescript@^5.6.0:\n  version "{version}"\n'
        )

    given = Given({**OLD.files, "yarn.lock": lock("5.4.5")}, TYPESCRIPT)
    changed: dict[str, str | bytes | None] = {"package.json": package({"typescript": "^5.6.0"})}
    assert score(tmp_path / "a", given, changed) == 0.5
    assert score(tmp_path / "b", given, {**changed, "yarn.lock": None}) == 0.5
    assert score(tmp_path / "c", given, {**changed, "yarn.lock": lock("5.6.3")}) == 1.0


def test_a_peer_only_has_to_admit_the_target(tmp_path: Path) -> None:
    given = Given({"package.json": package(peerDependencies={"typescript": ">=4"})}, TYPESCRIPT)
    assert score(tmp_path, given) == 1.0


def test_a_catalogue_of_pnpm_is_looked_up(tmp_path: Path) -> None:
    files = {
        "pnpm-workspace.yaml": "packages: [apps/*]\ncatalog:\n  typescript: ^5.4.0\n",
        "apps/a/package.json": package({"typescript": "catalog:"}),
    }
    changed = {"pnpm-workspace.yaml": "packages: [apps/*]\ncatalog:\n  typescript: ^5.6.0\n"}
    assert score(tmp_path / "a", Given(files, TYPESCRIPT)) == 0.0
    assert score(tmp_path / "b", Given(files, TYPESCRIPT), changed) == 1.0


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "pyproject.toml",
            "[project]\ndependencies = [\"Django[argon2]>=4.2,<5; python_version>'3'\"]",
        ),
        ("pyproject.toml", '[dependency-groups]\ndev = ["django~=4.2"]'),
        ("pyproject.toml", '[project.optional-dependencies]\nweb = ["django (==4.2)"]'),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\ndjango = "^4.2"'),
        ("pyproject.toml", '[tool.poetry.group.dev.dependencies]\ndjango = {version = "4.2"}'),
        ("requirements.txt", "-r base.txt\n# all\nDjango==4.2.0 \\\n    --hash=sha256:ab\n"),
        ("requirements/dev.txt", "django>=4.2"),
        ("setup.cfg", "[options]\ninstall_requires =\n    requests\n    django>=4.2\n"),
        ("Pipfile", '[packages]\ndjango = "~=4.2"'),
    ],
)
def test_manifests_of_python_are_read(tmp_path: Path, path: str, text: str) -> None:
    rules = DependencyRules(targets=(Target("Django", ">=5.1,<6"),))
    given = Given({path: text}, rules)
    assert score(tmp_path / "old", given) == 0.0
    assert (
        score(tmp_path / "new", given, {path: text.replace("4.2", "5.1").replace("<5;", "<6;")})
        == 1.0
    )


def test_no_targets_or_unused_optional_ones_leave_nothing_to_look_at(tmp_path: Path) -> None:
    assert score(tmp_path / "a", Given(OLD.files)) is None
    rules = DependencyRules(targets=(Target("eslint", "^9", required=False),))
    assert score(tmp_path / "b", Given(OLD.files, rules)) is None
    rules = DependencyRules(targets=(Target("eslint", "^9"),))
    assert score(tmp_path / "c", Given(OLD.files, rules)) == 0.0


def test_installed_packages_do_not_count(tmp_path: Path) -> None:
    changed = {"node_modules/x/package.json": package({"typescript": "^5.6.0"})}
    result = judge(tmp_path, UpgradesEvaluator(), OLD, changed)
    assert result.score == 0.0
    assert len(result.details) == 1
