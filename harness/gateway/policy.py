"""What a line lets through: paths, one model, and no tools that work outside the sandbox."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from harness.domain.model import Api, ModelRef
from harness.domain.plain_json import no_number
from harness.gateway.base import Refusal
from harness.gateway.fetching import CONVERSATION, blocks, fetched

PATHS: Mapping[str, Api] = {
    "messages": Api.MESSAGES,
    "messages/count_tokens": Api.MESSAGES,
    "chat/completions": Api.CHAT,
    "responses": Api.RESPONSES,
}
FREE = frozenset({"messages/count_tokens"})
"""Asks for no completion: no request is counted for it."""

CLIENT_TOOLS: Mapping[Api, re.Pattern[str]] = {
    # these name a tool that the client runs; every other type is one that the provider would run.
    # A tool search looks among the tools of the request itself: Codex always brings one along.
    Api.MESSAGES: re.compile(
        r"custom|(bash|text_editor|computer|memory)_\d{8}|tool_search_tool_(bm25|regex)(_\d{8})?"
    ),
    Api.CHAT: re.compile(r"function|custom"),
    Api.RESPONSES: re.compile(
        r"function|custom|namespace|local_shell|apply_patch|computer|computer_use_preview"
        r"|tool_search"
    ),
}
_ROUTERS = ("models", "plugins", "preset", "provider", "route")
"""OpenRouter's: other models, other prices, and tools of its own."""
_SEARCHES = ("web_search_options", "web_search", "search_parameters", "enable_search")
ELSEWHERE: Mapping[Api, tuple[str, ...]] = {
    # fields that let the provider reach out, ask another model, or answer later and unmetered
    Api.MESSAGES: (
        "mcp_servers",
        "container",
        "fallbacks",
        "fallback_credit_token",
        "thread",
        "billing_policy",
        "user_profile_id",
        "workspace_id",
        *_SEARCHES,
        *_ROUTERS,
    ),
    Api.CHAT: ("moderation", *_SEARCHES, *_ROUTERS),
    Api.RESPONSES: (
        "background",
        "previous_response_id",
        "conversation",
        "prompt",
        "moderation",
        *_SEARCHES,
        *_ROUTERS,
    ),
}


class RefusedError(Exception):
    """The gateway's own no."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal

    @property
    def status(self) -> int:
        """The answer's; 400 of most, which no client tries again."""
        return _STATUS.get(self.refusal, HTTPStatus.BAD_REQUEST)


_STATUS: Mapping[Refusal, int] = {
    Refusal.TOKEN: HTTPStatus.UNAUTHORIZED,
    Refusal.PROVIDER: HTTPStatus.BAD_GATEWAY,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that was understood."""

    api: Api
    path: str
    """Below /v1."""
    body: bytes
    streamed: bool
    turn: bool
    free: bool
    hide_usage: bool
    """The client did not ask how much a stream used; we did."""


def path_below_v1(path: str) -> str:
    """`messages` of `/v1/messages`, `/v1/v1/messages` or `/messages`."""
    parts = [part for part in path.split("/") if part]
    while parts and parts[0] == "v1":
        parts.pop(0)
    return "/".join(parts)


def understand(path: str, body: bytes, model: ModelRef, apis: frozenset[Api]) -> Ask:
    """The request, if it may pass; raises RefusedError."""
    api = PATHS.get(path)
    if api is None or api not in apis:
        raise RefusedError(
            Refusal.PATH, f"{path!r} is not served here; {model.provider} has {_listed(apis)}"
        )
    try:
        return _read(path, api, body, model)
    except RecursionError as error:
        raise RefusedError(Refusal.MALFORMED, "the body is nested too deeply") from error


def _read(path: str, api: Api, body: bytes, model: ModelRef) -> Ask:
    value = _parse(body)
    _check_model(value, model)
    _check_elsewhere(value, api)
    tools = [*_check_tools(value.get("tools"), api), *_check_tools(value.get("functions"), api)]
    tools += _check_conversation(value, api)
    streamed = value.get("stream") is True
    hide_usage = streamed and api is Api.CHAT and not _asks_for_usage(value)
    if hide_usage:
        value["stream_options"] = {**(value.get("stream_options") or {}), "include_usage": True}
    return Ask(
        api=api,
        path=path,
        body=_written(value),
        streamed=streamed,
        turn=bool(tools) and path not in FREE,
        free=path in FREE,
        hide_usage=hide_usage,
    )


def _written(value: Mapping[str, Any]) -> bytes:
    """What was read goes on, not what came: a second "model" in it would be read elsewhere."""
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as error:
        # 1e999 is infinite when it has been read
        raise RefusedError(
            Refusal.MALFORMED, f"the body has a number beyond all: {error}"
        ) from error


def _parse(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError(Refusal.MALFORMED, f"the body is no JSON: {error!s:.200}") from error
    if not isinstance(value, dict):
        raise RefusedError(Refusal.MALFORMED, "the body is no JSON object")
    return value


def _check_model(value: Mapping[str, Any], model: ModelRef) -> None:
    asked = value.get("model")
    if asked != model.name:
        raise RefusedError(
            Refusal.MODEL, f"this run may ask for the model {model.name!r} only, not {asked!r:.200}"
        )


def _check_elsewhere(value: Mapping[str, Any], api: Api) -> None:
    for field in value:
        if field.casefold() != field:
            # some servers take "Model" for "model"
            raise RefusedError(Refusal.MALFORMED, f"no field has capitals: {field!r:.100}")
    for field in ELSEWHERE[api]:
        if value.get(field):
            raise RefusedError(Refusal.TOOL, f"{field!r} is not allowed: it works elsewhere")
    if not isinstance(value.get("stream"), bool | None):
        # some servers take 1 or "true", and the answer would be metered as what it is not
        raise RefusedError(Refusal.MALFORMED, "'stream' is neither true nor false")
    if not isinstance(value.get("stream_options"), dict | None):
        raise RefusedError(Refusal.MALFORMED, "'stream_options' is no object")


def _check_tools(tools: object, api: Api) -> list[object]:
    """The tools, if the client runs each of them."""
    if tools is None:
        return []
    if not isinstance(tools, list):
        raise RefusedError(Refusal.MALFORMED, "'tools' is no list")
    for tool in tools:
        kind = (tool.get("type") or "custom") if isinstance(tool, dict) else tool
        if not isinstance(kind, str) or not CLIENT_TOOLS[api].fullmatch(kind):
            raise RefusedError(
                Refusal.TOOL,
                f"the tool {kind!r:.100} runs at the provider, beyond the sandbox; switch it off",
            )
        if isinstance(tool, dict):
            _check_tools(tool.get("tools"), api)
    return tools


def _check_conversation(value: Mapping[str, Any], api: Api) -> list[object]:
    """The tools that the conversation brings along, if nothing in it has to be fetched."""
    tools: list[object] = []
    for field in CONVERSATION[api]:
        for block in blocks(value.get(field)):
            if why := fetched(block):
                raise RefusedError(
                    Refusal.TOOL, f"{why} is not allowed: it is fetched from elsewhere"
                )
            tools += _check_tools(block.get("tools"), api)
            if "definition" in block:
                tools += _check_tools([block["definition"]], api)
    return tools


def _asks_for_usage(value: Mapping[str, Any]) -> bool:
    options = value.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def _listed(apis: frozenset[Api]) -> str:
    return ", ".join(path for path, api in PATHS.items() if api in apis)
