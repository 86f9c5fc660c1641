"""An agent, what it is given, and the bench that it works at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from harness.agents.tools import Reply, Tool, ToolContext
from harness.domain.mcp import McpServer
from harness.domain.model import ModelRef
from harness.domain.session import Ending, Entry, Question, Reported, Role, Session, count_calls
from harness.errors import BoxClosed, Interrupted, ProviderFault
from harness.gateway.base import Line, Refusal
from harness.interrupts import INTERRUPTS
from harness.sandbox.base import Program


class OutOfTimeError(Exception):
    """The session's wall clock ran out; only `supervise` catches it."""


@dataclass(frozen=True, slots=True)
class Task:
    """What an agent is told."""

    prompt: str
    iteration: int
    system_prompt: str | None = None
    """The specialist's words; the baseline has none."""
    mcps: tuple[McpServer, ...] = ()
    """The specialist's servers, for an agent that connects to them itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an agent says that it ended, and what its model used."""

    ending: Ending = Ending.FINISHED
    reported: Reported | None = None
    """What a program of its own says it used; what the gateway metered is not for it to say."""
    detail: str = ""


@dataclass(slots=True)
class Workbench:
    """The tools, bound to one sandbox, and the transcript that every agent's calls go through."""

    tools: Mapping[str, Tool]
    context: ToolContext
    wall_clock_s: float
    transcript: list[Entry] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    line: Line | None = None
    """The way to the model, for an agent that needs one."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since the session began."""
        return time.monotonic() - self.started

    @property
    def remaining_s(self) -> float:
        """Seconds left on the wall clock; raises OutOfTimeError when there are none."""
        left = self.wall_clock_s - self.elapsed_s
        if left <= 0:
            raise OutOfTimeError
        return left

    @property
    def questions(self) -> tuple[Question, ...]:
        """What the agent asked the user so far."""
        return tuple(self.context.questions)

    def say(self, role: Role, text: str) -> None:
        """Note something said."""
        self.transcript.append(Entry(role, text, self.elapsed_s))

    def call(self, name: str, arguments: str) -> Reply:
        """Call a tool with JSON arguments; what went wrong comes back as text for the agent."""
        limit_s = self.remaining_s
        self.transcript.append(Entry(Role.TOOL_CALL, arguments, self.elapsed_s, tool=name))
        tool = self.tools.get(name)
        if tool is None:
            reply = Reply(f"no tool {name!r}; the tools are {', '.join(self.tools)}", is_error=True)
        else:
            reply = tool.call(self.context, arguments, limit_s)
        self.transcript.append(
            Entry(Role.TOOL_RESULT, reply.text, self.elapsed_s, tool=name, is_error=reply.is_error)
        )
        self.remaining_s  # noqa: B018  # a call that used up the clock ends the session
        return reply


@dataclass(frozen=True, slots=True)
class Needs:
    """What an agent has to find when it begins, beside the tools."""

    model: ModelRef | None = None
    """The one model that its line to the gateway lets through."""
    inside: bool = False
    """It talks to its model from within the sandbox: the gateway's socket is mounted there."""
    programs: tuple[Program, ...] = ()
    """Mounted read-only in its sandbox, and only there."""


class Agent(Protocol):
    """Somebody who works on a task."""

    @property
    def simulated(self) -> bool:
        """True when no model is behind it."""
        ...

    @property
    def needs(self) -> Needs:
        """What has to be there before it works."""
        ...

    def work(self, task: Task, bench: Workbench) -> Outcome:
        """Do the task with the bench's tools; raises ProviderFault when the model's host fails."""
        ...


def supervise(agent: Agent, task: Task, bench: Workbench) -> Session:
    """Let the agent work until it ends, the clock runs out or its sandbox is gone."""
    if task.system_prompt:
        bench.say(Role.SYSTEM, task.system_prompt)
    bench.say(Role.USER, task.prompt)
    try:
        outcome = agent.work(task, bench)
    except OutOfTimeError:
        outcome = Outcome(Ending.TIMED_OUT, detail=f"after {bench.wall_clock_s:g} s")
    except ProviderFault as error:
        outcome = Outcome(Ending.PROVIDER_FAILED, detail=str(error))
    except BoxClosed as error:
        late = bench.elapsed_s >= bench.wall_clock_s
        outcome = Outcome(Ending.TIMED_OUT if late else Ending.BROKE_SANDBOX, detail=str(error))
    except (Interrupted, KeyboardInterrupt):
        # what was done until now was paid for: it is stored before the command stops
        outcome = Outcome(Ending.INTERRUPTED)
    if INTERRUPTS.stopping and outcome.ending is not Ending.FINISHED:
        # whatever it met was the end of everything under way
        outcome = Outcome(Ending.INTERRUPTED)
    use = None
    if bench.line is not None:
        bench.line.settle()
        outcome = _overruled(outcome, bench.line)
        use = bench.line.use()
    return Session(
        ending=outcome.ending,
        duration_s=bench.elapsed_s,
        transcript=tuple(bench.transcript),
        calls=count_calls(bench.transcript),
        questions=bench.questions,
        usage=use.usage if use else None,
        cost_usd=use.cost_usd if use else None,
        detail=outcome.detail,
        model_use=use,
        reported=outcome.reported,
    )


def _overruled(outcome: Outcome, line: Line) -> Outcome:
    """What the gateway knows better than the agent: that the budget or the provider ended it."""
    if outcome.ending is Ending.INTERRUPTED:
        return outcome
    if line.cut_by_batch:
        # other runs spent it: this one could not show what it would have done
        return replace(outcome, ending=Ending.INTERRUPTED, detail=line.spent_why)
    if line.spent is not None:
        spent = Ending.TURN_LIMIT if line.spent is Refusal.TURNS else Ending.BUDGET
        return replace(outcome, ending=spent, detail=line.spent_why or outcome.detail)
    if line.fault is not None and outcome.ending is not Ending.FINISHED:
        return replace(outcome, ending=Ending.PROVIDER_FAILED, detail=line.fault)
    return outcome
