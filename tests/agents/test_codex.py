"""Codex: how it is started, and what its stream means; the streams are real ones."""

from __future__ import annotations

import json
import tomllib

import pytest

from harness.agents.base import Task
from harness.agents.codex import Codex, check
from harness.domain.mcp import McpServer
from harness.domain.model import ModelRef, ModelSettings, Usage
from harness.domain.session import Ending, ToolCount
from harness.errors import UsageError
from tests.agents.hearing import PROGRAM, TASK, box, printed, session, stream, told

MODEL = ModelRef("openai", "gpt-double")
CODEX = Codex(PROGRAM, MODEL)
FINISHED = stream("codex-finished")
CONFIG = "/home/agent/.codex/config.toml"


def test_the_stream_becomes_a_transcript() -> None:
    done = session(CODEX, printed(FINISHED))
    assert done.ending is Ending.FINISHED
    shell = "/bin/bash -lc"
    assert told(done) == [
        ("assistant", None, "I will look."),
        (
            "tool_call",
            "command_execution",
            json.dumps({"command": f"{shell} 'echo hi > made.txt; cat made.txt'"}),
        ),
        ("tool_result", "command_execution", "hi\n"),
        ("tool_call", "command_execution", json.dumps({"command": f"{shell} 'ls /nowhere'"})),
        (
            "tool_result",
            "command_execution",
            "ls: cannot access '/nowhere': No such file or directory\n",
        ),
        ("assistant", None, "All done."),
    ]
    assert done.calls == (ToolCount("command_execution", 2, 1),)


def test_not_knowing_the_model_by_name_is_harmless() -> None:
    assert "Model metadata for `gpt-double` not found" in FINISHED
    assert "metadata" not in str(told(session(CODEX, printed(FINISHED))))


def test_its_cached_tokens_are_taken_out_of_its_input_tokens() -> None:
    reported = session(CODEX, printed(FINISHED)).reported
    assert reported is not None
    assert reported.usage == Usage(4800, 220, cached_tokens=12000, reasoning_tokens=80)
    assert (reported.cost_usd, reported.turns) == (None, None)


def test_a_failed_turn_is_an_error_with_its_reason() -> None:
    done = session(CODEX, printed(stream("codex-failed"), 1))
    assert done.ending is Ending.AGENT_ERROR
    assert "its turn failed: unexpected status 401 Unauthorized" in done.detail
    assert "Reconnecting... 1/2" in told(done)[0][2]


def test_a_turn_that_never_ended_is_an_error_even_with_a_good_exit_code() -> None:
    cut = "".join(FINISHED.splitlines(keepends=True)[:-1])
    done = session(CODEX, printed(cut))
    assert done.ending is Ending.AGENT_ERROR
    assert "in the middle of its turn" in done.detail


def test_a_stream_cut_anywhere_is_never_a_success_and_never_a_bug() -> None:
    for end in range(0, len(FINISHED) - 2, 13):
        assert session(CODEX, printed(FINISHED[:end], 143)).ending is Ending.AGENT_ERROR


def test_a_call_under_way_when_the_time_ran_out_is_in_the_transcript() -> None:
    lines = FINISHED.splitlines()
    begun = next(place for place, line in enumerate(lines) if "item.started" in line)
    done = session(CODEX, printed("\n".join(lines[: begun + 1]), None))
    assert done.ending is Ending.TIMED_OUT
    assert [role for role, _, _ in told(done)][-1] == "tool_call"


def item(kind: str, **fields: object) -> str:
    event = {"type": "item.completed", "item": {"id": "i", "type": kind, **fields}}
    return json.dumps(event)


@pytest.mark.parametrize(
    ("line", "tool", "is_error"),
    [
        (item("file_change", changes=[{"path": "a"}], status="completed"), "file_change", False),
        (item("file_change", changes=[], status="failed"), "file_change", True),
        (item("command_execution", command="x", status="declined"), "command_execution", True),
        (item("mcp_tool_call", server="s", tool="t", result={"a": 1}), "s/t", False),
        (item("something_new"), "something_new", False),
    ],
)
def test_every_kind_of_work_is_a_call_and_its_result(
    line: str, tool: str, *, is_error: bool
) -> None:
    done = session(CODEX, printed(line))
    call, result = done.transcript[-2:]
    assert (call.role.value, call.tool) == ("tool_call", tool)
    assert (result.role.value, result.tool, result.is_error) == ("tool_result", tool, is_error)


def test_the_prompt_comes_by_stdin_and_the_token_by_a_variable_that_the_file_names() -> None:
    where = box(printed(FINISHED))
    session(CODEX, where)
    assert where.stdin == b"Please mend it.\n"
    config = tomllib.loads(where.files[CONFIG].decode())
    provider = config["model_providers"][config["model_provider"]]
    assert where.env[provider["env_key"]] == "fake-line-token"
    assert provider["base_url"].startswith("http://127.0.0.1:")
    assert provider["wire_api"] == "responses"
    assert config["analytics"] == {"enabled": False}
    assert config["check_for_update_on_startup"] is False
    assert config["web_search"] == "disabled"
    assert "fake-line-token" not in where.files[CONFIG].decode()
    assert where.env["CODEX_HOME"] == CONFIG.rpartition("/")[0]


@pytest.mark.parametrize("text", ["plain", 'say "hi"\\n\n\ttab', "\x7f\x00\x1b", "😀 – é", "'''"])
def test_any_words_survive_its_configuration_file(text: str) -> None:
    settings = ModelSettings(reasoning_effort="low")
    agent = Codex(PROGRAM, ModelRef("openai", f"m/{text}"), settings)
    config = tomllib.loads(agent.configuration(Task("x", 1, text)))
    assert config["developer_instructions"] == text
    assert config["model"] == f"m/{text}"
    assert config["model_reasoning_effort"] == "low"


def test_a_specialists_servers_stand_in_its_configuration_file() -> None:
    task = Task("x", 1, mcps=(McpServer("docs", command="docs-server"),))
    assert list(tomllib.loads(CODEX.configuration(task))["mcp_servers"]) == ["docs"]


def test_without_settings_it_is_left_to_its_own_defaults() -> None:
    config = tomllib.loads(CODEX.configuration(TASK))
    assert not {"developer_instructions", "model_reasoning_effort"} & set(config)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ModelSettings(temperature=1.0), "'codex' takes no temperature"),
        (ModelSettings(seed=1), "'codex' takes no seed"),
        (ModelSettings(max_output_tokens=9), "'codex' takes no max output tokens; leave 9 out"),
        (ModelSettings(reasoning_effort="max"), "no reasoning effort 'max'"),
    ],
)
def test_a_setting_that_it_cannot_honour_is_refused_by_name(
    settings: ModelSettings, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        check(MODEL, settings)


def test_a_provider_that_does_not_speak_its_protocol_is_refused() -> None:
    with pytest.raises(UsageError, match="speaks the responses protocol"):
        check(ModelRef("anthropic", "claude"), ModelSettings())


@pytest.mark.parametrize(
    "event",
    [
        {"type": "item.completed"},
        {"type": "item.completed", "item": {"type": ["x"], "id": {}}},
        {"type": "item.started", "item": {"type": "command_execution", "command": {"a": []}}},
        {"type": "item.completed", "item": {"type": "todo_list", "items": [1, {"text": 3}]}},
        {"type": "turn.failed", "error": "plain"},
        {"type": "turn.completed", "usage": {"input_tokens": -5}},
        {"type": "error", "message": {"deep": 1}},
        {"type": "item.completed", "item": {"type": "agent_message", "text": "\udfff"}},
    ],
)
def test_no_event_however_odd_breaks_the_reader(event: object) -> None:
    done = session(CODEX, printed(json.dumps(event), 1))
    assert done.ending is Ending.AGENT_ERROR
    json.dumps([entry.text for entry in done.transcript], ensure_ascii=False).encode()
