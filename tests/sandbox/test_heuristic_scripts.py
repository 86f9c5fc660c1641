"""Scripts and commands of heuristic checks, in the real grading sandbox."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluators.heuristics import HeuristicsEvaluator
from harness.domain.changes import Changes
from harness.domain.heuristics import Heuristic, HeuristicKind
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evidence
from harness.sandbox.base import Purpose
from harness.testing.builders import a_scenario
from harness.testing.sandbox import OpenBox
from harness.testing.store import MemoryArtifacts

pytestmark = pytest.mark.docker

PLANTED = """\
import pathlib
for version in range(7, 16):
    site = pathlib.Path.home() / f".local/lib/python3.{version}/site-packages"
    site.mkdir(parents=True, exist_ok=True)
    (site / "usercustomize.py").write_text("import os; os._exit(0)")
    pathlib.Path("/workspace/json.py").write_text("import os; os._exit(0)")
"""
FAILS = """\
#!/usr/bin/env python3
import json, os, sys
sys.exit(f"{os.getuid()} {os.getcwd()} {sys.argv[1:]}")
"""


def test_a_script_runs_unprivileged_in_the_workspace_and_nothing_planted_steers_it(
    open_box: OpenBox, tmp_path: Path
) -> None:
    (tmp_path / "fails").write_text(FAILS)
    (tmp_path / "holds.sh").write_text("test -f src/app.py\n")
    script = HeuristicKind.SCRIPT
    items = (
        Heuristic(script, "fails", script="fails", args=("a b",)),
        Heuristic(script, "holds", script="holds.sh"),
        Heuristic(HeuristicKind.COMMAND, "gone", command='test -z "$(ls /tmp)"'),
        Heuristic(HeuristicKind.COMMAND, "none", command="no-such-program", absent=True),
    )
    store = MemoryArtifacts()
    with open_box(Purpose.GRADE) as (box, _):
        assert box.run(["python3", "-c", PLANTED], timeout_s=20).ok
        scenario = replace(a_scenario(tmp_path), heuristics=items)
        evidence = Evidence(scenario, Changes(), box, (), None, {}, store.put)
        check = CheckSpec("heuristic_checks", "heuristic_checks", 1.0)
        result = HeuristicsEvaluator().judge(evidence, check)
        assert box.run("ls /tmp", timeout_s=20).stdout == ""
    assert [line[0] for line in result.details] == ["✗", "✓", "✓", "✗"]
    assert b"64321 /workspace ['a b']" in store.get(result.artifacts[0])
