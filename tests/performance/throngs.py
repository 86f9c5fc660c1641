"""Many runs of an agent that does nothing, ever more at once; bare Docker and a peer beside it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from figures import Throng
from subjects import SUITE, Bare, Tick, bench_process, command, new_scenario, timed

from harness.settings import Settings

RUNS = 64
AT_ONCE = (1, 2, 4, 8)
SCENARIO = "nothing-to-do"
COMPOSE_FILE = "compose.yaml"
INSPECT = "inspect-ai==0.3.285"
PEERS = Path(__file__).parents[2] / ".venv-peers"
SCENARIO_TEXT = """\
name: "Nothing to do"
description: "What a run costs without the work."
image:
  name: debian:bookworm-slim
  packages: [git, python3]
threshold: 0.9
validation_commands:
  - {name: build, run: "true"}
evaluators:
  - {name: build, weight: 1.0, required: true}
"""
COMPOSE = """\
services:
  default:
    image: %s
    command: tail -f /dev/null
    init: true
    network_mode: none
    stop_grace_period: 1s
"""
PEER = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, mean, scorer
from inspect_ai.solver import solver
from inspect_ai.util import sandbox
from inspect_ai.util._sandbox.docker import prereqs
async def any_engine(*_):
    "It asks for a newer engine than some distributions have, and works with theirs."
prereqs.validate_docker_engine = any_engine
runs, jobs, compose, logs = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
@solver
def nothing():
    async def solve(state, generate):
        done = await sandbox().exec(["true"])
        assert done.success, done.stderr
        return state
    return solve
@scorer(metrics=[mean()])
def full():
    async def score(state, target):
        return Score(value=1.0)
    return score
task = Task(
    dataset=[Sample(input="x", id=n) for n in range(1, runs + 1)],
    solver=nothing(), scorer=full(), sandbox=("docker", compose),
)
logs = eval(task, model="mockllm/model", log_dir=logs, display="none",
            max_samples=jobs, max_sandboxes=jobs)
sys.exit(0 if logs[0].status == "success" and len(logs[0].samples) == runs else 1)
"""


def peer_missing() -> str:
    """Why Inspect AI cannot be measured beside us; empty where it can. Installs it the first time.

    Into a folder of its own, so that nothing of it is in the way of what we use.
    """
    if shutil.which("docker") is None or _fails(["docker", "compose", "version"]):
        return "`docker compose` is not there, which its Docker sandbox needs"
    python = PEERS / "bin" / "python"
    name, _, wanted = INSPECT.partition("==")
    found = f"from importlib.metadata import version; assert version({name!r}) == {wanted!r}"
    if python.exists() and not _fails([str(python), "-c", found]):
        return ""
    if _fails([sys.executable, "-m", "venv", "--clear", str(PEERS)]):
        return f"no virtual environment could be made in {PEERS.name}"
    install = [str(python), "-m", "pip", "install", "--quiet", INSPECT]
    return f"pip could not install {INSPECT}" if _fails(install) else ""


def time_throngs(
    settings: Settings, bare: Bare, rounds: int, tick: Tick, without_peer: str
) -> tuple[Throng, ...]:
    """For each number at once, in turn: we, as many pairs of bare containers, the peer."""
    folder = settings.root
    scenario = new_scenario(folder, SCENARIO)
    shutil.rmtree(scenario / "hidden")
    (scenario / "scenario.yaml").write_text(SCENARIO_TEXT, encoding="utf-8")
    (folder / COMPOSE_FILE).write_text(COMPOSE % bare.image.tag, encoding="utf-8")
    acts = {"ours": partial(_ours, folder), "floor": partial(_pairs, bare)}
    if not without_peer:
        acts["peer"] = partial(_inspect, folder)
    for act in acts.values():
        act(1, 1)
    taken: dict[int, dict[str, list[float]]] = {n: {name: [] for name in acts} for n in AT_ONCE}
    for number in range(rounds):
        for at_once in AT_ONCE:
            for name, act in acts.items():
                taken[at_once][name].append(timed(partial(act, RUNS, at_once)))
            tick(number * len(AT_ONCE) + AT_ONCE.index(at_once) + 1, rounds * len(AT_ONCE))
    return tuple(
        Throng(RUNS, n, **{name: tuple(t) for name, t in taken[n].items()}) for n in AT_ONCE
    )


def _ours(folder: Path, runs: int, at_once: int) -> None:
    """A whole command: planned, made, graded in containers of their own, stored."""
    names = (SUITE, SCENARIO, "--agent", "echo", "--batch-id", f"throng-{secrets.token_hex(4)}")
    many = ("--iterations", str(runs), "--jobs", str(at_once))
    bench_process(folder, *names, *many, "--json", "--root", str(folder))


def _pairs(bare: Bare, runs: int, at_once: int) -> None:
    """As many containers as our runs open."""
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda _: bare.run_true_twice(), range(runs)))


def _inspect(folder: Path, runs: int, at_once: int) -> None:
    """A whole evaluation of Inspect AI: one container a sample, and one command in it."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    numbers, paths = (runs, at_once), (folder / COMPOSE_FILE, folder / "inspect-logs")
    command([str(PEERS / "bin" / "python"), "-c", PEER, *map(str, (*numbers, *paths))], env)


def _fails(argv: list[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode != 0
