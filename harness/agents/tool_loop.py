"""The agent that is a model with tools: ask, run what it calls, ask again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from itertools import count
from typing import NamedTuple

from harness.agents.base import Needs, Outcome, Task, Workbench
from harness.agents.context import WINDOW_TOKENS, Conversation
from harness.domain.model import Budget, ModelUse
from harness.domain.session import Ending, Role
from harness.errors import ProviderFault
from harness.gateway.base import Line
from harness.llm.base import (
    Chat,
    ContextTooLong,
    OutOfBudget,
    Stop,
    ToolResult,
    ToolResults,
    ToolSpec,
    ToolUse,
    Turn,
    User,
)

NEARLY = 0.9
"""The share of the budget at which the model is told, if it will not be gone before."""
MAX_CUTS = 3
MAX_SHRINKS = 3

LAST_TURN = "This is your last turn: no more tools will run. Say how you leave the work."
NEARLY_SPENT = "This session's budget is nearly used up. Finish what you have begun, and stop."
CUT = "Your answer was cut: it reached the most that one may hold. Go on in smaller steps."
EMPTY = "Your answer was empty. Go on with the task, or say that it is done."

ChatMaker = Callable[[Line], AbstractContextManager[Chat]]


class ToolLoop:
    """Works with the bench's tools, on the host; its model is behind the bench's line."""

    simulated = False

    def __init__(
        self,
        needs: Needs,
        make_chat: ChatMaker,
        budget: Budget,
        window_tokens: int = WINDOW_TOKENS,
    ) -> None:
        self.needs = needs
        self._make_chat = make_chat
        self._budget = budget
        self._window_tokens = window_tokens

    def work(self, task: Task, bench: Workbench) -> Outcome:
        """Let the model work until it calls no more tools or may not go on."""
        if bench.line is None:
            raise ValueError("a tool loop was given no line to its model")
        with self._make_chat(bench.line) as chat:
            try:
                talk = Talk(chat, task, bench, self._window_tokens)
                return converse(talk, Allowance(self._budget, bench.line))
            except OutOfBudget as error:
                ending = Ending.TURN_LIMIT if error.turns else Ending.BUDGET
                return Outcome(ending, detail=str(error))
            except ContextTooLong as error:
                return Outcome(Ending.AGENT_ERROR, detail=f"more than the model reads: {error}")


def converse(talk: Talk, allowance: Allowance) -> Outcome:
    """Turn after turn."""
    cuts = silences = 0
    for number in count(1):
        last, words = allowance.next(number)
        talk.tell(words)
        turn = talk.ask()
        is_cut = turn.stop is Stop.LENGTH
        cuts = cuts + 1 if is_cut else 0
        silences = 0 if turn.says_something else silences + 1
        if turn.stop is Stop.REFUSED:
            return Outcome(Ending.REFUSED, detail=turn.text)
        if last and (turn.tool_uses or is_cut):
            return Outcome(last, detail=f"after {number} turns")
        if cuts > MAX_CUTS:
            return Outcome(Ending.AGENT_ERROR, detail=f"{cuts} answers in a row were cut")
        if turn.tool_uses:
            talk.run(turn.tool_uses)
        if is_cut:
            talk.tell(CUT)
        elif silences == 1 and not last:
            talk.tell(EMPTY)
        elif not turn.tool_uses:
            break
    return Outcome()


class Next(NamedTuple):
    """How the session ends if a turn has to be the last one, and what its model should hear."""

    last: Ending | None = None
    words: str | None = None


class Talk:
    """One conversation at a bench: all that is said in it is in the bench's transcript."""

    def __init__(self, chat: Chat, task: Task, bench: Workbench, window_tokens: int) -> None:
        self._chat = chat
        self._system = task.system_prompt
        self._bench = bench
        self._tools = tuple(
            ToolSpec(tool.name, tool.description, tool.schema) for tool in bench.tools.values()
        )
        around = len(self._system or "") + sum(
            len(tool.name + tool.description + json.dumps(tool.schema)) for tool in self._tools
        )
        self._said = Conversation([User(task.prompt)], window_tokens, around)

    def tell(self, words: str | None) -> None:
        """Say something in the user's place."""
        if words:
            self._said.add(User(words))
            self._bench.say(Role.USER, words)

    def ask(self) -> Turn:
        """The model's next turn; raises ContextTooLong when nothing more can be left out."""
        self._note(self._said.make_room())
        for shrinks in count(1):
            try:
                turn = self._send()
                break
            except ContextTooLong:
                left_out = self._said.overflowed() if shrinks <= MAX_SHRINKS else None
                if left_out is None:
                    raise
                self._note(left_out)
        if turn.says_something:
            self._said.add(turn)
        self._note(turn.thinking and f"thinking: {turn.thinking}")
        if turn.text.strip():
            self._bench.say(Role.ASSISTANT, turn.text)
        return turn

    def run(self, uses: Iterable[ToolUse]) -> None:
        """Call tools, in the order in which the model asked for them."""
        results: list[ToolResult] = []
        for use in uses:
            reply = self._bench.call(use.name, use.arguments)
            results.append(ToolResult(use, reply.text, reply.is_error))
        self._said.add(ToolResults(tuple(results)))

    def _send(self) -> Turn:
        left_s = self._bench.remaining_s
        try:
            return self._chat.send(self._system, self._said.messages, self._tools, timeout_s=left_s)
        except ProviderFault:
            # a request that the session's clock cut short is no fault of the provider's
            self._bench.remaining_s  # noqa: B018  # raises when there is nothing left
            raise

    def _note(self, words: str | None) -> None:
        if words:
            self._bench.say(Role.NOTE, words)


class Allowance:
    """How much of the budget is left, by what the gateway metered."""

    def __init__(self, budget: Budget, line: Line) -> None:
        self._budget = budget
        self._line = line
        self._warned = False
        self._before: float | None = None

    def next(self, number: int) -> Next:
        """What to expect of the turn with this number, from 1."""
        # unless all is booked, a replay could warn a turn sooner or later than the session did
        self._line.settle()
        use, budget = self._line.use(), self._budget
        share = self._share(use)
        growth = 0.0 if self._before is None else share - self._before
        self._before = share
        # a turn whose stream broke off may have counted twice
        if budget.turns is not None and max(number, use.turns + 1) >= budget.turns:
            return Next(Ending.TURN_LIMIT, LAST_TURN)
        if budget.requests is not None and use.requests + 1 >= budget.requests:
            return Next(Ending.BUDGET, LAST_TURN)
        if self._warned or (share < NEARLY and share + growth < 1):
            return Next()
        self._warned = True
        return Next(words=NEARLY_SPENT)

    def _share(self, use: ModelUse) -> float:
        pairs = ((use.cost_usd, self._budget.usd), (use.usage.total, self._budget.tokens))
        return max(
            ((used or 0) / limit if limit else 1.0 for used, limit in pairs if limit is not None),
            default=0.0,
        )
