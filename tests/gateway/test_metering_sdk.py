"""The meter beside the providers' own libraries: events of their types, read by both."""

from __future__ import annotations

import json
from collections.abc import Iterable

import httpx2
import pytest
from anthropic import Anthropic
from anthropic import types as anthropic
from openai.types import chat, completion_usage, responses
from openai.types.responses import response_usage
from pydantic import BaseModel

from harness.domain.model import Api, Usage
from harness.domain.price import Terms
from tests.gateway.streams import body, metered, sse

MESSAGE = anthropic.Message(
    id="msg_1",
    content=[],
    model="claude-haiku-4-5",
    role="assistant",
    type="message",
    usage=anthropic.Usage(
        input_tokens=12,
        output_tokens=1,
        cache_creation_input_tokens=300,
        cache_read_input_tokens=2000,
        cache_creation=anthropic.CacheCreation(
            ephemeral_1h_input_tokens=100, ephemeral_5m_input_tokens=200
        ),
        service_tier="standard",
    ),
)
MESSAGE_EVENTS: tuple[anthropic.RawMessageStreamEvent, ...] = (
    anthropic.RawMessageStartEvent(message=MESSAGE, type="message_start"),
    anthropic.RawContentBlockStartEvent(
        content_block=anthropic.ThinkingBlock(signature="", thinking="", type="thinking"),
        index=0,
        type="content_block_start",
    ),
    anthropic.RawContentBlockDeltaEvent(
        delta=anthropic.ThinkingDelta(thinking="hm", type="thinking_delta"),
        index=0,
        type="content_block_delta",
    ),
    anthropic.RawContentBlockStopEvent(index=0, type="content_block_stop"),
    anthropic.RawContentBlockStartEvent(
        content_block=anthropic.ToolUseBlock(id="t1", input={}, name="read_file", type="tool_use"),
        index=1,
        type="content_block_start",
    ),
    anthropic.RawContentBlockDeltaEvent(
        delta=anthropic.InputJSONDelta(partial_json="{}", type="input_json_delta"),
        index=1,
        type="content_block_delta",
    ),
    anthropic.RawContentBlockStopEvent(index=1, type="content_block_stop"),
    anthropic.RawMessageDeltaEvent(
        delta=anthropic.raw_message_delta_event.Delta(stop_reason="tool_use"),
        type="message_delta",
        usage=anthropic.MessageDeltaUsage(
            output_tokens=90,
            output_tokens_details=anthropic.OutputTokensDetails(thinking_tokens=40),
        ),
    ),
    anthropic.RawMessageStopEvent(type="message_stop"),
)


def dumped(events: Iterable[BaseModel]) -> list[dict[str, object]]:
    return [json.loads(event.model_dump_json(by_alias=True)) for event in events]


def as_the_library_reads(stream: bytes) -> anthropic.Message:
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    transport = httpx2.MockTransport(lambda _request: answer)
    with (
        Anthropic(api_key="none", http_client=httpx2.Client(transport=transport)) as client,
        client.messages.stream(max_tokens=9, model="m", messages=[]) as events,
    ):
        return events.get_final_message()


def test_a_message_of_the_library_says_the_same_to_both() -> None:
    stream = sse(*dumped(MESSAGE_EVENTS), names=True)
    found = metered(Api.MESSAGES, stream)
    whole = as_the_library_reads(stream)
    assert found.complete
    assert found.usage == Usage(
        whole.usage.input_tokens,
        whole.usage.output_tokens,
        whole.usage.cache_read_input_tokens or 0,
        whole.usage.cache_creation_input_tokens or 0,
        40,
    )
    assert found.terms == Terms(100, "standard")
    assert (found.model, found.stop) == (whole.model, whole.stop_reason)
    assert found.tool_calls == tuple(b.name for b in whole.content if b.type == "tool_use")
    again = body(Api.MESSAGES, dumped([whole])[0])
    assert (again.tool_calls, again.stop) == (found.tool_calls, found.stop)
    assert again.usage is not None
    assert again.usage.output_tokens == 90


COMPLETION_USAGE = completion_usage.CompletionUsage(
    prompt_tokens=2312,
    completion_tokens=90,
    total_tokens=2402,
    prompt_tokens_details=completion_usage.PromptTokensDetails(
        cached_tokens=2000, cache_write_tokens=300
    ),
    completion_tokens_details=completion_usage.CompletionTokensDetails(reasoning_tokens=40),
)


def chunk(
    *choices: chat.chat_completion_chunk.Choice,
    usage: completion_usage.CompletionUsage | None = None,
) -> chat.ChatCompletionChunk:
    return chat.ChatCompletionChunk(
        id="c",
        choices=list(choices),
        created=0,
        model="gpt-5",
        object="chat.completion.chunk",
        service_tier="default",
        usage=usage,
    )


def test_chunks_of_the_library_are_understood() -> None:
    part = chat.chat_completion_chunk
    call = part.ChoiceDeltaToolCall(
        index=0,
        id="c1",
        type="function",
        function=part.ChoiceDeltaToolCallFunction(name="read_file", arguments=""),
    )
    chunks = [
        chunk(part.Choice(delta=part.ChoiceDelta(role="assistant", content=""), index=0)),
        chunk(part.Choice(delta=part.ChoiceDelta(tool_calls=[call]), index=0)),
        chunk(part.Choice(delta=part.ChoiceDelta(), index=0, finish_reason="tool_calls")),
        chunk(usage=COMPLETION_USAGE),
    ]
    found = metered(Api.CHAT, sse(*dumped(chunks), "[DONE]"))
    assert found.complete
    assert found.usage == Usage(12, 90, 2000, 300, 40)
    assert (found.model, found.stop, found.tool_calls) == ("gpt-5", "tool_calls", ("read_file",))


def a_response(status: str) -> responses.Response:
    return responses.Response.model_validate(
        {
            "id": "r",
            "created_at": 0,
            "model": "gpt-5.6-luna",
            "object": "response",
            "output": [
                {"type": "reasoning", "id": "rs", "summary": []},
                {"type": "function_call", "call_id": "c", "name": "read_file", "arguments": "{}"},
                {"type": "custom_tool_call", "call_id": "d", "name": "apply_patch", "input": ""},
            ],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "status": status,
            "service_tier": "default",
            "incomplete_details": {"reason": "max_output_tokens"}
            if status == "incomplete"
            else None,
            "usage": response_usage.ResponseUsage(
                input_tokens=2312,
                input_tokens_details=response_usage.InputTokensDetails(
                    cache_write_tokens=300, cached_tokens=2000
                ),
                output_tokens=90,
                output_tokens_details=response_usage.OutputTokensDetails(reasoning_tokens=40),
                total_tokens=2402,
            ),
        }
    )


@pytest.mark.parametrize(
    ("event", "complete", "stop"),
    [
        (
            responses.ResponseCompletedEvent(
                response=a_response("completed"), sequence_number=1, type="response.completed"
            ),
            True,
            "completed",
        ),
        (
            responses.ResponseIncompleteEvent(
                response=a_response("incomplete"), sequence_number=1, type="response.incomplete"
            ),
            True,
            "max_output_tokens",
        ),
        (
            responses.ResponseFailedEvent(
                response=a_response("failed"), sequence_number=1, type="response.failed"
            ),
            False,
            "failed",
        ),
    ],
    ids=["completed", "incomplete", "failed"],
)
def test_responses_of_the_library_are_understood(
    event: BaseModel, stop: str, *, complete: bool
) -> None:
    found = metered(Api.RESPONSES, sse(*dumped([event]), names=True))
    assert found.usage == Usage(12, 90, 2000, 300, 40)
    assert (found.model, found.stop, found.complete) == ("gpt-5.6-luna", stop, complete)
    assert found.tool_calls == ("read_file", "apply_patch")
