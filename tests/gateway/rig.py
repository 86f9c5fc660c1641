"""A gateway in front of a double, over a clock that only moves when somebody sleeps."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx2

from harness.domain.model import Api, Budget, ModelRef
from harness.gateway.base import Access, Line
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.gateway.upstream import Clock
from harness.settings import Secrets
from harness.testing.provider import KEY, ProviderDouble, Script

CLAUDE = ModelRef("anthropic", "claude-sonnet-4-5")
GPT = ModelRef("openai", "gpt-5")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
PATHS = {
    Api.MESSAGES: "/v1/messages",
    Api.CHAT: "/v1/chat/completions",
    Api.RESPONSES: "/v1/responses",
}
TOOLS: dict[Api, dict[str, Any]] = {
    Api.MESSAGES: {"name": "bash", "input_schema": {"type": "object"}},
    Api.CHAT: {"type": "function", "function": {"name": "bash", "parameters": {}}},
    Api.RESPONSES: {"type": "function", "name": "bash", "parameters": {}},
}


def model_of(api: Api) -> ModelRef:
    return CLAUDE if api is Api.MESSAGES else GPT


def question(api: Api = Api.MESSAGES, **more: object) -> dict[str, Any]:
    """A request without tools."""
    said = [{"role": "user", "content": "hi"}]
    body: dict[str, Any] = {"model": model_of(api).name}
    body |= {"input": said} if api is Api.RESPONSES else {"messages": said}
    return body | ({"max_tokens": 9} if api is Api.MESSAGES else {}) | more


def turn(api: Api = Api.MESSAGES, **more: object) -> dict[str, Any]:
    """A request that offers a tool."""
    return question(api, tools=[TOOLS[api]], **more)


def client(line: Line, token: str | None = None) -> httpx2.Client:
    """Whoever holds the line's token."""
    transport = httpx2.HTTPTransport(uds=str(line.socket), verify=False)
    headers = {"x-api-key": line.token if token is None else token}
    return httpx2.Client(transport=transport, base_url="http://gateway", headers=headers)


def ask(line: Line, api: Api = Api.MESSAGES, body: dict[str, Any] | None = None) -> httpx2.Response:
    """One request over a connection of its own."""
    with client(line) as http:
        return http.post(PATHS[api], json=question(api) if body is None else body)


@dataclass(slots=True)
class FakeClock:
    """Time that passes when somebody sleeps, and at once."""

    at: float = 1000.0
    slept: list[float] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None
    """What happens while somebody sleeps for the first time."""

    async def sleep(self, seconds: float) -> None:
        happening, self.meanwhile = self.meanwhile, None
        if happening:
            await happening()
        self.slept.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.at, self.sleep)


@dataclass(slots=True)
class Rig:
    """What stands between an agent and its model."""

    double: ProviderDouble
    gateway: ModelGateway
    time: FakeClock
    stack: ExitStack

    def line(self, api: Api = Api.MESSAGES, budget: Budget | None = None, **more: object) -> Line:
        """A line that is open until the test ends."""
        access = Access("a-run", model_of(api), budget or Budget())
        return self.stack.enter_context(self.gateway.open(replace(access, **more)))


def keys(key: str = KEY) -> Secrets:
    return Secrets({"ANTHROPIC_API_KEY": key, "OPENAI_API_KEY": key, "OPENROUTER_API_KEY": key})


def targets(url: str, key: str = KEY) -> Targets:
    names = ("ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "OPENROUTER_BASE_URL")
    return Targets(keys(key), None, dict.fromkeys(names, url))


@contextmanager
def rig(script: Script, key: str = KEY, **more: object) -> Iterator[Rig]:
    """`more` goes to the gateway; the provider's key is not that of the sandbox."""
    time = FakeClock()
    with ProviderDouble(script, key=key) as double, ExitStack() as stack:
        gateway = stack.enter_context(
            ModelGateway(
                targets(double.url, key), Prices({}), lambda: NOW, "me", clock=time.clock, **more
            )
        )
        yield Rig(double, gateway, time, stack)


def straight(script: Script, api: Api, body: dict[str, Any]) -> httpx2.Response:
    """What the double answers when nothing stands before it."""
    key = {"x-api-key": KEY} if api is Api.MESSAGES else {"authorization": f"Bearer {KEY}"}
    with ProviderDouble(script) as double, httpx2.Client(trust_env=False) as http:
        return http.post(double.url + PATHS[api], json=body, headers=key)


def undated(data: bytes) -> bytes:
    """Without the second in which it was made."""
    return re.sub(rb'"(created|created_at|completed_at)":[\d.]+', b"", data)
