"""security, coverage and performance with the real engine and the tools that Debian packages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pytest
from docker import DockerClient

from evaluators.analysis import AnalysisEvaluator
from evaluators.coverage import CoverageEvaluator
from evaluators.performance import PerformanceEvaluator
from evaluators.security import SecurityEvaluator
from harness import wiring
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.digests import tree_digest
from harness.domain.ids import Digest
from harness.domain.patch import FilePatch, Patch, PatchKind, PatchLine
from harness.domain.record import CheckResult, Control
from harness.domain.scenario import CheckSpec, ImageSource, Limits, Network, Scenario
from harness.evaluate import Cost, Evaluator, Evidence, Work
from harness.sandbox.base import Box, BoxSpec, PreparedImage, Purpose
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.engine import connect
from harness.sandbox.images import DockerImages
from harness.sandbox.owner import this_process
from harness.settings import Settings
from harness.testing.builders import a_scenario
from harness.testing.store import MemoryArtifacts

pytestmark = pytest.mark.docker

FILES = {
    "app.py": "import subprocess\n\n\ndef old(x):\n    return subprocess.call(x, shell=True)\n",
    "calc.py": "def add(a, b):\n    return a + b\n",
    "test_calc.py": "from calc import add\n\n\ndef test():\n    assert add(1, 2) == 3\n",
    "bench.py": "import work\n\nwork.go()\nprint('cost:', work.COST)\n",
    "work.py": "COST = 200\n\n\ndef go():\n    pass\n",
}
Judge = Callable[[Evaluator, CheckSpec, Mapping[str, str]], CheckResult]


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    # a content of its own: other processes may test with the same engine
    files = {**FILES, "id.txt": uuid4().hex}
    made = a_scenario(tmp_path_factory.mktemp("scenario"), files=files)
    packages = ("bandit", "git", "python3", "python3-pytest", "python3-pytest-cov")
    digests = replace(made.digests, fixture=tree_digest(made.fixture))
    limits = Limits(memory_bytes=512 * 2**20, disk_bytes=64 * 2**20)
    return replace(made, image=ImageSource(packages=packages), limits=limits, digests=digests)


@pytest.fixture(scope="module")
def engine() -> DockerClient:
    return connect()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(tmp_path_factory.mktemp("root"), workspaces="mount")


@pytest.fixture(scope="module")
def image(engine: DockerClient, scenario: Scenario, settings: Settings) -> PreparedImage:
    bundle = os.environ.get("SSL_CERT_FILE")
    images = DockerImages(engine, settings.state, ca_bundle=Path(bundle) if bundle else None)
    return images.prepare(scenario, lambda _text: None)


@pytest.fixture
def judge(
    engine: DockerClient, scenario: Scenario, settings: Settings, image: PreparedImage
) -> Judge:
    """What an evaluator says of a work, after it has seen the untouched fixture."""
    sandboxes = DockerSandboxes(engine)

    @contextmanager
    def opened() -> Iterator[Box]:
        workspaces = wiring.open_workspaces(settings, engine, sandboxes)
        with workspaces.open(scenario, image) as workspace:
            spec = BoxSpec(
                name=f"mintmark-test-{uuid4().hex[:12]}",
                image=image,
                purpose=Purpose.GRADE,
                limits=scenario.limits,
                network=Network.NONE,
                mounts=(workspace.mount,),
                labels={"mintmark": "test", "mintmark.owner": this_process()},
            )
            with sandboxes.open(spec) as box:
                yield box

    def say(evaluator: Evaluator, check: CheckSpec, files: Mapping[str, str]) -> CheckResult:
        keep = MemoryArtifacts().put
        with opened() as box:
            blank = Evidence(scenario, Changes(), box, (), None, {}, keep, untouched=True)
            before = evaluator.judge(blank, check)
        changes = Changes(tuple(_change(name, text) for name, text in sorted(files.items())))
        with opened() as box:
            box.apply(changes.items)
            work = Work(changes, Patch(tuple(_patch(n, t) for n, t in sorted(files.items()))))
            known = Control(Digest("k"), (), (before,))
            evidence = Evidence(scenario, changes, box, (), known, {}, keep, work)
            result = evaluator.judge(evidence, check)
            assert _as_left(box, files), "the work is not as it was"
        return result

    return say


def _change(name: str, text: str) -> Change:
    return Change(name.encode(), ChangeKind.FILE, data=text.encode())


def _patch(name: str, text: str) -> FilePatch:
    lines = enumerate(text.splitlines(), 1)
    return FilePatch(name, PatchKind.MODIFIED, added=tuple(PatchLine(n, t) for n, t in lines))


def _as_left(box: Box, files: Mapping[str, str]) -> bool:
    kept = (name for name in files if name != "coverage.xml")
    return all(box.read(name, limit=100_000).decode() == files[name] for name in kept)


def test_a_new_shell_call_is_found_and_the_one_that_was_there_is_not(judge: Judge) -> None:
    new = "\n\ndef new(y):  # nosec\n    return subprocess.call(y, shell=True)  # nosec\n"
    ini = "[bandit]\nskips: B602\nexclude: /\n"
    work = {"app.py": "\n\n" + FILES["app.py"] + new, ".bandit": ini}
    result = judge(SecurityEvaluator(), CheckSpec("security", "security", 1.0), work)
    assert result.score == 1 / (1 + 4)
    assert "new: 0 low, 0 medium, 1 high; 2 as in the untouched fixture" in result.details
    assert any("app.py:11 B602" in line for line in result.details)


def test_a_harmless_change_is_as_safe_as_the_fixture(judge: Judge) -> None:
    work = {"calc.py": FILES["calc.py"] + "\n\ndef sub(a, b):\n    return a - b\n"}
    result = judge(SecurityEvaluator(), CheckSpec("security", "security", 1.0), work)
    assert result.score == 1.0


COVERAGE = CheckSpec(
    "coverage",
    "coverage",
    1.0,
    options={
        "command": "python3 -m pytest -q -p no:cacheprovider --cov=. --cov-report=xml",
        "report": "coverage.xml",
    },
)


def test_the_lines_that_tests_run_are_told_from_those_they_do_not(judge: Judge) -> None:
    work = {
        "calc.py": "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n",
        "coverage.xml": '<coverage><class filename="calc.py"/></coverage>',
        ".coveragerc": "[run]\nomit = *\n",
    }
    result = judge(CoverageEvaluator(), COVERAGE, work)
    assert result.score == 3 / 4, result.details
    assert "did not run: calc.py: 6" in result.details


@pytest.mark.parametrize(("cost", "score"), [(100, 1.0), (300, 0.5), (400, 0.0)])
def test_a_printed_figure_is_compared_in_turns(judge: Judge, cost: int, score: float) -> None:
    options = {"command": "python3 bench.py", "metric": r"cost: (\d+)", "rounds": 2}
    check = CheckSpec("performance", "performance", 1.0, options=options)
    # whatever one side does to the other's files is put right before the other's turn
    mess = "open('bench.py', 'a').write('1/0')\n    open('json.py', 'w').write('1/0')"
    work = {"work.py": f"COST = {cost}\n\n\ndef go():\n    {mess}\n"}
    result = judge(PerformanceEvaluator(), check, work)
    assert result.score == score, result.details


def test_wall_time_is_measured_from_outside(judge: Judge) -> None:
    options = {"command": "python3 bench.py", "rounds": 3}
    check = CheckSpec("performance", "performance", 1.0, options=options)
    slow = "n = 0\n    for i in range(20_000_000):\n        n += i"
    work = {"work.py": f"COST = 1\n\n\ndef go():\n    {slow}\n"}
    assert judge(PerformanceEvaluator(), check, work).score == 0.0


SHELL = "import subprocess\n\n\ndef new(x):\n    return subprocess.call(x, shell=True)\n"
SECURITY = CheckSpec("security", "security", 1.0)


@dataclass
class After:
    """An evaluator before which code of the work's has run."""

    evaluator: Evaluator
    command: str
    cost: Cost = Cost.SANDBOX

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        if not evidence.untouched:
            assert evidence.box.run(self.command, timeout_s=30).ok
        return self.evaluator.judge(evidence, check)


@pytest.mark.parametrize("folder", ["src", "venv_app", "src./venv", "x./venv/*"])
def test_no_folder_hides_code_from_the_scanner(judge: Judge, folder: str) -> None:
    plain = judge(SecurityEvaluator(), SECURITY, {"src/db.py": SHELL}).score
    assert plain is not None
    assert plain < 0.5
    assert judge(SecurityEvaluator(), SECURITY, {f"{folder}/db.py": SHELL}).score == plain


def test_nothing_in_a_home_speaks_for_the_scanner(judge: Judge) -> None:
    lies = 'import os\\nos.write(1, b\'{\\"errors\\": [], \\"results\\": []}\')\\nos._exit(0)\\n'
    plant = (
        "d=$(python3 -c 'import site; print(site.getusersitepackages())'); mkdir -p $d;"
        f' printf "{lies}" > $d/usercustomize.py'
    )
    result = judge(After(SecurityEvaluator(), plant), SECURITY, {"src/db.py": SHELL})
    assert result.score is not None
    assert result.score < 0.5, result.details


def test_no_configuration_that_was_planted_while_grading_is_heard(judge: Judge) -> None:
    lint = CheckSpec("lint", "lint", 1.0, command="bandit -q -r . -f json")
    plain = judge(AnalysisEvaluator(), lint, {"src/db.py": SHELL}).score
    plant = "printf '[bandit]\\nskips: B602,B404\\n' > .bandit"
    planted = judge(After(AnalysisEvaluator(), plant), lint, {"src/db.py": SHELL}).score
    assert plain == planted
    assert plain is not None
    assert plain < 0.5
