"""Finds and removes what killed commands left: containers by label, folders by their owner."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import docker.errors

from harness.domain.ids import OWNER_LABEL
from harness.sandbox.engine import engine_faults
from harness.sandbox.overlay import OWNER_FILE, remove_workspace
from harness.sandbox.owner import is_alive, is_left, owner_in

if TYPE_CHECKING:
    from docker import DockerClient

NEW_S = 60.0
"""So young, a folder without an owner may be one that is being made."""
GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that a dead process owned, or that has expired."""

    kind: str
    name: str


class Reaper:
    """Looks only at what carries our label or lies in our folders, and at no living owner."""

    def __init__(
        self,
        client: DockerClient,
        state: Path,
        sockets: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client = client
        self._state = state
        self._sockets = sockets
        self._now = now

    def find(self) -> Iterator[Leftover]:
        """Leftovers; containers first, they hold the mounts."""
        now, owner = self._now(), OWNER_LABEL
        with engine_faults("list containers"):
            containers = self._client.api.containers(all=True, filters={"label": owner})
            volumes = self._client.api.volumes(filters={"label": owner})["Volumes"] or []
        for container in containers:
            if is_left(container["Labels"], now):
                yield Leftover("container", container["Id"])
        for volume in volumes:
            if is_left(volume["Labels"], now):
                yield Leftover("volume", volume["Name"])
        for folder in sorted(self._state.glob("run/*")):
            if _is_dead(folder):
                yield Leftover("workspace", str(folder))
        yield from _dead_sockets(self._sockets)

    def remove(self, leftover: Leftover) -> None:
        """Remove one, unless another process was quicker; raises SandboxFault."""
        if leftover.kind == "workspace":
            remove_workspace(Path(leftover.name))
            return
        if leftover.kind == "socket":
            shutil.rmtree(leftover.name, ignore_errors=True)
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


def _dead_sockets(parent: Path | None) -> Iterator[Leftover]:
    """Folders that dead gateways listened in; none where the parent is not this user's own."""
    try:
        found = parent.lstat() if parent else None
        if parent is None or found is None or not stat.S_ISDIR(found.st_mode):
            return
        folders = sorted(parent.iterdir()) if found.st_uid == os.getuid() else []
        for folder in folders:
            if _is_dead(folder):
                yield Leftover("socket", str(folder))
    except FileNotFoundError:
        # another command sweeps too, or nobody ever listened
        return


def _is_dead(folder: Path) -> bool:
    owner = owner_of(folder)
    with suppress(FileNotFoundError):
        is_new = not owner and time.time() - folder.lstat().st_mtime < NEW_S
        return not is_new and not is_alive(owner)
    return False


def owner_of(folder: Path) -> str:
    """By the file within, else by its name; empty where neither tells."""
    try:
        return (folder / OWNER_FILE).read_text(encoding="utf-8") or owner_in(folder.name)
    except OSError:
        return owner_in(folder.name)
