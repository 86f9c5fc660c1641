"""What was asked of a model and what came back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.domain.model import Usage
from harness.gateway.base import REFUSAL, Refusal
from harness.gateway.redaction import Redactor

KEPT_HEADERS = frozenset(
    {
        "content-type",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "request-id",
        "x-request-id",
        REFUSAL,
    }
)
"""Of an answer's headers, what an agent acts on; the rest is the provider's or the network's."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of an agent and the answer that it got."""

    path: str
    """With the query."""
    request: bytes
    """The body as the agent sent it."""
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    """The answer as it came, a stream byte for byte."""
    method: str = "POST"
    first_byte_s: float | None = None
    duration_s: float = 0.0
    retries: int = 0
    waited_s: float = 0.0
    usage: Usage | None = None
    cost_usd: float | None = None
    refusal: Refusal | None = None
    """Set when the gateway answered, not the provider."""
    broken: str | None = None
    """Why the answer ended early, when it did."""


class Recording:
    """Exchanges in the order they were recorded; requests are put together when asked for."""

    def __init__(
        self,
        model: str,
        blobs: Sequence[bytes],
        kept: Sequence[tuple[Exchange, Sequence[int]]],
    ) -> None:
        self.model = model
        self.blobs = blobs
        """Every piece of a request, once; kept as bytes, because a request may be anything."""
        self.kept = kept
        """Exchanges without their requests, and the pieces whose join is the request."""

    def __len__(self) -> int:
        return len(self.kept)

    def __iter__(self) -> Iterator[Exchange]:
        return (self.exchange(number) for number in range(len(self.kept)))

    def request(self, number: int) -> bytes:
        """What was asked in an exchange, which counts from 0."""
        blobs = self.blobs
        return b"".join([blobs[index] for index in self.kept[number][1]])

    def exchange(self, number: int) -> Exchange:
        """An exchange, which counts from 0."""
        return replace(self.kept[number][0], request=self.request(number))


def redacted(exchange: Exchange, redactor: Redactor) -> Exchange:
    """The exchange as it may be kept: no keys, and only headers that matter to an agent."""
    return replace(
        exchange,
        path=redactor.clean_text(exchange.path),
        request=redactor.clean(exchange.request),
        body=redactor.clean(exchange.body),
        broken=None if exchange.broken is None else redactor.clean_text(exchange.broken),
        headers=tuple(
            (name.lower(), redactor.clean_text(value))
            for name, value in exchange.headers
            if name.lower() in KEPT_HEADERS
        ),
    )
