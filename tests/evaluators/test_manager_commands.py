from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.declared import declared
from evaluators.manager_commands import ManagerCommandsEvaluator
from evaluators.shell_lines import commands
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.dependencies import DependencyRules, Target
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.domain.session import Ending, Entry, Role, Session
from harness.evaluate import Evidence, Work
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

CHECK = CheckSpec("used_manager_commands", "used_manager_commands", 1.0)
OLD = {"package.json": '{"dependencies": {"react": "^17", "zod": "3"}}', "pnpm-lock.yaml": "a: 1\n"}
NEW = {"package.json": '{"dependencies": {"react": "^18", "zod": "3"}}', "pnpm-lock.yaml": "a: 2\n"}
PIP = {"requirements.txt": "requests==2.0  # pinned\nflask\n"}


def ran(*lines: str, failed: bool = False, tool: str = "run_command") -> list[Entry]:
    return [
        entry
        for line in lines
        for entry in (
            Entry(Role.TOOL_CALL, json.dumps({"command": line}), 1.0, tool),
            Entry(Role.TOOL_RESULT, "", 1.0, tool, is_error=failed),
        )
    ]


def judge(
    tmp_path: Path,
    transcript: list[Entry],
    *,
    before: dict[str, str] = OLD,
    after: dict[str, str] = NEW,
    rules: DependencyRules | None = None,
) -> CheckResult:
    scenario = replace(a_scenario(tmp_path, files=before), rules=rules or DependencyRules())
    changes = Changes(
        tuple(Change(n.encode(), ChangeKind.FILE, data=t.encode()) for n, t in after.items())
    )
    evidence = Evidence(
        scenario, changes, FakeBox({}, {}), (), None, {}, MemoryArtifacts().put,
        Work(changes, session=Session(Ending.FINISHED, 1.0), transcript=tuple(transcript)),
    )  # fmt: skip
    return ManagerCommandsEvaluator().judge(evidence, CHECK)


@pytest.mark.parametrize(
    ("line", "score"),
    [
        ("pnpm add react@18", 1.0),
        ("pnpm up", 1.0),
        ("pnpm up 're*'", 1.0),
        ("cd app && pnpm --filter web add -D react@^18", 1.0),
        ("CI=1 sudo pnpm add react", 1.0),
        ("bash -lc 'cd x; pnpm add react'", 1.0),
        ("corepack pnpm add react", 1.0),
        ("npx -y pnpm@9 add react", 1.0),
        ("timeout 60 pnpm add react >log 2>&1", 1.0),
        ("if true; then pnpm add react; fi", 1.0),
        ("echo $(pnpm add react)", 1.0),
        ("pnpm install", 0.75),
        ("pnpm add zod", 0.75),
        ("npm install react@18", 0.0),
        ("pnpm add react; npm install", 0.5),
        ("npm install -g pnpm && pnpm add react", 1.0),
        ("npm install pnpm && pnpm add react", 1.0),
        ('echo "pnpm add react"', 0.0),
        ("echo pnpm add react", 0.0),
        ("true # pnpm add react", 0.0),
        ("cat <<EOF\npnpm add react\nEOF", 0.0),
        ("cat > 'pnpm' add react", 0.0),
        ("pnpm run add react", 0.0),
        ("pnpm add react --dry-run", 0.0),
        ("sed -i s/17/18/ package.json", 0.0),
        ("", 0.0),
        ("'", 0.0),
    ],
)
def test_a_line_is_worth_what_it_runs(tmp_path: Path, line: str, score: float) -> None:
    assert judge(tmp_path, ran(line)).score == score


@pytest.mark.parametrize("tool", ["Bash", "command_execution", "shell"])
def test_agents_with_tools_of_their_own_are_understood(tmp_path: Path, tool: str) -> None:
    assert judge(tmp_path, ran("pnpm add react", tool=tool)).score == 1.0
    words = Entry(Role.TOOL_CALL, '{"cmd": ["bash", "-c", "pnpm add react"]}', 1.0, tool)
    result = judge(tmp_path, [words])
    assert result.score == 1.0
    assert "agent's word" in result.details[-1]


def test_a_command_that_failed_changed_nothing(tmp_path: Path) -> None:
    assert judge(tmp_path, ran("pnpm add react", failed=True)).score == 0.0
    assert judge(tmp_path, ran("pnpm add react && make test", failed=True)).score == 1.0


def test_the_scenario_s_managers_come_before_the_lock_file(tmp_path: Path) -> None:
    rules = DependencyRules(managers=("npm",))
    after = {"package.json": NEW["package.json"]}
    assert judge(tmp_path, ran("npm i react@18"), after=after, rules=rules).score == 1.0
    assert judge(tmp_path, ran("pnpm add react@18"), after=after, rules=rules).score == 0.0


def test_another_manager_s_lock_file_is_worth_nothing(tmp_path: Path) -> None:
    after = {**NEW, "package-lock.json": "{}"}
    assert judge(tmp_path, ran("pnpm add react"), after=after).score == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("line", "score"),
    [
        ("pip install -r requirements.txt", 1.0),
        ("python3 -m pip install -U requests", 1.0),
        ("uv pip install requests", 0.0),
        ("make", 0.0),
    ],
)
def test_pip_writes_no_manifest_so_it_is_enough_to_install(
    tmp_path: Path, line: str, score: float
) -> None:
    after = {"requirements.txt": "requests==3.0\nflask\n"}
    assert judge(tmp_path, ran(line), before=PIP, after=after).score == score


@pytest.mark.parametrize(
    ("line", "score"), [("uv add 'Requests_X>=3'", 1.0), ("uv lock", 0.5), ("poetry add x", 0.0)]
)
def test_python_projects_have_managers_too(tmp_path: Path, line: str, score: float) -> None:
    before = {"pyproject.toml": '[project]\ndependencies = ["requests-x>=2"]\n', "uv.lock": ""}
    after = {"pyproject.toml": '[project]\ndependencies = ["requests-x>=3"]\n'}
    assert judge(tmp_path, ran(line), before=before, after=after).score == score


def test_no_change_and_none_asked_for_could_not_run(tmp_path: Path) -> None:
    assert judge(tmp_path, ran("pnpm add react"), after={"a.py": ""}).score is None
    reordered = {"package.json": '{"dependencies": {"zod": "3", "react": "^17"}, "private": true}'}
    assert judge(tmp_path, ran("ls"), after=reordered).score is None


def test_no_change_where_one_is_asked_for_scores_nothing(tmp_path: Path) -> None:
    rules = DependencyRules(targets=(Target("react", "^18"),))
    assert judge(tmp_path, ran("pnpm add react"), after={"a.py": ""}, rules=rules).score == 0.0


def test_a_transcript_without_tools_tells_nothing(tmp_path: Path) -> None:
    assert judge(tmp_path, []).score is None
    assert judge(tmp_path, [Entry(Role.ASSISTANT, "pnpm add react", 1.0)]).score is None


@pytest.mark.parametrize(
    "text",
    ["{", "[" * 100_000, '{"command": 3}', '{"command": [1]}', '["pnpm"]', '{"command": "pnpm"}'],
)
def test_calls_that_make_no_sense_are_passed_over(tmp_path: Path, text: str) -> None:
    assert judge(tmp_path, [Entry(Role.TOOL_CALL, text, 1.0, "Bash")]).score == 0.0


@pytest.mark.parametrize(
    "line",
    [
        "`" * 100_000, "$(" * 100_000, "'" * 99_999, '"\\' * 50_000, "<<A " * 20_000 + "\n" * 9_999,
        "sh -c " * 20_000, "eval " * 20_000, "sudo " * 20_000, "\\\n" * 50_000, "A=b " * 20_000,
    ],
)  # fmt: skip
def test_no_line_takes_for_ever(line: str) -> None:
    assert len(list(commands(line))) <= len(line)


@pytest.mark.parametrize("manifest", ["{", "[" * 100_000, "\xff", '{"dependencies": [1]}', "null"])
def test_a_broken_manifest_has_lost_its_dependencies(tmp_path: Path, manifest: str) -> None:
    result = judge(tmp_path, ran("ls"), after={"package.json": manifest})
    assert result.score == 0.0


def test_a_key_of_a_thousand_parts_is_not_parsed() -> None:
    project = '[project]\ndependencies = ["requests"]\n'
    assert declared("pyproject.toml", project.encode())
    assert not declared("pyproject.toml", f"{'a.' * 1_000}a = 1\n{project}".encode())
