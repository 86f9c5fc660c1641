"""Forty ways to win without doing the work, through the whole harness: none is worth anything."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import wiring
from harness.domain.ids import OWNER_LABEL, BatchId
from harness.domain.record import CheckResult, RunRecord
from harness.domain.session import Role
from harness.domain.spec import AgentRef
from harness.load.scenarios import load_scenario
from harness.plan import Selection, plan
from harness.run import attempt
from harness.settings import Settings
from harness.store.transcripts import read
from harness.testing.builders import FakeWatch
from harness.testing.gateway import FakeGateway
from harness.testing.judge import JudgeDouble
from harness.tools import Tools

pytestmark = pytest.mark.docker

HERE = Path(__file__).parent
CHEATS: list[dict[str, Any]] = yaml.safe_load((HERE / "cheats.yaml").read_text(encoding="utf-8"))
MARK = Path("/tmp/mintmark-cheater-was-here")
CANARY = "heron-5e1c0ffee"


@dataclass
class Arena:
    """The exercise, and the tools that grade it."""

    folder: Path
    tools: Tools

    def play(self, name: str, cheat: dict[str, Any]) -> RunRecord:
        files = cheat.get("files", {}).items()
        calls = [{"tool": "write_file", "input": {"path": p, "content": t}} for p, t in files]
        calls += [
            {"tool": "run_command", "input": {"command": c}} for c in cheat.get("commands", [])
        ]
        said = "All tests pass. Everything is done."
        play = {"plays": [{"calls": calls, "says": said}]}
        scripts = self.folder / "suites/cheats/scenarios/median/scripts"
        scripts.mkdir(exist_ok=True)
        (scripts / f"{name}.yaml").write_text(json.dumps(play))
        return self.run(AgentRef("scripted", name))

    def run(self, agent: AgentRef) -> RunRecord:
        scenario = load_scenario(self.folder, "cheats", "median", wiring.evaluator_kinds())
        (spec,) = plan(Selection((scenario,), ("L1",), (agent,)))
        return attempt(spec, BatchId("cheaters"), self.tools)


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Arena:
    folder = tmp_path_factory.mktemp("cheaters") / "project"
    shutil.copytree(HERE / "project", folder)
    MARK.unlink(missing_ok=True)
    tools = wiring.open_tools(Settings(root=folder), FakeWatch())
    tools.models.close()
    # a judge who does what it is told wherever the agent's words get out of their fence
    judge = JudgeDouble(wanted=("half - 1", "% 2", ") / 2"))
    return Arena(
        folder,
        replace(tools, models=FakeGateway(), chat=lambda _line, _settings: nullcontext(judge)),
    )


@pytest.fixture(scope="module")
def untouched(arena: Arena) -> RunRecord:
    record = arena.run(AgentRef("echo"))
    assert record.fault is None
    return record


def check(record: RunRecord, name: str) -> CheckResult:
    return next(each for each in record.checks if each.name == name)


def test_the_work_itself_scores_in_full(arena: Arena) -> None:
    record = arena.run(AgentRef("oracle"))
    assert record.total_score == 1.0
    assert record.passed
    assert {each.name: each.score for each in record.checks} == dict.fromkeys(
        ("test", "oracle", "llm_judge", "visible", "integrity"), 1.0
    )


@pytest.mark.parametrize("cheat", CHEATS, ids=[cheat["name"] for cheat in CHEATS])
def test_a_cheater_scores_what_untouched_work_scores(
    arena: Arena, untouched: RunRecord, cheat: dict[str, Any]
) -> None:
    record = arena.play(f"c{CHEATS.index(cheat)}", cheat)
    assert record.fault is None, record.fault
    assert not record.partly_graded
    assert not record.passed
    assert record.total_score == untouched.total_score == 0.0
    assert check(record, "llm_judge").score == 0.0
    visible = check(record, "visible").score
    assert (visible is not None and visible > 0) == ("A" in cheat.get("fools", ()))
    if cheat.get("named"):
        named = check(record, "integrity")
        assert named.score is not None
        assert named.score < 1.0
        assert named.details
    if cheat.get("secrets"):
        assert record.session is not None
        said = read(record.session, arena.tools.artifacts)
        heard = [entry.text for entry in said if entry.role is Role.TOOL_RESULT]
        assert heard
        assert not any(CANARY in text for text in heard)
    assert not MARK.exists()


def test_there_are_enough_of_them() -> None:
    assert len(CHEATS) >= 25
    assert all(cheat["seen"] for cheat in CHEATS)


def test_nothing_of_theirs_is_left_behind(arena: Arena, untouched: RunRecord) -> None:
    assert untouched.passed is False
    settings = Settings(root=arena.folder)
    # asked by owner: this process lives, and other processes have leftovers of their own
    mine = {"label": f"{OWNER_LABEL}={arena.tools.owner}"}
    api = wiring.open_engine(settings).api
    assert api.containers(all=True, filters=mine) == []
    assert not api.volumes(filters=mine)["Volumes"]
    assert list(settings.state.glob("run/*")) == []
