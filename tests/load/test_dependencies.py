from __future__ import annotations

from pathlib import Path

import pytest

from harness.domain.dependencies import MAJOR, Companion, DependencyRules, Target
from harness.load.dependencies import Rules, read_rules
from harness.load.source import read_source

COMPANION = """\
constraints:
  companion_versions:
    - main: a
      companions: [{{name: b, rule: {}}}]
"""


def rules_of(folder: Path, text: str) -> Rules:
    path = folder / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return read_rules(read_source(path))


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (
            "targets: {required: [{name: nx, to: newest}]}",
            ("targets", "required", 0, "to"),
            "'newest' is no range of versions",
        ),
        (
            "targets: {optional: [{name: nx, to: '>=6 <5'}]}",
            ("targets", "optional", 0, "to"),
            "'>=6 <5' holds no version",
        ),
        (
            "targets: {required: [{name: nx, to: '*'}]}",
            ("targets", "required", 0, "to"),
            "holds every version",
        ),
        (
            "targets: {required: [{name: nx, to: ^1}], optional: [{name: nx, to: ^2}]}",
            ("targets", "required", 0, "name"),
            "'nx' is a target more than once",
        ),
        (
            "constraints: {blocklist: [{name: nx, versions: [^1, bad]}]}",
            ("constraints", "blocklist", 0, "versions", 1),
            "'bad' is no range",
        ),
        (
            "{targets: {required: [{name: nx, to: ^1}]}, constraints: {blocklist: [{name: nx}]}}",
            ("constraints", "blocklist", 0, "name"),
            "is a required target as well",
        ),
        (
            "constraints: {namespace_migrations: [{from: a, to: a}]}",
            ("constraints", "namespace_migrations", 0, "to"),
            "is the old name as well",
        ),
        (
            COMPANION.format("major mach"),
            ("constraints", "companion_versions", 0, "companions", 0, "rule"),
            "no rule 'major mach'; did you mean 'major must match'?",
        ),
        (
            "constraints: {companion_versions: [{main: a, companions: [{name: a}]}]}",
            ("constraints", "companion_versions", 0, "companions", 0, "name"),
            "'a' is its own companion",
        ),
        (
            "constraints: {managers_allowed: [npm, pnmp]}",
            ("constraints", "managers_allowed", 1),
            "no package manager 'pnmp'; did you mean 'pnpm'?",
        ),
        ("workspace: {manager: yran}", ("workspace", "manager"), "did you mean 'yarn'?"),
        ("workspace: {node: eighteen}", ("workspace", "node"), "'eighteen' is no range"),
    ],
)
def test_what_no_evaluator_could_use_is_named_with_its_place(
    tmp_path: Path, text: str, place: tuple[str | int, ...], said: str
) -> None:
    problems = rules_of(tmp_path, text).problems
    assert any(problem.place == place and said in problem.text for problem in problems), problems


ORIGINAL = """\
workspace: {node: "18.20.x", manager: auto, managers_allowed: [pnpm], workspaces: pnpm}
constraints:
  blocklist: [{name: webpack, reason: "Pinned"}]
  namespace_migrations: [{from: xterm, to: "@xterm/xterm"}]
  companion_versions:
    - {main: node, companions: [{name: "@types/node", rule: "Major  must match"}]}
    - {main: react, companions: [{name: "@types/react"}]}
targets:
  required: [{name: typescript, to: ">=5.5 <6"}, {name: nx, to: "~20.0"}]
  optional: [{name: eslint, to: "^9"}]
"""


def test_a_file_of_the_original_is_read_without_a_problem(tmp_path: Path) -> None:
    found = rules_of(tmp_path, ORIGINAL)
    assert found.problems == ()
    assert found.rules.managers == ("pnpm",)
    assert found.rules.node == "18.20.x"
    assert found.rules.targets[2] == Target("eslint", "^9", required=False)
    assert found.rules.companions == (
        Companion("node", "@types/node", MAJOR),
        Companion("react", "@types/react", MAJOR),
    )


def test_a_file_that_says_nothing_of_dependencies_has_no_rules(tmp_path: Path) -> None:
    assert rules_of(tmp_path, "name: x") == Rules(DependencyRules())


@pytest.mark.parametrize("rule", ["^5", ">=18 <19", "~=2.1", "minor must match", "exact"])
def test_rules_of_companions_are_words_or_ranges(tmp_path: Path, rule: str) -> None:
    found = rules_of(tmp_path, COMPANION.format(f"'{rule}'"))
    assert found.problems == ()
    assert found.rules.companions[0].rule == rule
