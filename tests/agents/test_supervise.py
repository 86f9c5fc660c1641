from __future__ import annotations

from harness.agents.base import Outcome, Task, Workbench, supervise
from harness.agents.echo import Echo
from harness.agents.oracle import OracleAgent
from harness.agents.scripted import Scripted
from harness.agents.tools import ToolContext, toolbox
from harness.domain.changes import Change, ChangeKind
from harness.domain.ids import Digest
from harness.domain.scenario import Limits, Oracle
from harness.domain.script import Play, Script, ToolCall
from harness.domain.session import Ending, Role
from harness.errors import BoxClosed
from harness.testing.builders import FakeAgent
from harness.testing.sandbox import FakeBox

TASK = Task("Please mend it.", iteration=1)


def bench(wall_clock_s: float = 60, box: FakeBox | None = None) -> Workbench:
    context = ToolContext(box or FakeBox({"app.py": b"x"}, {}), Limits(), Oracle())
    return Workbench(toolbox(), context, wall_clock_s)


def test_echo_says_the_prompt_back_and_changes_nothing() -> None:
    box = FakeBox({"app.py": b"x"}, {})
    session = supervise(Echo(), TASK, bench(box=box))
    assert session.ending is Ending.FINISHED
    assert session.transcript[-1].text == TASK.prompt
    assert box.files == {"app.py": b"x"}
    assert session.tool_calls == 0


def test_the_oracle_lays_its_files_over_the_workspace() -> None:
    box = FakeBox({"app.py": b"x", "old.py": b"y"}, {})
    changes = (
        Change(b"app.py", ChangeKind.FILE, data=b"z"),
        Change(b"old.py", ChangeKind.DELETE),
    )
    supervise(OracleAgent(changes), TASK, bench(box=box))
    assert box.files == {"app.py": b"z"}


def test_a_script_plays_the_first_play_that_fits() -> None:
    write = '{"path": "who", "content": "%s"}'
    plays = (
        Play((ToolCall("write_file", write % "specialist"),), "", specialist=True),
        Play((ToolCall("write_file", write % "second"),), "", iterations=(2,)),
        Play((ToolCall("write_file", write % "baseline"),), "done"),
    )
    script = Script("demo", "", plays, Digest("d"))
    for task, wrote in (
        (TASK, b"baseline"),
        (Task("x", 2), b"second"),
        (Task("x", 2, "be careful"), b"specialist"),
    ):
        box = FakeBox({}, {})
        session = supervise(Scripted(script), task, bench(box=box))
        assert box.files == {"who": wrote}
        notes = [e.text for e in session.transcript if e.role is Role.NOTE]
        assert "no model is involved" in notes[0]


def test_a_specialists_words_come_before_the_task() -> None:
    session = supervise(Echo(), Task("do it", 1, "be careful"), bench())
    assert [e.role for e in session.transcript[:2]] == [Role.SYSTEM, Role.USER]


def test_the_wall_clock_ends_a_session_at_the_next_call() -> None:
    def act(_task: Task, work: Workbench) -> Outcome:
        while True:
            work.call("read_file", '{"path": "app.py"}')

    session = supervise(FakeAgent(act), TASK, bench(wall_clock_s=0.05))
    assert session.ending is Ending.TIMED_OUT
    assert session.tool_calls > 0


def test_a_sandbox_that_dies_is_the_agents_doing() -> None:
    def act(_task: Task, _work: Workbench) -> Outcome:
        raise BoxClosed("used more memory than it may")

    session = supervise(FakeAgent(act), TASK, bench())
    assert session.ending is Ending.BROKE_SANDBOX
    assert "memory" in session.detail


def test_a_tool_that_does_not_exist_is_named_with_those_that_do() -> None:
    reply = bench().call("rm_rf", "{}")
    assert reply.is_error
    assert "read_file" in reply.text
