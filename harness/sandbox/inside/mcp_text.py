"""What a tool of the Model Context Protocol answers, as text for a model."""

from __future__ import annotations

import json

MYPY = False
if MYPY:
    from collections.abc import Iterator

    from mcp_wire import Message

OTHER_BYTES = 4000


def as_text(answer: Message) -> str:
    """The blocks one below the other; where there is none, the structured answer."""
    blocks = answer.get("content")
    parts = [_block(block) for block in blocks] if isinstance(blocks, list) else []
    if not parts and answer.get("structuredContent") is not None:
        parts = [json.dumps(answer["structuredContent"], ensure_ascii=False)]
    return "\n".join(parts)


def cut_middle(text: str, limit: int) -> str:
    """The text's beginning and end, with a note where the middle was."""
    if len(text) <= limit:
        return text
    half = limit // 2
    left_out = len(text) - 2 * half
    return "{}\n… {} characters left out …\n{}".format(text[:half], left_out, text[-half:])


def _block(block: object) -> str:
    if not isinstance(block, dict):
        return "[no content: {!r:.80}]".format(block)
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str):
        return str(block["text"])
    if kind in ("image", "audio"):
        return "[{} {}, {}: it cannot be shown here]".format(
            kind, block.get("mimeType"), _size(block.get("data"))
        )
    if kind == "resource" and isinstance(block.get("resource"), dict):
        return _resource(block["resource"])
    if kind == "resource_link":
        return "[{}]".format(" ".join(_words(block)))
    return json.dumps(block, ensure_ascii=False)[:OTHER_BYTES]


def _resource(resource: Message) -> str:
    if isinstance(resource.get("text"), str):
        return "[resource {}]\n{}".format(resource.get("uri"), resource["text"])
    return "[resource {} {}, {}: it cannot be shown here]".format(
        resource.get("uri"), resource.get("mimeType"), _size(resource.get("blob"))
    )


def _words(link: Message) -> Iterator[str]:
    yield "resource"
    for key in ("uri", "name", "description"):
        if isinstance(link.get(key), str):
            yield link[key]


def _size(data: object) -> str:
    """Of base64, near enough."""
    return "{} bytes".format(len(data) * 3 // 4) if isinstance(data, str) else "no data"
