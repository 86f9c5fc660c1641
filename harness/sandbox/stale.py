"""Images and volumes on the engine that nobody used for long, and how that is known.

An image's last use stands on the engine, where every project sees it: naming an image again by
the name that it has sets its `LastTagTime`. A volume has no such place; its last use is the date
of a file of the project, and a volume that the project never noted is another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker.errors

from harness.domain.ids import LABEL
from harness.sandbox.engine import engine_faults

if TYPE_CHECKING:
    from docker import DockerClient

NOTED_S = 3600.0
"""How long a note of an image's use holds."""
STEP_LABEL = f"{LABEL}.build"
KEPT_STEPS = timedelta(hours=1)
"""What a build leaves beside its image is kept as long as somebody may still be editing."""
IMAGE_KINDS = ("prepared", "inside", "ca")
"""Bases are kept: it takes minutes, root or a registry to get one again."""
VOLUME_KINDS = ("fixture", "program")
USED = "used"
IN_USE = (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND)


@dataclass(frozen=True, slots=True)
class Waste:
    """Something that can go, and the way to make it go."""

    kind: str
    name: str
    size_bytes: int
    why: str
    remove: Callable[[], bool] = field(compare=False, repr=False)
    """False where somebody turned out to need it, or was quicker."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Needed:
    """Images by name, and scenarios of which it cannot be told what their images are called."""

    tags: frozenset[str]
    unknown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the engine says its things take up, each without what it shares with others."""

    images: Mapping[str, int]
    volumes: Mapping[str, int]

    @classmethod
    def of(cls, client: DockerClient) -> Sizes:
        """Ask the engine, which counts for a while."""
        with engine_faults("say what takes up its disk"):
            df = client.api.df()
        return cls(
            {i["Id"]: max(0, i["Size"] - max(0, i["SharedSize"])) for i in df["Images"] or ()},
            {
                v["Name"]: max(0, (v.get("UsageData") or {}).get("Size", 0))
                for v in df["Volumes"] or ()
            },
        )


def note_use(client: DockerClient, tag: str) -> bool:
    """Note on the engine that an image is used now; False where there is no such image."""
    repository, _, name = tag.rpartition(":")
    with engine_faults(f"look for the image {tag}"):
        try:
            client.api.tag(tag, repository, name)
        except docker.errors.NotFound:
            return False
    return True


def note_volume(state: Path, name: str) -> None:
    """Note in the project that a volume is used now; a disk that takes no note stops nobody."""
    with suppress(OSError):
        (state / USED).mkdir(parents=True, exist_ok=True)
        (state / USED / name).touch()


def images(client: DockerClient, needed: Needed, before: datetime, sizes: Sizes) -> Iterator[Waste]:
    """Images that Mintmark made, no scenario here needs, and no project used since `before`."""
    for kind in IMAGE_KINDS:
        with engine_faults("list its images"):
            found = client.api.images(filters={"label": f"{LABEL}.{kind}"})
        for image in found:
            scenario = (image.get("Labels") or {}).get(f"{LABEL}.scenario", "")
            for tag in image.get("RepoTags") or ():
                is_ours = tag.startswith(f"{LABEL}/{kind}:")
                if not is_ours or tag in needed.tags or scenario in needed.unknown:
                    continue
                used = _last_use(client, tag)
                if used is not None and used < before:
                    yield Waste(
                        f"{kind} image",
                        tag,
                        sizes.images.get(image["Id"], 0),
                        f"{f'{scenario}, ' if scenario else ''}last used {used:%Y-%m-%d}",
                        partial(_remove_unused, client, tag, before),
                    )


def steps(client: DockerClient, before: datetime, sizes: Sizes | None = None) -> Iterator[Waste]:
    """What builds left beside their images: stages that were copied from, and failed ones."""
    with engine_faults("list its images"):
        wanted = {"dangling": True, "label": STEP_LABEL}
        found = client.api.images(filters=wanted)
    for image in found:
        made = datetime.fromtimestamp(image["Created"], UTC)
        if made < before:
            yield Waste(
                "build step",
                image["Id"].removeprefix("sha256:")[:12],
                sizes.images.get(image["Id"], 0) if sizes else 0,
                f"of {made:%Y-%m-%d}",
                partial(_remove_image, client, image["Id"]),
            )


def volumes(
    client: DockerClient, needed: frozenset[str], before: datetime, sizes: Sizes, state: Path
) -> Iterator[Waste]:
    """Volumes that this project filled or used, and needs no longer."""
    for kind in VOLUME_KINDS:
        with engine_faults("list its volumes"):
            found = client.api.volumes(filters={"label": f"{LABEL}={kind}"})["Volumes"] or []
        for name in (volume["Name"] for volume in found):
            used = _noted(state / USED / name)
            if name not in needed and used is not None and used < before:
                yield Waste(
                    f"{kind} volume",
                    name,
                    sizes.volumes.get(name, 0),
                    f"last used {used:%Y-%m-%d}",
                    partial(_remove_volume, client, name, state / USED / name, before),
                )


def _last_use(client: DockerClient, tag: str) -> datetime | None:
    with engine_faults(f"look at the image {tag}"):
        try:
            told = client.images.get(tag).attrs
        except docker.errors.NotFound:
            return None
    return max(filter(None, (_moment(told["Created"]), _moment(_tagged(told)))), default=None)


def _tagged(told: Mapping[str, Any]) -> str:
    return str((told.get("Metadata") or {}).get("LastTagTime") or "")


def _moment(text: str) -> datetime | None:
    """The engine writes nine digits of a second, and the year 1 for never."""
    with suppress(ValueError):
        found = datetime.fromisoformat(text)
        return found if found.year > 1 and found.tzinfo else None
    return None


def _noted(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return None


def _remove_unused(client: DockerClient, tag: str, before: datetime) -> bool:
    used = _last_use(client, tag)
    return used is not None and used < before and _remove_image(client, tag)


def _remove_image(client: DockerClient, name: str) -> bool:
    with engine_faults(f"remove the image {name}"):
        return _unless_used(lambda: client.api.remove_image(name))


def _remove_volume(client: DockerClient, name: str, note: Path, before: datetime) -> bool:
    used = _noted(note)
    if used is None or used >= before:
        return False
    with engine_faults(f"remove the volume {name}"):
        gone = not _stood_on(client, name) and _unless_used(lambda: client.api.remove_volume(name))
    if gone:
        note.unlink(missing_ok=True)
    return gone


def _stood_on(client: DockerClient, name: str) -> bool:
    """Whether a workspace, of whatever project, lies over the volume: the engine does not know."""
    found = client.api.volumes(filters={"label": LABEL})["Volumes"] or []
    return any(f"/{name}/" in (each.get("Options") or {}).get("o", "") for each in found)


def _unless_used(remove: Callable[[], object]) -> bool:
    """Never by force: the engine keeps what a container has, running or not."""
    try:
        remove()
    except docker.errors.APIError as error:
        if error.status_code not in IN_USE:
            raise
        return False
    return True
