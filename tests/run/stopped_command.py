"""A `bench` whose run waits for its provider for ever; `test_signals` sends it signals."""

from __future__ import annotations

import signal
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from evaluators.command import CommandEvaluator
from harness import roster
from harness.cli.entry import start
from harness.crew import run_batch
from harness.domain.ids import BatchId
from harness.domain.spec import AgentRef
from harness.gateway.prices import Prices
from harness.gateway.server import ModelGateway
from harness.gateway.targets import Targets
from harness.interrupts import shield
from harness.settings import Secrets
from harness.store.artifacts import FileArtifacts
from harness.store.base import Wanted
from harness.store.sqlite import SqliteStore
from harness.testing.builders import a_scenario, a_spec, some_tools
from harness.testing.provider import KEY, Answer, Hangs, ProviderDouble, Seen

AGENTS = {"anthropic": "claude-opus-4-5", "openai": "gpt-5"}


def asked(_seen: Seen, _number: int) -> Answer:
    print("asked", flush=True)  # noqa: T201  # whoever sends the signal waits for it
    return Hangs(600)


@click.group()
def bench() -> None:
    """Only one command."""


@bench.command()
@click.argument("agent")
@click.argument("folder", type=click.Path(path_type=Path))
def run(agent: str, folder: Path) -> int:
    """Run one agent, and store it in a folder."""
    tempfile.tempdir = str(folder)
    store = SqliteStore.open(folder / "bench.db")
    spec = a_spec(a_scenario(folder / "project"))
    spec = replace(spec, agent=AgentRef(agent, model=AGENTS[agent]))
    now = datetime.now(UTC)
    store.plan(BatchId("batch"), [Wanted(spec.cell, 1, spec.digest)], now)
    with ProviderDouble(asked) as double:
        urls = {"ANTHROPIC_BASE_URL": double.url, "OPENAI_BASE_URL": double.url}
        keys = Secrets({"ANTHROPIC_API_KEY": KEY, "OPENAI_API_KEY": KEY})
        with ModelGateway(Targets(keys, None, urls), Prices({}), lambda: now, "me") as gateway:
            tools = replace(
                some_tools({"build": CommandEvaluator()}).tools,
                models=gateway,
                agent=roster.make_agent,
                store=store,
                artifacts=FileArtifacts(folder),
            )
            list(run_batch([spec], BatchId("batch"), tools))
    return 0


@bench.command()
def stuck() -> None:
    """Put something in order that never comes to an end."""
    with shield():
        print("asked", flush=True)  # noqa: T201  # as above
        while True:
            signal.pause()


if __name__ == "__main__":
    sys.argv[0] = "bench"
    start(bench)
