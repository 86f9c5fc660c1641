"""Prepared images: what a scenario installs, built once per content on the Docker engine."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
import docker.errors

from harness.domain.digests import bytes_digest, text_digest, tree_digest
from harness.domain.ids import LABEL, Digest, prepared_tag
from harness.domain.scenario import Scenario
from harness.errors import BadFile, SandboxFault, UsageError
from harness.sandbox import bases, dockerfiles, stale
from harness.sandbox.base import PreparedImage
from harness.sandbox.bases import Tell, build_lock, local_id
from harness.sandbox.building import (
    DOCKERFILE,
    Progress,
    add_bytes,
    build_context,
    failure,
    is_own_fault,
)
from harness.sandbox.dockerfiles import LAYOUT, Recipe
from harness.sandbox.engine import engine_faults, explain

INSIDE = Path(__file__).with_name("inside")
SECRET_NAMES = frozenset(
    {"hidden", "solution", "wrong", "prompts", "oracle-answers.json", "scenario.yaml"}
)


@dataclass(frozen=True, slots=True)
class DockerImages:
    """The `Images` of a Docker engine.

    `state` is a folder for locks and scrap. The CA bundle and the proxies hold while images are
    built and are no part of them; images are therefore not built anew when they change.
    """

    client: docker.DockerClient
    state: Path
    ca_bundle: Path | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    _noted: dict[str, float] = field(default_factory=dict)
    """When it was last noted on the engine that an image is used."""

    def prepare(self, scenario: Scenario, tell: Tell) -> PreparedImage:
        """The scenario's image, built if it has to be; raises UsageError and SandboxFault."""
        recipe = self._recipe(
            scenario, lambda name: bases.ensure(self.client, name, tell, self.state)
        ).carrying(self._programs())
        key = recipe_key(recipe)
        tag = prepared_tag(key)
        if not self._is_there(tag):
            # scenarios with the same packages wait for each other: the next finds the layer made
            lock = self.state / "locks" / f"image-{text_digest(recipe.head)[:16]}"
            with build_lock(lock, f"{scenario.key}: image", tell):
                if not self._is_there(tag):
                    self._build(scenario, recipe, tag, tell)
        return PreparedImage(tag, key)

    def needed(self, scenarios: Collection[Scenario]) -> stale.Needed:
        """What the scenarios would be prepared from and as, as things are; nothing is built."""
        tags, unknown = {_imported_name("inside", inside_files())}, set()
        if self.ca_bundle:
            tags.add(_imported_name("ca", self._bundle(self.ca_bundle)))
        for scenario in scenarios:
            try:
                recipe = self._recipe(scenario, self._local_base)
            except (LookupError, UsageError):
                unknown.add(scenario.key)
            else:
                programs = _imported_name("inside", inside_files())
                tags.add(prepared_tag(recipe_key(recipe.carrying(programs))))
        return stale.Needed(frozenset(tags), frozenset(unknown))

    def _local_base(self, name: str) -> str:
        found = local_id(self.client, name)
        if found is None:
            raise LookupError(name)
        return found

    def _is_there(self, tag: str) -> bool:
        """Whether the image is on the engine, where it is noted now and then that it is used."""
        now = time.monotonic()
        if now - self._noted.get(tag, -stale.NOTED_S) < stale.NOTED_S:
            return local_id(self.client, tag) is not None
        if not stale.note_use(self.client, tag):
            return False
        self._noted[tag] = now
        return True

    def _recipe(self, scenario: Scenario, base: Callable[[str], str]) -> Recipe:
        source = scenario.image
        try:
            if source.dockerfile is None:
                return dockerfiles.generated(source, base(source.name))
            refuse_secrets(scenario, source.dockerfile)
            instructions = dockerfiles.parse(source.dockerfile)
            names = {instruction.base for instruction in instructions if instruction.base}
            ids = {name: base(name) for name in sorted(names)}
            return dockerfiles.from_file(instructions, source.dockerfile.parent, ids)
        except BadFile:
            raise
        except UsageError as error:
            raise BadFile(source.dockerfile or scenario.folder, [str(error)]) from error

    def _build(self, scenario: Scenario, recipe: Recipe, tag: str, tell: Tell) -> None:
        if self.ca_bundle:
            recipe = recipe.trusting(self._certificates(self.ca_bundle))
        # by their label the stages are found that stay behind with neither a name nor a child
        progress = Progress(recipe.labelled(stale.STEP_LABEL), scenario.key, tell)
        tell(f"{scenario.key}: building its image")
        with engine_faults(f"build the image of {scenario.key}"):
            error = self._run_build(scenario, progress, tag)
        if error is not None:
            raise failure(scenario, progress, error)
        if local_id(self.client, tag) is None:
            raise SandboxFault(f"the engine built {tag} for {scenario.key} and does not find it")
        with suppress(SandboxFault):
            # the image is there: whatever is wrong with the rest, the run can go on
            for left in stale.steps(self.client, datetime.now(UTC) - stale.KEPT_STEPS):
                left.remove()

    def _run_build(
        self, scenario: Scenario, progress: Progress, tag: str
    ) -> Mapping[str, Any] | None:
        with build_context(progress.recipe) as context:
            try:
                events = self.client.api.build(
                    fileobj=context,
                    custom_context=True,
                    dockerfile=DOCKERFILE,
                    tag=tag,
                    labels={f"{LABEL}.prepared": "1", f"{LABEL}.scenario": scenario.key},
                    buildargs=dict(self._proxy_arguments()),
                    rm=True,
                    forcerm=True,
                    decode=True,
                )
                return progress.follow(events)
            except docker.errors.APIError as refusal:
                if scenario.image.dockerfile and is_own_fault(explain(refusal)):
                    return {"message": explain(refusal)}
                raise

    def _proxy_arguments(self) -> Iterator[tuple[str, str]]:
        """Programs disagree about the case of these names; builds predefine them all."""
        for name, url in self.proxies.items():
            yield from ((name, url), (name.upper(), url), (name.lower(), url))

    def _certificates(self, bundle: Path) -> str:
        """An image that holds the bundle: copied from there it leaves a context as it is."""
        return self._imported("ca", self._bundle(bundle))

    def _bundle(self, bundle: Path) -> Mapping[str, bytes]:
        try:
            return {"ca.crt": bundle.read_bytes()}
        except OSError as error:
            raise UsageError(f"the CA bundle {bundle} cannot be read: {error.strerror}") from error

    def _programs(self) -> str:
        """An image that holds what runs in containers: the tool daemon and the grading runner."""
        return self._imported("inside", inside_files())

    def _imported(self, name: str, files: Mapping[str, bytes]) -> str:
        """An image of nothing but `files`, named by their content."""
        image = _imported_name(name, files)
        repository, _, tag = image.partition(":")
        if local_id(self.client, image) is None:
            with engine_faults(f"import {image}"), io.BytesIO() as file:
                with tarfile.open(fileobj=file, mode="w") as tar:
                    for path, data in files.items():
                        add_bytes(tar, path, data)
                self.client.api.import_image_from_data(
                    file.getvalue(),
                    repository=repository,
                    tag=tag,
                    changes=[f"LABEL {LABEL}.{name}=1"],
                )
        return image


def inside_files() -> Mapping[str, bytes]:
    """What runs in every container, by file name."""
    files = (path for path in sorted(INSIDE.iterdir()) if path.is_file())
    return {path.name: path.read_bytes() for path in files}


def _imported_name(name: str, files: Mapping[str, bytes]) -> str:
    parts = (part for path, data in files.items() for part in (path, bytes_digest(data)))
    return f"{LABEL}/{name}:{text_digest(*parts)[:16]}"


def recipe_key(recipe: Recipe) -> Digest:
    """Names an image by what it is made of; its bases stand in the recipe by id."""
    context = tree_digest(recipe.context) if recipe.context else ""
    return text_digest(LAYOUT, recipe.text, context)


def refuse_secrets(scenario: Scenario, dockerfile: Path) -> None:
    """Raise BadFile when a Dockerfile's folder would carry what the agent must not see."""
    context, home = dockerfile.parent.resolve(), scenario.folder.resolve()
    if not context.is_relative_to(home) or context == home:
        problem = (
            f"has to stand in a folder of its own below {scenario.folder}, such as"
            " image/Dockerfile: its whole folder is handed to the build"
        )
        raise BadFile(dockerfile, [problem])
    places = [path for path in (scenario.hidden, scenario.solution) if path]
    secret = [path for path in places if _overlap(path.resolve(), context)]
    secret += [path for path in (context, *context.rglob("*")) if _is_secret(path, home)]
    if secret:
        shown = secret[0].relative_to(home) if secret[0].is_relative_to(home) else secret[0]
        problem = f"its folder would put {str(shown)!r} into an image that the agent can read"
        raise BadFile(dockerfile, [problem])


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _is_secret(path: Path, home: Path) -> bool:
    return not SECRET_NAMES.isdisjoint(path.relative_to(home).parts)
