from __future__ import annotations

import json
from typing import Any

import pytest

from harness.domain.model import ModelRef, ModelSettings
from harness.llm.base import Stop, ToolResult, ToolResults, Turn, User
from harness.testing.provider import Call, Garbage, ProviderDouble, Says, plays
from tests.llm.chats import TOOL, openai_chat

OFFICIAL = ModelRef("openai", "gpt-double")
COMPATIBLE = ModelRef("openai", "local", "http://127.0.0.1:8000/v1")
ROUTED = ModelRef("openrouter", "anthropic/claude-double")
WORK = Says("I look.", calls=(Call("read_file", {"path": "a"}), Call("read_file", {"path": "b"})))


def streamed(*deltas: dict[str, Any], finish: str | None = "stop") -> Garbage:
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    chunks = [json.dumps({**head, "choices": [choice]}) for choice in choices]
    data = "".join(f"data: {chunk}\n\n" for chunk in [*chunks, "[DONE]"])
    return Garbage(data.encode(), 200, "text/event-stream")


def answered(*deltas: dict[str, Any], finish: str | None = "stop") -> Turn:
    script = plays(streamed(*deltas, finish=finish))
    with ProviderDouble(script) as double, openai_chat(double.url) as chat:
        return chat.send(None, [User("Hi")], [TOOL])


def asked(model: ModelRef, settings: ModelSettings) -> dict[str, Any]:
    with (
        ProviderDouble(plays(Says("ok"))) as double,
        openai_chat(double.url, settings, model=model) as chat,
    ):
        chat.send(None, [User("Hi")])
        return double.completions[0].body


def test_a_tools_schema_arrives_whole() -> None:
    with ProviderDouble(plays(Says("ok"))) as double, openai_chat(double.url) as chat:
        chat.send(None, [User("Hi")], [TOOL])
        [tool] = double.completions[0].body["tools"]
    assert tool["function"] == {
        "name": TOOL.name,
        "description": TOOL.description,
        "parameters": TOOL.schema,
    }


def test_every_part_of_an_answer_comes_back_as_it_went_out() -> None:
    with ProviderDouble(plays(WORK, Says("Done."))) as double, openai_chat(double.url) as chat:
        turn = chat.send("Be good.", [User("Do it.")], [TOOL])
        results = ToolResults(tuple(ToolResult(use, "") for use in turn.tool_uses))
        chat.send("Be good.", [User("Do it."), turn, results, User("Hurry.")], [TOOL])
        body = double.completions[1].body
    assert [json.loads(use.arguments) for use in turn.tool_uses] == [{"path": "a"}, {"path": "b"}]
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "tool", "user"]
    assistant, *tools = body["messages"][2:5]
    assert assistant["content"] == "I look."
    assert [c["function"]["arguments"] for c in assistant["tool_calls"]] == [
        '{"path": "a"}',
        '{"path": "b"}',
    ]
    assert [t["tool_call_id"] for t in tools] == [call["id"] for call in assistant["tool_calls"]]
    assert all(tool["content"] for tool in tools)
    assert body["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("model", "settings", "fields"),
    [
        (OFFICIAL, ModelSettings(max_output_tokens=9), {"max_completion_tokens": 9}),
        (COMPATIBLE, ModelSettings(max_output_tokens=9), {"max_tokens": 9}),
        (OFFICIAL, ModelSettings(temperature=0.0, seed=7), {"temperature": 0.0, "seed": 7}),
        (COMPATIBLE, ModelSettings(reasoning_effort="low"), {"reasoning_effort": "low"}),
        (ROUTED, ModelSettings(reasoning_effort="low"), {"reasoning": {"effort": "low"}}),
        (ROUTED, ModelSettings(), {"cache_control": {"type": "ephemeral"}}),
    ],
)
def test_settings_are_on_the_wire(
    model: ModelRef, settings: ModelSettings, fields: dict[str, Any]
) -> None:
    body = asked(model, settings)
    common = {"model", "messages", "stream", "stream_options"}
    expected = fields.keys() | ({"cache_control"} if model is ROUTED else set())
    assert {name: body[name] for name in fields} == fields
    assert body.keys() - common == expected, "what nobody set is left to the provider"


def test_arguments_that_are_no_json_stay_as_the_model_wrote_them() -> None:
    script = plays(Says(calls=(Call("read_file", '{"path": '),)), Says("ok"))
    with ProviderDouble(script) as double, openai_chat(double.url) as chat:
        turn = chat.send(None, [User("Hi")], [TOOL])
        results = ToolResults((ToolResult(turn.tool_uses[0], "bad", is_error=True),))
        chat.send(None, [User("Hi"), turn, results], [TOOL])
        [call] = double.completions[1].body["messages"][1]["tool_calls"]
    assert turn.tool_uses[0].arguments == '{"path": '
    assert json.loads(call["function"]["arguments"]) == {"malformed_arguments": '{"path": '}


def test_calls_that_are_all_numbered_nought_are_still_told_apart() -> None:
    def call(call_id: str, path: str) -> dict[str, Any]:
        function = {"name": "read_file", "arguments": json.dumps({"path": path})}
        return {"tool_calls": [{"index": 0, "id": call_id, "function": function}]}

    turn = answered(call("one", "a"), call("two", "b"))
    assert [use.id for use in turn.tool_uses] == ["one", "two"]
    assert [json.loads(use.arguments)["path"] for use in turn.tool_uses] == ["a", "b"]


def test_calls_without_ids_get_some_of_our_own() -> None:
    calls = [{"index": i, "function": {"name": "read_file", "arguments": "{}"}} for i in (0, 1)]
    turn = answered({"tool_calls": calls})
    assert len({use.id for use in turn.tool_uses} - {""}) == 2


def test_reasoning_that_a_provider_wants_back_is_kept_for_it() -> None:
    def detail(index: int, **rest: str) -> dict[str, Any]:
        return {"reasoning_details": [{"type": "reasoning.text", "index": index, **rest}]}

    turn = answered(
        detail(0, text="Two "),
        detail(0, text="files."),
        detail(0, signature="abc"),
        detail(1, text="Now."),
        {"content": "I look."},
    )
    script = plays(Says("ok"))
    with ProviderDouble(script) as double, openai_chat(double.url, model=ROUTED) as chat:
        chat.send(None, [User("Hi"), turn, User("On.")])
        sent = double.completions[0].body["messages"][1]
    assert sent["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "Two files.", "signature": "abc"},
        {"type": "reasoning.text", "index": 1, "text": "Now."},
    ]


def test_reasoning_content_is_thinking_and_goes_back_under_its_name() -> None:
    turn = answered({"reasoning_content": "Hm."}, {"content": "Yes."})
    assert turn.thinking == "Hm."
    assert isinstance(turn.raw, dict)
    assert turn.raw["reasoning_content"] == "Hm."


def test_a_character_cut_in_two_by_the_stream_is_whole_again() -> None:
    head, tail = json.loads('["\\ud83d", "\\ude00"]')
    turn = answered({"content": f"a {head}"}, {"content": f"{tail} b {head}"})
    assert turn.text == "a \N{GRINNING FACE} b \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("delta", "finish", "stop"),
    [
        ({"content": "x"}, "stop", Stop.DONE),
        ({"content": "x"}, "length", Stop.LENGTH),
        ({"content": ""}, "content_filter", Stop.REFUSED),
        ({"refusal": "I will not."}, "stop", Stop.REFUSED),
        ({"content": "x"}, "a word of next year", Stop.DONE),
    ],
)
def test_why_it_stopped_is_told(delta: dict[str, Any], finish: str, stop: Stop) -> None:
    turn = answered(delta, finish=finish)
    assert turn.stop is stop
    assert turn.text == (delta.get("content") or delta.get("refusal", ""))
