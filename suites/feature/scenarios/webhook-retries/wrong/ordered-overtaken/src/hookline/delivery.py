"""Sending what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from hookline.clock import Clock
from hookline.config import Endpoint
from hookline.events import body_of
from hookline.retry import is_success, is_transient, retry_after_s
from hookline.signing import signature
from hookline.store import Pending, Store
from hookline.transport import Request, Response, Transport, TransportError


@dataclass(frozen=True)
class PassResult:
    """What one or more passes over the queue achieved; `dead` is part of `failed`."""

    delivered: int
    failed: int
    dead: int = 0

    def __add__(self, other: PassResult) -> PassResult:
        return PassResult(
            self.delivered + other.delivered,
            self.failed + other.failed,
            self.dead + other.dead,
        )


class _Outcome(Enum):
    DELIVERED = PassResult(1, 0, 0)
    WAITS = PassResult(0, 1, 0)
    DEAD = PassResult(0, 1, 1)


class Dispatcher:
    """Moves deliveries from pending to delivered, or to the dead letters."""

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
        """Make one attempt for every delivery that is due, in the order they were queued."""
        result = PassResult(0, 0, 0)
        blocked: set[str] = set()
        for item in self._store.pending():
            endpoint = self._endpoints.get(item.endpoint)
            if endpoint is None or endpoint.name in blocked:
                continue
            if item.next_attempt_at > self._clock.now():
                continue
            outcome = self._attempt(item, endpoint)
            result += outcome.value
            if outcome is _Outcome.WAITS and endpoint.ordered:
                blocked.add(endpoint.name)
        return result

    def run_until_idle(self) -> PassResult:
        """Make passes, sleeping in between, until nothing is left that could be sent."""
        result = PassResult(0, 0, 0)
        while (due := self.next_due()) is not None:
            wait_s = due - self._clock.now()
            if wait_s > 0:
                self._clock.sleep(wait_s)
            result += self.run_pass()
        return result

    def next_due(self) -> float | None:
        """When the next delivery can be sent; None if none can, however long one waits."""
        waiting = (item for item in self._store.pending() if item.endpoint in self._endpoints)
        return min((item.next_attempt_at for item in waiting), default=None)

    def _attempt(self, item: Pending, endpoint: Endpoint) -> _Outcome:
        try:
            response = self._transport.send(self._request(item, endpoint))
        except TransportError as error:
            return self._failed(item, endpoint, None, str(error))
        if is_success(response.status):
            self._store.mark_delivered(item, response.status, self._clock.now())
            return _Outcome.DELIVERED
        if not is_transient(response.status):
            self._store.mark_dead(item, "rejected", response.status, self._clock.now())
            return _Outcome.DEAD
        return self._failed(item, endpoint, response, f"HTTP {response.status}")

    def _failed(
        self, item: Pending, endpoint: Endpoint, response: Response | None, error: str
    ) -> _Outcome:
        now = self._clock.now()
        attempt = item.attempts + 1
        if attempt >= endpoint.retry.max_attempts:
            status = None if response is None else response.status
            self._store.mark_dead(item, "exhausted", status, now)
            return _Outcome.DEAD
        asked_s = 0.0 if response is None else retry_after_s(response.headers, now)
        wait_s = max(endpoint.retry.delay_after(attempt), asked_s)
        self._store.mark_failed(item, error, now + wait_s)
        return _Outcome.WAITS

    def _request(self, item: Pending, endpoint: Endpoint) -> Request:
        event = self._store.event(item.event)
        body = body_of(event)
        timestamp = int(self._clock.now())
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": item.id,
            "Hookline-Attempt": str(item.attempts + 1),
            "Hookline-Event": event.type,
            "Hookline-Timestamp": str(timestamp),
            "Hookline-Signature": signature(endpoint.secret, timestamp, body),
        }
        return Request(endpoint.url, headers, body)
