from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.plugin import make_evaluator
from harness import wiring
from harness.domain.changes import Changes
from harness.domain.scenario import CheckSpec
from harness.errors import UsageError
from harness.evaluate import Cost, Evidence, evaluate
from harness.roster import load_attribute
from harness.testing.builders import a_scenario
from harness.testing.sandbox import FakeBox
from harness.testing.store import MemoryArtifacts

SOURCE = """
from harness.evaluate import Cost, scored

class Tiny:
    cost = Cost.DATA

    def judge(self, evidence, check):
        return scored(check, 0.25, "from far away")
"""


class Costless:
    def judge(self) -> None: ...


class Odd(Costless):
    cost = "cheap"


class Mute:
    cost = Cost.DATA


class Needy:
    def __init__(self, model: str) -> None:
        self.model = model


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on sys.path, as pip leaves it after installing a package."""
    site = tmp_path / "site"
    info = site / "tiny_checks-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "tiny_checks.py").write_text(SOURCE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-checks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mintmark.evaluators]\ntiny = tiny_checks:Tiny\n")
    monkeypatch.syspath_prepend(str(site))
    return site


@pytest.mark.usefixtures("installed")
def test_an_installed_package_s_evaluator_is_asked_like_any_other(tmp_path: Path) -> None:
    assert "tiny" in wiring.evaluator_kinds()
    check = CheckSpec("small", "tiny", 1.0)
    scenario = a_scenario(tmp_path / "s", checks=(check,))
    evidence = Evidence(scenario, Changes(), FakeBox({}, {}), (), None, {}, MemoryArtifacts().put)
    (result,) = evaluate(evidence, wiring.Evaluators(), lambda _: None)
    assert (result.name, result.score, result.details) == ("small", 0.25, ("from far away",))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Costless, r"evaluator 'theirs' \(pkg:Thing\) has no `cost`; .*Cost\.DATA"),
        (Odd, "has the `cost` 'cheap'"),
        (Mute, "has no `judge"),
        (Needy, "takes no arguments"),
    ],
)
def test_what_is_no_evaluator_is_named(found: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make_evaluator("theirs", "pkg:Thing", lambda _path: found)


@pytest.mark.parametrize("path", ["no_such_module:Thing", "json:NoSuchThing"])
def test_an_entry_point_that_leads_nowhere_is_named(path: str) -> None:
    with pytest.raises(UsageError, match=f"'theirs' \\({path}\\) cannot be loaded"):
        make_evaluator("theirs", path, load_attribute)
