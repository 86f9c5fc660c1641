"""Sandboxes on a Docker engine: hardened containers with the tool daemon as their command."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
from docker.errors import NotFound

from harness.domain.scenario import MIB, Network
from harness.errors import BoxClosed, SandboxFault
from harness.interrupts import shield
from harness.sandbox.base import AGENT_UID, GRADING, HOME, WORKSPACE, BoxSpec, Mount, Purpose
from harness.sandbox.box import DaemonBox
from harness.sandbox.channel import Channel
from harness.sandbox.engine import engine_faults

if TYPE_CHECKING:
    from docker import DockerClient

DAEMON = ("python3", "-I", "-S", "/mintmark/toold.py")
SECCOMP = Path(__file__).with_name("seccomp.json")
START_TIMEOUT_S = 60.0
KILLED = 137
HOME_BYTES = 64 * MIB
MAX_FILES = 8192
CAPS: Mapping[Purpose, Sequence[str]] = {
    Purpose.WORK: (),
    Purpose.GRADE: ("SETUID", "SETGID", "KILL"),
    # an agent may have closed its own files to everybody
    Purpose.KEEP: ("SETUID", "SETGID", "KILL", "DAC_READ_SEARCH"),
}

ENV = {
    "HOME": HOME,
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "NO_COLOR": "1",
    "CI": "1",
}


class Attached:
    """The socket of an attach request; the SDK's wrapper and response hold it open too."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401  # differs by the kind of connection
        self._stream = stream
        self._socket = getattr(stream, "_sock", stream)
        self.sendall = self._socket.sendall
        self.recv = self._socket.recv
        self.settimeout = self._socket.settimeout
        self.shutdown = self._socket.shutdown

    def close(self) -> None:
        """Close all three, the outermost first."""
        response = getattr(self._stream, "_response", None)
        if response is not None:
            response.close()
        self._stream.close()
        self._socket.close()


class DockerSandboxes:
    """Opens boxes on the engine behind a client."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client
        self._seccomp = json.dumps(json.loads(SECCOMP.read_text(encoding="utf-8")))

    @contextmanager
    def open(self, spec: BoxSpec) -> Iterator[DaemonBox]:
        """A running box; its container is gone when the block ends."""
        with engine_faults(f"create {spec.name} from {spec.image.tag}"):
            container: str = self._client.api.create_container(**self._config(spec))["Id"]
        try:
            with engine_faults(f"start {spec.name}"):
                channel = self._start(container)
            try:
                self._await_daemon(channel, container, spec)
                yield DaemonBox(channel, spec, why_closed=lambda: self._why_closed(container))
            finally:
                channel.close()
        finally:
            self._remove(container)

    def _start(self, container: str) -> Channel:
        streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        attached = Attached(self._client.api.attach_socket(container, params=streams))
        self._client.api.start(container)
        return Channel(attached)

    def _await_daemon(self, channel: Channel, container: str, spec: BoxSpec) -> None:
        try:
            ready = channel.receive(START_TIMEOUT_S)
        except BoxClosed as error:
            why = self._why_closed(container)
            raise SandboxFault(
                f"the tool daemon did not start in {spec.image.tag}: {why or error}; {channel.said}"
            ) from error
        if not ready.get("ready"):
            raise SandboxFault(f"the tool daemon of {spec.image.tag} said {ready!r}")

    def _config(self, spec: BoxSpec) -> dict[str, Any]:
        return {
            "image": spec.image.tag,
            "name": spec.name,
            "command": list(DAEMON),
            "user": f"{AGENT_UID}:{AGENT_UID}" if spec.purpose is Purpose.WORK else "0:0",
            "working_dir": WORKSPACE,
            "environment": {**ENV, **spec.env},
            "labels": dict(spec.labels),
            "stdin_open": True,
            "entrypoint": "",
            "host_config": self._client.api.create_host_config(**self._host(spec)),
        }

    def _host(self, spec: BoxSpec) -> dict[str, Any]:
        limits = spec.limits
        grading = spec.purpose is Purpose.GRADE
        tmpfs = {
            "/tmp": f"rw,nosuid,nodev,exec,mode=1777,size={limits.disk_bytes}",  # noqa: S108
            HOME: f"rw,nosuid,nodev,exec,uid={AGENT_UID},gid={AGENT_UID},size={HOME_BYTES}",
        }
        if grading:
            tmpfs[GRADING] = f"rw,nosuid,nodev,noexec,mode=0700,size={HOME_BYTES}"
        return {
            "binds": {m.source: {"bind": m.target, "mode": _mode(m)} for m in spec.mounts},
            "network_mode": "none" if spec.network is Network.NONE or grading else "bridge",
            # the daemon is PID 1 itself: an init of the agent's user would hold the daemon's
            # streams open to everything that runs as that user
            "init": False,
            "read_only": True,
            "cap_drop": ["ALL"],
            "cap_add": list(CAPS[spec.purpose]) or None,
            "security_opt": ["no-new-privileges", f"seccomp={self._seccomp}"],
            "pids_limit": limits.pids,
            "mem_limit": limits.memory_bytes,
            "memswap_limit": limits.memory_bytes,
            "nano_cpus": int(limits.cpus * 1e9),
            "tmpfs": tmpfs,
            "ulimits": [
                docker.types.Ulimit(name="nofile", soft=MAX_FILES, hard=MAX_FILES),
                docker.types.Ulimit(name="fsize", soft=limits.disk_bytes, hard=limits.disk_bytes),
                docker.types.Ulimit(name="core", soft=0, hard=0),
            ],
            "log_config": docker.types.LogConfig(type="none"),
        }

    def _remove(self, container: str) -> None:
        removing = engine_faults(f"remove container {container[:12]}")
        with shield(), removing, suppress(NotFound):
            self._client.api.remove_container(container, force=True, v=True)

    def _why_closed(self, container: str) -> str:
        """What ended a box; raises SandboxFault when it was the engine."""
        with engine_faults(f"look at container {container[:12]}"):
            state = self._client.api.inspect_container(container)["State"]
        if state["OOMKilled"]:
            return "it used more memory than it may"
        if state["Running"]:
            return ""
        if state["ExitCode"] == KILLED:
            # no process can kill the first one of its own container
            raise SandboxFault(
                f"container {container[:12]} was killed from outside: the Docker engine was"
                " restarted, or the machine ran out of memory"
            )
        if state["ExitCode"] == 0:
            # it ends so when nobody speaks to it any more, and nobody within can bring that about:
            # its streams and its memory are closed to everything else in the container
            raise SandboxFault(
                f"the connection to container {container[:12]} was cut: the Docker engine was"
                " restarted, or let go of it"
            )
        return f"its daemon ended with exit code {state['ExitCode']} {state['Error']}".rstrip()


def _mode(mount: Mount) -> str:
    how = "ro" if mount.read_only else "rw"
    # nocopy: an empty volume stays empty, whatever the image has at that place
    return how if mount.source.startswith("/") else f"{how},nocopy"
