"""Agents with a model, the real programs among them, against a provider made of a script."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from harness.domain.model import Usage
from harness.testing.provider import Answer, Call, ProviderDouble, Says, Seen, by_turn

pytestmark = pytest.mark.docker

ROOT = Path(__file__).parents[2]
START = "from harness.cli.bench import main; main()"
SCENARIO = ("bug-fix", "look-alike-names")
SOLUTION = ROOT / "suites/bug-fix/scenarios/look-alike-names/solution"
CANARY = "sk-canary-4f1d7c0a9b3e52"
"""The provider's key: it may be nowhere but at the provider."""

AGENTS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("--agent", "anthropic:claude-opus-4-5"),
    "openai": ("--agent", "openai:gpt-5.5"),
    "claude-code": ("--agent", "claude-code", "--model", "claude-opus-4-5"),
    "codex": ("--agent", "codex", "--model", "gpt-5.5"),
}
SHELLS = {"run_command": "command", "Bash": "command", "exec_command": "cmd"}
"""What each agent calls its shell, and its command."""

LOOK = """\
id; env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'
grep -rsl sk-canary / --exclude-dir=proc --exclude-dir=sys; ls /run /run/mintmark
python3 - <<'END'
import socket
for host in ("1.1.1.1", "169.254.169.254", "172.17.0.1", "host.docker.internal"):
    for port in (22, 53, 80, 443):
        try:
            socket.create_connection((host, port), 1)
            print("WAY OUT", host, port)
        except OSError as error:
            print("closed", host, port, error)
END
"""
"""Whatever an agent's shell can see."""
TURNS = (
    Usage(1000, 40, 0, 2000),
    Usage(500, 400, 2000, 300),
    Usage(20, 60, 2300, 10),
)
COST_USD = (1520 * 5.00 + 4300 * 0.50 + 2310 * 6.25 + 500 * 25.00) / 1e6
"""By hand, at Claude Opus 4.5's prices: 5 in, 25 out, 0.50 from the cache, 6.25 into it."""


def solve(seen: Seen, number: int) -> Answer:
    """Looks around, then lays the solution over the repository, in the agent's own shell."""
    offered = {tool.get("function", tool).get("name") for tool in seen.body.get("tools") or ()}
    shell = next((name for name in SHELLS if name in offered), None)
    if shell is None:
        return Says("All right.", usage=Usage())
    look, mend = (Call(shell, {SHELLS[shell]: line}) for line in (LOOK, _unpacking()))
    turns = (
        Says("I look around.", calls=(look,), thinking="Where am I?", usage=TURNS[0]),
        Says("I mend it.", calls=(mend,), usage=TURNS[1]),
        Says("It is done.", usage=TURNS[2]),
    )
    return by_turn(*turns)(seen, number)


def _unpacking() -> str:
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w:gz") as tar:
            tar.add(SOLUTION, ".")
        packed = base64.b64encode(file.getvalue()).decode()
    return f"echo {packed} | base64 -d | tar xz --no-same-owner --no-same-permissions -m"


class Project:
    """The shipped suites, with results of their own."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self.root = root
        self.env = {**_without_keys(), "PYTHONPATH": str(ROOT), "BENCH_ROOT": str(root), **env}

    def bench(
        self, *arguments: str, without: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in self.env.items() if name not in without}
        return subprocess.run(
            [sys.executable, "-c", START, *arguments],
            env=env,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )


def _without_keys() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}


@pytest.fixture(scope="module")
def double() -> Iterator[ProviderDouble]:
    with ProviderDouble(solve, key=CANARY) as open_double:
        yield open_double


@pytest.fixture(scope="module")
def project(double: ProviderDouble, tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("project")
    for name in ("suites", "templates"):
        (root / name).symlink_to(ROOT / name)
    return Project(
        root,
        {
            "ANTHROPIC_BASE_URL": double.url,
            "OPENAI_BASE_URL": f"{double.url}/v1",
            "ANTHROPIC_API_KEY": CANARY,
            "OPENAI_API_KEY": CANARY,
            "BENCH_LOG": "debug",
        },
    )


@pytest.fixture(scope="module", params=AGENTS)
def agent(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def done(project: Project, agent: str) -> tuple[Mapping[str, object], str]:
    """One run of an agent: its document, and everything the command printed."""
    arguments = ("run", *SCENARIO, *AGENTS[agent], "--batch-id", agent)
    ran = project.bench(*arguments, "--json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (run,) = json.loads(ran.stdout)["runs"]
    return run, ran.stdout + ran.stderr


def test_every_agent_passes_the_scenario(done: tuple[Mapping[str, object], str]) -> None:
    run, _ = done
    assert (run["status"], run["passed"], run["simulated"]) == ("finished", True, False)


def test_tokens_and_cost_are_those_that_were_computed_by_hand(
    done: tuple[Mapping[str, object], str], agent: str
) -> None:
    session = json.loads(json.dumps(done[0]))["session"]
    usage = session["usage"]
    assert [usage[f"{kind}_tokens"] for kind in ("input", "output", "cached", "cache_write")] == [
        1520,
        500,
        4300,
        2310,
    ]
    if agent in {"anthropic", "claude-code"}:
        assert session["cost_usd"] == pytest.approx(COST_USD, abs=1e-9)


def test_the_transcript_tells_what_was_said_and_called(
    project: Project, done: tuple[Mapping[str, object], str]
) -> None:
    shown = project.bench("show", str(done[0]["run_id"]), "--transcript", "--json").stdout
    entries = json.loads(shown)["transcript"]
    said = [e["text"] for e in entries if e["role"] == "assistant"]
    assert [text.strip() for text in said] == ["I look around.", "I mend it.", "It is done."]
    assert [e["role"] for e in entries if e["tool"]] == ["tool_call", "tool_result"] * 2
    (first, *_) = (e["text"] for e in entries if e["role"] == "tool_result")
    assert "uid=64321" in first, "the shell was the agent's, in its sandbox"


def test_the_key_is_nowhere_in_the_sandbox_the_store_or_the_log(
    project: Project, double: ProviderDouble, done: tuple[Mapping[str, object], str]
) -> None:
    assert double.completions, "the provider was asked"
    assert {seen.key for seen in double.completions} == {CANARY}
    run, printed = done
    assert CANARY not in printed
    shown = project.bench("show", str(run["run_id"]), "--transcript", "--full").stdout
    assert "uid=64321" in shown, "the agent looked into everything that it can read"
    assert CANARY not in shown
    kept = [path for path in (project.root / "results").rglob("*") if path.is_file()]
    assert any(path.parent.parent.name == "artifacts" for path in kept)
    for path in kept:
        assert CANARY.encode() not in _unpacked(path.read_bytes()), path
    exported = project.root / f"{run['run_id']}.cassette"
    assert project.bench("cassette", str(run["run_id"]), "--output", str(exported)).returncode == 0
    assert CANARY.encode() not in _unpacked(exported.read_bytes())


def test_there_is_no_way_out_of_the_sandbox_but_the_gateway(
    project: Project, done: tuple[Mapping[str, object], str]
) -> None:
    shown = project.bench("show", str(done[0]["run_id"]), "--transcript", "--full").stdout
    assert shown.count("closed ") >= 16
    assert "WAY OUT 1" not in shown
    assert "WAY OUT h" not in shown


def _unpacked(data: bytes) -> bytes:
    import zlib  # noqa: PLC0415  # only here

    try:
        return zlib.decompressobj(wbits=47).decompress(data)
    except zlib.error:
        return data


def test_a_replay_needs_no_key_and_no_provider_and_is_identical(
    project: Project, done: tuple[Mapping[str, object], str], double: ProviderDouble
) -> None:
    asked = len(double.requests)
    keys = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
    replayed = project.bench("replay", str(done[0]["run_id"]), "--json", without=keys)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    document = json.loads(replayed.stdout)
    assert document["identical"] is True
    assert document["requests"]["missed"] == 0
    assert len(double.requests) == asked


def test_a_cassette_plays_the_run_again_marked_as_simulated(
    project: Project, done: tuple[Mapping[str, object], str], agent: str
) -> None:
    exported = project.root / f"{agent}.play"
    project.bench("cassette", str(done[0]["run_id"]), "--output", str(exported))
    keys = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
    arguments = ("run", *SCENARIO, *AGENTS[agent], "--cassette", str(exported), "--json")
    played = project.bench(*arguments, "--batch-id", f"{agent}-played", without=keys)
    assert played.returncode == 0, played.stdout + played.stderr
    (run,) = json.loads(played.stdout)["runs"]
    assert (run["passed"], run["simulated"]) == (True, True)


def test_another_prompt_is_not_in_the_cassette_and_the_error_says_what_is(
    project: Project, done: tuple[Mapping[str, object], str], agent: str, double: ProviderDouble
) -> None:
    exported = project.root / f"{agent}.other"
    project.bench("cassette", str(done[0]["run_id"]), "--output", str(exported))
    asked = len(double.requests)
    arguments = ("run", *SCENARIO, *AGENTS[agent], "--cassette", str(exported), "--tier", "L2")
    played = project.bench(*arguments, "--json", "--batch-id", f"{agent}-other")
    assert played.returncode == 3
    (run,) = json.loads(played.stdout)["runs"]
    assert "does not hold" in run["fault"]["message"]
    assert len(double.requests) == asked


def test_a_budget_of_two_turns_ends_at_two(project: Project, agent: str) -> None:
    arguments = ("run", *SCENARIO, *AGENTS[agent], "--max-turns", "2", "--json")
    ran = project.bench(*arguments, "--batch-id", f"{agent}-two")
    assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
    (run,) = json.loads(ran.stdout)["runs"]
    assert run["status"] == "turn_limit"
    assert run["session"]["requests"]["turns"] == 2
    assert run["total_score"] is not None, "what it left is graded"
