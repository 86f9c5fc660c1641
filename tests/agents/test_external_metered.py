"""The real Claude Code and the real Codex behind the real gateway: metered, ended, repeated."""

from __future__ import annotations

import pytest

from harness.agents.base import Agent, Task, supervise
from harness.agents.claude_code import ClaudeCode
from harness.agents.codex import Codex
from harness.agents.programs import pinned
from harness.domain.model import Budget, ModelRef, Usage
from harness.domain.session import Ending, Role, Session
from harness.sandbox.engine import connect
from harness.testing.provider import KEY, Call, Says, by_turn, plays
from tests.agents.inside import Engine

pytestmark = pytest.mark.docker

CLAUDE = ClaudeCode(pinned("claude-code"), ModelRef("anthropic", "claude-double"))
CODEX = Codex(pinned("codex"), ModelRef("openai", "gpt-double"))
TASK = Task("Make a file called made.txt.", iteration=1)
COMMAND = "date +%N > made.txt; echo made"
USAGE = Usage(input_tokens=500, output_tokens=40, cached_tokens=300, reasoning_tokens=7)
USES = {
    "claude-code": Call("Bash", {"command": COMMAND, "description": "make"}),
    "codex": Call("exec_command", {"cmd": COMMAND}),
}
BOTH = pytest.mark.parametrize("agent", [CLAUDE, CODEX], ids=list(USES))
NO_LIMIT = Budget()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(connect(), tmp_path_factory.mktemp("root"))


def works(agent: Agent) -> Says:
    return Says("I look.", (USES[agent.needs.programs[0].name],), usage=USAGE)


def told(done: Session) -> list[tuple[Role, str | None, str]]:
    return [(e.role, e.tool, e.text) for e in done.transcript if e.role is not Role.NOTE]


@BOTH
def test_what_it_says_of_its_usage_is_what_the_gateway_metered(
    engine: Engine, agent: Agent
) -> None:
    script = by_turn(works(agent), works(agent), Says("All done.", usage=USAGE))
    with engine.metered(agent, script, NO_LIMIT) as (bench, double):
        done = supervise(agent, TASK, bench)
    assert done.ending is Ending.FINISHED, done.detail
    assert done.reported is not None
    assert done.reported.usage is not None
    assert done.usage is not None
    assert done.usage.total == 3 * USAGE.total
    assert done.reported.usage.total == done.usage.total
    assert done.reported.usage.output_tokens == done.usage.output_tokens
    assert done.model_use is not None
    assert (done.model_use.turns, done.model_use.refused) == (3, 0)
    assert len(double.completions) == 3


@BOTH
@pytest.mark.parametrize(
    ("budget", "ending"),
    [
        (Budget(turns=2), Ending.TURN_LIMIT),
        (Budget(requests=2), Ending.BUDGET),
        (Budget(tokens=USAGE.total + 1), Ending.BUDGET),
    ],
    ids=["turns", "requests", "tokens"],
)
def test_a_budget_of_two_turns_ends_at_two(
    engine: Engine, agent: Agent, budget: Budget, ending: Ending
) -> None:
    with engine.metered(agent, plays(*[works(agent)] * 9), budget) as (bench, double):
        done = supervise(agent, TASK, bench)
        made = bench.context.box.run("cat made.txt", timeout_s=20)
    assert done.ending is ending, done.detail
    assert made.ok, "what it did by then is there"
    assert len(double.completions) == 2
    assert sum(role is Role.TOOL_CALL for role, _, _ in told(done)) == 2


@BOTH
def test_a_recorded_session_is_repeated_with_no_provider(engine: Engine, agent: Agent) -> None:
    script = by_turn(works(agent), Says("All done."))
    with engine.metered(agent, script, NO_LIMIT) as (bench, _):
        first = supervise(agent, TASK, bench)
        assert bench.line is not None
        recording = bench.line.recording()
    assert KEY.encode() not in recording
    with engine.metered(agent, plays(), NO_LIMIT, recording) as (bench, double):
        second = supervise(agent, TASK, bench)
    assert second.ending is Ending.FINISHED, second.detail
    assert told(second) == told(first)
    assert not double.requests


LOOK = """
seen() { cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c "$1"; }
echo keys $(seen '[s]k-double') files $(grep -rls '[s]k-double' /home /tmp /workspace /run | wc -l)
test $(seen '[m]intmark-[A-Za-z0-9_-]\\{20,\\}') -gt 0 && echo token seen
"""


@BOTH
def test_the_providers_key_is_nowhere_in_the_sandbox(engine: Engine, agent: Agent) -> None:
    """The run's own token is found in the same places: the search would have found the key."""
    calls = {
        "claude-code": Call("Bash", {"command": LOOK, "description": "look"}),
        "codex": Call("exec_command", {"cmd": LOOK}),
    }
    assert KEY == "sk-double"
    script = by_turn(Says("", (calls[agent.needs.programs[0].name],)), Says("Done."))
    with engine.metered(agent, script, NO_LIMIT) as (bench, _):
        done = supervise(agent, TASK, bench)
        after = bench.context.box.run(LOOK, timeout_s=60).stdout
    (found,) = (text for role, _, text in told(done) if role is Role.TOOL_RESULT)
    assert found.split() == ["keys", "0", "files", "0", "token", "seen"]
    assert after.split() == ["keys", "0", "files", "0"]
