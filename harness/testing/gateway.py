"""A gateway that reaches no model, and programs that are nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from harness.domain.ids import BatchId
from harness.domain.model import ModelSettings
from harness.gateway.base import Access, Line
from harness.sandbox.base import PROGRAMS, Mount, PreparedImage, Program
from harness.testing.line import FakeLine


def a_line(access: Access) -> Line:
    """One over which nothing was asked."""
    return FakeLine(access)


@dataclass(slots=True)
class FakeGateway:
    """Opens the lines that a function makes, and remembers what each was to let through."""

    make: Callable[[Access], Line] = a_line
    opened: list[Access] = field(default_factory=list)
    stop: str | None = None
    """Why no further run of a batch can ask."""

    @contextmanager
    def open(self, access: Access) -> Iterator[Line]:
        """A line."""
        self.opened.append(access)
        yield self.make(access)

    def stopped(self, batch: BatchId) -> str | None:
        """What was written down."""
        del batch
        return self.stop

    def close(self) -> None:
        """Nothing is open."""


def no_chat(line: Line, settings: ModelSettings) -> NoReturn:
    """Nobody answers on a fake line."""
    del settings
    raise AssertionError(f"a fake run asked {line.access.model.label}")


@dataclass(slots=True)
class FakePrograms:
    """Says where a program would be."""

    asked: list[Program] = field(default_factory=list)

    def mount(self, program: Program, image: PreparedImage, tell: Callable[[str], None]) -> Mount:
        """A volume that is not there."""
        del image, tell
        self.asked.append(program)
        return Mount(f"fake-{program.name}", f"{PROGRAMS}/{program.name}", read_only=True)
