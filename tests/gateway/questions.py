"""Requests of all protocols, and players that know some of them."""

from __future__ import annotations

import json

from harness.gateway import cassette
from harness.gateway.exchange import Exchange
from harness.gateway.matching import Miss, Player
from harness.gateway.recording import Recorder

Body = dict[str, object]

PATH = "/v1/messages"


def player(*asked: Body | bytes, secrets: tuple[str, ...] = ()) -> Player:
    """One that knows these requests; each answer is the request's number."""
    recorder = Recorder(secrets, "m")
    for number, body in enumerate(asked):
        recorder.add(Exchange(PATH, raw(body), 200, body=str(number).encode()))
    return Player(cassette.load(recorder.dump()), secrets)


def raw(body: Body | bytes) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def answered(plays: Player, body: Body | bytes, path: str = PATH) -> str:
    found = plays.answer(path, raw(body))
    assert not isinstance(found, Miss), str(found)
    return found.body.decode()


def missed(plays: Player, body: Body | bytes, path: str = PATH) -> Miss:
    found = plays.answer(path, raw(body))
    assert isinstance(found, Miss)
    return found


def counts(plays: Player) -> tuple[int, int, int, int, int]:
    told = plays.report()
    return told.exact, told.volatile, told.results, told.missed, told.unused


def messages(
    *,
    prompt: str = "mend timeout = 3",
    system: str = "You are an agent.",
    command: str = "ls",
    printed: str = "a.py",
    call_id: str = "toolu_1",
    **more: object,
) -> Body:
    """An Anthropic request in the second turn of a conversation."""
    call = {"type": "tool_use", "id": call_id, "name": "run", "input": {"command": command}}
    result = {"type": "tool_result", "tool_use_id": call_id, "content": printed}
    schema = {"type": "object", "properties": {"command": {"type": "string"}}}
    return {
        "model": "claude",
        "temperature": 0.5,
        "system": [{"type": "text", "text": system}],
        "tools": [{"name": "run", "description": "Runs it.", "input_schema": schema}],
        "messages": [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [result]},
        ],
        **more,
    }


def chat(
    *, prompt: str = "mend it", command: str = "ls", printed: str = "a.py", call_id: str = "call_1"
) -> Body:
    function = {"name": "run", "arguments": json.dumps({"command": command})}
    call = {"id": call_id, "type": "function", "function": function}
    return {
        "model": "gpt",
        "messages": [
            {"role": "system", "content": "You are an agent."},
            {"role": "user", "content": [{"type": "text", "text": prompt}]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call_id, "content": printed},
        ],
    }


def responses(
    *, prompt: str = "mend it", command: str = "ls", printed: str = "a.py", call_id: str = "call_1"
) -> Body:
    said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]}
    call = {"type": "function_call", "call_id": call_id, "name": "run", "arguments": command}
    output = {"type": "function_call_output", "call_id": call_id, "output": printed}
    return {"model": "gpt", "instructions": "You are an agent.", "input": [said, call, output]}
