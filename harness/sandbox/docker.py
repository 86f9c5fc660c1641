"""Sandboxes on a Docker engine: hardened containers with the tool daemon as their command."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import docker.errors
import requests

from harness.domain.scenario import MIB, Network
from harness.errors import BoxClosed, SandboxFault
from harness.sandbox.base import AGENT_UID, GRADING, HOME, WORKSPACE, Box, BoxSpec, Purpose
from harness.sandbox.box import DaemonBox
from harness.sandbox.channel import Channel

if TYPE_CHECKING:
    from docker import DockerClient

DAEMON = ("python3", "-I", "-S", "/mintmark/toold.py")
SECCOMP = Path(__file__).with_name("seccomp.json")
START_TIMEOUT_S = 60.0
HOME_BYTES = 64 * MIB
MAX_FILES = 8192
GRADER_CAPS = ("SETUID", "SETGID", "KILL")
ENGINE_ERRORS = (docker.errors.DockerException, requests.exceptions.RequestException)

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


class DockerSandboxes:
    """Opens boxes on the engine behind a client."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client
        self._seccomp = json.dumps(json.loads(SECCOMP.read_text(encoding="utf-8")))

    @contextmanager
    def open(self, spec: BoxSpec) -> Iterator[Box]:
        """A running box; its container is gone when the block ends."""
        api = self._client.api
        container: str | None = None
        channel: Channel | None = None
        try:
            try:
                container = api.create_container(**self._config(spec))["Id"]
                stream = api.attach_socket(
                    container, params={"stdin": 1, "stdout": 1, "stderr": 0, "stream": 1}
                )
                channel = Channel(getattr(stream, "_sock", stream))
                api.start(container)
                ready = channel.receive(START_TIMEOUT_S)
            except ENGINE_ERRORS as error:
                raise SandboxFault(
                    f"could not start {spec.name} from {spec.image.tag}: {error}"
                ) from error
            except BoxClosed as error:
                raise SandboxFault(
                    f"the tool daemon did not start in {spec.image.tag}: {error}"
                    f"{self._state(container)}"
                ) from error
            if not ready.get("ready"):
                raise SandboxFault(f"the tool daemon of {spec.image.tag} said {ready!r}")
            yield DaemonBox(channel, spec, why_closed=lambda: self._why_closed(container))
        finally:
            if channel:
                channel.close()
            if container:
                self._remove(container)

    def _config(self, spec: BoxSpec) -> dict[str, Any]:
        grading = spec.purpose is Purpose.GRADE
        return {
            "image": spec.image.tag,
            "name": spec.name,
            "command": list(DAEMON),
            "user": "0:0" if grading else f"{AGENT_UID}:{AGENT_UID}",
            "working_dir": WORKSPACE,
            "environment": {**ENV, **spec.env},
            "labels": dict(spec.labels),
            "stdin_open": True,
            "entrypoint": "",
            "host_config": self._client.api.create_host_config(**self._host(spec, grading=grading)),
        }

    def _host(self, spec: BoxSpec, *, grading: bool) -> dict[str, Any]:
        limits = spec.limits
        tmpfs = {
            "/tmp": f"rw,nosuid,nodev,exec,mode=1777,size={limits.disk_bytes}",  # noqa: S108
            HOME: f"rw,nosuid,nodev,exec,mode=0777,size={HOME_BYTES}",
        }
        if grading:
            tmpfs[GRADING] = f"rw,nosuid,nodev,noexec,mode=0700,size={HOME_BYTES}"
        return {
            "binds": {
                m.source: {"bind": m.target, "mode": "ro" if m.read_only else "rw"}
                for m in spec.mounts
            },
            "network_mode": "none" if spec.network is Network.NONE or grading else "bridge",
            "init": True,
            "read_only": True,
            "cap_drop": ["ALL"],
            "cap_add": list(GRADER_CAPS) if grading else None,
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
        try:
            self._client.api.remove_container(container, force=True, v=True)
        except docker.errors.NotFound:
            return
        except ENGINE_ERRORS as error:
            raise SandboxFault(f"could not remove container {container[:12]}: {error}") from error

    def _why_closed(self, container: str | None) -> str:
        """What ended a box; raises SandboxFault when it was the engine."""
        try:
            state = self._client.api.inspect_container(container)["State"]
        except ENGINE_ERRORS as error:
            raise SandboxFault(f"the engine lost container {container}: {error}") from error
        if state["OOMKilled"]:
            return "it used more memory than it may"
        return (
            f"its daemon ended with exit code {state['ExitCode']}" if not state["Running"] else ""
        )

    def _state(self, container: str | None) -> str:
        with contextlib.suppress(*ENGINE_ERRORS):
            state: Mapping[str, object] = self._client.api.inspect_container(container)["State"]
            return f" (exit code {state['ExitCode']} {state['Error']})"
        return ""
