"""A gateway that answers every run alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelUse, Usage
from harness.gateway.base import Access, Line
from harness.gateway.budget import Purse
from harness.testing.gateway import FakeGateway
from harness.testing.line import FakeLine

RUN = ("run", "sample", "greet", "--agent", "openai:gpt-5", "--batch-id", "mine")
BATCH = BatchId("mine")
USED = ModelUse(Usage(100, 50), None, 1, 1, least_usd=0.25)
DENIED = "openai answered 401: no; asked https://api for 'gpt-5' with the key OPENAI_API_KEY"


@dataclass(slots=True)
class World(FakeGateway):
    """Every run uses the same, and the batch's purse pays; what it was opened with is kept."""

    purses: Mapping[BatchId, Purse] = field(default_factory=dict)
    replays: list[bytes | None] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    fault: str | None = None

    @contextmanager
    def open(self, access: Access) -> Iterator[Line]:
        self.replays.append(access.replay)
        yield FakeLine(access, used=USED, fault=self.fault)
        self.stop = self.fault
        for purse in self.purses.values():
            purse.settle(USED.usage, USED.least_usd)
            self.stop = purse.empty() or self.fault
