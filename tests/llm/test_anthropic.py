from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from harness.domain.model import ModelSettings, Usage
from harness.llm.base import Stop, ToolResult, ToolResults, ToolSpec, Turn, User
from harness.testing.provider import Call, ProviderDouble, Says, plays
from tests.llm.chats import TOOL, anthropic_chat

CACHED = {"type": "ephemeral"}
WORK = Says(
    "I look.",
    calls=(Call("read_file", {"path": "a"}), Call("read_file", {"path": "b"})),
    thinking="Two files.",
)


def asked(settings: ModelSettings) -> dict[str, Any]:
    with ProviderDouble(plays(Says("ok"))) as double, anthropic_chat(double.url, settings) as chat:
        chat.send(None, [User("Hi")])
        return double.completions[0].body


def marks(value: object) -> int:
    return json.dumps(value).count('"cache_control"')


def test_a_tools_schema_arrives_whole() -> None:
    with ProviderDouble(plays(Says("ok"))) as double, anthropic_chat(double.url) as chat:
        chat.send(None, [User("Hi")], [TOOL])
        [tool] = double.completions[0].body["tools"]
    assert tool.pop("cache_control") == CACHED
    assert tool == {"name": TOOL.name, "description": TOOL.description, "input_schema": TOOL.schema}


def test_every_part_of_an_answer_comes_back_as_it_went_out() -> None:
    with ProviderDouble(plays(WORK, Says("Done."))) as double, anthropic_chat(double.url) as chat:
        task = User("Do it.")
        turn = chat.send("Be good.", [task], [TOOL])
        results = ToolResults(
            tuple(ToolResult(use, f"file {use.arguments}") for use in turn.tool_uses)
        )
        last = chat.send("Be good.", [task, turn, results, User("Hurry.")], [TOOL])
        [first, second] = [seen.body for seen in double.completions]
    assert (turn.text, turn.thinking, turn.stop) == ("I look.", "Two files.", Stop.DONE)
    assert [json.loads(use.arguments) for use in turn.tool_uses] == [{"path": "a"}, {"path": "b"}]
    assert last.text == "Done."

    assert "tool_use" not in json.dumps(first)
    [_, assistant, user] = second["messages"]
    thinking, text, *uses = assistant["content"]
    assert thinking["thinking"] == "Two files."
    assert thinking["signature"]
    assert text == {"type": "text", "text": "I look."}
    assert [use["input"] for use in uses] == [{"path": "a"}, {"path": "b"}]
    # all results stand first, in one message, in the order of the uses
    assert [block["type"] for block in user["content"]] == ["tool_result", "tool_result", "text"]
    assert [b["tool_use_id"] for b in user["content"][:2]] == [use["id"] for use in uses]


def test_an_error_of_a_tool_is_marked_as_one() -> None:
    with ProviderDouble(plays(WORK, Says("ok"))) as double, anthropic_chat(double.url) as chat:
        turn = chat.send(None, [User("Hi")], [TOOL])
        bad = ToolResults(tuple(ToolResult(use, "", is_error=True) for use in turn.tool_uses))
        chat.send(None, [User("Hi"), turn, bad], [TOOL])
        content = double.completions[1].body["messages"][-1]["content"]
    assert all(block["is_error"] for block in content)
    assert all(block["content"] for block in content), "the protocol knows no empty text"


def test_each_turn_reads_what_the_one_before_put_into_the_cache() -> None:
    more = [Says("on", calls=(Call("read_file", {"path": "x"}),))] * 3
    with ProviderDouble(plays(*more, Says("ok"))) as double, anthropic_chat(double.url) as chat:
        said: list[Any] = [User("Hi")]
        for _ in range(4):
            turn = chat.send("Be good.", said, [TOOL, ToolSpec("b", "b", {"type": "object"})])
            said += [turn, ToolResults(tuple(ToolResult(u, "text") for u in turn.tool_uses))]
        bodies = [seen.body for seen in double.completions]
    for before, body in itertools.pairwise(bodies):
        assert body["system"][-1]["cache_control"] == CACHED
        assert [marks(tool) for tool in body["tools"]] == [0, 1]
        users = [m for m in body["messages"] if m["role"] == "user"]
        assert [marks(m) for m in users[-2:]] == [1, 1]
        assert marks(users[:-2]) == 0
        assert marks(body) <= 4, "the protocol allows no more"
        marked = [m for m in before["messages"] if m["role"] == "user"][-1]
        assert marked == users[-2], "what was written is what is read"


@pytest.mark.parametrize(
    ("settings", "fields"),
    [
        (ModelSettings(), {"max_tokens": 8192}),
        (ModelSettings(max_output_tokens=99), {"max_tokens": 99}),
        (ModelSettings(temperature=0.5), {"temperature": 0.5}),
        (ModelSettings(reasoning_effort="none"), {"thinking": {"type": "disabled"}}),
        (
            ModelSettings(reasoning_effort="high"),
            {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "high"},
            },
        ),
    ],
)
def test_settings_are_on_the_wire(settings: ModelSettings, fields: dict[str, Any]) -> None:
    body = asked(settings)
    assert {name: body[name] for name in fields} == fields


def test_a_setting_that_nobody_made_is_left_to_the_provider() -> None:
    assert asked(ModelSettings()).keys() == {"model", "messages", "max_tokens", "stream"}


def test_arguments_that_are_no_json_stay_as_the_model_wrote_them() -> None:
    broken = ('{"path": ', '["a"]', '{"path": NaN}', '{"path": "\\ud800"}')
    script = plays(Says(calls=tuple(Call("read_file", text) for text in broken)), Says("ok"))
    with ProviderDouble(script) as double, anthropic_chat(double.url) as chat:
        turn = chat.send(None, [User("Hi")], [TOOL])
        results = ToolResults(tuple(ToolResult(use, "bad", True) for use in turn.tool_uses))
        chat.send(None, [User("Hi"), turn, results], [TOOL])
        sent = double.completions[1].body["messages"][1]["content"]
    assert tuple(use.arguments for use in turn.tool_uses) == broken
    assert [use["input"] for use in sent] == [{"malformed_arguments": text} for text in broken]


def test_the_prompts_size_is_the_providers_own_count() -> None:
    usage = Usage(input_tokens=7, output_tokens=20, cached_tokens=1000, cache_write_tokens=300)
    answers = (Says("a", usage=usage), Says("b", usage=None))
    with ProviderDouble(plays(*answers)) as double, anthropic_chat(double.url) as chat:
        assert chat.send(None, [User("Hi")]).prompt_tokens == 1307
        assert chat.send(None, [User("Hi")]).prompt_tokens is None


def test_a_turn_that_said_nothing_is_not_sent_back() -> None:
    script = plays(Says(" \n", thinking="Hm."), Says("ok"))
    with ProviderDouble(script) as double, anthropic_chat(double.url) as chat:
        turn = chat.send(None, [User("Hi")])
        chat.send(None, [User("Hi"), turn, User("Well?")])
        [user] = double.completions[1].body["messages"]
    assert not turn.says_something
    assert [block["text"] for block in user["content"]] == ["Hi", "Well?"]


def test_a_turn_that_no_provider_made_is_put_into_its_words() -> None:
    with ProviderDouble(plays(Says("ok"))) as double, anthropic_chat(double.url) as chat:
        chat.send(None, [User("2+2?"), Turn("4"), User("3+3?")])
        roles = [message["role"] for message in double.completions[0].body["messages"]]
        assert double.completions[0].body["messages"][1]["content"][0]["text"] == "4"
    assert roles == ["user", "assistant", "user"]
