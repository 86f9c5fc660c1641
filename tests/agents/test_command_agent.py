"""Any command line as an agent: how it is told its task, and what its output is taken for."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from typing import NoReturn

import pytest

from harness.agents.base import Task
from harness.agents.command_agent import CommandAgent, check
from harness.domain.command_line import CommandLine, EntryRule, JsonLines, UsageRule
from harness.domain.ids import Digest
from harness.domain.mcp import McpServer
from harness.domain.model import Api, ModelRef, ModelSettings, ModelUse, Usage
from harness.domain.session import Ending, Reported, Role
from harness.errors import Interrupted, UsageError
from harness.testing.line import FakeLine
from tests.agents.hearing import TASK, Box, box, printed, session, told

MODEL = ModelRef("openai", "gpt")
NO_SETTINGS = ModelSettings()
LINE = CommandLine("mini", "mini -m openai/{model} -t {prompt}", Digest("d"), api=Api.CHAT)
NASTY = 'it\'s; rm -rf / "$(x)" `y` {model} \n {prompt}'
RULES = JsonLines(
    entries=(
        EntryRule(((("type",), "say"),), Role.ASSISTANT, ("content", "0", "text")),
        EntryRule(((("type",), "call"),), Role.TOOL_CALL, ("tool", "input"), ("tool", "name")),
        EntryRule(
            ((("type",), "done"),), Role.TOOL_RESULT, ("output",), ("tool", "name"), ("failed",)
        ),
    ),
    usage=UsageRule(("usage", "in"), ("usage", "out"), cost_usd=("cost",), turns=("turns",)),
    error=("error", "message"),
)
JSON_LINE = replace(LINE, output=RULES)


def agent(line: CommandLine = LINE, model: ModelRef | None = MODEL) -> CommandAgent:
    return CommandAgent(line, model)


def test_the_prompt_is_one_word_of_the_command_whatever_is_in_it() -> None:
    where = box(printed("done"))
    session(agent(), where, Task(NASTY, 1))
    *_, shell, option, command = where.argv
    assert (shell, option) == ("sh", "-c")
    assert shlex.split(command) == ["mini", "-m", "openai/gpt", "-t", NASTY]
    assert where.stdin == b""


def test_without_a_place_for_it_the_prompt_comes_by_stdin() -> None:
    where = box(printed("done"))
    session(agent(replace(LINE, command="aider --yes | awk '{print}'")), where, Task(NASTY, 1))
    assert where.argv[-1] == "aider --yes | awk '{print}'"
    assert where.stdin == NASTY.encode()


def test_a_specialists_words_have_a_place_of_their_own_or_come_before_the_prompt() -> None:
    where, task = box(printed("done")), Task("Mend it.", 1, "You know Go.")
    session(agent(), where, task)
    assert shlex.split(where.argv[-1])[-1] == "You know Go.\n\nMend it."
    session(agent(replace(LINE, command="x -s {system_prompt} {prompt}")), where, task)
    assert shlex.split(where.argv[-1])[1:] == ["-s", "You know Go.", "Mend it."]


def test_every_usual_variable_points_at_the_gateway_and_its_own_come_last() -> None:
    env = (("LITELLM_MODEL", "openai/{model}"), ("BASE", "{url}/v1"), ("OPENAI_API_BASE", "mine"))
    where = box(printed("done"))
    session(agent(replace(LINE, env=env)), where)
    assert (
        where.env["OPENAI_BASE_URL"] == where.env["BASE"] == f"{where.env['ANTHROPIC_BASE_URL']}/v1"
    )
    assert where.env["OPENAI_API_KEY"] == where.env["ANTHROPIC_API_KEY"] == "fake-line-token"
    assert where.env["LITELLM_MODEL"] == "openai/gpt"
    assert where.env["OPENAI_API_BASE"] == "mine"
    assert "forward.py" in " ".join(where.argv)


def test_without_an_api_it_is_a_program_without_a_model() -> None:
    """Codemods and formatters: no forwarder, no token, and reports say that it is simulated."""
    line, where = CommandLine("fmt", "ruff format", Digest("d")), box(printed(""))
    done = session(agent(line, None), where)
    assert done.ending is Ending.FINISHED
    assert tuple(where.argv) == ("sh", "-c", "ruff format")
    assert not where.env
    assert agent(line, None).simulated
    assert not agent(line, None).needs.inside
    assert agent().needs.inside
    assert agent().needs.model == MODEL
    assert not agent().simulated


def test_plain_text_is_what_the_agent_said() -> None:
    done = session(agent(), printed("I did\nit.\n"))
    assert (done.ending, told(done)) == (
        Ending.FINISHED,
        [("assistant", None, "I did\nit.")],
    )
    assert done.reported is None
    long = session(agent(), printed("x" * 10**6))
    assert "characters left out" in told(long)[0][2]


@pytest.mark.parametrize("line", [LINE, JSON_LINE], ids=["text", "json"])
def test_a_bad_exit_code_is_an_error_with_the_last_words(line: CommandLine) -> None:
    done = session(agent(line), printed("", 3, "sh: 1: mini: no"))
    assert done.ending is Ending.AGENT_ERROR
    assert "exit code 3; sh: 1: mini: no" in done.detail
    assert session(agent(line), printed("", None)).ending is Ending.TIMED_OUT


@pytest.mark.parametrize("line", [LINE, JSON_LINE], ids=["text", "json"])
@pytest.mark.parametrize("code", [126, 127])
def test_a_program_that_is_not_in_the_image_is_for_the_user_to_put_there(
    line: CommandLine, code: int
) -> None:
    with pytest.raises(UsageError, match=r"'command:mini'.*mini: not found.*install it"):
        session(agent(line), printed("", code, "sh: 1: mini: not found"))


@pytest.mark.parametrize("use", [ModelUse(requests=1), ModelUse(refused=1)], ids=str)
def test_a_program_that_has_asked_and_misses_another_has_failed_itself(use: ModelUse) -> None:
    line = FakeLine(used=use)
    done = session(agent(), printed("", 127, "sh: 1: nosuch: not found"), line=line)
    assert done.ending is Ending.AGENT_ERROR


def test_an_interrupted_program_leaves_a_word_about_what_is_lost() -> None:
    class Stopped(Box):
        def run(self, *_: object, **__: object) -> NoReturn:
            raise Interrupted

    done = session(agent(), Stopped({}, {}))
    assert done.ending is Ending.INTERRUPTED
    assert told(done) == [
        ("note", None, "its program was interrupted, and what it had printed is lost")
    ]


EVENTS = (
    {"type": "say", "content": [{"text": "I look."}], "usage": {"in": 5, "out": 1}},
    {"type": "call", "tool": {"name": "bash", "input": {"cmd": "ls"}}},
    {"type": "done", "tool": {"name": "bash"}, "output": "no", "failed": True},
    {"type": "other", "content": [{"text": "not this"}]},
    {"type": "end", "usage": {"in": 9, "out": 4}, "cost": 0.25, "turns": 2},
)


def lines(*events: object) -> str:
    return "\n".join(map(json.dumps, events))


def test_json_lines_become_what_the_rules_say() -> None:
    done = session(agent(JSON_LINE), printed(f"starting…\n{lines(*EVENTS)}"))
    assert done.ending is Ending.FINISHED
    assert told(done) == [
        ("note", None, "it printed: starting…"),
        ("assistant", None, "I look."),
        ("tool_call", "bash", '{"cmd": "ls"}'),
        ("tool_result", "bash", "no"),
    ]
    assert done.transcript[-1].is_error
    assert done.reported == Reported(Usage(9, 4), 0.25, 2)


def test_a_failure_that_is_told_counts_whatever_the_exit_code() -> None:
    done = session(agent(JSON_LINE), printed(lines({"error": {"message": "no key"}}), 0))
    assert (done.ending, done.detail) == (Ending.AGENT_ERROR, "no key")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "say", "content": []},
        {"type": "say", "content": [{"text": {"a": "\ud800"}}]},
        {"type": "call", "tool": [1]},
        {"type": "call", "tool": {"input": None, "name": 3}},
        {"usage": {"in": -1, "out": "x"}, "cost": "free", "turns": 1.5},
        {"error": "plain"},
    ],
)
def test_lines_of_another_shape_are_passed_over(event: object) -> None:
    done = session(agent(JSON_LINE), printed(lines(event)))
    assert done.ending is Ending.FINISHED
    json.dumps([entry.text for entry in done.transcript], ensure_ascii=False).encode()


def test_a_prompt_that_no_command_line_can_hold_says_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"leave \{prompt\} out of it, and the prompt comes by st"):
        session(agent(), printed(""), Task("x" * 200_000, 1))
    by_stdin = box(printed(""))
    session(agent(replace(LINE, command="mini")), by_stdin, Task("x" * 200_000, 1))
    assert len(by_stdin.stdin) == 200_000


def test_a_setting_needs_a_place_in_the_command_and_a_place_needs_a_setting() -> None:
    line = replace(LINE, command="x -t {temperature} {prompt}")
    check(line, MODEL, ModelSettings(temperature=0.5))
    where = box(printed(""))
    session(CommandAgent(line, MODEL, ModelSettings(temperature=0.5)), where)
    assert where.argv[-1].startswith("x -t 0.5 ")
    with pytest.raises(UsageError, match="'command:mini' asks for a temperature; give one"):
        check(line, MODEL, NO_SETTINGS)
    with pytest.raises(UsageError, match="'command:mini' takes no seed; leave 3 out"):
        check(line, MODEL, ModelSettings(temperature=0.5, seed=3))


@pytest.mark.parametrize(
    ("line", "model", "words"),
    [
        (LINE, None, "needs a model"),
        (CommandLine("fmt", "x", Digest("d")), MODEL, "takes no model"),
        (replace(LINE, api=Api.MESSAGES), MODEL, "speaks the messages protocol"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(
    line: CommandLine, model: ModelRef | None, words: str
) -> None:
    check(LINE, MODEL, NO_SETTINGS)
    with pytest.raises(UsageError, match=words):
        check(line, model, NO_SETTINGS)


SERVER = McpServer("docs", command="docs-server")


def test_a_specialists_servers_have_a_place_in_the_command() -> None:
    where = box(printed(""))
    line = replace(LINE, command="x --mcp {mcp_config} {prompt}")
    session(agent(line), where, replace(TASK, mcps=(SERVER,)))
    path = shlex.split(where.argv[-1])[2]
    assert list(json.loads(where.files[path])["mcpServers"]) == ["docs"]
    session(agent(line), where)
    assert json.loads(where.files[path]) == {"mcpServers": {}}


def test_without_a_place_servers_are_left_out_aloud_and_required_ones_refused() -> None:
    done = session(agent(), printed("ok"), replace(TASK, mcps=(SERVER,)))
    assert "has no {mcp_config} for the servers docs" in told(done)[0][2]
    required = replace(SERVER, required=True)
    with pytest.raises(UsageError, match="some are required"):
        session(agent(), printed("ok"), replace(TASK, mcps=(required,)))


def test_it_uses_its_task_as_every_agent_does() -> None:
    done = session(agent(), printed("ok"))
    assert done.transcript[0].text == TASK.prompt
