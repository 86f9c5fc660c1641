"""Runs on a cluster of three nodes, all on this machine."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness import roster, wiring
from harness.claims import Claims
from harness.cli.bench import bench
from harness.crew import run_batch
from harness.domain.artifact import Artifact
from harness.domain.digests import text_digest
from harness.domain.ids import BatchId
from harness.domain.model import Budget
from harness.domain.record import RunRecord
from harness.domain.scenario import Limits
from harness.domain.session import Usage
from harness.domain.spec import AgentRef, RunSpec
from harness.errors import Interrupted, UsageError
from harness.executors.build import this_build
from harness.gateway.budget import Drawn, midnight
from harness.interrupts import Interrupts
from harness.load.scenarios import load_scenario
from harness.plan import Selection, plan
from harness.sandbox.owner import is_alive
from harness.settings import Settings
from harness.store.base import Wanted
from harness.testing.builders import FakeWatch
from harness.tools import Tools
from tests.executors.clusters import SMALL, Nodes, cluster_of
from tests.executors.nulls import BEGUN, ENDLESS, null_tools

pytestmark = pytest.mark.ray

RUNS = int(os.environ.get("MINTMARK_RAY_RUNS", "200"))
PATIENCE_S = 120.0
OPENS = "tests.executors.nulls:open_place"


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with cluster_of(2, cpus=2, settings={"RAY_health_check_period_ms": "500"}) as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for arguments in (["new", "suite", "sample"], ["new", "scenario", "sample", "greet"]):
        result = CliRunner().invoke(bench, [*arguments, "--root", str(tmp_path)])
        assert result.exit_code == 0, result.output
    (tmp_path / BEGUN).mkdir()
    return Settings(tmp_path)


def some_specs(settings: Settings, count: int) -> list[RunSpec]:
    kinds = wiring.evaluator_kinds()
    scenario = load_scenario(settings.root, "sample", "greet", kinds=kinds)
    specs = plan(Selection((scenario,), ("L1",), (AgentRef("echo"),), iterations=count))
    return [roster.identify(spec) for spec in specs]


def planned(tools: Tools, specs: Sequence[RunSpec], batch: BatchId) -> None:
    wanted = [Wanted(specs[0].cell, len(specs), specs[0].digest)]
    tools.store.plan(batch, wanted, tools.now())


def claims_of(tools: Tools, batch: BatchId) -> Claims:
    return Claims(tools.store, batch, tools.owner, tools.now, is_alive)


@contextmanager
def executing(
    nodes: Nodes, settings: Settings, tools: Tools, specs: Sequence[RunSpec], **given: Nodes
) -> Iterator[Nodes]:
    from harness.executors import cluster, ray  # noqa: PLC0415  # only where there is Ray

    kit = replace(ray.kit_for(settings, specs, BatchId("far"), tools, None), opens=OPENS)
    with (
        cluster.connected(nodes.address) as reached,
        ray.opened(reached, replace(kit, **given), specs, tools) as executor,
    ):
        yield executor


def scores(records: Sequence[RunRecord]) -> dict[int, float | None]:
    return {record.iteration: record.total_score for record in records}


def begun(settings: Settings) -> Counter[int]:
    return Counter(int(f.name.partition("-")[0]) for f in (settings.root / BEGUN).iterdir())


def wait_until(settled: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not settled():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_batch_that_loses_a_node_has_every_run_once_with_the_scores_of_one_machine(
    nodes: Nodes, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    tools, far, near = null_tools(settings, FakeWatch()), BatchId("far"), BatchId("near")
    specs = some_specs(settings, RUNS)
    planned(tools, specs, far)
    planned(tools, specs, near)
    lost = nodes.add_node(num_cpus=2, **SMALL)
    # whatever it is given it never ends
    (settings.root / ENDLESS).write_text(lost.node_id)
    killed = threading.Thread(target=lambda: kill_at_work(nodes, lost, settings))
    with executing(nodes, settings, tools, specs) as executor:
        killed.start()
        claims = claims_of(tools, far)
        made = list(run_batch(specs, far, tools, 8, claims=claims, executor=executor))
        killed.join()
    stored = tools.store.runs(far)
    assert len(made) == len(stored) == RUNS
    assert Counter(run.iteration for run in stored) == Counter(range(1, RUNS + 1))
    assert not [run.fault for run in stored if run.fault]
    assert tools.store.missing(far) == ()
    assert tools.store.claims(far) == ()
    here = list(run_batch(specs, near, tools, 8))
    assert scores(stored) == scores(here)
    assert len(set(scores(stored).values())) == 5
    # those that were under way when their node went were begun anew, and no other was
    again = sum(begun(settings).values()) - 2 * RUNS
    assert 0 < again <= 2
    # where a document may go, Ray's own news of the lost node do not
    assert capsys.readouterr().out == ""


def kill_at_work(nodes: Nodes, node: Nodes, settings: Settings) -> None:
    folder = settings.root / BEGUN
    wait_until(lambda: any(f.read_text() == node.node_id for f in folder.iterdir()))
    nodes.remove_node(node, allow_graceful=False)


def test_runs_under_way_are_stopped_on_their_nodes_and_stored_as_interrupted(
    nodes: Nodes, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = Interrupts()
    for module in ("crew", "run", "draft", "executors.ray"):
        monkeypatch.setattr(f"harness.{module}.INTERRUPTS", signals)
    tools, far = null_tools(settings, FakeWatch()), BatchId("far")
    specs = some_specs(settings, 8)
    planned(tools, specs, far)
    (settings.root / ENDLESS).write_text("all")

    def stop() -> None:
        wait_until(lambda: len(begun(settings)) == 4)
        signals.arrived()
        signals.arrived()

    with executing(nodes, settings, tools, specs) as executor:
        threading.Thread(target=stop).start()
        claims = claims_of(tools, far)
        with pytest.raises(Interrupted):
            list(run_batch(specs, far, tools, 6, claims=claims, executor=executor))
    stored = tools.store.runs(far)
    assert [run.status for run in stored] == ["interrupted"] * 4
    assert len(tools.store.missing(far)) == 8
    assert tools.store.claims(far) == ()


def test_stages_are_shown_of_runs_on_nodes(nodes: Nodes, settings: Settings) -> None:
    watch = FakeWatch()
    tools, far = null_tools(settings, watch), BatchId("far")
    specs = some_specs(settings, 4)
    planned(tools, specs, far)
    with executing(nodes, settings, tools, specs) as executor:
        list(run_batch(specs, far, tools, 2, executor=executor))
        wait_until(lambda: watch.lines.count("evaluate") >= 4)
    assert watch.lines.count("queue") == 4


def test_a_node_with_another_mintmark_is_refused(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.executors import cluster  # noqa: PLC0415  # only where there is Ray

    mine = replace(this_build(), mintmark="9.9.9")
    monkeypatch.setattr(cluster, "this_build", lambda: mine)
    task = cluster.ray.remote
    monkeypatch.setattr(
        cluster.ray, "remote", lambda **given: lambda f: task(**given)(this_build if f else f)
    )
    with (
        pytest.raises(UsageError, match=r"Mintmark .*this one is 9.9.9"),
        cluster.connected(nodes.address),
    ):
        pass


def test_what_a_node_cannot_see_is_refused_before_any_run(nodes: Nodes, settings: Settings) -> None:
    tools, far = null_tools(settings, FakeWatch()), BatchId("far")
    specs = some_specs(settings, 1)
    planned(tools, specs, far)
    late = tools.now()
    with (
        pytest.raises(UsageError, match=r"does not have batch far.*BENCH_STORE"),
        executing(nodes, settings, tools, specs, created_at=late),
    ):
        pass
    gone = Artifact("x", text_digest("nowhere"), 1)
    with (
        pytest.raises(UsageError, match=r"artefacts are not those.*BENCH_ARTIFACTS"),
        executing(nodes, settings, tools, specs, probe=gone),
    ):
        pass
    # to another machine the files are sent; a store in a file is not
    with (
        pytest.raises(UsageError, match=r"another machine.*postgresql"),
        executing(nodes, settings, tools, specs, spot=("other", 1, 1)),
    ):
        pass
    assert begun(settings) == {}


def test_a_run_that_is_larger_than_every_node_is_refused(nodes: Nodes, settings: Settings) -> None:
    tools, far = null_tools(settings, FakeWatch()), BatchId("far")
    specs = some_specs(settings, 1)
    planned(tools, specs, far)
    limits = Limits(memory_bytes=2**50)
    large = [replace(s, scenario=replace(s.scenario, limits=limits)) for s in specs]
    with (
        pytest.raises(UsageError, match="greet needs 1 processors and 1,073,741,824 MiB"),
        executing(nodes, settings, tools, large),
    ):
        pass


def test_the_nodes_draw_on_one_purse(nodes: Nodes) -> None:
    from harness.executors import cluster, desk  # noqa: PLC0415  # only where there is Ray

    allowed = desk.Allowed(Budget(tokens=100))
    with cluster.connected(nodes.address):
        actor = cluster.ray.remote(desk.Desk).remote(allowed, 0.0, 60)
        one, two = (desk.FarPurse(allowed, actor) for _ in range(2))
        assert one.take(turn=False) is None
        one.settle(Usage(input_tokens=50), 0.25)
        refused = two.take(turn=False)
        assert refused is not None
        assert "110 of 100 tokens" in refused[1]
        assert "110 of 100 tokens" in str(two.empty())
        heard = cluster.ray.get(actor.heard.remote())
        assert (heard.usd, heard.tokens) == (0.25, 110)


def test_the_nodes_draw_on_one_day(nodes: Nodes) -> None:
    from harness.executors import cluster, desk  # noqa: PLC0415  # only where there is Ray

    allowed = desk.Allowed(Budget(), Budget(tokens=100))
    today = Drawn(midnight(datetime.now(UTC)), 0.5, 60)
    with cluster.connected(nodes.address):
        actor = cluster.ray.remote(desk.Desk).remote(allowed, 0.0, 0, today)
        one, two = (desk.FarPurse(allowed, actor) for _ in range(2))
        assert (one.limits_usd, one.limits_tokens) == (False, True)
        assert one.take(turn=False) is None
        one.settle(Usage(input_tokens=50), 0.25)
        assert "the day's budget is spent: 110 of 100 tokens" in str(two.empty())
        heard = cluster.ray.get(actor.heard.remote())
        assert (heard.usd, heard.tokens, heard.day) == (0.25, 50, Drawn(today.since, 0.75, 110))
