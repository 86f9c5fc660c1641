from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from evaluators.script import ANSWER_BYTES, ScriptEvaluator
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest
from harness.domain.patch import FilePatch, Patch, PatchKind
from harness.domain.record import CheckResult, Control
from harness.domain.scenario import CheckSpec
from harness.domain.session import Ending, Question, Session
from harness.evaluate import Evidence, Work
from harness.load.checks import Placed
from harness.load.evaluator_scripts import (
    MOST_BYTES,
    ScriptError,
    read_script,
    script_problems,
    scripts_digest,
)
from harness.sandbox.base import Completed, User
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

CHECK = CheckSpec("mine", "script", 1.0, options={"run": "checks/mine.py", "args": ["-v", 3]})
FAILS = Completed(1, "", "Traceback …\nKeyError: 'x'\n", 0.1)


@dataclass(slots=True)
class ScriptBox(FakeBox):
    """Answers one thing, and remembers how it was asked."""

    says: Completed = field(default_factory=lambda: answer('{"score": 1}'))
    users: list[User] = field(default_factory=list)
    envs: list[Mapping[str, str]] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)

    def run(
        self,
        command: str | Sequence[str],
        *,
        timeout_s: float,
        user: User = User.AGENT,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        output_bytes: int | None = None,
    ) -> Completed:
        """Say it."""
        del timeout_s, output_bytes
        self.asked.append(" ".join(command))
        self.users.append(user)
        self.envs.append(env or {})
        self.heard.append(stdin)
        return self.says


def answer(text: str, **more: int) -> Completed:
    return Completed(0, text, "", 0.1, **more)


def a_folder(tmp_path: Path, text: str = "#!/usr/bin/env python3\n") -> Path:
    folder = tmp_path / "suites" / "suite" / "scenarios" / "scenario"
    (folder / "checks").mkdir(parents=True, exist_ok=True)
    (folder / "checks" / "mine.py").write_text(text)
    (folder / "checks" / "expected.json").write_text("{}")
    return folder


def evidence_of(tmp_path: Path, box: FakeBox, control: CheckResult | None = None) -> Evidence:
    known = Control(Digest("2" * 64), (), (control,)) if control else None
    changes = Changes((Change(b"a\xff.py", ChangeKind.FILE),))
    session = Session(Ending.FINISHED, 2.0, questions=(Question("which?", "that", "the which"),))
    patch = Patch((FilePatch("a.py", PatchKind.ADDED, text="+x \ud800\n"),))
    return Evidence(
        a_scenario(a_folder(tmp_path)),
        changes,
        box,
        (),
        known,
        {},
        MemoryArtifacts().put,
        Work(changes, patch, session, (), "Mend it."),
        earlier={"test": CheckResult("test", "test", 0.5, 1.0, details=("one of two",))},
    )


def judge(tmp_path: Path, says: Completed, control: CheckResult | None = None) -> CheckResult:
    return ScriptEvaluator().judge(
        evidence_of(tmp_path, ScriptBox({}, {}, says=says), control), CHECK
    )


def before(score: float | None, reason: str = "") -> CheckResult:
    return CheckResult("mine", "script", score, 1.0, reason=reason)


def test_the_script_s_answer_is_the_result(tmp_path: Path) -> None:
    said = '{"score": 0.5, "reason": "half of it", "details": ["b is missing"]}\n'
    result = judge(tmp_path, answer(said))
    assert (result.score, result.details) == (0.5, ("half of it", "b is missing"))
    assert [kept.name for kept in result.artifacts] == ["mine.log"]


def test_it_runs_as_the_grader_outside_the_workspace_with_what_stands_beside_it(
    tmp_path: Path,
) -> None:
    box = ScriptBox({}, {})
    ScriptEvaluator().judge(evidence_of(tmp_path, box), CHECK)
    (home,) = {name.rpartition("/")[0] for name in box.hidden}
    assert {name.rpartition("/")[2] for name in box.hidden} == {"mine.py", "expected.json"}
    assert box.users == [User.GRADER]
    assert f"sh /grading/{home} /usr/bin/env python3 /grading/{home}/mine.py -v 3" in box.asked[0]
    assert box.envs[0]["HOME"] == "/grading"


def test_the_evidence_comes_as_json(tmp_path: Path) -> None:
    box = ScriptBox({}, {})
    ScriptEvaluator().judge(evidence_of(tmp_path, box), CHECK)
    told = json.loads(box.heard[0])
    assert told["mintmark"] == 1
    assert told["task"] == "Mend it."
    assert told["changes"] == [{"path": "a\\xff.py", "kind": "file", "mode": "100644"}]
    assert told["checks"][0]["score"] == 0.5
    assert told["session"]["questions"][0]["matched"] == "the which"
    assert told["patch"]["text"] == "+x \ud800\n"
    assert told["control"] is None


@pytest.mark.parametrize(
    "says",
    [
        answer(""),
        answer("fine"),
        answer("[" * 100_000),
        answer("0.5"),
        answer("{}"),
        answer('{"score": 1.5}'),
        answer('{"score": -0.1}'),
        answer('{"score": NaN}'),
        answer('{"score": true}'),
        answer('{"score": "1"}'),
        answer('{"score": 1, "points": 3}'),
        answer('{"score": 1, "reason": 3}'),
        answer('{"score": 1, "details": "x"}'),
        answer('{"score": 1, "details": [1]}'),
        answer('{"score": 1}{"score": 1}'),
        answer('{"score": 1}', dropped_bytes=ANSWER_BYTES),
        FAILS,
        Completed(None, '{"score": 1}', "", 120.0),
    ],
)  # fmt: skip
def test_anything_else_has_no_score_unless_the_work_is_the_cause(
    tmp_path: Path, says: Completed
) -> None:
    alone = judge(tmp_path, says)
    broken = judge(tmp_path, says, before(None, "could not run: the script fails"))
    blamed = judge(tmp_path, says, before(0.0))
    assert (alone.score, broken.score, blamed.score) == (None, None, 0.0)
    assert "could not run: the script failed" in alone.reason
    assert "the work is the cause" in blamed.details[-1]
    assert alone.artifacts


def test_a_script_that_dies_says_with_what(tmp_path: Path) -> None:
    assert "exit code 1: KeyError: 'x'" in judge(tmp_path, FAILS).reason


def test_a_script_may_have_nothing_to_score(tmp_path: Path) -> None:
    nothing = answer('{"score": null, "reason": "no table to look at"}')
    on_the_fixture = judge(tmp_path, nothing)
    assert on_the_fixture.reason == (
        "could not run: the script gives no score: no table to look at"
    )
    again = judge(tmp_path, nothing, on_the_fixture)
    assert again.score is None


def test_work_cannot_make_the_script_silent(tmp_path: Path) -> None:
    nothing = answer('{"score": null, "reason": "the file is gone"}')
    assert judge(tmp_path, nothing, before(0.3)).score == 0.0
    silent_before = judge(tmp_path, nothing)
    assert judge(tmp_path, FAILS, silent_before).score == 0.0


def test_a_script_that_is_gone_by_then_could_not_run(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path, ScriptBox({}, {}))
    (evidence.scenario.folder / "checks" / "mine.py").unlink()
    result = ScriptEvaluator().judge(evidence, CHECK)
    assert result.score is None
    assert "is not there" in result.reason


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("#!/bin/sh -eu\n", {}, ("/bin/sh", "-eu")),
        ("#!/usr/bin/env -S deno run\r\n", {}, ("/usr/bin/env", "-S deno run")),
        ("#!/bin/sh\n", {"interpreter": "node --no-warnings"}, ("node", "--no-warnings")),
    ],
)
def test_the_script_says_what_runs_it(
    tmp_path: Path, text: str, options: Mapping[str, str], words: Sequence[str]
) -> None:
    folder = a_folder(tmp_path, text)
    assert read_script(folder, {"run": "checks/mine.py", **options}).interpreter == words


def test_a_script_in_the_scenario_s_own_folder_takes_nothing_along(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    (folder / "mine.sh").write_text("#!/bin/sh\n")
    assert list(read_script(folder, {"run": "mine.sh"}).files) == ["mine.sh"]


def test_a_suite_has_scripts_for_all_its_scenarios(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    shared = folder.parents[1] / "checks"
    shared.mkdir()
    (shared / "all.sh").write_text("#!/bin/sh\n")
    assert read_script(folder, {"run": "suite:checks/all.sh"}).name == "all.sh"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("checks/his.py", "is not there"),
        ("suite:checks/mine.py", "is not there"),
        ("../scenario/checks/mine.py", "must be a path within"),
        ("/etc/passwd", "must be a path within"),
        ("repo-fixture/app.py", "is in repo-fixture/"),
        ("solution/app.py", "is in solution/"),
        ("checks", "is not there"),
        ("checks/none.txt", "say what runs it"),
        ("checks/out.py", "leads out"),
        ("linked/mine.py", "no regular file"),
        ("large/mine.py", "too much beside it"),
    ],
)
def test_a_script_that_cannot_be_used_is_a_problem_of_the_file(
    tmp_path: Path, run: str, said: str
) -> None:
    folder = a_folder(tmp_path)
    a_scenario(folder)
    for name in ("linked", "large"):
        (folder / name).mkdir()
        (folder / name / "mine.py").write_text("#!/bin/sh\n")
    (folder / "checks" / "none.txt").write_text("print(1)\n")
    (folder / "linked" / "other").symlink_to("mine.py")
    (folder / "large" / "data").write_bytes(b"x" * MOST_BYTES)
    (tmp_path / "out.py").write_text("#!/bin/sh\n")
    if run == "checks/out.py":
        (folder / run).symlink_to(tmp_path / "out.py")
    placed = Placed(replace(CHECK, options={"run": run}), ("evaluators", 0))
    (problem,) = script_problems(folder, [placed])
    assert problem.place == ("evaluators", 0, "options", "run")
    assert said in problem.text


def test_checks_of_other_kinds_have_no_script(tmp_path: Path) -> None:
    other = Placed(CheckSpec("build", "build", 1.0, options={"run": "gone"}), ("evaluators", 0))
    assert list(script_problems(a_folder(tmp_path), [other])) == []


def test_the_digest_changes_with_the_script_and_with_what_it_reads(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    seen = {scripts_digest(folder, [CHECK]), scripts_digest(folder, [])}
    for name, text in (("expected.json", "{ }"), ("mine.py", "#!/bin/sh\n"), ("new.py", "")):
        (folder / "checks" / name).write_text(text)
        seen.add(scripts_digest(folder, [CHECK]))
    assert len(seen) == 5
    (folder / "checks" / "mine.py").unlink()
    with pytest.raises(ScriptError):
        scripts_digest(folder, [CHECK])
