"""What the tests share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hookline import Endpoint, Event, Request, Response, Store, TransportError

CRM = Endpoint("crm", "https://crm.example/in", "cr-m", ("*",))
BILLING = Endpoint("billing", "https://billing.example/hooks", "b1ll", ("order.paid",), True)
ENDPOINTS = {"billing": BILLING, "crm": CRM}
START = 1714550000.0


class Receiver:
    """A transport that answers with the given statuses in turn, then with 200."""

    def __init__(self, *answers: int | Response | str) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, str):
            raise TransportError(answer)
        return answer if isinstance(answer, Response) else Response(answer)


def queue(path: Path, events: Sequence[str], only: str) -> Store:
    """A store with `order.paid` events for one of the two endpoints."""
    store = Store.open(path)
    for id_ in events:
        store.enqueue(Event(id_, "order.paid", {"n": id_}, START), {only: ENDPOINTS[only]})
    return store
