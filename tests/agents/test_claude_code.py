"""Claude Code: how it is started, and what its stream means; the streams are real ones."""

from __future__ import annotations

import json

import pytest

from harness.agents.base import Task
from harness.agents.claude_code import ClaudeCode, check
from harness.domain.mcp import McpServer
from harness.domain.model import Budget, ModelRef, ModelSettings, Usage
from harness.domain.session import Ending, Role, ToolCount
from harness.errors import UsageError
from tests.agents.hearing import PROGRAM, box, printed, session, stream, told

MODEL = ModelRef("anthropic", "claude-double")
CLAUDE = ClaudeCode(PROGRAM, MODEL)
FINISHED = stream("claude-finished")


def flag(argv: list[str], name: str) -> str:
    return argv[argv.index(name) + 1]


def changed(text: str, **values: object) -> str:
    """A stream with another result."""
    *events, result = map(json.loads, text.splitlines())
    return "\n".join(map(json.dumps, [*events, {**result, **values}]))


def test_the_stream_becomes_a_transcript_in_its_order_and_with_its_times() -> None:
    done = session(CLAUDE, printed(FINISHED))
    assert done.ending is Ending.FINISHED
    command = "echo hi > made.txt; cat made.txt; ls /nowhere"
    note, *rest = told(done)
    assert note[2].startswith("Claude Code 2.1.330 with ")
    assert rest == [
        ("assistant", None, "I will look."),
        ("tool_call", "Bash", json.dumps({"command": command, "description": "make"})),
        ("tool_result", "Bash", rest[2][2]),
        ("assistant", None, "All done."),
    ]
    assert "ls: cannot access '/nowhere'" in rest[2][2]
    assert done.calls == (ToolCount("Bash", 1, 1),)
    times = [entry.at_s for entry in done.transcript]
    assert times == sorted(times)


def test_its_own_figures_are_those_of_the_result() -> None:
    """The usage of its assistant events holds one output token each: 2 where there were 110."""
    reported = session(CLAUDE, printed(FINISHED)).reported
    assert reported is not None
    assert reported.usage == Usage(4000, 110, cached_tokens=12000, cache_write_tokens=800)
    assert reported.turns == 2


def test_the_price_that_it_makes_up_for_an_unknown_model_is_not_reported() -> None:
    reported = session(CLAUDE, printed(FINISHED)).reported
    assert json.loads(FINISHED.splitlines()[-1])["total_cost_usd"] > 0
    assert reported is not None
    assert reported.cost_usd is None
    known = FINISHED.replace('"costBasis":"unknown"', '"costBasis":"list"')
    reported = session(CLAUDE, printed(known)).reported
    assert reported is not None
    assert reported.cost_usd == pytest.approx(json.loads(known.splitlines()[-1])["total_cost_usd"])


def test_a_result_of_success_with_an_error_is_an_error() -> None:
    text = stream("claude-unauthorised")
    assert json.loads(text.splitlines()[-1])["subtype"] == "success"
    done = session(CLAUDE, printed(text, 1))
    assert (done.ending, done.detail) == (
        Ending.AGENT_ERROR,
        "Invalid API key · Fix external API key",
    )
    assert ("note", None, "it asks again: authentication_failed") in told(done)
    assert not [e for e in done.transcript if e.role is Role.ASSISTANT], "the model said nothing"


def test_reaching_the_most_turns_is_an_ending_of_its_own_with_whole_figures() -> None:
    done = session(CLAUDE, printed(stream("claude-max-turns"), 1))
    assert (done.ending, done.detail) == (
        Ending.TURN_LIMIT,
        "Reached maximum number of turns (1)",
    )
    assert done.reported is not None
    assert done.reported.usage == Usage(2000, 55, cached_tokens=6000, cache_write_tokens=400)


def test_a_session_that_was_not_allowed_its_tools_is_no_success() -> None:
    done = session(CLAUDE, printed(stream("claude-denied")))
    assert done.ending is Ending.AGENT_ERROR
    assert "not allowed to use Bash" in done.detail
    assert "misconfigured" in done.detail


def test_a_command_that_it_denies_in_every_mode_is_the_models_affair() -> None:
    text = stream("claude-denied").replace(
        '"permissionMode":"default"', '"permissionMode":"bypassPermissions"'
    )
    assert session(CLAUDE, printed(text)).ending is Ending.FINISHED


def test_a_model_that_refuses_ends_the_session_so() -> None:
    text = changed(FINISHED, stop_reason="refusal", is_error=True, result="I will not.")
    done = session(CLAUDE, printed(text, 1))
    assert (done.ending, done.detail) == (Ending.REFUSED, "I will not.")


def test_a_stream_that_was_cut_keeps_what_was_said_by_then() -> None:
    lines = FINISHED.splitlines(keepends=True)
    done = session(CLAUDE, printed("".join(lines[:3]) + lines[3][:100], None))
    assert done.ending is Ending.TIMED_OUT
    roles = [role for role, _, _ in told(done)]
    assert roles == ["note", "assistant", "tool_call", "note"]


def test_a_stream_cut_anywhere_is_never_a_success_and_never_a_bug() -> None:
    for end in range(0, len(FINISHED) - 2, 97):
        done = session(CLAUDE, printed(FINISHED[:end], 143, "Terminated"))
        assert done.ending is Ending.AGENT_ERROR
        assert "ended by signal 15" in done.detail
        assert "Terminated" in done.detail


def test_success_that_the_exit_code_denies_is_an_error() -> None:
    assert session(CLAUDE, printed(FINISHED, 1)).ending is Ending.AGENT_ERROR


def test_the_prompt_comes_by_stdin_and_the_token_is_all_it_has_for_a_key() -> None:
    where = box(printed(FINISHED))
    session(CLAUDE, where)
    assert where.stdin == b"Please mend it.\n"
    assert not [word for word in where.argv if "mend" in word]
    assert where.env["ANTHROPIC_API_KEY"] == "fake-line-token"
    assert where.env["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:")
    assert where.env["CLAUDE_CONFIG_DIR"] == "/home/agent/.claude"
    for name in ("ANTHROPIC_SMALL_FAST_MODEL", "CLAUDE_CODE_SUBAGENT_MODEL"):
        assert where.env[name] == "claude-double"


def test_what_the_plan_says_reaches_its_flags() -> None:
    settings = ModelSettings(reasoning_effort="high", max_output_tokens=5000)
    agent = ClaudeCode(PROGRAM, MODEL, settings, Budget(turns=7))
    where = box(printed(FINISHED))
    session(agent, where, Task("x", 1, "You know Rust."))
    argv = list(where.argv)
    assert flag(argv, "--model") == "claude-double"
    assert flag(argv, "--effort") == "high"
    assert flag(argv, "--max-turns") == "7"
    assert where.files[flag(argv, "--append-system-prompt-file")] == b"You know Rust."
    assert where.env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "5000"
    assert agent.needs.model == MODEL
    assert agent.needs.inside
    assert agent.needs.programs == (PROGRAM,)
    assert not agent.simulated


def test_a_specialists_servers_are_the_only_ones_that_it_is_told_of() -> None:
    where = box(printed(FINISHED))
    session(CLAUDE, where, Task("x", 1, mcps=(McpServer("docs", command="docs-server"),)))
    argv = list(where.argv)
    assert list(json.loads(where.files[flag(argv, "--mcp-config")])["mcpServers"]) == ["docs"]
    assert "--strict-mcp-config" in argv


def test_without_settings_it_is_left_to_its_own_defaults() -> None:
    where = box(printed(FINISHED))
    session(CLAUDE, where)
    assert not {"--effort", "--max-turns", "--mcp-config", "--append-system-prompt-file"} & set(
        where.argv
    )
    assert "CLAUDE_CODE_MAX_OUTPUT_TOKENS" not in where.env


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (ModelSettings(temperature=0.0), "'claude-code' takes no temperature; leave 0.0 out"),
        (ModelSettings(seed=7), "'claude-code' takes no seed; leave 7 out"),
        (ModelSettings(reasoning_effort="huge"), "no reasoning effort 'huge'; there is low, med"),
    ],
)
def test_a_setting_that_it_cannot_honour_is_refused_by_name(
    settings: ModelSettings, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        check(MODEL, settings)


def test_a_provider_that_does_not_speak_its_protocol_is_refused() -> None:
    check(ModelRef("openrouter", "some/model"), ModelSettings(reasoning_effort="low"))
    check(ModelRef("local", "some", "http://host/v1"), ModelSettings())
    with pytest.raises(UsageError, match=r"'openai' does not; name a model of anthropic, openr"):
        check(ModelRef("openai", "gpt"), ModelSettings())


@pytest.mark.parametrize(
    "event",
    [
        {"type": "assistant", "message": {"content": "text"}},
        {"type": "assistant", "message": {"content": [1, {"type": "text", "text": 3}]}},
        {"type": "assistant", "message": {"content": [{"type": "tool_use"}]}, "timestamp": "x"},
        {"type": "user", "message": {"content": [{"type": "tool_result", "content": [{}, 7]}]}},
        {"type": "user", "message": [], "timestamp": "9999999-01-01"},
        {"type": "system", "subtype": "init", "tools": 3, "claude_code_version": []},
        {"type": "result", "modelUsage": {"m": 3}, "usage": [], "num_turns": "x", "errors": [{}]},
        {"type": "result", "modelUsage": {"m": {"inputTokens": -1}}, "total_cost_usd": "free"},
        {"type": "result", "permission_denials": [{"tool_name": 3}, 4], "total_cost_usd": True},
        {"type": ["result"]},
        {"type": "assistant", "message": {"content": [{"type": "text", "text": "\ud800"}]}},
    ],
)
def test_no_event_however_odd_breaks_the_reader(event: object) -> None:
    done = session(CLAUDE, printed(json.dumps(event)))
    assert done.ending is Ending.AGENT_ERROR
    json.dumps([entry.text for entry in done.transcript], ensure_ascii=False).encode()
