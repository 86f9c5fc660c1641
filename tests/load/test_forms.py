from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.domain.scenario import Level, Limits, Network
from tests.load.project import Project

Make = Callable[..., Project]

NATIVE = """\
name: "Meetings that cross midnight"
description: "A day has two ends."
tags: [calendar]
difficulty: hard
image: {name: "debian:bookworm-slim", packages: [python3, git], setup: ["true"]}
limits: {cpus: 2, memory: 512MiB, pids: 64, disk: 128MB, wall_clock: 1.5m, command: 250ms,
         output: 1000}
network: full
threshold: 0.8
protected: ["tests/**", "!tests/data"]
validation_commands:
  - {name: build, run: "python3 -m compileall -q src"}
  - npm run lint
evaluators:
  - {name: test, weight: 0.6, required: true, level: B}
  - {name: visible, uses: test, weight: 0.2, level: A, tests: [tests], timeout: 30,
     fail_to_pass: ["t::a"]}
  - {name: build, weight: 0.1}
  - {name: lint, weight: 0.05}
  - {name: oracle, weight: 0.05}
"""

ORACLE = """\
{"answers": {"which_rounding": "half even"},
 "expected": [{"name": "version", "file": "./pyproject.toml", "path": "a.0.b",
               "equals": {"y": 1, "x": null}},
              {"name": "gone", "file": "src/app.py", "matches": "import x",
               "absent": true, "weight": 2},
              {"name": "there", "file": "NEWS", "path": ["a.b", "0", 0]}]}
"""


def test_the_native_form(project: Make) -> None:
    made = project(NATIVE).write(
        {
            "hidden/test_a.py": "",
            "oracle-answers.json": ORACLE,
            "solution/src/app.py": "",
            "prompts/Lx-adversarial.md": "Trust me.\n",
            "suite:prompts/sums/L2.md": "Steps.\n",
        }
    )
    scenario = made.load()
    assert (scenario.suite, scenario.id, scenario.key) == ("shop", "sums", "shop/sums")
    assert scenario.title == "Meetings that cross midnight"
    assert scenario.image.packages == ("git", "python3")
    assert scenario.limits == Limits(2.0, 512 * 1024**2, 64, 128_000_000, 90.0, 0.25, 1000)
    assert scenario.network is Network.FULL
    assert scenario.tiers == ("L0", "L2", "Lx")
    assert [c.name for c in scenario.validation] == ["build", "lint"]
    by_name = {check.name: check for check in scenario.checks}
    assert by_name["test"].level is Level.B
    assert by_name["test"].required
    assert by_name["visible"].kind == "test"
    assert by_name["visible"].tests == ("tests",)
    assert by_name["visible"].fail_to_pass == ("t::a",)
    assert by_name["visible"].pass_to_pass is None
    assert by_name["visible"].timeout_s == 30
    assert by_name["build"].command is None
    version, gone, there = scenario.oracle.expected
    assert (version.file, version.path, version.equals) == (
        "pyproject.toml",
        ("a", 0, "b"),
        '{"x": null, "y": 1}',
    )
    assert (gone.matches, gone.absent, gone.weight) == ("import x", True, 2.0)
    assert (there.path, there.equals) == (("a.b", "0", 0), None)
    assert scenario.oracle.answers == (("which_rounding", "half even"),)
    assert scenario.hidden == made.folder / "hidden"
    assert scenario.solution == made.folder / "solution"
    assert scenario.fixture.is_absolute()
    assert scenario.notes == ()


def test_the_form_of_the_guide(project: Make) -> None:
    scenario = project(
        """\
name: "Update Dependencies"
description: "Update npm packages"
evaluators:
  - name: build
    weight: 0.4
  - name: typecheck
    weight: 0.3
  - name: lint
    weight: 0.3
  - name: test
validation_commands:
  ["npm install", "npm run build", "npm run typecheck", "npx eslint .", "npm test"]
"""
    ).load()
    assert [c.name for c in scenario.validation] == [
        "install",
        "build",
        "typecheck",
        "lint",
        "test",
    ]
    test = scenario.checks[3]
    assert (test.level, test.command, test.weight) == (Level.A, "npm test", 1.0)
    assert scenario.threshold == 0.7
    assert scenario.notes[0].startswith(
        "image: not given; it is debian:bookworm-slim with git and python3"
    )
    assert scenario.image.packages == ("git", "python3")


ORIGINAL = """\
id: ZE_deps
suite: shop
title: "Bumps"
timeout_minutes: 40
workspace: {node: "18.20.x", manager: auto, managers_allowed: [pnpm], workspaces: pnpm}
baseline: {run: [{cmd: "pnpm install"}, {cmd: "pnpm -w -r test --if-present"}]}
constraints:
  blocklist: [{name: webpack, reason: pinned}]
  namespace_migrations: [{from: xterm, to: "@xterm/xterm"}]
  companion_versions: [{main: node, companions: [{name: "@types/node", rule: "major must match"}]}]
targets: {required: [{name: nx, to: "~20.0"}], optional: [{name: eslint, to: "^9"}]}
validation:
  commands: {test: pnpm test, install: pnpm install, lint: pnpm lint, typecheck: tsc, build: make}
oracle: {answers_file: "./oracle-answers.json"}
llm_judge: {enabled: true, model: openai/m, temperature: 0.1, max_tokens: 2000,
            categories: ["A (100%): b"]}
heuristic_checks:
  enabled: true
  commands: [{name: a, command: "true", weight: 2.0, description: d}]
  files: [{name: b, path: app}]
  patterns: [{name: c, file: "app/**", pattern: "x|y"}]
  structured: [{name: d, file: a.json, json_path: $.a, section_header: h, exists: true}]
  scripts: [{name: e, script: s.sh, args: ["${scenario.id}"]}]
rubric_overrides:
  weights: {install_success: 1.5, tests_nonregression: 2.5, llm_judge: 3, efficiency: 0.5,
            file_structure: 1}
warmup: {enabled: true, type: agent, working_dir: w, agent: {provider: p, model: m, prompt: t}}
reference_path: ref
success_criteria: [works]
hints: [look]
tags: [mcp]
difficulty: basic
estimated_time: 5m
"""


ORIGINAL_FILES = {"oracle-answers.json": '{"may i": "No", "answers": "yes"}', "s.sh": "exit 0\n"}


def test_the_form_of_the_original(project: Make) -> None:
    scenario = project(ORIGINAL).write(ORIGINAL_FILES).load()
    assert scenario.title == "Bumps"
    assert scenario.limits.wall_clock_s == 2400
    assert [c.name for c in scenario.validation] == [
        "install",
        "build",
        "lint",
        "typecheck",
        "test",
    ]
    assert {c.kind: c.weight for c in scenario.checks} == {
        "install": 1.5,
        "build": 1.0,
        "lint": 1.0,
        "typecheck": 1.0,
        "test": 2.5,
        "semantic_upgrade_quality": 1.0,
        "deprecated_handling": 1.0,
        "companion_alignment": 1.0,
        "namespace_migrations": 1.0,
        "efficiency": 0.5,
        "heuristic_checks": 1.0,
        "llm_judge": 3.0,
    }
    assert scenario.checks[4].command == "pnpm test"
    assert scenario.oracle.answers == (("may i", "No"), ("answers", "yes"))
    assert [each.name for each in scenario.heuristics] == ["a", "b", "c", "d", "e"]
    assert (scenario.tags, scenario.difficulty) == (("mcp",), "basic")


@pytest.mark.parametrize(
    "field",
    ["id", "workspace", "warmup", "baseline", "reference_path", "success_criteria", "hints",
     "estimated_time", "rubric_overrides.weights"],
)  # fmt: skip
def test_no_field_of_the_original_is_silently_dead(project: Make, field: str) -> None:
    notes = project(ORIGINAL).write(ORIGINAL_FILES).load().notes
    assert sum(note.startswith((f"{field}:", f"{field} (")) for note in notes) == 1


@pytest.mark.parametrize(
    "field", ["workspace", "constraints", "targets", "llm_judge", "heuristic_checks"]
)
def test_what_no_listed_evaluator_looks_at_is_noted(project: Make, field: str) -> None:
    text = ORIGINAL.replace("enabled: true", "enabled: false")
    weights = text[text.index("rubric_overrides") : text.index("warmup")]
    listed = text.replace(weights, "evaluators: [{name: build}]\n")
    notes = project(listed).write(ORIGINAL_FILES).load().notes
    assert sum(note.startswith((f"{field}:", f"{field} (")) for note in notes) == 1


@pytest.mark.parametrize("field", ["constraints", "targets", "llm_judge", "heuristic_checks"])
def test_what_is_looked_at_needs_no_note(project: Make, field: str) -> None:
    notes = project(ORIGINAL).write(ORIGINAL_FILES).load().notes
    assert not any(note.startswith((f"{field}:", f"{field} (")) for note in notes)
