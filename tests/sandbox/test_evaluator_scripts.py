"""Scripts that evaluate, in the real grading sandbox."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.script import ScriptEvaluator
from harness.domain.changes import Changes
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evidence
from harness.sandbox.base import Purpose
from harness.testing.builders import a_scenario
from harness.testing.sandbox import OpenBox
from harness.testing.store import MemoryArtifacts

pytestmark = pytest.mark.docker

CALLS_THE_AGENT = """\
#!/usr/bin/env python3
import json, os, sys
sys.path.append("/mintmark")
import grading
import helper

evidence = json.load(sys.stdin)
identity = int(os.environ["MINTMARK_UID"]), int(os.environ["MINTMARK_GID"])
grading.SESSION.identity = identity
said = grading.run(["sh", "-c", "id -u; cat %s; ls /grading" % os.path.abspath(__file__)])
seen = [os.getuid(), said.stdout.split(), grading.call("app:value"), os.getcwd(), helper.WORD]
print(json.dumps({"score": 1 if evidence["mintmark"] == 1 else 0, "details": [json.dumps(seen)]}))
"""
PLANTED = """\
import pathlib
home = pathlib.Path.home() / ".local/lib"
for version in range(7, 16):
    site = home / f"python3.{version}/site-packages"
    site.mkdir(parents=True, exist_ok=True)
    (site / "usercustomize.py").write_text("import os; os._exit(0)")
    for name in ("json.py", "grading.py", "sitecustomize.py"):
        pathlib.Path("/workspace", name).write_text("import os; os._exit(0)")
"""
SHELL = """\
#!/bin/sh -eu
test "$(id -u)" = 0
test -f "$MINTMARK_WORKSPACE/src/app.py"
cat >/dev/null
printf '{"score": %s}' "$1"
"""


def judge(box_of: OpenBox, tmp_path: Path, script: str, *, before: str = "") -> CheckResult:
    folder = tmp_path / "suites" / "s" / "scenarios" / "one"
    (folder / "checks").mkdir(parents=True)
    (folder / "checks" / "mine").write_text(script)
    (folder / "checks" / "helper.py").write_text("WORD = 'beside'\n")
    check = CheckSpec("mine", "script", 1.0, options={"run": "checks/mine", "args": ["0.25"]})
    with box_of(Purpose.GRADE) as (box, _):
        box.write("src/app.py", b"def value():\n    return 7\n")
        if before:
            assert box.run(["python3", "-c", before], timeout_s=20).ok
        evidence = Evidence(
            replace(a_scenario(folder), checks=(check,)), Changes(), box, (), None, {},
            MemoryArtifacts().put,
        )  # fmt: skip
        return ScriptEvaluator().judge(evidence, check)


def test_a_script_runs_as_root_and_the_agent_s_code_as_nobody_it_trusts(
    open_box: OpenBox, tmp_path: Path
) -> None:
    result = judge(open_box, tmp_path, CALLS_THE_AGENT)
    assert result.score == 1.0, result.reason
    assert result.details[0].startswith('[0, ["64321"], 7, "/grading/scripts/')
    assert result.details[0].endswith('"beside"]')


def test_what_the_agent_plants_for_interpreters_is_not_loaded(
    open_box: OpenBox, tmp_path: Path
) -> None:
    assert judge(open_box, tmp_path, CALLS_THE_AGENT, before=PLANTED).score == 1.0


def test_any_language_of_the_image_will_do(open_box: OpenBox, tmp_path: Path) -> None:
    result = judge(open_box, tmp_path, SHELL)
    assert result.score == 0.25, result.reason


def test_a_program_that_the_image_has_not_got_could_not_run(
    open_box: OpenBox, tmp_path: Path
) -> None:
    result = judge(open_box, tmp_path, "#!/usr/bin/env befunge\n")
    assert result.score is None
    assert "exit code 127" in result.reason
