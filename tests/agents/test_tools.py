from __future__ import annotations

import json

import pytest

from harness.agents.tools import STANDARD, ToolContext, cut_middle, toolbox
from harness.domain.scenario import Limits, Oracle
from harness.sandbox.base import Completed
from harness.testing.sandbox import FakeBox

LIMIT_S = 60.0


def context(answers: dict[str, Completed] | None = None) -> ToolContext:
    files = {"app.py": b"a = 1\nb = 1\n", "logo.png": b"\x89PNG\0\0", "src/x.py": b"def f(): ...\n"}
    return ToolContext(FakeBox(files, answers or {}), Limits(output_bytes=200), Oracle())


def call(where: ToolContext, name: str, **arguments: object) -> tuple[str, bool]:
    reply = toolbox()[name].call(where, json.dumps(arguments), LIMIT_S)
    return reply.text, reply.is_error


def test_the_guides_tools_are_there() -> None:
    guide = {"read_file", "write_file", "list_directory", "run_command", "ask_user"}
    assert set(toolbox()) == guide | {"edit_file", "search"}


@pytest.mark.parametrize("tool", STANDARD, ids=lambda tool: tool.name)
def test_every_tool_has_a_whole_schema(tool: object) -> None:
    schema = tool.schema  # type: ignore[attr-defined]  # a Tool
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) <= set(schema["properties"])
    assert all(p["description"] and p["type"] for p in schema["properties"].values())


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("read_file", {}, "'path' is missing"),
        ("read_file", {"path": 3}, "'path' must be a string, not 3"),
        ("read_file", {"path": "app.py", "start_line": True}, "must be a integer"),
        ("read_file", {"pth": "x", "path": "x"}, "no argument 'pth'; did you mean 'path'?"),
        ("read_file", {"path": "nope"}, "no file nope"),
        ("read_file", {"path": "logo.png"}, "is binary"),
        ("edit_file", {"path": "app.py", "old_text": "zz", "new_text": "y"}, "does not occur"),
        ("edit_file", {"path": "app.py", "old_text": "", "new_text": "y"}, "does not occur"),
        ("edit_file", {"path": "app.py", "old_text": "= 1", "new_text": "y"}, "occurs 2 times"),
    ],
)  # fmt: skip
def test_a_wrong_call_says_what_to_do(name: str, arguments: dict[str, object], said: str) -> None:
    text, is_error = call(context(), name, **arguments)
    assert is_error
    assert said in text


def test_arguments_that_are_no_json_are_an_error_and_no_crash() -> None:
    wild = ('{"path": "\\ud800"}', '{"path": "x", "start_line": NaN}', "[" * 100_000)
    for bad in ("{", "[]", '"x"', "null", "1e999", *wild):
        assert toolbox()["read_file"].call(context(), bad, LIMIT_S).is_error


def test_an_edit_replaces_one_place_or_all_on_request() -> None:
    where = context()
    assert call(where, "edit_file", path="app.py", old_text="a = 1", new_text="a = 2")[1] is False
    assert where.box.read("app.py", limit=99) == b"a = 2\nb = 1\n"
    call(where, "edit_file", path="app.py", old_text=" = ", new_text="=", replace_all=True)
    assert where.box.read("app.py", limit=99) == b"a=2\nb=1\n"


def test_a_range_of_lines_can_be_read() -> None:
    assert call(context(), "read_file", path="app.py", start_line=2, line_count=1)[0] == "b = 1\n"


def test_a_command_shows_its_exit_code_and_both_streams() -> None:
    where = context({"make": Completed(2, "out", "err", 0.1, dropped_bytes=7)})
    text, is_error = call(where, "run_command", command="make")
    assert is_error
    assert text.startswith("exit code 2")
    assert "stdout:\nout" in text
    assert "stderr:\nerr" in text
    assert "7 bytes" in text


def test_a_command_at_its_deadline_is_told_apart_from_a_failed_one() -> None:
    text, is_error = call(context({"x": Completed(None, "", "", 1)}), "run_command", command="x")
    assert is_error
    assert text.startswith("killed after")


def test_a_number_beyond_all_measure_is_brought_into_its_range() -> None:
    text, is_error = call(context(), "run_command", command="x", timeout_s=10**400)
    assert not is_error, text


def test_a_command_never_gets_more_time_than_the_session_has_left() -> None:
    seen: list[float] = []

    class Box(FakeBox):
        def run(self, command: object, *, timeout_s: float, **_: object) -> Completed:  # type: ignore[override]  # only the time matters here
            del command
            seen.append(timeout_s)
            return Completed(0, "", "", 0)

    where = ToolContext(Box({}, {}), Limits(command_s=100), Oracle())
    run = toolbox()["run_command"]
    run.call(where, '{"command": "x", "timeout_s": 5000}', 30.0)
    run.call(where, '{"command": "x", "timeout_s": 5000}', 300.0)
    run.call(where, '{"command": "x", "timeout_s": 5}', 300.0)
    assert seen == [30.0, 100.0, 5.0]


def test_long_output_loses_its_middle_and_says_so() -> None:
    text = cut_middle("a" * 500 + "b" * 500, 100)
    assert text.startswith("a" * 50)
    assert text.endswith("b" * 50)
    assert "900 characters left out" in text
