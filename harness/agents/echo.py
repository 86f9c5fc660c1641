"""The agent that repeats the task and changes nothing: what a score of nothing looks like."""

from __future__ import annotations

from harness.agents.base import Needs, Outcome, Task, Workbench
from harness.domain.session import Role


class Echo:
    """Says the prompt back."""

    simulated = True
    needs = Needs()

    def work(self, task: Task, bench: Workbench) -> Outcome:
        """Say the prompt back; no tool is called."""
        bench.say(Role.ASSISTANT, task.prompt)
        return Outcome()
