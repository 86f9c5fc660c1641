"""A project made by `bench new`, and the commands as processes in it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from docker import DockerClient

ROOT = Path(__file__).parents[2]
START = "import sys; from harness.cli.{0} import main; main()"


class Project:
    """A folder to run commands in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.first = ""
        """What every command begins with."""
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "BENCH_ROOT": str(root)}

    def start(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", self.first + START.format(command), *arguments]
        return subprocess.Popen(
            argv,
            cwd=self.root,
            env=self.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def bench(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.start("bench", *arguments)
        out, err = process.communicate(timeout=600)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def document(self, *arguments: str) -> dict[str, object]:
        loaded: dict[str, object] = json.loads(self.bench(*arguments, "--json").stdout)
        return loaded

    def in_store(self, batch: str) -> int:
        """How many runs of a batch are stored, without a command that takes a second."""
        store = sqlite3.connect(f"file:{self.root}/results/bench.db?mode=ro", uri=True)
        with closing(store):
            found = store.execute("SELECT count(*) FROM runs WHERE batch = ?", (batch,)).fetchone()
        return int(found[0])


def new_project(root: Path, **scripts: str) -> Project:
    """A project whose scenario has these scripts for the scripted agent, by name."""
    root.mkdir(exist_ok=True)
    made = Project(root)
    assert made.bench("new", "suite", "sample").returncode == 0
    assert made.bench("new", "scenario", "sample", "greet").returncode == 0
    folder = root / "suites/sample/scenarios/greet/scripts"
    folder.mkdir()
    for name, text in scripts.items():
        (folder / f"{name}.yaml").write_text(text)
    return made


def ours(engine: DockerClient, project: Project) -> list[str]:
    """What of this project is on the machine: containers that mount it, and its mounts."""
    mounts = Path("/proc/self/mountinfo").read_text()
    held = [m["Source"] for c in engine.containers.list(all=True) for m in c.attrs["Mounts"]]
    state = str(project.root / "results" / "state" / "run")
    folders = [str(p) for p in Path(state).glob("*")]
    return [s for s in held if s.startswith(state)] + folders + [state] * (state in mounts)
