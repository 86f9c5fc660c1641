"""What the real providers refuse: conversations that do not hang together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, groupby, pairwise

from harness.domain.model import Api
from harness.testing.provider.seen import Body, Seen, blocks, is_call, is_output, items, messages

MOST_CACHE_MARKS = 4


def complaint(seen: Seen) -> str | None:
    """Why the provider answers with a 400, in its own words."""
    rules = {
        Api.MESSAGES: _of_messages,
        Api.CHAT: _of_chat,
        Api.RESPONSES: _of_responses,
    }
    return next(rules[seen.api](seen), None) if seen.api else None


def _of_messages(seen: Seen) -> Iterator[str]:
    for name in ("model", "max_tokens", "messages"):
        if name not in seen.body:
            yield f"{name}: Field required"
    conversation = messages(seen.body)
    if not conversation:
        yield "messages: at least one message is required"
    yield from _empty_content(conversation)
    yield from _broken_inputs(conversation)
    yield from _pairs_of_messages(conversation)
    marks = _cache_marks(seen.body)
    if marks > MOST_CACHE_MARKS:
        yield (
            f"A maximum of {MOST_CACHE_MARKS} blocks with cache_control may be provided. "
            f"Found {marks}."
        )


def _empty_content(conversation: list[Body]) -> Iterator[str]:
    for index, message in enumerate(conversation):
        is_last_answer = index == len(conversation) - 1 and message.get("role") == "assistant"
        if not message.get("content") and not is_last_answer:
            yield (
                f"messages.{index}: all messages must have non-empty content except for the "
                "optional final assistant message"
            )
        if any(block.get("text") == "" for block in blocks(message, "text")):
            yield "messages: text content blocks must be non-empty"


def _broken_inputs(conversation: list[Body]) -> Iterator[str]:
    for index, message in enumerate(conversation):
        if any(not isinstance(block.get("input"), dict) for block in blocks(message, "tool_use")):
            yield f"messages.{index}.content.tool_use.input: Input should be a valid dictionary"


def _pairs_of_messages(conversation: list[Body]) -> Iterator[str]:
    spoken = [m for m in conversation if m.get("role") in ("user", "assistant")]
    # neighbours of one role are one message to the provider
    turns = [list(group) for _, group in groupby(spoken, key=lambda m: m["role"])]
    for index, (turn, after) in enumerate(pairwise([[], *turns, []])):
        asked = [b.get("id") for m in turn for b in blocks(m, "tool_use")]
        told = [b.get("tool_use_id") for m in after for b in blocks(m, "tool_result")]
        if missing := [i for i in asked if i not in told]:
            yield (
                f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(map(str, missing))}. Each `tool_use` block must "
                "have a corresponding `tool_result` block in the next message."
            )
        if strays := [i for i in told if i not in asked]:
            yield (
                f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{', '.join(map(str, strays))}. Each `tool_result` block must have a "
                "corresponding `tool_use` block in the previous message."
            )


def _cache_marks(body: Body) -> int:
    contents = (message.get("content") for message in messages(body))
    places = chain((body.get("system"), body.get("tools")), contents)
    lists = (place for place in places if isinstance(place, list))
    return sum(bool(b.get("cache_control")) for b in chain(*lists) if isinstance(b, dict))


def _of_chat(seen: Seen) -> Iterator[str]:
    if not seen.body.get("model"):
        yield "you must provide a model parameter"
    conversation = messages(seen.body)
    if not conversation:
        yield (
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an "
            "empty array instead."
        )
    open_ids: list[object] = []
    for message in conversation:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_ids:
                yield (
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceeding message with 'tool_calls'."
                )
            else:
                open_ids.remove(message["tool_call_id"])
            continue
        yield from _unanswered(open_ids)
        open_ids = [call.get("id") for call in message.get("tool_calls") or ()]
    yield from _unanswered(open_ids)


def _unanswered(ids: list[object]) -> Iterator[str]:
    if ids:
        yield (
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            f"{', '.join(map(str, ids))}"
        )


def _of_responses(seen: Seen) -> Iterator[str]:
    for name in ("model", "input"):
        if name not in seen.body:
            yield f"Missing required parameter: '{name}'."
    if previous := seen.body.get("previous_response_id"):
        # the double remembers nothing
        yield f"Previous response with id '{previous}' not found."
    conversation = items(seen.body)
    asked = [item.get("call_id") for item in conversation if is_call(item)]
    told = [item.get("call_id") for item in conversation if is_output(item)]
    for call_id in told:
        if call_id not in asked:
            yield f"No tool call found for function call output with call_id {call_id}."
    for call_id in asked:
        if call_id not in told:
            yield f"No tool output found for function call {call_id}."
