"""A Ray cluster that runs: reached or refused, and what its nodes hold."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from harness.crew import WAITING, fitting
from harness.domain.spec import RunSpec
from harness.errors import EnvironmentFault, UsageError
from harness.executors.build import Build, this_build
from harness.log import log

FORM = "--ray-address HOST:PORT, or RAY_ADDRESS"
KNOCK_S = 5.0
ANSWER_S = 120.0
"""A new process on a busy node takes its time to load what it needs."""
SAME = "install the same Mintmark, with its extra 'ray', on every node"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Node:
    """What a node has for runs, whether somebody uses it now or not."""

    id: str
    name: str
    cpus: float
    memory_bytes: float

    def holds(self, needs: Needs) -> bool:
        """Whether one such run fits."""
        return needs.cpus <= self.cpus and needs.memory_bytes <= self.memory_bytes


@dataclass(frozen=True, slots=True)
class Needs:
    """What one run takes of a node: the most that its sandbox may use."""

    cpus: float
    memory_bytes: int


def needs_of(spec: RunSpec) -> Needs:
    """By its scenario's limits; an agent mostly waits for its model, and shares its processors."""
    limits = spec.scenario.limits
    return Needs(limits.cpus if spec.agent.model is None else limits.cpus / WAITING,
                 limits.memory_bytes)  # fmt: skip


def pinned(node: str) -> NodeAffinitySchedulingStrategy:
    """On this node or nowhere."""
    return NodeAffinitySchedulingStrategy(node_id=node, soft=False)


class Cluster:
    """A connection to a cluster; one per process."""

    def __init__(self, address: str) -> None:
        self.address = address

    def nodes(self) -> Sequence[Node]:
        """Those that answer now."""
        return [
            Node(
                node["NodeID"],
                node["NodeManagerHostname"] or node["NodeName"],
                node["Resources"].get("CPU", 0.0),
                node["Resources"].get("memory", 0.0),
            )
            for node in ray.nodes()
            if node["Alive"]
        ]

    def fitting(self, specs: Sequence[RunSpec]) -> Sequence[Node]:
        """The nodes that may get a run; raises UsageError for a run that fits on none."""
        nodes, needed = self.nodes(), {needs_of(spec): spec for spec in specs}
        for needs, spec in needed.items():
            if not any(node.holds(needs) for node in nodes):
                largest = max(nodes, key=lambda n: (n.memory_bytes, n.cpus), default=None)
                has = _amount(largest.cpus, largest.memory_bytes) if largest else "nothing"
                raise UsageError(
                    f"{spec.scenario.key} needs {_amount(needs.cpus, needs.memory_bytes)}, and no"
                    f" node of the cluster at {self.address} has so much; the largest has {has}"
                )
        return [node for node in nodes if any(node.holds(needs) for needs in needed)]

    def jobs(self, specs: Sequence[RunSpec]) -> int:
        """How many runs at once all nodes hold."""
        return sum(fitting(specs, int(n.cpus), int(n.memory_bytes)) for n in self.fitting(specs))

    def ask(
        self,
        nodes: Sequence[Node],
        task: Any,  # noqa: ANN401  # Ray's have no type
        given: Sequence[object],
        most_s: float = ANSWER_S,
    ) -> Iterator[tuple[Node, Any]]:
        """The answer of each node; raises what stands in its way."""
        asked = [
            (node, task.options(scheduling_strategy=pinned(node.id)).remote(*given))
            for node in nodes
        ]
        end = time.monotonic() + most_s
        for node, answer in asked:
            try:
                yield node, ray.get(answer, timeout=max(0.0, end - time.monotonic()))
            except GetTimeoutError as error:
                raise EnvironmentFault(
                    f"node {node.name} of the cluster at {self.address} does not answer within"
                    f" {most_s:.0f} s; is it too busy? Look at 'ray status'"
                ) from error
            except RayError as error:
                said = str(error).strip().splitlines()[-1]
                raise UsageError(f"node {node.name} cannot run this: {said}; {SAME}") from error


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """A cluster on whose nodes the same Mintmark runs.

    Raises UsageError for an address that is none and for other versions, EnvironmentFault where
    nobody answers.
    """
    _knock(address)
    cluster = Cluster(address)
    _init(address)
    try:
        _same_everywhere(cluster, this_build())
        yield cluster
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    # Ray itself asks for minutes before it says that nobody is there
    host, _, port = address.rpartition(":")
    if "://" in address:
        raise UsageError(
            f"{address!r}: call bench on a machine of the cluster, and name the cluster by"
            f" {FORM}; Ray's client (ray://) cannot be used"
        )
    if not host or not port.isdecimal():
        raise UsageError(f"{address!r} is no address of a Ray cluster; write {FORM}")
    try:
        socket.create_connection((host, int(port)), KNOCK_S).close()
    except (OSError, OverflowError) as error:
        raise EnvironmentFault(
            f"no Ray cluster answers at {address}: {error}; 'ray start --head"
            " --disable-usage-stats' begins one, 'ray status' looks at it"
        ) from error


def _init(address: str) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # so many tries, where Ray makes twenty without a word
    os.environ.setdefault("RAY_gcs_server_port_wait_time_s", "3")
    handlers = {name: signal.getsignal(name) for name in SIGNALS}
    # Ray would write the cluster's news to standard output, where a document may go
    ray._private.worker.print_to_stdstream = _note  # noqa: SLF001  # there is no option
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except RuntimeError as error:
        said = " ".join(str(error).split())
        if "mismatch" in said:
            raise UsageError(f"the cluster at {address} is another one: {said}; {SAME}") from error
        raise EnvironmentFault(f"the Ray cluster at {address} cannot be joined: {said}") from error
    except (RayError, ConnectionError, OSError, ValueError) as error:
        said = " ".join(str(error).split())
        raise EnvironmentFault(
            f"the Ray cluster at {address} cannot be joined: {said}; call bench on a machine of"
            " the cluster"
        ) from error
    finally:
        for name, handler in handlers.items():
            signal.signal(name, handler)


def _note(data: dict[str, Any], *_: object, **__: object) -> None:
    log().info("ray", lines=data.get("lines"))


def _same_everywhere(cluster: Cluster, mine: Build) -> None:
    nodes = [node for node in cluster.nodes() if node.cpus > 0]
    if not nodes:
        raise UsageError(f"the cluster at {cluster.address} has no node with a processor for runs")
    task = ray.remote(num_cpus=0, max_retries=0)(this_build)
    for node, build in cluster.ask(nodes, task, ()):
        if why := mine.differs(build):
            raise UsageError(f"node {node.name} ({build.host}) has {why}; {SAME}")


def _amount(cpus: float, memory_bytes: float) -> str:
    return f"{cpus:g} processors and {memory_bytes / 2**20:,.0f} MiB"
