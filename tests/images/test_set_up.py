"""The Makefile and the pinned versions."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TARGETS = "help setup engine postgres demo bench test chaos quick check fmt clean"
PIN = re.compile(r"[a-z0-9-]+==[0-9][0-9A-Za-z.+!]*")


def _pins() -> list[str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_make_lists_every_target_with_a_line_about_it() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    assert set(listed) == set(TARGETS.split())
    assert all(listed.values())


def test_a_python_that_is_too_old_is_refused_with_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={old}", f"VENV={tmp_path}/venv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "needs Python 3.11 or newer" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_every_dependency_is_pinned_exactly_and_nothing_says_where_from() -> None:
    pins = _pins()
    assert all(PIN.fullmatch(pin) for pin in pins)
    assert len(pins) == len({pin.split("==")[0] for pin in pins})
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {re.split(r"[<>=!~\[ ]", line)[0].lower() for line in wanted}
    assert names <= {pin.split("==")[0] for pin in pins}


def test_ci_can_be_run_as_it_is() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    subprocess.run(["sh", "-n", ROOT / ".ci/run"], check=True)
