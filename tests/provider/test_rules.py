"""The double refuses what the real providers refuse, so that an agent's mistakes show here."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from harness.testing.provider import Says
from tests.provider.asking import BODIES, TURN, Start, post

USE = {"type": "tool_use", "id": "toolu_a", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_a", "content": "ok"}
TEXT = {"type": "text", "text": "Go."}
MARKED = TEXT | {"cache_control": {"type": "ephemeral"}}
CALL = {"id": "call_a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
ITEM = {"type": "function_call", "call_id": "call_a", "name": "look", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_a", "output": "ok"}


def user(*blocks: object) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: object) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


TOOL = {"role": "tool", "tool_call_id": "call_a", "content": "ok"}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}


@pytest.mark.parametrize(
    ("api", "body", "message"),
    [
        pytest.param("messages", {"messages": []}, "at least one message", id="empty"),
        pytest.param(
            "messages",
            {"messages": [user(TEXT), assistant(USE)]},
            "messages.1: `tool_use` ids were found without `tool_result` blocks.*toolu_a",
            id="call-at-the-end",
        ),
        pytest.param(
            "messages",
            {"messages": [user(TEXT), assistant(USE), user(TEXT)]},
            "without `tool_result` blocks immediately after: toolu_a",
            id="call-without-result",
        ),
        pytest.param(
            "messages",
            {"messages": [user(TEXT), assistant(TEXT), user(RESULT)]},
            "messages.2: unexpected `tool_use_id` found in `tool_result` blocks: toolu_a",
            id="result-without-call",
        ),
        pytest.param(
            "messages",
            {"messages": [user(TEXT), assistant(USE | {"input": "{"}), user(RESULT)]},
            "Input should be a valid dictionary",
            id="broken-arguments-sent-back",
        ),
        pytest.param("messages", {"messages": [user()]}, "non-empty content", id="no-content"),
        pytest.param(
            "messages",
            {"messages": [user({"type": "text", "text": ""})]},
            "non-empty",
            id="no-text",
        ),
        pytest.param(
            "messages",
            {"system": [MARKED, MARKED], "messages": [user(MARKED, MARKED, MARKED)]},
            "A maximum of 4 blocks with cache_control may be provided. Found 5.",
            id="cache-marks",
        ),
        pytest.param("chat", {"messages": []}, "Invalid 'messages': empty array", id="chat-empty"),
        pytest.param(
            "chat",
            {"messages": [*TURN, CALLED]},
            "tool_call_ids did not have response messages: call_a",
            id="chat-call-at-the-end",
        ),
        pytest.param(
            "chat",
            {"messages": [*TURN, CALLED, *TURN, TOOL]},
            "tool_call_ids did not have response messages: call_a",
            id="chat-call-without-result",
        ),
        pytest.param(
            "chat",
            {"messages": [*TURN, TOOL]},
            "must be a response to a preceeding message",
            id="chat-result-without-call",
        ),
        pytest.param(
            "responses",
            {"input": [*TURN, ITEM]},
            "No tool output found for function call call_a",
            id="responses-call-without-output",
        ),
        pytest.param(
            "responses",
            {"input": [*TURN, OUTPUT]},
            "No tool call found for function call output with call_id call_a",
            id="responses-output-without-call",
        ),
        pytest.param(
            "responses",
            {"previous_response_id": "resp_x"},
            "Previous response with id 'resp_x' not found",
            id="responses-remembered",
        ),
    ],
)
def test_a_conversation_that_does_not_hang_together_is_a_bad_request(
    start: Start, api: str, body: dict[str, Any], message: str
) -> None:
    talk = start(Says("Hi."))
    create = {
        "messages": talk.anthropic.messages.create,
        "chat": talk.openai.chat.completions.create,
        "responses": talk.openai.responses.create,
    }[api]
    with pytest.raises((anthropic.BadRequestError, openai.BadRequestError), match=message):
        create(**BODIES[api] | body)
    assert talk.double.completions == []


@pytest.mark.parametrize("name", ["model", "max_tokens", "messages"])
def test_messages_demand_a_field(start: Start, name: str) -> None:
    body = {k: v for k, v in BODIES["messages"].items() if k != name}
    talk = start(Says("Hi."))
    with pytest.raises(anthropic.BadRequestError, match=f"{name}: Field required"):
        talk.anthropic.post("/v1/messages", cast_to=object, body=body)


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (
            "messages",
            {"messages": [user(TEXT), assistant(TEXT, USE), user(RESULT), user(TEXT)]},
        ),
        ("messages", {"messages": [user(TEXT), {"role": "assistant", "content": ""}]}),
        ("messages", {"system": [MARKED, MARKED], "messages": [user(MARKED, MARKED)]}),
        ("chat", {"messages": [*TURN, CALLED, TOOL, *TURN]}),
        ("responses", {"input": [*TURN, ITEM, OUTPUT]}),
    ],
)
def test_a_conversation_that_hangs_together_is_answered(
    start: Start, api: str, body: dict[str, Any]
) -> None:
    assert post(start(Says("Hi.")).double, api, **body).is_success
