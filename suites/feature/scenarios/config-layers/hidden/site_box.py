"""A folder with files in which commands are run, one worker for all of them."""

from __future__ import annotations

import json
from typing import Any

from grading import python

WARNING = "snapkeep: warning: "

DRIVER = """
import os, subprocess, sys, tempfile
from pathlib import Path

def main(files, commands):
    box = Path(tempfile.mkdtemp())
    for name, content in files.items():
        (box / name).parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else bytes(content)
        (box / name).write_bytes(data)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SNAPKEEP")}
    clean["PYTHONPATH"] = str(Path("src").resolve())
    clean["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp()
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    seen = []
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "snapkeep", *command["words"]],
            cwd=box, env={**clean, **command["env"]}, capture_output=True, timeout=60,
            stdin=subprocess.DEVNULL,
        )
        seen.append({
            "status": done.returncode, "out": done.stdout.decode(), "err": done.stderr.decode(),
        })
    left = {}
    for path in sorted(box.rglob("*.toml")):
        mode, text = oct(path.stat().st_mode & 0o777), path.read_bytes().decode(errors="replace")
        left[str(path.relative_to(box))] = [mode, text]
    names = sorted(str(path.relative_to(box)) for path in box.rglob("*") if path.is_file())
    return {"seen": seen, "toml": left, "names": names}
"""


def do(*words: str, **env: str) -> dict[str, Any]:
    """A command and the SNAPKEEP_ variables it sees."""
    return {"words": list(words), "env": {f"SNAPKEEP_{key}": value for key, value in env.items()}}


def show(*words: str, **env: str) -> dict[str, Any]:
    return do("config", "show", "--json", "--origin", *words, **env)


def site(files: dict[str, Any], *commands: dict[str, Any]) -> Any:
    """Run the commands in a folder with these files."""
    return python(DRIVER, files, list(commands), timeout_s=100)


def shown(files: dict[str, Any], *commands: dict[str, Any]) -> list[dict[str, list[Any]]]:
    """What `show` commands say: key -> [value, origin]."""
    results = []
    for done in site(files, *commands)["seen"]:
        assert done["status"] == 0, done
        content = json.loads(done["out"])
        results.append({key: [item["value"], item["origin"]] for key, item in content.items()})
    return results


def problems(done: dict[str, Any]) -> list[str]:
    """The error lines of a command that failed as it should."""
    assert done["status"] == 2, done
    assert done["out"] == "", done
    lines = [line for line in done["err"].splitlines() if line.startswith("snapkeep: ")]
    return sorted(line for line in lines if not line.startswith(WARNING))


def warnings(done: dict[str, Any], start: str) -> list[str]:
    """The warnings that begin like this."""
    return [line for line in done["err"].splitlines() if line.startswith(WARNING + start)]
