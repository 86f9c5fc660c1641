"""Finds and removes what killed commands left: containers by label, workspaces by their owner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import docker.errors

from harness.domain.ids import LABEL
from harness.sandbox.engine import engine_faults
from harness.sandbox.overlay import OWNER_FILE, remove_workspace
from harness.sandbox.owner import is_alive

if TYPE_CHECKING:
    from docker import DockerClient

GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that a dead process owned."""

    kind: str
    name: str


class Reaper:
    """Looks only at what carries our label or lies in our state folder, and at no living owner."""

    def __init__(self, client: DockerClient, state: Path) -> None:
        self._client = client
        self._state = state

    def find(self) -> Iterator[Leftover]:
        """Leftovers of processes that no longer run; containers first, they hold the mounts."""
        owner = f"{LABEL}.owner"
        with engine_faults("list containers"):
            containers = self._client.api.containers(all=True, filters={"label": owner})
            volumes = self._client.api.volumes(filters={"label": owner})["Volumes"] or []
        for container in containers:
            if not is_alive(container["Labels"][owner]):
                yield Leftover("container", container["Id"])
        for volume in volumes:
            if not is_alive(volume["Labels"][owner]):
                yield Leftover("volume", volume["Name"])
        for folder in sorted(self._state.glob("run/*")):
            if not is_alive(_owner_of(folder)):
                yield Leftover("workspace", str(folder))

    def remove(self, leftover: Leftover) -> None:
        """Remove one, unless another process was quicker; raises SandboxFault."""
        if leftover.kind == "workspace":
            remove_workspace(Path(leftover.name))
            return
        with engine_faults(f"remove {leftover.kind} {leftover.name}"):
            try:
                if leftover.kind == "container":
                    self._client.api.remove_container(leftover.name, force=True, v=True)
                else:
                    self._client.api.remove_volume(leftover.name, force=True)
            except docker.errors.APIError as error:
                # another command sweeps too: it has removed this, or is about to
                if error.status_code not in GONE:
                    raise


def _owner_of(folder: Path) -> str:
    try:
        return (folder / OWNER_FILE).read_text(encoding="utf-8")
    except OSError:
        return ""
