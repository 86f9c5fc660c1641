"""What holds for every agent whose program works in the sandbox."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from harness.agents.base import Agent, Workbench, supervise
from harness.agents.claude_code import ClaudeCode
from harness.agents.codex import Codex
from harness.agents.external import OUTPUT_BYTES
from harness.agents.programs import of_version, pinned
from harness.agents.tools import ToolContext, toolbox
from harness.domain.model import ModelRef
from harness.domain.scenario import Limits, Oracle
from harness.domain.session import Ending
from harness.errors import SandboxFault, UsageError
from harness.sandbox.base import SOCKET, BoxError, Completed
from harness.sandbox.npm import expected
from tests.agents.hearing import PROGRAM, TASK, Box, box, printed, session, stream, told

MODEL = ModelRef("anthropic", "m")
AGENTS = pytest.mark.parametrize(
    "agent", [ClaudeCode(PROGRAM, MODEL), Codex(PROGRAM, MODEL)], ids=["claude-code", "codex"]
)


@AGENTS
def test_it_is_started_behind_the_forwarder_with_all_of_its_output_kept(agent: Agent) -> None:
    where = box(printed(""))
    session(agent, where)
    head, _, program = " ".join(where.argv).partition(" -- ")
    assert head.startswith("python3 -I -S /mintmark/forward.py --socket ")
    assert SOCKET in head
    assert program.startswith(f"{PROGRAM.path} ")
    assert OUTPUT_BYTES == 16 * 2**20, "the most that the daemon hands over"


@AGENTS
@pytest.mark.parametrize(
    ("code", "stderr", "words"),
    [
        (127, "forward: no program '/opt/x'", "is not there; exit code 127; forward: no program"),
        (126, "forward: cannot run", "could not be run"),
        (75, "forward: the gateway refused: budget", "refused for good"),
        (76, "forward: the gateway does not answer", "did not answer any more"),
        (71, "forward: no port", "could not be given a port"),
        (134, "core dumped", "ended by signal 6; exit code 134; core dumped"),
        (1, "error: unknown option '--effort'", "exit code 1; error: unknown option '--effort'"),
        (0, "", "exit code 0"),
    ],
)
def test_a_program_that_breaks_is_an_ending_with_its_last_words(
    agent: Agent, code: int, stderr: str, words: str
) -> None:
    done = session(agent, printed("", code, stderr))
    assert done.ending is Ending.AGENT_ERROR
    assert words in done.detail


@AGENTS
def test_garbage_is_noted_and_is_no_success(agent: Agent) -> None:
    done = session(agent, printed("Segfault at 0x0\n[1, 2]\n\n\x1b[31mred\n"))
    assert done.ending is Ending.AGENT_ERROR
    assert [text for _, _, text in told(done)] == [
        "it printed: Segfault at 0x0",
        "it printed: [1, 2]",
        "it printed: \x1b[31mred",
    ]
    assert "Segfault" in done.detail, "the last words, where stderr has none"


@AGENTS
def test_a_very_long_last_word_is_cut_to_its_end(agent: Agent) -> None:
    done = session(agent, printed("", 1, "x" * 10**6 + "the end"))
    assert done.detail.endswith("the end")
    assert len(done.detail) < 3000


@AGENTS
def test_output_beyond_what_is_kept_is_said_so(agent: Agent) -> None:
    assert told(session(agent, printed("", dropped=77)))[-1][2] == (
        "77 bytes of its output were left out"
    )


@AGENTS
def test_a_deep_line_does_not_break_the_reader(agent: Agent) -> None:
    assert session(agent, printed("[" * 10**5)).ending is Ending.AGENT_ERROR
    nested = json.dumps({"type": "item.started", "item": {"type": "x", "arguments": 1}})
    deep = nested.replace("1}}", "[" * 900 + "]" * 900 + "}}")
    assert session(agent, printed(deep)).ending is Ending.AGENT_ERROR


@AGENTS
def test_a_program_that_lingers_after_the_end_of_its_session_has_finished_it(
    agent: Agent,
) -> None:
    text = stream("claude-finished" if isinstance(agent, ClaudeCode) else "codex-finished")
    done = session(agent, printed(text, None))
    assert done.ending is Ending.FINISHED
    assert told(done)[-1][2] == "its program went on running after the end of the session"
    assert done.reported == session(agent, printed(text)).reported


def test_a_session_that_goes_on_after_a_result_is_not_over() -> None:
    text = stream("claude-finished")
    goes_on = f"{text}\n{text.splitlines()[1]}"
    agent = ClaudeCode(PROGRAM, MODEL)
    assert session(agent, printed(goes_on, None)).ending is Ending.TIMED_OUT


@dataclass(slots=True)
class Refusing(Box):
    """Has no room for a file and starts nothing."""

    def write(self, path: str, data: bytes) -> None:
        del path, data
        raise BoxError("no_space", "no space left on device")

    def run(self, *_: object, **__: object) -> Completed:
        raise BoxError("not_found", "no program python3")


@AGENTS
def test_a_sandbox_that_cannot_start_it_is_a_fault_of_the_world(agent: Agent) -> None:
    with pytest.raises(SandboxFault, match="could not be started"):
        session(agent, Refusing({}, {}))


@AGENTS
def test_without_a_line_nothing_is_started(agent: Agent) -> None:
    where = box(printed(""))
    context = ToolContext(where, Limits(), Oracle())
    with pytest.raises(SandboxFault, match="needs a line"):
        supervise(agent, TASK, Workbench(toolbox(), context, 60))
    assert not where.argv


@pytest.mark.parametrize("name", ["claude-code", "codex"])
def test_every_program_is_pinned_for_both_machines_by_a_digest(name: str) -> None:
    program = pinned(name)
    archives = dict(program.archives)
    assert set(archives) == {"x86_64", "aarch64"}
    assert len({archive.integrity for archive in archives.values()}) == 2
    for archive in archives.values():
        assert len(expected(archive.integrity)) == 64
        assert program.version in archive.version
    assert program.path == f"/opt/mintmark/{name}/bin/{name}"


def test_another_version_keeps_the_shape_of_the_pinned_one_and_no_digest_of_it() -> None:
    assert of_version("codex", None) == pinned("codex")
    assert of_version("codex", pinned("codex").version) == pinned("codex")
    other = of_version("codex", "0.170.1")
    archives = dict(other.archives)
    assert (other.version, archives["aarch64"].version) == ("0.170.1", "0.170.1-linux-arm64")
    assert not any(archive.integrity for archive in archives.values())


@pytest.mark.parametrize("version", ["latest", "2.1", "../x", "2.1.3/../..", ""])
def test_what_is_no_version_is_refused_before_anything_is_fetched(version: str) -> None:
    with pytest.raises(UsageError, match="write claude-code:"):
        of_version("claude-code", version)


@AGENTS
def test_a_line_ends_at_a_line_feed_and_at_nothing_else(agent: Agent) -> None:
    """JSON may hold these unescaped, and both programs write them so."""
    words = "one\u2028two\u2029three\x85four"
    name = "claude-finished" if isinstance(agent, ClaudeCode) else "codex-finished"
    text = stream(name).replace("All done.", words)
    assert told(session(agent, printed(text)))[-1] == ("assistant", None, words)
