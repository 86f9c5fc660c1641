from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from harness import roster, wiring
from harness.agents.base import Agent
from harness.cli.bench import bench
from harness.cli.entry import exit_code_of
from harness.domain.ids import BatchId
from harness.domain.spec import RunSpec
from harness.gateway.budget import Purse
from harness.gateway.recording import Recorder
from harness.testing.builders import FakeAgent, Fakes, some_tools
from harness.testing.sandbox import AN_ENGINE
from tests.cli.world import World

Cli = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one suite and one scenario, as `bench new` makes them."""
    for arguments in (["new", "suite", "sample"], ["new", "scenario", "sample", "greet"]):
        result = CliRunner().invoke(bench, [*arguments, "--root", str(tmp_path)])
        assert result.exit_code == 0, result.output
    return tmp_path


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Fakes:
    """Everything below the command line faked: no engine is needed."""
    made = some_tools(wiring.Evaluators())

    class NothingLeft:
        def find(self) -> list[object]:
            return []

    def tools(_settings: object, watch: object, _purses: object, replay: bytes | None) -> object:
        return replace(made.tools, watch=watch, agent=roster.make_agent, replay=replay)

    monkeypatch.setattr(wiring, "open_tools", tools)
    monkeypatch.setattr(wiring, "open_store", lambda _settings: made.store)
    monkeypatch.setattr(wiring, "open_artifacts", lambda _settings: made.tools.artifacts)
    monkeypatch.setattr(wiring, "describe_engine", lambda _settings: AN_ENGINE)
    monkeypatch.setattr(wiring, "engine_answers", lambda _settings: lambda: None)
    monkeypatch.setattr(wiring, "open_reaper", lambda _settings: NothingLeft())
    return made


@pytest.fixture
def cli(project: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run `bench` as the console script would, in the project."""
    monkeypatch.setenv("BENCH_ROOT", str(project))

    def run(*arguments: str) -> Result:
        @click.command(context_settings={"ignore_unknown_options": True})
        @click.argument("rest", nargs=-1, type=click.UNPROCESSED)
        def command(rest: tuple[str, ...]) -> None:
            code = exit_code_of(bench, list(rest))
            raise SystemExit(code)

        return CliRunner().invoke(command, ["--", *arguments])

    return run


@pytest.fixture
def world(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> World:
    made, make = World(), roster.make_agent

    def silent(spec: RunSpec) -> Agent:
        return FakeAgent(simulated=False, needs=make(spec).needs)

    def tools(
        _settings: object, watch: object, purses: Mapping[BatchId, Purse], replay: bytes | None
    ) -> object:
        made.purses, made.stop = purses, None
        made.budgets += [purse.budget for purse in purses.values()]
        return replace(fakes.tools, watch=watch, agent=silent, replay=replay, models=made)

    monkeypatch.setattr(wiring, "open_tools", tools)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-some-key-that-is-long")
    return made


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "some.cassette"
    path.write_bytes(Recorder((), "openai:gpt-5@http://localhost:1/v1").dump())
    return path
