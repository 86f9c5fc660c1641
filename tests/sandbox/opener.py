"""A process of its own that opens a workspace; says what it saw in one line of JSON.

    opener.py FOLDER IMAGE BACK-END|- [hold]

`-` leaves the choice of the back end to the command; `hold` says so and waits to be killed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from harness import wiring
from harness.domain.digests import tree_digest
from harness.domain.ids import Digest
from harness.domain.scenario import MIB, Limits, Network
from harness.sandbox.base import BoxSpec, PreparedImage, Purpose
from harness.sandbox.docker import DockerSandboxes
from harness.sandbox.owner import this_process
from harness.settings import Settings
from harness.testing.builders import a_scenario

LINE = """
id -u
git status --short
git log --oneline | wc -l
echo 2 > src/app.py; rm -r src/deep; echo a > closed; chmod 000 closed
"""


def main(folder: Path, tag: str, kind: str, *, hold: bool) -> None:
    settings = Settings.from_env({"BENCH_WORKSPACES": kind.strip("-")}, root=folder / "root")
    client = wiring.open_engine(settings)
    sandboxes = DockerSandboxes(client)
    workspaces = wiring.open_workspaces(settings, client, sandboxes)
    files = {"src/app.py": "x = 1\n", "src/deep/er/file.txt": "deep\n", "id.txt": uuid4().hex}
    made = a_scenario(folder / "scenario", files=files)
    scenario = replace(
        made,
        digests=replace(made.digests, fixture=tree_digest(made.fixture)),
        limits=Limits(memory_bytes=256 * MIB, pids=64, disk_bytes=8 * MIB),
    )
    image = PreparedImage(tag, Digest(""))
    owner = this_process()
    with workspaces.open(scenario, image) as workspace:
        spec = BoxSpec(
            name=f"mintmark-test-{uuid4().hex[:12]}",
            image=image,
            purpose=Purpose.WORK,
            limits=scenario.limits,
            network=Network.NONE,
            mounts=(workspace.mount,),
            labels={"mintmark": "opened", "mintmark.owner": owner},
        )
        with sandboxes.open(spec) as box:
            done = box.run(LINE, timeout_s=60)
            if hold:
                say({"owner": owner})
                time.sleep(600)
        changes = workspace.capture()
    seen = {
        "uid": os.geteuid(),
        "kind": type(workspaces).__name__,
        "stdout": done.stdout + done.stderr,
        "changes": {change.display: change.kind.value for change in changes},
        "left": sorted(str(p.relative_to(settings.state)) for p in settings.state.rglob("*")),
    }
    say(seen)


def say(seen: object) -> None:
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], hold="hold" in sys.argv)
