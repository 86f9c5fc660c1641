"""Answers as HTTP responses of the protocol that was asked in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from harness.domain.model import Api
from harness.testing.provider import chat, messages, openai, responses
from harness.testing.provider.script import Cuts, Fails, Garbage, Says, TooLong
from harness.testing.provider.seen import Body
from harness.testing.provider.wire import Event, Turn, json_text

JSON_TYPE = "application/json"
STREAM_TYPE = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sent:
    """A response: its frames, each after a pause in seconds."""

    status: int
    frames: Iterable[tuple[float, bytes]]
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON_TYPE
    length: int | None = None
    """None sends it in chunks."""
    is_cut: bool = False
    """The connection closes behind the last frame, and the response is not finished."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """How one API puts answers and errors."""

    whole: Callable[[Says, Turn], Body]
    events: Callable[[Says, Turn], Iterator[Event]]
    error: Callable[[Fails, str], Body]
    too_long: Callable[[TooLong, str], Body]
    error_event: Callable[[Fails, Turn, int], Event]
    request_id: str
    """The header that names a request."""


PROTOCOLS: Mapping[Api, Protocol] = {
    Api.MESSAGES: Protocol(
        messages.whole,
        messages.events,
        messages.error,
        messages.error,
        messages.error_event,
        "request-id",
    ),
    Api.CHAT: Protocol(
        chat.whole,
        chat.events,
        lambda fails, _id: openai.error(fails),
        lambda long, _id: openai.chat_too_long(long),
        chat.error_event,
        "x-request-id",
    ),
    Api.RESPONSES: Protocol(
        responses.whole,
        responses.events,
        lambda fails, _id: openai.error(fails),
        lambda long, _id: openai.responses_too_long(long),
        responses.error_event,
        "x-request-id",
    ),
}


def response(answer: Says | Fails | TooLong | Cuts | Garbage, api: Api, turn: Turn) -> Sent:
    """The response to a completion request."""
    match answer:
        case Says():
            return _said(answer, api, turn)
        case Cuts():
            return _cut(answer, api, turn)
        case Garbage():
            length = len(answer.data)
            frames = [(0.0, answer.data)]
            return Sent(answer.status, frames, {}, answer.content_type, length)
        case Fails() | TooLong():
            return failure(answer, api, turn.id("req"))


def failure(answer: Fails | TooLong, api: Api, request_id: str) -> Sent:
    """An error response."""
    protocol = PROTOCOLS[api]
    headers = {protocol.request_id: request_id}
    if isinstance(answer, TooLong):
        return document(protocol.too_long(answer, request_id), 400, headers)
    if answer.retry_after is not None:
        headers["retry-after"] = f"{answer.retry_after:g}"
    if answer.should_retry is not None:
        headers["x-should-retry"] = str(answer.should_retry).lower()
    return document(protocol.error(answer, request_id), answer.status, headers)


def document(body: Body, status: int = 200, headers: Mapping[str, str] | None = None) -> Sent:
    """A JSON body in one piece."""
    data = json_text(body).encode()
    return Sent(status, [(0.0, data)], headers or {}, JSON_TYPE, len(data))


def _said(says: Says, api: Api, turn: Turn) -> Sent:
    protocol = PROTOCOLS[api]
    headers = {protocol.request_id: turn.id("req")}
    if turn.body.get("stream") is not True:
        return document(protocol.whole(says, turn), 200, headers)
    return Sent(200, _frames(says, protocol.events(says, turn)), headers, STREAM_TYPE)


def _cut(cut: Cuts, api: Api, turn: Turn) -> Sent:
    sent = _said(cut.answer, api, turn)
    protocol = PROTOCOLS[api]
    if sent.length is not None:
        [(_, data)] = sent.frames
        half = [(0.0, data[: len(data) // 2])]
        return Sent(200, half, sent.headers, JSON_TYPE, sent.length, is_cut=True)
    events = list(islice(protocol.events(cut.answer, turn), cut.after_events))
    if cut.error:
        events.append(protocol.error_event(cut.error, turn, len(events)))
    frames = _frames(cut.answer, events)
    return Sent(200, frames, sent.headers, STREAM_TYPE, is_cut=cut.error is None)


def _frames(says: Says, events: Iterable[Event]) -> Iterator[tuple[float, bytes]]:
    return ((says.pause_s if event.is_piece else 0.0, event.wire) for event in events)
