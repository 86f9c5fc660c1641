"""No content of the work keeps the host busy for ever, or hides behind itself.

Without the bounds each of these takes minutes, or all of the memory.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.findings import read_findings
from evaluators.integrity import IntegrityEvaluator
from evaluators.leaks import SecretsEvaluator
from evaluators.manager import ManagerEvaluator
from evaluators.manager_commands import ManagerCommandsEvaluator
from evaluators.monorepo import MonorepoEvaluator
from harness.domain.session import Ending, Entry, Role, Session
from tests.evaluators.diffs import check_of, evidence_of
from tests.evaluators.projects import Given, judge

PROJECT = Given({"package.json": '{"workspaces":["a/*"]}', "a/b/package.json": "{}",
                 "package-lock.json": "{}"})  # fmt: skip
HOSTILE = {
    "lock files": {f"p{i}/yarn.lock": "" for i in range(20_000)},
    "marks": {"tests/test_a.py": "@pytest.mark.skip\n" * 30_000},
    "methods": {"a.py": "def __eq__(\n" * 90_000},
    "ignore": {**{f"{'d/' * 40}f{i}": "" for i in range(10_000)},
               **{f"{'d/' * n}.gitignore": "".join(f"x{i}*y*z*q\n" for i in range(500))
                  for n in range(1, 41)}},
    "spaces": {"a.md": f"note{' ' * 19_000}\n" * 10},
    "scripts": {"package.json": json.dumps({"scripts": {"a": f"echo{' ' * 250_000}&"}})},
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_integrity_is_soon_done(tmp_path: Path, name: str) -> None:
    evidence = evidence_of(tmp_path, {}, HOSTILE[name])
    assert IntegrityEvaluator().judge(evidence, check_of("integrity")).score is not None


@pytest.mark.parametrize("what", ["globs", "dependencies", "locks"])
def test_manifests_are_soon_read(tmp_path: Path, what: str) -> None:
    globs = [f"{'*a' * 20}{i}/**/b" for i in range(200)]
    table = {f"p{i}": f"^1.{i}.0 || ~2.{i}.1" for i in range(1000)}
    lock = '{"packages":{' + ",".join(f'"node_modules/{i:x}":0' for i in range(150_000)) + "}}"
    name, text = {
        "globs": ("package.json", json.dumps({"workspaces": globs})),
        "dependencies": ("package.json", json.dumps({"dependencies": table})),
        "locks": ("package-lock.json", lock),
    }[what]
    for evaluator in (MonorepoEvaluator(), ManagerEvaluator()):
        judge(tmp_path, evaluator, PROJECT, {f"p{i}/{name}": text for i in range(300)})


def test_many_commands_are_soon_looked_through(tmp_path: Path) -> None:
    after = json.dumps({"dependencies": {f"d{i}": "1" for i in range(60_000)}})
    evidence = evidence_of(tmp_path, {"package.json": "{}"}, {"package.json": after})
    lines = "".join(f"npm i z{i};" for i in range(5000))
    calls = [Entry(Role.TOOL_CALL, json.dumps({"command": lines}), tool="run_command", at_s=0.0)]
    work = replace(evidence.work, session=Session(Ending.FINISHED, 1.0), transcript=tuple(calls))
    evidence = replace(evidence, work=work)
    ManagerCommandsEvaluator().judge(evidence, check_of("used_manager_commands"))


def test_a_value_said_500_times_hides_no_key(tmp_path: Path) -> None:
    value = "sha512-aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xYzAbC"
    work = {"a.py": f'token = "{value}"\n' * 500, "b.py": 'K = "AKIA2345BCDEFGHJKLMN"\n'}
    evidence = evidence_of(tmp_path, {"lock.txt": value}, work)
    assert SecretsEvaluator().judge(evidence, check_of("secrets")).score == 0.0


def test_a_name_is_no_report() -> None:
    known = '[{"code":"F401","filename":"src/a.py","message":"old","location":{"row":1}}]'
    said = f"src/a.py:1:8: F401 old\nsrc/x\n{known}\n.py:1:8: F821 new\nFound 2 errors.\n"
    found = read_findings(said)
    assert found is not None
    assert any(each.finding.rule == "F821" for each in found)
