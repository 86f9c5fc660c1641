"""Output that is kept beside a record."""

from __future__ import annotations

from dataclasses import dataclass

from harness.domain.ids import Digest


@dataclass(frozen=True, slots=True)
class Artifact:
    """A piece of output kept beside the record, found by its digest."""

    name: str
    digest: Digest
    size_bytes: int
