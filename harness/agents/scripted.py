"""The agent that plays a script: for tests and demonstrations, labelled as such everywhere."""

from __future__ import annotations

from harness.agents.base import Needs, Outcome, Task, Workbench
from harness.domain.script import Script
from harness.domain.session import Ending, Role


class Scripted:
    """Plays the first play of its script that fits the run."""

    simulated = True
    needs = Needs()

    def __init__(self, script: Script) -> None:
        self._script = script

    def work(self, task: Task, bench: Workbench) -> Outcome:
        """Make the play's calls, whatever they answer."""
        specialist = task.system_prompt is not None
        bench.say(Role.NOTE, f"plays the script {self._script.name!r}; no model is involved")
        for play in self._script.plays:
            if play.fits(specialist=specialist, iteration=task.iteration):
                for call in play.calls:
                    bench.call(call.tool, call.arguments)
                bench.say(Role.ASSISTANT, play.says)
                return Outcome()
        return Outcome(Ending.AGENT_ERROR, detail="no play of the script fits this run")
