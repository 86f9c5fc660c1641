"""An agent cannot turn its failure into a fault of the world, which would leave the mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness import wiring
from harness.cli.bench import bench
from harness.domain.ids import BatchId
from harness.domain.spec import AgentRef
from harness.load.scenarios import load_scenario
from harness.plan import Selection, plan
from harness.run import attempt
from harness.settings import Settings
from harness.testing.builders import FakeWatch

pytestmark = pytest.mark.docker

LINKS = """python3 -c "
import os
open('f', 'wb').write(b'x' * 4097)
for i in range(20000): os.link('f', 'l%d' % i)
" """
PATHS = """python3 -c "
import os
d = '/'.join(['d' * 250] * 11)
os.makedirs(d); os.chdir(d)
for i in range(25000): open('%d' % i, 'w')
" """


@pytest.mark.parametrize(
    "command",
    [
        "truncate -s 60M big",
        "head -c 100M /dev/zero > big",
        PATHS,
        LINKS,
        "rm -rf src && echo x > src",
        "mkdir -p src/greeting.py.d; chmod 000 src",
    ],
    ids=["sparse", "big", "paths", "links", "file-for-folder", "closed-folder"],
)
def test_whatever_an_agent_leaves_is_graded(tmp_path: Path, command: str) -> None:
    for words in (["suite", "sample"], ["scenario", "sample", "greet"]):
        made = CliRunner().invoke(bench, ["new", *words, "--root", str(tmp_path)])
        assert made.exit_code == 0
    folder = tmp_path / "suites/sample/scenarios/greet"
    (folder / "scripts").mkdir()
    call = {"tool": "run_command", "input": {"command": command}}
    (folder / "scripts/hostile.yaml").write_text(json.dumps({"plays": [{"calls": [call]}]}))
    settings = Settings(root=tmp_path)
    scenario = load_scenario(tmp_path, "sample", "greet", wiring.evaluator_kinds())
    (spec,) = plan(Selection((scenario,), ("L1",), (AgentRef("scripted", "hostile"),)))
    record = attempt(spec, BatchId("b"), wiring.open_tools(settings, FakeWatch()))
    assert record.fault is None
    assert not record.passed
    assert record.total_score is not None
