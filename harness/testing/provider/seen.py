"""What reached the double, and what can be read off a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.domain.model import Api

Body = dict[str, Any]

OWN_ID = re.compile(r"(?:toolu|call)_double_(\d+)_\d+\Z")
"""How the double names its calls: all of one answer's carry the same number."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Body
    """The JSON object; empty when there was none."""
    api: Api | None
    """The protocol of the path; None for the list of models and what nobody knows."""
    raw: bytes = b""
    """The body as it came over the wire."""
    query: str = ""

    @property
    def key(self) -> str | None:
        """The API key, wherever the protocol puts it."""
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        return self.headers.get("x-api-key") or bearer or None

    @property
    def is_stream(self) -> bool:
        """Whether events are asked for."""
        return self.body.get("stream") is True

    @property
    def offers_tools(self) -> bool:
        """Whether a call would be allowed as an answer."""
        choice = self.body.get("tool_choice")
        barred = choice == "none" or (isinstance(choice, dict) and choice.get("type") == "none")
        return bool(self.body.get("tools")) and not barred

    @property
    def turns(self) -> int:
        """How many answers with tool calls the conversation holds already."""
        if self.api is Api.RESPONSES:
            return _turns_of_items(items(self.body))
        called = _calls_in_messages if self.api is Api.MESSAGES else _calls_in_chat
        return sum(1 for message in messages(self.body) if called(message))


def messages(body: Body) -> list[Body]:
    """The conversation of Anthropic Messages and of Chat Completions."""
    found = body.get("messages")
    return [m for m in found if isinstance(m, dict)] if isinstance(found, list) else []


def items(body: Body) -> list[Body]:
    """The conversation of Responses; a mere text is no item."""
    found = body.get("input")
    return [i for i in found if isinstance(i, dict)] if isinstance(found, list) else []


def blocks(message: Body, kind: str) -> Iterator[Body]:
    """The blocks of one kind in an Anthropic message."""
    content = message.get("content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and block.get("type") == kind:
            yield block


def is_call(item: Body) -> bool:
    """Whether an item of Responses is a call that wants an output."""
    return item.get("type") in ("function_call", "custom_tool_call")


def is_output(item: Body) -> bool:
    """Whether an item of Responses answers a call."""
    return item.get("type") in ("function_call_output", "custom_tool_call_output")


def _calls_in_messages(message: Body) -> bool:
    return message.get("role") == "assistant" and any(blocks(message, "tool_use"))


def _calls_in_chat(message: Body) -> bool:
    return message.get("role") == "assistant" and bool(message.get("tool_calls"))


def _turns_of_items(conversation: list[Body]) -> int:
    """Calls of one answer count once: the double's by their number, others when side by side."""
    own: set[str] = set()
    others = 0
    in_row = False
    for item in conversation:
        if is_call(item):
            match = OWN_ID.match(str(item.get("call_id")))
            if match:
                own.add(match[1])
            elif not in_row:
                others += 1
        in_row = is_call(item)
    return len(own) + others
