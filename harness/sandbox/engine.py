"""The way to the Docker engine, and what is worth knowing about it before a batch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import docker
import docker.errors
import requests
import urllib3
from docker.tls import TLSConfig

from harness.domain.ids import LABEL
from harness.domain.scenario import MIB
from harness.errors import SandboxFault

DEFAULT_HOST = "unix:///var/run/docker.sock"
MINIMUM_API = (1, 41)
SETUP_SCRIPT = Path(__file__).with_name("engine.sh")

GIB = 1024 * MIB
DISK_WARN_BYTES = 5 * GIB
DISK_FAIL_BYTES = 1 * GIB
MEMORY_WARN_BYTES = 2 * GIB

_ENGINE_ERRORS = (
    docker.errors.DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
)


class Level(StrEnum):
    """How bad a finding is: `fail` means that runs will fail or not be isolated."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line for `bench doctor`; advice is empty when there is nothing to do."""

    level: Level
    subject: str
    value: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class OurImage:
    """An image that Mintmark made: a scenario's, a base from packages, or a few files."""

    tag: str
    kind: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class EngineReport:
    """The engine as it describes itself."""

    version: str
    api: str
    cgroup: str
    cgroup_driver: str
    storage_driver: str
    security: tuple[str, ...]
    missing_limits: tuple[str, ...]
    """The limits that this engine says it cannot enforce."""
    local: bool
    """The engine sees this machine's files and kernel, so folders can be mounted."""
    root_dir: str
    free_bytes: int | None
    """None where the engine's disk cannot be seen from here."""
    memory_bytes: int
    cpus: int
    images: tuple[OurImage, ...]

    @property
    def rootless(self) -> bool:
        """The daemon runs without root."""
        return "rootless" in self.security

    @property
    def seccomp(self) -> bool:
        """The engine can filter system calls."""
        return "seccomp" in self.security


def connect(
    host: str | None = None,
    *,
    certificates: Path | None = None,
    verify: bool = True,
    timeout_s: float = 60.0,
) -> docker.DockerClient:
    """Reach the engine at `host` (as in DOCKER_HOST); raises SandboxFault with what to do."""
    where = host or DEFAULT_HOST
    try:
        client = docker.DockerClient(
            base_url=where,
            version="auto",
            timeout=int(timeout_s),
            tls=_tls(certificates, verify=verify) if certificates else False,
            use_ssh_client=where.startswith("ssh://"),
        )
    except _ENGINE_ERRORS as error:
        raise SandboxFault(_why_not(where, error)) from error
    _refuse_old(client, where)
    return client


@contextmanager
def engine_faults(doing: str) -> Iterator[None]:
    """Turn whatever the engine or the way to it throws into a SandboxFault."""
    try:
        yield
    except _ENGINE_ERRORS as error:
        raise SandboxFault(f"the Docker engine could not {doing}: {explain(error)}") from error


def explain(error: BaseException) -> str:
    """The engine's own words where it said any, without the HTTP around them."""
    if isinstance(error, docker.errors.APIError) and error.explanation:
        return str(error.explanation).strip()
    causes = [str(cause) for cause in _causes(error) if isinstance(cause, OSError) and cause.errno]
    return causes[-1] if causes else str(error)


def report(client: docker.DockerClient) -> EngineReport:
    """Ask the engine about itself and about our images, which takes longer the more there are."""
    with engine_faults("list its images"):
        return replace(describe(client), images=tuple(_our_images(client)))


def describe(client: docker.DockerClient) -> EngineReport:
    """Ask the engine about itself: two quick requests."""
    with engine_faults("describe itself"):
        version = client.version()
        info = client.info()
    local = _is_local(client, info)
    root_dir = str(info.get("DockerRootDir", ""))
    limits = {"pids": "PidsLimit", "memory": "MemoryLimit", "cpus": "CpuCfsQuota"}
    return EngineReport(
        version=str(version.get("Version", "unknown")),
        api=str(version.get("ApiVersion", "unknown")),
        cgroup=str(info.get("CgroupVersion", "1")),
        cgroup_driver=str(info.get("CgroupDriver", "")),
        storage_driver=str(info.get("Driver", "unknown")),
        security=tuple(_security(info.get("SecurityOptions") or ())),
        missing_limits=tuple(name for name, key in limits.items() if not info.get(key, True)),
        local=local,
        root_dir=root_dir,
        free_bytes=_free_bytes(root_dir) if local else None,
        memory_bytes=int(info.get("MemTotal", 0)),
        cpus=int(info.get("NCPU", 0)),
        images=(),
    )


def findings(engine: EngineReport) -> tuple[Finding, ...]:
    """What a person should know about the engine, best read from top to bottom."""
    return (
        Finding(Level.OK, "engine", f"Docker {engine.version}, API {engine.api}"),
        _place(engine),
        _limits(engine),
        _seccomp(engine),
        _rootless(engine),
        _storage(engine),
        _disk(engine),
        _memory(engine),
        Finding(Level.OK, "cpus", str(engine.cpus)),
        _images(engine),
    )


def _place(engine: EngineReport) -> Finding:
    if engine.local:
        return Finding(Level.OK, "place", "local")
    return Finding(
        Level.WARN,
        "place",
        "remote, or in a virtual machine",
        "workspaces travel as volumes instead of mounts, which is slower",
    )


def _limits(engine: EngineReport) -> Finding:
    value = f"cgroup v{engine.cgroup}, driver {engine.cgroup_driver or 'unknown'}"
    missing = engine.missing_limits or (("all",) if engine.cgroup_driver == "none" else ())
    if not missing:
        return Finding(Level.OK, "limits", value)
    return Finding(
        Level.FAIL,
        "limits",
        f"{value}, not enforced: {', '.join(missing)}",
        "use a root engine, or a rootless one on cgroup v2 with delegated controllers",
    )


def _seccomp(engine: EngineReport) -> Finding:
    if engine.seccomp:
        return Finding(Level.OK, "seccomp", "available")
    return Finding(
        Level.FAIL,
        "seccomp",
        "missing",
        "sandboxes need the system call filter: use a kernel and an engine built with seccomp",
    )


def _rootless(engine: EngineReport) -> Finding:
    if not engine.rootless:
        return Finding(Level.OK, "rootless", "no")
    return Finding(
        Level.WARN, "rootless", "yes", "host folders are mapped to other owners; volumes are used"
    )


def _storage(engine: EngineReport) -> Finding:
    if engine.storage_driver in {"vfs", "devicemapper"}:
        return Finding(
            Level.WARN,
            "storage",
            engine.storage_driver,
            "every container copies its image; overlay2 does not",
        )
    return Finding(Level.OK, "storage", engine.storage_driver)


def _disk(engine: EngineReport) -> Finding:
    if engine.free_bytes is None:
        return Finding(Level.OK, "disk", "not visible from here")
    value = f"{size(engine.free_bytes)} free in {engine.root_dir}"
    if engine.free_bytes >= DISK_WARN_BYTES:
        return Finding(Level.OK, "disk", value)
    level = Level.FAIL if engine.free_bytes < DISK_FAIL_BYTES else Level.WARN
    return Finding(level, "disk", value, "free some space; `bench clean` lists what can go")


def _memory(engine: EngineReport) -> Finding:
    value = size(engine.memory_bytes)
    if engine.memory_bytes >= MEMORY_WARN_BYTES:
        return Finding(Level.OK, "memory", value)
    return Finding(Level.WARN, "memory", value, "run one job at a time: `--jobs 1`")


def _images(engine: EngineReport) -> Finding:
    total = sum(image.size_bytes for image in engine.images)
    return Finding(Level.OK, "images", f"{len(engine.images)} of ours, {size(total)}")


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"


def _tls(certificates: Path, *, verify: bool) -> TLSConfig:
    pair = (str(certificates / "cert.pem"), str(certificates / "key.pem"))
    return TLSConfig(client_cert=pair, ca_cert=str(certificates / "ca.pem"), verify=verify)


def _refuse_old(client: docker.DockerClient, where: str) -> None:
    api = str(client.api.api_version)
    if tuple(int(part) for part in api.split(".")) >= MINIMUM_API:
        return
    client.close()
    minimum = ".".join(map(str, MINIMUM_API))
    raise SandboxFault(
        f"the Docker engine at {where} speaks API {api}; Mintmark needs {minimum}"
        " (Docker 20.10) or newer: upgrade it or point DOCKER_HOST at another one"
    )


def _why_not(where: str, error: BaseException) -> str:
    causes = list(_causes(error))
    start = f"start one with `sh {SETUP_SCRIPT}`, or point DOCKER_HOST at one that runs"
    if any(isinstance(cause, PermissionError) for cause in causes):
        return (
            f"this user may not use the Docker engine at {where}: add it to the group of the"
            " socket (`sudo usermod -aG docker $USER`, then log in again) or run as root"
        )
    if any(isinstance(cause, FileNotFoundError) for cause in causes):
        return f"no Docker engine at {where}, there is no such socket: {start}"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"no Docker engine runs at {where}, the socket is dead: {start}"
    if any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes):
        return (
            f"the Docker engine at {where} does not answer in time:"
            " look at its log, restart it, or point DOCKER_HOST at another one"
        )
    return f"no Docker engine answers at {where}: {explain(error)}; {start}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and the errors its arguments carry."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        more = (current.__cause__, current.__context__, *current.args)
        waiting += [cause for cause in more if isinstance(cause, BaseException)]


def _security(options: Iterable[str]) -> Iterator[str]:
    """`name=seccomp,profile=default` → `seccomp`."""
    for option in options:
        fields = dict(field.partition("=")[::2] for field in option.split(","))
        yield fields.get("name") or option


def _is_local(client: docker.DockerClient, info: dict[str, Any]) -> bool:
    """A unix socket alone proves nothing: a desktop engine puts a virtual machine behind it."""
    by_socket = client.api.base_url == "http+docker://localhost"
    same_kernel = info.get("KernelVersion") == os.uname().release
    return by_socket and same_kernel and Path(str(info.get("DockerRootDir", ""))).is_dir()


def _free_bytes(folder: str) -> int | None:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _our_images(client: docker.DockerClient) -> Iterator[OurImage]:
    seen: set[str] = set()
    # prepared first: a prepared image inherits the labels of the base it stands on
    for kind in ("prepared", "base", "inside", "ca"):
        for image in client.api.images(filters={"label": f"{LABEL}.{kind}"}):
            tags = [tag for tag in image.get("RepoTags") or () if tag not in seen]
            seen.update(tags)
            yield from (OurImage(tag, kind, int(image["Size"])) for tag in tags)
