"""Sending what is pending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hookline.clock import Clock
from hookline.config import Endpoint
from hookline.events import body_of
from hookline.signing import signature
from hookline.store import Pending, Store
from hookline.transport import Request, Transport, TransportError


@dataclass(frozen=True)
class PassResult:
    """What one pass over the queue achieved."""

    delivered: int
    failed: int


class Dispatcher:
    """Moves deliveries from pending to delivered."""

    def __init__(
        self,
        store: Store,
        endpoints: Mapping[str, Endpoint],
        transport: Transport,
        clock: Clock,
    ) -> None:
        self._store = store
        self._endpoints = endpoints
        self._transport = transport
        self._clock = clock

    def run_pass(self) -> PassResult:
        """Send every pending delivery once, in the order they were queued."""
        delivered = failed = 0
        blocked: set[str] = set()
        for item in self._store.pending():
            endpoint = self._endpoints.get(item.endpoint)
            if endpoint is None or endpoint.name in blocked:
                continue
            if self._attempt(item, endpoint):
                delivered += 1
                continue
            failed += 1
            if endpoint.ordered:
                blocked.add(endpoint.name)
        self._store.save()
        return PassResult(delivered, failed)

    def _attempt(self, item: Pending, endpoint: Endpoint) -> bool:
        try:
            response = self._transport.send(self._request(item, endpoint))
        except TransportError as error:
            self._store.mark_failed(item, str(error))
            return False
        if not 200 <= response.status < 300:
            self._store.mark_failed(item, f"HTTP {response.status}")
            return False
        self._store.mark_delivered(item, response.status, self._clock.now())
        return True

    def _request(self, item: Pending, endpoint: Endpoint) -> Request:
        event = self._store.event(item.event)
        body = body_of(event)
        timestamp = int(self._clock.now())
        headers = {
            "Content-Type": "application/json",
            "Hookline-Event": event.type,
            "Hookline-Timestamp": str(timestamp),
            "Hookline-Signature": signature(endpoint.secret, timestamp, body),
        }
        return Request(endpoint.url, headers, body)
