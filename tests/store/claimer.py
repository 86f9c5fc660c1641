"""Another process: takes what it gets of batch `b`, then stores a result of every run of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta

from harness.domain.ids import BatchId, RunId
from harness.errors import AlreadyStored
from harness.sandbox.owner import is_alive, this_process
from harness.store.base import Planned, Store
from harness.testing.store import NOON, a_record
from tests.store.places import opened

B = BatchId("b")


def take(store: Store, run: Planned) -> bool:
    until = NOON + timedelta(minutes=5)
    return store.claim(B, run, this_process(), NOON, until, is_alive)


def save(store: Store, run: Planned) -> bool:
    name = RunId(f"run_{run.iteration}_{this_process()}")
    try:
        store.save(replace(a_record(), id=name, iteration=run.iteration))
    except AlreadyStored:
        return False
    return True


def main(location: str) -> None:
    with opened(location) as store:
        runs = store.missing(B)
        print("ready", flush=True)  # noqa: T201  # the test waits for it
        for line in sys.stdin:
            act = take if line == "take\n" else save
            done = [run.iteration for run in runs if act(store, run)]
            print(*done, flush=True)  # noqa: T201  # the test reads it


if __name__ == "__main__":
    main(sys.argv[1])
