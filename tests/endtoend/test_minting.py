"""The guide's three workflows with the real commands: integrated, manual, comparison.

The provider is made of a script: it mends the bug only when it is told the specialist's words.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.load.snapshots import parse_snapshot
from harness.testing.provider import Answer, Call, ProviderDouble, Says, Seen, by_turn

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
START = "from harness.cli.{0} import main; main()"
KEY = "sk-nobody-00000000"
MODEL = ("--agent", "anthropic", "--model", "claude-opus-4-5")
PATH = "src/greeting.py"
MENDED = 'def greet(name):\n    return f"Hello, {name}!"\n'
BROKEN = 'def greet(name):\n    return "Hello, you!"\n'
PURPOSE = "Keep every promise that a README makes."
SUMMARY = "Names stand between the comma and the mark, and nothing else does."
TEMPLATE = {
    "name": "@org/my-specialist",
    "version": "1.0.0",
    "persona": {"purpose": PURPOSE, "tech_stack": ["Python"]},
    "capabilities": {"tags": ["readme"]},
    "documentation": [{"type": "file", "path": "greetings.md"}],
    "preferred_models": ["anthropic/claude-opus-4-5"],
}
DRAWN = {
    "summary": SUMMARY,
    "key_concepts": ["names"],
    "use_cases": ["greeting people"],
    "relevance_to_specialist": "It says where names stand.",
    "relevant_for_tasks": [],
    "relevant_tech_stack": ["Python"],
    "relevant_tags": ["readme"],
    "code_patterns": [],
}


def answer(seen: Seen, number: int) -> Answer:
    """Draws from a document, or works: well with the specialist's words, badly without them."""
    if not seen.offers_tools:
        return Says(json.dumps(DRAWN))
    text = MENDED if PURPOSE in json.dumps(seen.body.get("system")) else BROKEN
    write = Call("write_file", {"path": PATH, "content": text})
    return by_turn(Says("I write it.", calls=(write,)), Says("It is done."))(seen, number)


class Project:
    """A folder with a scenario and a template, to run commands in."""

    def __init__(self, root: Path, url: str) -> None:
        self.root = root
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")},
            "PYTHONPATH": str(ROOT),
            "BENCH_ROOT": str(root),
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": KEY,
            "XDG_CONFIG_HOME": str(root / "config"),
        }

    def command(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", START.format(program), *arguments],
            env=self.env,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def bench(self, *arguments: str) -> str:
        """What a command prints; one that runs agents may well not pass."""
        done = self.command("bench", *arguments)
        assert done.returncode in {0, 1}, done.stdout + done.stderr
        return done.stdout

    def mint(self, *arguments: str, code: int = 0) -> str:
        done = self.command("mint", *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def snapshot(self, number: int = 1) -> dict[str, Any]:
        folder = self.root / "snapshots/my-specialist/1.0.0"
        return parse_snapshot((folder / f"snapshot-{number:03d}.json5").read_bytes())


@pytest.fixture(scope="module")
def double() -> Iterator[ProviderDouble]:
    with ProviderDouble(answer, key=KEY) as opened:
        yield opened


@pytest.fixture
def project(double: ProviderDouble, tmp_path: Path) -> Project:
    made = Project(tmp_path, double.url)
    made.bench("new", "suite", "sample")
    made.bench("new", "scenario", "sample", "greet")
    folder = tmp_path / "templates"
    folder.mkdir(exist_ok=True)
    (folder / "greetings.md").write_text(f"# Greetings\n\n{SUMMARY}\n")
    (folder / "my-specialist.json5").write_text(json.dumps(TEMPLATE, indent=2))
    return made


def test_one_command_runs_both_sides_and_mints(project: Project) -> None:
    said = project.bench(
        "sample", "greet", "--tier", "L1", "--agent", "anthropic", "--iterations", "2",
        "--mint-template", "templates/my-specialist.json5", "--mint-output", "./snapshots",
    )  # fmt: skip

    assert "Snapshot ID       001" in said
    comparison = project.snapshot()["benchmarks"]["comparison"]
    assert comparison["specialist_avg_score"] == 1.0
    assert comparison["baseline_avg_score"] < 1.0
    assert (comparison["baseline_runs"], comparison["specialist_runs"]) == (2, 2)
    assert "holds" in project.mint("verify", "my-specialist")


def test_enriched_run_looked_at_and_minted_step_by_step(
    project: Project, double: ProviderDouble
) -> None:
    project.mint("enrich", "templates/my-specialist.json5", "--provider", "anthropic")
    (enriched,) = project.root.rglob("enriched-001.json5")
    before = len(double.completions)
    ref = ("--specialist", "templates/my-specialist.json5", "--with-baseline")
    project.bench(
        "sample", "greet", "--tier", "L1", *MODEL, *ref,
        "--batch-id", "my_custom_batch", "--iterations", "1",
    )  # fmt: skip
    shown = project.bench("--batch-details", "my_custom_batch")
    project.mint("keygen")
    path = str(enriched.relative_to(project.root))
    said = project.mint(
        "snapshot", path, "--batch-id", "my_custom_batch", "--output", "./snapshots", "--bundle"
    )
    assert f"Template file     {path}" in said

    assert "sample/greet" in shown
    told = [json.dumps(seen.body.get("system")) for seen in double.completions[before:]]
    assert any(SUMMARY in words for words in told), "the model was told what was drawn"
    found = json.loads(project.mint("verify", "my-specialist", "--bundle", "--json"))
    assert found["ok"], found["flaw"]
    assert found["signed_by"]
    document = project.snapshot()
    assert document["documentation"][0]["enrichment"]["summary"] == SUMMARY
    (scenario,) = document["snapshot_metadata"]["provenance"]["scenarios"]
    assert len(scenario["fixture"]) == len(scenario["prompt"]) == 64


def test_a_batch_without_the_specialist_is_minted_and_says_that_it_compares_nothing(
    project: Project,
) -> None:
    project.mint("enrich", "templates/my-specialist.json5", "--provider", "anthropic")
    project.bench(
        "sample", "greet", "--tier", "L1", "--agent", "anthropic",
        "--batch-id", "my_custom_batch", "--iterations", "2",
    )  # fmt: skip
    said = project.mint(
        "snapshot", "templates/my-specialist/enriched/1.0.0/enriched-001.json5",
        "--batch-id", "my_custom_batch", "--output", "./snapshots",
    )  # fmt: skip
    assert "No comparison: no run of @org/my-specialist@1.0.0 is here" in " ".join(said.split())
    assert "comparison" not in project.snapshot()["benchmarks"]


def test_a_baseline_and_a_specialist_run_apart_are_compared(project: Project) -> None:
    where = ("--tier", "L1", "--batch-id", "comparison_batch", "--iterations", "2")
    project.bench("sample", "greet", "--agent", "anthropic", *where)
    alone = project.mint(
        "snapshot", "templates/my-specialist.json5", "--batch-id", "comparison_batch",
        "--require-comparison", code=2,
    )  # fmt: skip
    assert alone == ""
    # the guide names no agent here: it is the batch's, with the model that the baseline had
    project.bench("sample", "greet", "--specialist", "@org/my-specialist", *where)
    project.mint(
        "snapshot", "templates/my-specialist.json5", "--batch-id", "comparison_batch",
        "--output", "./snapshots",
    )  # fmt: skip

    (model,) = project.snapshot()["benchmarks"]["comparison"]["models_compared"]
    assert model["model"] == "claude-sonnet-4-5"
    assert model["improvement"] > 0
    listed = json.loads(project.mint("list", "--json"))
    assert [each["ref"] for each in listed["snapshots"]] == ["@org/my-specialist@1.0.0#001"]
    page = project.root / "snapshots/my-specialist/1.0.0/snapshot-001.html"
    assert "<svg" in page.read_text()
    path = page.with_suffix(".json5")
    path.write_bytes(path.read_bytes().replace(b"improvement: ", b"improvement: 1", 1))
    assert "does not hold" in project.mint("verify", str(path), code=22)
