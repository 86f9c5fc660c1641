"""What the gateway adds to a request, beside the same request to the same provider without it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx2
from figures import Figure
from providers import ANSWERING, HISTORY_TURNS, MODEL, provider, request
from subjects import Tick

from harness.domain.model import Budget, ModelRef
from harness.gateway.base import Access
from harness.settings import Settings
from harness.testing.provider import KEY

MOST_ADDED_S = 0.003
PATH = "/v1/messages"
SIZES = (("a first request", 0), ("a long conversation", HISTORY_TURNS))
DIRECT = "without the gateway"
WARM_UP = 10


@dataclass(frozen=True, slots=True)
class Way:
    """How a request gets to the provider: a client that keeps its connection, as a run's does."""

    client: httpx2.Client
    url: str
    key: str

    def ask(self, body: bytes) -> tuple[float, float]:
        """Seconds to the first byte of the answer's body and to its end."""
        headers = {"x-api-key": self.key, "content-type": "application/json"}
        began = time.perf_counter()
        with self.client.stream("POST", self.url, content=body, headers=headers) as response:
            pieces = response.iter_raw()
            next(pieces)
            first_s = time.perf_counter() - began
            for _ in pieces:
                pass
            whole_s = time.perf_counter() - began
        if not response.is_success:
            raise RuntimeError(f"the provider double answered {response.status_code}")
        return first_s, whole_s


def time_gateway(settings: Settings, rounds: int, tick: Tick) -> tuple[Figure, ...]:
    """Two sizes of request, whole and streamed; each directly and through the gateway in turn."""
    with provider(settings, ANSWERING) as double, double.gateway() as gateway:
        found: list[Figure] = []
        for number, (size, history) in enumerate(SIZES):
            access = Access("performance", ModelRef("anthropic", MODEL), Budget())
            # a line for each: a run's record grows with its requests
            with (
                gateway.open(access) as line,
                httpx2.Client(transport=httpx2.HTTPTransport(uds=str(line.socket))) as through,
                httpx2.Client(trust_env=False) as direct,
            ):
                ways = (
                    Way(through, f"http://gateway{PATH}", line.token),
                    Way(direct, f"{double.url}{PATH}", KEY),
                )
                found += _figures(size, history, ways, rounds)
            tick(number + 1, len(SIZES))
        return tuple(found)


def _figures(size: str, history: int, ways: tuple[Way, Way], rounds: int) -> list[Figure]:
    kb = len(request(0, history=history, streamed=True)) / 1000
    pairs: dict[bool, list[tuple[tuple[float, float], tuple[float, float]]]] = {}
    for number in range(-WARM_UP, rounds):
        for streamed in (False, True):
            body = request(number, history=history, streamed=streamed)
            timed = (ways[0].ask(body), ways[1].ask(body))
            if number >= 0:
                pairs.setdefault(streamed, []).append(timed)
    kinds = (
        ("whole answer", False, 1),
        ("streamed, first byte", True, 0),
        ("streamed, whole answer", True, 1),
    )
    return [
        Figure(
            f"{size}, {kb:.0f} kB: {kind}",
            tuple(ours[part] for ours, _ in pairs[streamed]),
            DIRECT,
            tuple(base[part] for _, base in pairs[streamed]),
            most_added_s=MOST_ADDED_S,
        )
        for kind, streamed, part in kinds
    ]
