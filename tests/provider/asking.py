"""One question in each protocol, and answers checked by the SDKs' own types."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import openai
from anthropic.types import Message, RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from harness.testing.provider import KEY, ProviderDouble

PATHS = {
    "messages": "/v1/messages",
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
}
TURN = [{"role": "user", "content": "Go."}]
BODIES: dict[str, dict[str, Any]] = {
    "messages": {"model": "claude-double", "max_tokens": 64, "messages": TURN},
    "chat": {"model": "gpt-double", "messages": TURN},
    "responses": {"model": "gpt-double", "input": "Go."},
}
WHOLE: dict[str, TypeAdapter[Any]] = {
    "messages": TypeAdapter(Message),
    "chat": TypeAdapter(ChatCompletion),
    "responses": TypeAdapter(Response),
}
EVENT: dict[str, TypeAdapter[Any]] = {
    "messages": TypeAdapter(RawMessageStreamEvent),
    "chat": TypeAdapter(ChatCompletionChunk),
    "responses": TypeAdapter(ResponseStreamEvent),
}
TOOLS: dict[str, list[dict[str, Any]]] = {
    "messages": [{"name": "look", "input_schema": {"type": "object"}}],
    "chat": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
    "responses": [
        {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
    ],
}


@dataclass(frozen=True, slots=True)
class Talk:
    """A double, and both SDKs as clients of it."""

    double: ProviderDouble
    anthropic: anthropic.Anthropic
    openai: openai.OpenAI


Start = Callable[..., Talk]


def plain_client() -> httpx2.Client:
    """Without the certificates that take longer to load than a test to run."""
    return httpx2.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def post(double: ProviderDouble, api: str, **more: object) -> httpx2.Response:
    headers = {
        "authorization": f"Bearer {KEY}",
        "x-api-key": KEY,
        "anthropic-version": "2023-06-01",
    }
    return post_with(double, api, headers, json=BODIES[api] | more)


def post_with(
    double: ProviderDouble,
    api: str,
    headers: dict[str, str],
    **content: Any,  # noqa: ANN401  # as the client takes it
) -> httpx2.Response:
    with plain_client() as client:
        return client.post(double.url + PATHS[api], headers=headers, **content)


def ask(double: ProviderDouble, api: str, **more: object) -> Any:  # noqa: ANN401  # of three SDK types
    return WHOLE[api].validate_python(post(double, api, **more).json(), by_alias=True)


def stream(double: ProviderDouble, api: str, **more: object) -> list[tuple[str | None, Any]]:
    """Names of events and their data, parsed the long way round, without an SDK's kindness."""
    response = post(double, api, stream=True, **more)
    assert response.headers["content-type"].startswith("text/event-stream")
    found: list[tuple[str | None, Any]] = []
    for block in response.text.removesuffix("\n\n").split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        data = lines.pop("data")
        name = lines.pop("event", None)
        assert not lines
        found.append((name, data if data == "[DONE]" else json.loads(data)))
    return found


def checked(api: str, data: dict[str, Any]) -> Any:  # noqa: ANN401  # of many SDK types
    """The event as the SDK's own type; an Anthropic ping has none."""
    if data["type" if api != "chat" else "object"] == "ping":
        return None
    return EVENT[api].validate_python(data)
