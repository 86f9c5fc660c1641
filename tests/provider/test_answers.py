"""What the script says arrives through the real SDKs, streamed and not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.domain.model import Usage
from harness.testing.provider import Answer, Call, Says, Stop
from tests.provider.asking import BODIES, Start, Talk

USAGE = Usage(
    input_tokens=1000,
    output_tokens=70,
    cached_tokens=300,
    cache_write_tokens=200,
    reasoning_tokens=30,
)
FULL = Says(
    "Zwölf Äpfel, 十二个苹果.",
    calls=(Call("look", {"path": "ä/b"}), Call("look", {"path": "c", "depth": 2})),
    thinking="Counting … 数",
    usage=USAGE,
)
BOTH = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])


def message(talk: Talk, *, streamed: bool) -> Any:  # noqa: ANN401  # of two SDK types
    if not streamed:
        return talk.anthropic.messages.create(**BODIES["messages"])
    with talk.anthropic.messages.stream(**BODIES["messages"]) as stream:
        return stream.get_final_message()


def completion(talk: Talk, *, streamed: bool) -> Any:  # noqa: ANN401  # of two SDK types
    if not streamed:
        return talk.openai.chat.completions.create(**BODIES["chat"])
    asked = BODIES["chat"] | {"stream_options": {"include_usage": True}}
    with talk.openai.chat.completions.stream(**asked) as stream:
        return stream.get_final_completion()


def response(talk: Talk, *, streamed: bool) -> Any:  # noqa: ANN401  # of two SDK types
    if not streamed:
        return talk.openai.responses.create(**BODIES["responses"])
    with talk.openai.responses.stream(**BODIES["responses"]) as stream:
        return stream.get_final_response()


@BOTH
def test_messages_carry_thinking_text_and_parallel_calls(start: Start, *, streamed: bool) -> None:
    got = message(start(FULL), streamed=streamed)
    thinking, text, first, second = got.content
    assert (thinking.thinking, text.text) == (FULL.thinking, FULL.text)
    assert thinking.signature
    assert (first.name, first.input) == ("look", {"path": "ä/b"})
    assert (second.name, second.input) == ("look", {"path": "c", "depth": 2})
    assert first.id != second.id
    assert (got.stop_reason, got.model) == ("tool_use", "claude-double")


@BOTH
def test_messages_count_every_kind_of_token_apart(start: Start, *, streamed: bool) -> None:
    used = message(start(FULL), streamed=streamed).usage
    assert (used.input_tokens, used.output_tokens) == (1000, 70)
    assert (used.cache_read_input_tokens, used.cache_creation_input_tokens) == (300, 200)
    assert used.cache_creation.ephemeral_5m_input_tokens == 200
    assert used.output_tokens_details.thinking_tokens == 30


@BOTH
def test_chat_carries_text_and_parallel_calls(start: Start, *, streamed: bool) -> None:
    got = completion(start(FULL), streamed=streamed)
    [choice] = got.choices
    assert choice.message.content == FULL.text
    assert [json.loads(c.function.arguments) for c in choice.message.tool_calls] == [
        {"path": "ä/b"},
        {"path": "c", "depth": 2},
    ]
    assert len({c.id for c in choice.message.tool_calls}) == 2
    assert choice.finish_reason == "tool_calls"


@BOTH
def test_chat_counts_cached_tokens_within_the_prompt(start: Start, *, streamed: bool) -> None:
    used = completion(start(FULL), streamed=streamed).usage
    assert (used.prompt_tokens, used.completion_tokens, used.total_tokens) == (1500, 70, 1570)
    assert used.prompt_tokens_details.cached_tokens == 300
    assert used.prompt_tokens_details.cache_write_tokens == 200
    assert used.completion_tokens_details.reasoning_tokens == 30


@BOTH
def test_responses_carry_reasoning_text_and_parallel_calls(start: Start, *, streamed: bool) -> None:
    got = response(start(FULL), streamed=streamed)
    reasoning, said, first, second = got.output
    assert reasoning.summary[0].text == FULL.thinking
    assert said.content[0].text == got.output_text == FULL.text
    assert json.loads(first.arguments) == {"path": "ä/b"}
    assert json.loads(second.arguments) == {"path": "c", "depth": 2}
    assert first.call_id != second.call_id
    assert got.status == "completed"


@BOTH
def test_responses_count_cached_tokens_within_the_input(start: Start, *, streamed: bool) -> None:
    used = response(start(FULL), streamed=streamed).usage
    assert (used.input_tokens, used.output_tokens, used.total_tokens) == (1500, 70, 1570)
    assert used.input_tokens_details.cached_tokens == 300
    assert used.input_tokens_details.cache_write_tokens == 200
    assert used.output_tokens_details.reasoning_tokens == 30


@BOTH
@pytest.mark.parametrize(
    ("says", "messages", "chat", "responses"),
    [
        pytest.param(Says("Hi."), "end_turn", "stop", None, id="done"),
        pytest.param(
            Says("Hi", stop=Stop.LENGTH), "max_tokens", "length", "max_output_tokens", id="length"
        ),
        pytest.param(
            Says("No.", stop=Stop.REFUSED),
            "refusal",
            "content_filter",
            "content_filter",
            id="refused",
        ),
    ],
)
def test_each_protocol_has_its_own_word_for_why_an_answer_ends(
    start: Start,
    says: Says,
    messages: str,
    chat: str,
    responses: str | None,
    *,
    streamed: bool,
) -> None:
    talk = start(says, says, says)
    assert message(talk, streamed=streamed).stop_reason == messages
    if streamed and chat != "stop":
        # the SDK's helper raises here, which is its way of having understood
        chunks = list(talk.openai.chat.completions.create(stream=True, **BODIES["chat"]))
        assert chunks[-1].choices[0].finish_reason == chat
    else:
        assert completion(talk, streamed=streamed).choices[0].finish_reason == chat
    if streamed:
        last = list(talk.openai.responses.create(stream=True, **BODIES["responses"]))[-1]
        assert last.type == ("response.incomplete" if responses else "response.completed")
        details = last.response.incomplete_details
    else:
        details = response(talk, streamed=False).incomplete_details
    assert (details and details.reason) == responses


def test_the_words_of_a_script_may_be_the_providers_own(start: Start) -> None:
    talk = start(Says("…", stop="pause_turn"))
    assert message(talk, streamed=False).stop_reason == "pause_turn"


@pytest.mark.parametrize("broken", ['{"path": ', "", "[1]", "not JSON"])
def test_broken_arguments_go_out_as_they_are(start: Start, broken: str) -> None:
    answer: Answer = Says(calls=(Call("look", broken),))
    talk = start(answer, answer, answer, answer)
    for streamed in (False, True):
        sent = completion(talk, streamed=streamed).choices[0].message.tool_calls[0]
        assert sent.function.arguments == broken
        assert response(talk, streamed=streamed).output[0].arguments == broken


def test_broken_arguments_reach_a_messages_stream_as_they_are(start: Start) -> None:
    talk = start(Says(calls=(Call("look", '{"path": '),)))
    events = talk.anthropic.messages.create(stream=True, **BODIES["messages"])
    deltas = [e.delta.partial_json for e in events if e.type == "content_block_delta"]
    assert "".join(deltas) == '{"path": '
    assert len(deltas) > 1


def test_a_free_form_tool_is_called_with_plain_text(start: Start) -> None:
    tools = [{"type": "custom", "name": "apply_patch"}]
    answer = Says(calls=(Call("apply_patch", "*** Begin Patch"),))
    talk = start(answer, answer)
    [whole] = talk.openai.responses.create(tools=tools, **BODIES["responses"]).output
    events = list(talk.openai.responses.create(tools=tools, stream=True, **BODIES["responses"]))
    [streamed] = events[-1].response.output
    for item in (whole, streamed):
        assert (item.type, item.input) == ("custom_tool_call", "*** Begin Patch")
    deltas = [e.delta for e in events if e.type == "response.custom_tool_call_input.delta"]
    assert "".join(deltas) == "*** Begin Patch"


def test_a_tool_inside_a_namespace_is_called_with_its_namespace(start: Start) -> None:
    inner = {"type": "function", "name": "fetch", "parameters": {"type": "object"}}
    tools = [{"type": "namespace", "name": "docs", "description": "Docs.", "tools": [inner]}]
    talk = start(Says(calls=(Call("fetch"),)))
    [call] = talk.openai.responses.create(tools=tools, **BODIES["responses"]).output
    assert (call.name, call.namespace) == ("fetch", "docs")


def test_an_answer_without_usage_is_one_in_chat(start: Start) -> None:
    talk = start(Says("Hi.", usage=None), Says("Hi.", usage=None))
    assert completion(talk, streamed=False).usage is None
    assert completion(talk, streamed=True).usage is None


def test_models_are_listed_in_the_shape_of_whoever_asks(start: Start) -> None:
    talk = start()
    assert [m.id for m in talk.anthropic.models.list()] == ["claude-double", "gpt-double"]
    assert [m.id for m in talk.openai.models.list()] == ["claude-double", "gpt-double"]


def test_tokens_are_counted_without_asking_the_script(start: Start) -> None:
    talk = start()
    asked = {k: v for k, v in BODIES["messages"].items() if k != "max_tokens"}
    few = talk.anthropic.messages.count_tokens(**asked).input_tokens
    many = talk.anthropic.messages.count_tokens(**asked, system="word " * 400).input_tokens
    assert 0 < few < many
    assert talk.double.completions == []
