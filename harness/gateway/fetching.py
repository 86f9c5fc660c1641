"""Finds what a conversation has the provider fetch: addresses and files that are not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.domain.model import Api

CONVERSATION: Mapping[Api, tuple[str, ...]] = {
    Api.MESSAGES: ("system", "messages"),
    Api.CHAT: ("messages",),
    Api.RESPONSES: ("input",),
}
_NOT_READ = frozenset({"input", "arguments", "text", "citations", "annotations", "input_schema"})
"""What a tool is called with, or what an answer said: no provider fetches from there."""
_ADDRESSES = frozenset({"url", "image_url", "file_url", "video_url", "audio_url", "file_data"})
_FILES = frozenset({"file_id", "container_id"})
_TELLING = _ADDRESSES | _FILES | {"id", "type"}
_INLINE = "data:"


def blocks(value: object) -> Iterator[Mapping[str, Any]]:
    """Every object of a conversation, at any depth that a provider reads."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            yield found
            waiting += [
                inner
                for name, inner in found.items()
                if isinstance(inner, list | dict) and name not in _NOT_READ
            ]


def fetched(block: Mapping[str, Any]) -> str | None:
    """What of a block is not in it."""
    if _TELLING.isdisjoint(block):
        return None
    for name in _ADDRESSES & block.keys():
        address = block[name]
        if isinstance(address, str) and _is_elsewhere(address.strip()):
            return f"{name!r} with an address"
    for name in _FILES & block.keys():
        if block[name]:
            return f"{name!r}"
    # the type of a reference may be left out
    if block.get("type") == "item_reference" or block.keys() == {"id"}:
        return "an item that the provider has stored"
    return None


def _is_elsewhere(address: str) -> bool:
    is_inline = address[: len(_INLINE)].casefold() == _INLINE
    return not is_inline and (":" in address or address.startswith("//"))
