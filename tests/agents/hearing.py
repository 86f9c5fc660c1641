"""Sessions of agents' programs that never ran: what one printed is read from a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.agents.base import Agent, Task, Workbench, supervise
from harness.agents.tools import ToolContext, toolbox
from harness.domain.scenario import Limits, Oracle
from harness.domain.session import Session
from harness.sandbox.base import Archive, Completed, Program, User
from harness.testing.line import FakeLine
from harness.testing.sandbox import FakeBox

STREAMS = Path(__file__).with_name("streams")
PROGRAM = Program("some-cli", "1.2.3", (("x86_64", Archive("some-cli", "1.2.3", "", "cli")),))
TASK = Task("Please mend it.\n", iteration=1)


def stream(name: str) -> str:
    """What a real program printed in a real sandbox."""
    return (STREAMS / f"{name}.jsonl").read_text(encoding="utf-8")


def printed(stdout: str, code: int | None = 0, stderr: str = "", dropped: int = 0) -> Completed:
    return Completed(code, stdout, stderr, 1.0, dropped)


@dataclass(slots=True)
class Box(FakeBox):
    """Answers every command alike, and remembers what the last one was given."""

    answer: Completed = field(default_factory=lambda: printed(""))
    argv: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""

    def run(
        self,
        command: str | Sequence[str],
        *,
        timeout_s: float,
        user: User = User.AGENT,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        output_bytes: int | None = None,
    ) -> Completed:
        """What was written down."""
        del timeout_s, user, output_bytes
        self.argv, self.env, self.stdin = command, dict(env or {}), stdin
        return self.answer


def box(answer: Completed) -> Box:
    return Box({}, {}, answer=answer)


def session(
    agent: Agent, answer: Completed | Box, task: Task = TASK, line: FakeLine | None = None
) -> Session:
    """The agent's session in a sandbox whose one command answers so."""
    where = answer if isinstance(answer, Box) else box(answer)
    context = ToolContext(where, Limits(), Oracle())
    return supervise(agent, task, Workbench(toolbox(), context, 60, line=line or FakeLine()))


def told(done: Session) -> list[tuple[str, str | None, str]]:
    """The transcript after the prompts."""
    return [
        (entry.role.value, entry.tool, entry.text)
        for entry in done.transcript
        if entry.role.value not in ("system", "user")
    ]
