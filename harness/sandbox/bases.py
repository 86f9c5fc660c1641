"""Base images: the local one, else the registry's, else one built from packages."""

from __future__ import annotations

import fcntl
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import docker.errors
import docker.utils

from harness.domain.scenario import MIB
from harness.errors import SandboxFault, UsageError
from harness.sandbox import debootstrap
from harness.sandbox.engine import engine_faults, explain

SILENCE_S = 30.0
"""A registry that says nothing for so long does not answer."""
PROGRESS_S = 3.0

Tell = Callable[[str], None]


def ensure(client: docker.DockerClient, name: str, tell: Tell, state: Path) -> str:
    """The id of an image that is now on the engine.

    `state` is a folder for locks and scrap. Raises UsageError for a name that no registry knows,
    SandboxFault where none answers and the name cannot be built from packages.
    """
    found = local_id(client, name)
    if found:
        return found
    slug = re.sub(r"[^A-Za-z0-9.]+", "-", name)
    with build_lock(state / "locks" / f"base-{slug}", name, tell) as lock:
        # whoever held the lock may just have made it
        if not (found := local_id(client, name)):
            workplace = debootstrap.Workplace(state / "bases" / slug, lock)
            _obtain(client, name, tell, workplace)
            found = local_id(client, name)
    if not found:
        raise SandboxFault(f"the engine does not find {name!r} although it just got it")
    return found


def local_id(client: docker.DockerClient, name: str) -> str | None:
    """The id of an image on the engine, or None; one request."""
    with engine_faults(f"look for the image {name}"):
        try:
            return str(client.images.get(name).attrs["Id"])
        except docker.errors.ImageNotFound:
            return None


@contextmanager
def build_lock(path: Path, subject: str, tell: Tell) -> Iterator[int]:
    """One process or thread at a time; yields the descriptor, which a child may inherit."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("wb")
    except OSError as error:
        raise SandboxFault(f"could not make the lock {path}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"{subject}: waiting for a build that is under way")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def abandoned(state: Path) -> Iterator[Path]:
    """Folders of bases that somebody began to build, and that nobody builds now."""
    for folder in sorted((state / "bases").glob("*/")):
        with _free_lock(folder) as is_free:
            if is_free:
                yield folder


def clear_abandoned(folder: Path) -> bool:
    """Remove such a folder, unless somebody builds there now; raises SandboxFault."""
    with _free_lock(folder) as is_free:
        if is_free:
            debootstrap.clear(folder)
        return is_free


@contextmanager
def _free_lock(folder: Path) -> Iterator[bool]:
    """Whether nobody holds the lock of a base; it is held within the block then."""
    path = folder.parents[1] / "locks" / f"base-{folder.name}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise SandboxFault(f"could not make the lock {path}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _obtain(
    client: docker.DockerClient, name: str, tell: Tell, workplace: debootstrap.Workplace
) -> None:
    reason = _pull(client, name, tell)
    if reason is None:
        return
    release = debootstrap.release_of(name)
    if release is None:
        raise _refusal(name, reason)
    tell(f"{name}: no registry gives it out ({reason})")
    tell(f"{name}: building it from {release.distribution} packages, about a minute")
    release = debootstrap.with_machine_mirror(release)
    debootstrap.build(client, name, release, workplace, tell)


def _pull(client: docker.DockerClient, name: str, tell: Tell) -> str | None:
    """Why the image could not be pulled, or None when it is there."""
    tell(f"{name}: pulling")
    layers: dict[str, int] = {}
    told_at = time.monotonic()
    for event in _pull_events(client, name):
        if "error" in event:
            return str(event["error"]).strip()
        layers[str(event.get("id"))] = int((event.get("progressDetail") or {}).get("current", 0))
        if time.monotonic() - told_at > PROGRESS_S:
            told_at = time.monotonic()
            tell(f"{name}: pulling, {sum(layers.values()) // MIB} MiB")
    return None


def _pull_events(client: docker.DockerClient, name: str) -> Iterator[Mapping[str, Any]]:
    """What the engine says while it pulls, from a thread: the SDK has no time-out for this."""
    heard: queue.Queue[Mapping[str, Any] | None] = queue.Queue()
    repository, tag = docker.utils.parse_repository_tag(name)

    def listen() -> None:
        try:
            events = client.api.pull(repository, tag=tag or "latest", stream=True, decode=True)
            for event in events:
                heard.put(event)
            heard.put(None)
        except Exception as error:  # noqa: BLE001  # becomes the reason that _pull returns
            heard.put({"error": explain(error)})

    threading.Thread(target=listen, name=f"pull {name}", daemon=True).start()
    try:
        yield from iter(lambda: heard.get(timeout=SILENCE_S), None)
    except queue.Empty:
        yield {"error": f"nothing heard for {SILENCE_S:.0f} s"}


def _refusal(name: str, reason: str) -> SandboxFault | UsageError:
    """Tell a registry that said no, which only the user can change, from one that is not there."""
    said_no = ("manifest unknown", "manifest for", "denied", "unauthorized", "not found")
    if any(words in reason.lower() for words in said_no):
        return UsageError(
            f"no image {name!r}: {reason}; correct the name, `docker login` to its registry,"
            " or load it from a file with `docker load`"
        )
    known = ", ".join(debootstrap.known_names())
    return SandboxFault(
        f"no registry answers for the image {name!r} ({reason}) and it cannot be built from"
        f" packages as these can: {known}; or load it from a file with `docker load`"
    )
