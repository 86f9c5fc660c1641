"""The agent that applies the scenario's own solution: proof that the task can be done."""

from __future__ import annotations

import json

from harness.agents.base import Needs, Outcome, Task, Workbench
from harness.domain.changes import Change
from harness.domain.session import Ending, Role

PATCH = "/tmp/solution.patch"  # noqa: S108  # inside the sandbox


class OracleAgent:
    """Lays files over the workspace, or applies a patch, through the tools that models get."""

    simulated = True
    needs = Needs()

    def __init__(self, changes: tuple[Change, ...], patch: str | None = None) -> None:
        self._changes = changes
        self._patch = patch

    def work(self, task: Task, bench: Workbench) -> Outcome:
        """Apply the solution; the task's words are not read."""
        del task
        if self._patch is not None:
            bench.call("write_file", json.dumps({"path": PATCH, "content": self._patch}))
            reply = bench.call(
                "run_command",
                json.dumps({"command": f"git apply --whitespace=nowarn {PATCH}"}),
            )
            if reply.is_error:
                return Outcome(Ending.AGENT_ERROR, detail=reply.text)
        if self._changes:
            bench.say(
                Role.NOTE, f"lays {len(self._changes)} files of the solution over the workspace"
            )
            bench.context.box.apply(self._changes)
        bench.say(Role.ASSISTANT, "The solution is applied.")
        return Outcome()
