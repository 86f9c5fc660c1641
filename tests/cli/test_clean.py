"""`bench clean`, and what a batch does that runs out of room."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness import upkeep
from harness.cleaning import Cleaner
from harness.errors import SandboxFault
from harness.sandbox.stale import Waste
from harness.testing.builders import Fakes
from tests.cli.conftest import Cli

Offer = Callable[..., list[str]]


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    """Have so much lie about; hands back the list of what is removed, and of what was asked."""

    def offered(*names: str, outcome: bool | Exception = True) -> list[str]:
        log: list[str] = []

        def gone(name: str) -> bool:
            if isinstance(outcome, Exception):
                raise outcome
            log.append(name)
            return outcome

        def find(before: datetime) -> list[Waste]:
            log.append(f"asked {round((datetime.now(UTC) - before) / timedelta(hours=1))}h")
            return [
                Waste("prepared image", name, 300 * 2**20, "unused", lambda name=name: gone(name))
                for name in names
            ]

        def cleaner(_settings: object, _project: object, *, quick: bool = False) -> Cleaner:
            log.append("quick" if quick else "all")
            return Cleaner([find])

        monkeypatch.setattr(upkeep, "open_cleaner", cleaner)
        return log

    return offered


def test_what_can_go_is_listed_and_nothing_is_removed_unasked(cli: Cli, offer: Offer) -> None:
    log = offer("image:1", "image:2")
    result = cli("clean")
    assert result.exit_code == 0
    assert "image:1" in result.output
    assert "2 things, at least 600 MiB: bench clean --yes removes them" in result.output
    assert log == ["all", "asked 168h"]


def test_yes_removes_it_and_says_so(cli: Cli, offer: Offer) -> None:
    log = offer("image:1")
    result = cli("clean", "--yes", "--older-than", "2d")
    assert "removed 1 thing, at least 300 MiB" in result.output
    assert log == ["all", "asked 48h", "image:1"]


def test_what_turned_out_to_be_in_use_stays_and_a_fault_is_said(cli: Cli, offer: Offer) -> None:
    offer("image:1", outcome=False)
    result = cli("clean", "--yes")
    assert "1 thing turned out to be in use, and stayed" in result.output
    assert result.exit_code == 0
    offer("image:1", outcome=SandboxFault("the engine is gone"))
    result = cli("clean", "--yes")
    assert "could not remove prepared image image:1: the engine is gone" in result.stderr
    assert result.exit_code == 3


@pytest.mark.parametrize("options", [(), ("--yes",)])
def test_the_same_as_a_document(cli: Cli, offer: Offer, options: tuple[str, ...]) -> None:
    offer("image:1")
    document = json.loads(cli("clean", "--json", *options).stdout)
    assert document["found"] == [
        {
            "kind": "prepared image",
            "name": "image:1",
            "count": 1,
            "size_bytes": 300 * 2**20,
            "why": "unused",
            "removed": bool(options),
        }
    ]
    assert document["freed_bytes"] == (300 * 2**20 if options else 0)


@pytest.mark.parametrize("age", ["soon", "5m", "0", "-1d", "9" * 400])
def test_an_age_that_is_none_or_endangers_runs_under_way_is_refused(
    cli: Cli, offer: Offer, age: str
) -> None:
    log = offer("image:1")
    result = cli("clean", "--yes", "--older-than", age)
    assert result.exit_code == 2
    assert "--older-than" in result.stderr
    assert log == []


def test_nothing_to_remove_is_said(cli: Cli, offer: Offer) -> None:
    offer()
    assert cli("clean").output == "nothing to remove\n"


def test_a_batch_without_room_removes_what_is_unused_says_so_and_then_stops(
    cli: Cli, offer: Offer, fakes: Fakes, project: Path
) -> None:
    del fakes
    log = offer("image:1")
    too_much = str(shutil.disk_usage(project).free * 4)
    arguments = ("sample", "greet", "--agent", "echo", "--batch-id", "full", "--iterations", "3")
    result = cli(*arguments, "--min-free-disk", too_much)
    assert result.exit_code == 3
    assert "removed 1 unused, at least 300 MiB" in result.stderr
    assert "prepared image image:1: unused" in result.stderr
    assert "--min-free-disk" in result.stderr
    assert log == ["quick", "asked 24h", "image:1"], "once, however often it is looked"


def test_a_batch_without_room_goes_on_when_enough_was_removed(
    cli: Cli, offer: Offer, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = offer("image:1")
    monkeypatch.setattr(
        "harness.bounds._free_bytes", lambda _folder: 100 if "image:1" in log else 10
    )
    result = cli("sample", "greet", "--agent", "echo", "--min-free-disk", "50")
    assert result.exit_code == 1, result.output
    assert len(fakes.store.runs()) == 1


def test_room_that_cannot_be_made_ends_the_batch_as_before(
    cli: Cli, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    del fakes

    def refuse(*_: object, **__: object) -> None:
        raise SandboxFault("no engine")

    monkeypatch.setattr(upkeep, "open_cleaner", refuse)
    monkeypatch.setattr("harness.bounds._free_bytes", lambda _folder: 10)
    result = cli("sample", "greet", "--agent", "echo", "--min-free-disk", "50")
    assert result.exit_code == 3
    assert "no more could be made: no engine" in result.stderr
    assert "Traceback" not in result.stderr
