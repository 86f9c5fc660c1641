from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.domain.ids import BatchId
from harness.domain.template import Template
from harness.specialists.mint import Minted, mint, read_proof
from harness.store.base import Store
from harness.store.sqlite import SqliteStore
from harness.testing.store import MemoryStore
from tests.specialists.templates import a_template

NOW = datetime(2025, 1, 18, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemoryStore()
        else:
            yield stack.enter_context(SqliteStore.open(tmp_path / "bench.db"))


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return a_template(tmp_path)


def minted(template: Template, store: Store, tmp_path: Path, *batches: str) -> Minted:
    proof = read_proof(store, [BatchId(batch) for batch in batches or ("b",)])
    return mint(template, proof, output=tmp_path / "snapshots", now=NOW)
