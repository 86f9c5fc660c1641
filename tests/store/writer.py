"""Another process: reserves and stores runs of batch `b` as fast as it can."""

from __future__ import annotations

import sys
from dataclasses import replace

from harness.domain.digests import text_digest
from harness.domain.ids import BatchId
from harness.domain.record import CheckResult
from harness.store.base import Wanted
from harness.testing.store import NOON, a_cell, a_record
from tests.store.places import opened


def main(location: str, name: str, count: int) -> None:
    checks = tuple(CheckResult(f"c{n}", "test", 0.5, 1.0, reason="x" * 500) for n in range(20))
    with opened(location) as store:
        for n in range(count):
            (run,) = store.plan(BatchId("b"), [Wanted(a_cell(), 1, text_digest("s"))], NOON)
            record = replace(a_record(f"run_{name}_{n}"), iteration=run.iteration, checks=checks)
            store.save(record)
            print(n, flush=True)  # noqa: T201  # the test waits for it


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
