"""The real engine: what prepared images hold, and that they are built once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import docker
import pytest

from harness.domain.scenario import ImageSource, Scenario
from harness.errors import BadFile
from harness.sandbox import stale
from harness.sandbox.base import AGENT_UID, PreparedImage
from harness.sandbox.bases import local_id
from harness.sandbox.images import DockerImages, refuse_secrets
from harness.sandbox.stale import KEPT_STEPS, Waste

MakeScenario = Callable[..., Scenario]
PYTHON = ("python3-minimal",)
DOCKERFILE = """\
ARG BASE=@BASE@
FROM debian:bookworm-slim AS files
COPY . /files

FROM $BASE
RUN mkdir -p /a \\
    && touch /a/b
COPY --from=files /files /files
HEALTHCHECK CMD true
USER nobody
ENTRYPOINT ["/bin/false"]
"""


@dataclass
class Builder:
    """Prepares images and removes them afterwards."""

    client: docker.DockerClient
    state: Path
    said: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)
    ca_bundle: Path | None = None

    def prepare(self, scenario: Scenario) -> PreparedImage:
        """The image, with what was said about it in `said`."""
        images = DockerImages(self.client, self.state, ca_bundle=self.ca_bundle)
        image = images.prepare(scenario, self.said.append)
        self.tags.add(image.tag)
        return image

    def run(self, image: PreparedImage, script: str) -> str:
        """What a shell in the image prints."""
        command = ["sh", "-euc", script]
        box = self.client.containers.create(image.tag, command, network_mode="none")
        try:
            box.start()
            # read when it has ended: following the log of so short a life can miss its end
            code = box.wait()["StatusCode"]
            output = box.logs().decode()
        finally:
            box.remove(force=True)
        assert code == 0, output
        return output


@pytest.fixture
def builder(client: docker.DockerClient, tmp_path: Path) -> Iterator[Builder]:
    made = Builder(client, tmp_path / "state")
    before = {step.name for step in steps_of(client)}
    yield made
    for tag in made.tags:
        client.images.remove(tag, force=True)
    for step in steps_of(client):
        if step.name not in before:
            step.remove()


def steps_of(client: docker.DockerClient) -> list[Waste]:
    """What builds left, however young it is."""
    return list(stale.steps(client, datetime.now(UTC) + timedelta(hours=1)))


@pytest.fixture
def python(client: docker.DockerClient, tmp_path: Path, make_scenario: MakeScenario) -> str:
    """An image with Python, kept between runs of the tests as an author's would be."""
    images = DockerImages(client, tmp_path / "state")
    return images.prepare(make_scenario(ImageSource(packages=PYTHON)), print).tag


@pytest.fixture
def mark() -> str:
    """Something no image was built with before."""
    return uuid4().hex


def test_a_dockerfile_needs_a_folder_of_its_own(make_scenario: MakeScenario) -> None:
    scenario = make_scenario()
    outside = scenario.folder.parent / "Dockerfile"
    for path in (scenario.folder / "Dockerfile", outside):
        with pytest.raises(BadFile, match="a folder of its own"):
            refuse_secrets(scenario, path)


@pytest.mark.parametrize("folder", ["hidden", "solution", "wrong/slug", "hidden/image"])
def test_a_hidden_folder_is_no_context(make_scenario: MakeScenario, folder: str) -> None:
    scenario = make_scenario()
    with pytest.raises(BadFile, match="an image that the agent can read"):
        refuse_secrets(scenario, scenario.folder / folder / "Dockerfile")


@pytest.mark.parametrize("name", ["hidden/test_x.py", "data/oracle-answers.json", "solution/a"])
def test_a_context_that_holds_something_hidden_is_refused(
    make_scenario: MakeScenario, name: str
) -> None:
    scenario = make_scenario()
    path = scenario.folder / "image" / name
    path.parent.mkdir(parents=True)
    path.touch()
    with pytest.raises(BadFile, match="an image that the agent can read"):
        refuse_secrets(scenario, scenario.folder / "image/Dockerfile")


def test_hidden_files_that_have_another_name_are_found_by_what_they_are(
    make_scenario: MakeScenario,
) -> None:
    scenario = make_scenario(hidden=make_scenario().folder / "image/checks")
    with pytest.raises(BadFile, match="'image/checks'"):
        refuse_secrets(scenario, scenario.folder / "image/Dockerfile")


def test_a_link_to_the_scenario_is_no_way_around(make_scenario: MakeScenario) -> None:
    scenario = make_scenario()
    (scenario.folder / "innocent").symlink_to(scenario.folder / "hidden")
    with pytest.raises(BadFile, match="an image that the agent can read"):
        refuse_secrets(scenario, scenario.folder / "innocent/Dockerfile")


def test_a_clean_context_is_fine(make_scenario: MakeScenario) -> None:
    scenario = make_scenario()
    (scenario.folder / "image/hidden.txt").touch()
    refuse_secrets(scenario, scenario.folder / "image/Dockerfile")


@pytest.mark.docker
def test_an_image_has_the_packages_the_setup_and_the_user_of_the_sandbox(
    builder: Builder, make_scenario: MakeScenario, mark: str
) -> None:
    source = ImageSource(packages=PYTHON, setup=(f"echo {mark} > /made", "cd /opt\npwd > where"))
    image = builder.prepare(make_scenario(source))
    script = """
    cat /made /opt/where
    grep ^agent: /etc/passwd; grep ^agent: /etc/group
    stat -c '%n %u:%g %a' /workspace /home/agent /grading /mintmark
    ls -A /var/lib/apt/lists; ls /mintmark/grading.py
    python3 -c 'print(6 * 7)'
    """
    assert builder.run(image, script).splitlines() == [
        mark,
        "/opt",
        f"agent:x:{AGENT_UID}:{AGENT_UID}::/home/agent:/bin/bash",
        f"agent:x:{AGENT_UID}:",
        f"/workspace {AGENT_UID}:{AGENT_UID} 755",
        f"/home/agent {AGENT_UID}:{AGENT_UID} 755",
        "/grading 0:0 700",
        "/mintmark 0:0 755",
        "/mintmark/grading.py",
        "42",
    ]
    labels = builder.client.images.get(image.tag).labels
    assert labels["mintmark.prepared"] == "1"
    assert labels["mintmark.scenario"] == "calendar/slots"
    assert any("installing python3-minimal" in line for line in builder.said)


@pytest.mark.docker
def test_an_image_that_is_there_is_found_at_once_and_nothing_is_said(
    builder: Builder, make_scenario: MakeScenario, python: str, mark: str
) -> None:
    scenario = make_scenario(ImageSource(python, setup=(f": {mark}",)))
    first = builder.prepare(scenario)
    builder.said.clear()
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        assert builder.prepare(scenario) == first
        times.append(time.perf_counter() - begun)
    assert builder.said == []
    assert min(times) < 0.01


@pytest.mark.docker
def test_two_runs_that_need_one_image_build_it_once(
    builder: Builder, make_scenario: MakeScenario, python: str, mark: str
) -> None:
    scenario = make_scenario(ImageSource(python, setup=(f": {mark}",)))
    threads = [threading.Thread(target=builder.prepare, args=(scenario,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(builder.tags) == 1
    assert builder.said.count("calendar/slots: building its image") == 1


@pytest.mark.docker
def test_scenarios_with_the_same_packages_install_them_once(
    builder: Builder, make_scenario: MakeScenario, mark: str
) -> None:
    setups = [(f": {mark} {number}",) for number in range(3)]
    sources = [ImageSource(packages=PYTHON, setup=setup) for setup in setups]
    threads = [
        threading.Thread(target=builder.prepare, args=(make_scenario(source),))
        for source in sources
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    layers = [builder.client.images.get(tag).attrs["RootFS"]["Layers"] for tag in builder.tags]
    assert len(layers) == 3
    assert len({layer[1] for layer in layers}) == 1


@pytest.mark.docker
def test_a_dockerfile_is_built_from_its_own_folder_under_our_last_layer(
    builder: Builder, make_scenario: MakeScenario, python: str, mark: str
) -> None:
    path = make_scenario().folder / "image/Dockerfile"
    path.write_text(DOCKERFILE.replace("@BASE@", python))
    (path.parent / "data.txt").write_text(mark)
    image = builder.prepare(make_scenario(ImageSource(dockerfile=path)))
    assert builder.run(image, "ls -A /files; cat /files/data.txt; id -un").splitlines() == [
        "Dockerfile",
        "data.txt",
        f"{mark}root",
    ]
    config = builder.client.images.get(image.tag).attrs["Config"]
    assert config["Healthcheck"] == {"Test": ["NONE"]}
    assert not config["Entrypoint"]


@pytest.mark.docker
def test_the_stages_of_a_build_are_found_and_go_when_they_are_old(
    builder: Builder, make_scenario: MakeScenario, python: str, mark: str
) -> None:
    path = make_scenario().folder / "image/Dockerfile"
    path.write_text(DOCKERFILE.replace("@BASE@", python))
    (path.parent / "data.txt").write_text(mark)
    before = {step.name for step in steps_of(builder.client)}
    image = builder.prepare(make_scenario(ImageSource(dockerfile=path)))
    left = [step for step in steps_of(builder.client) if step.name not in before]
    assert len(left) == 1, "the first stage, which only its files left"
    young = {step.name for step in stale.steps(builder.client, datetime.now(UTC) - KEPT_STEPS)}
    assert left[0].name not in young
    assert left[0].remove()
    assert left[0].name not in {step.name for step in steps_of(builder.client)}
    assert builder.run(image, "cat /files/data.txt") == mark


@pytest.mark.docker
def test_what_a_failed_build_left_is_found(
    builder: Builder, make_scenario: MakeScenario, python: str, mark: str
) -> None:
    before = {step.name for step in steps_of(builder.client)}
    source = ImageSource(python, setup=(f"echo {mark} > /made", "exit 7"))
    with pytest.raises(BadFile, match="exit code 7"):
        builder.prepare(make_scenario(source))
    assert {step.name for step in steps_of(builder.client)} - before


@pytest.mark.docker
def test_needed_images_are_told_without_building_any(
    builder: Builder, make_scenario: MakeScenario, python: str, mark: str
) -> None:
    scenario = make_scenario(ImageSource(python, setup=(f": {mark}",)))
    absent = make_scenario(ImageSource(f"nobody-has/{mark}:1"))
    images = DockerImages(builder.client, builder.state)
    needed = images.needed([scenario])
    assert local_id(builder.client, prepared_of(needed)) is None
    assert builder.prepare(scenario).tag == prepared_of(needed)
    assert images.needed([absent]).unknown == {absent.key}


def prepared_of(needed: stale.Needed) -> str:
    """The one image that is not what runs in all of them."""
    (tag,) = (tag for tag in needed.tags if "/prepared:" in tag)
    return tag


@pytest.mark.docker
def test_another_file_in_the_context_makes_another_image(
    builder: Builder, make_scenario: MakeScenario, python: str, mark: str
) -> None:
    path = make_scenario().folder / "image/Dockerfile"
    path.write_text(DOCKERFILE.replace("@BASE@", python))
    scenario = make_scenario(ImageSource(dockerfile=path))
    (path.parent / "data.txt").write_text(mark)
    one = builder.prepare(scenario)
    (path.parent / "data.txt").write_text(f"{mark}, changed")
    two = builder.prepare(scenario)
    assert one.tag != two.tag


@pytest.mark.docker
def test_nothing_hidden_is_in_any_layer(
    builder: Builder, make_scenario: MakeScenario, python: str, mark: str
) -> None:
    scenario = make_scenario(ImageSource(dockerfile=make_scenario().folder / "image/Dockerfile"))
    canary = f"canary-{uuid4().hex}"
    for name in (
        *("hidden/test_x.py", "solution/a.py", "wrong/slug/a.py", "oracle-answers.json"),
        *("prompts/L0.md", "../other/hidden/test_y.py", "../other/image/data.txt"),
    ):
        path = scenario.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(canary)
    (scenario.folder / "image/link").symlink_to("../hidden/test_x.py")
    (scenario.folder / "image/Dockerfile").write_text(DOCKERFILE.replace("@BASE@", python))
    (scenario.folder / "image/data.txt").write_text(mark)
    image = builder.prepare(scenario)
    saved = _saved(builder.client, image)
    assert mark.encode() in saved
    assert canary.encode() not in saved


@pytest.mark.docker
def test_a_bundle_is_trusted_while_building_and_is_not_in_the_image(
    builder: Builder, make_scenario: MakeScenario, python: str, tmp_path: Path, mark: str
) -> None:
    before = _bundles(builder.client)
    builder.ca_bundle = tmp_path / "company.crt"
    builder.ca_bundle.write_text(f"certificate {mark}")
    trusted = 'test "$PIP_CERT" = /mintmark/ca.crt; cat "$SSL_CERT_FILE" > /seen'
    scenario = make_scenario(ImageSource(python, setup=(f": {mark}", trusted)))
    image = builder.prepare(scenario)
    builder.tags |= _bundles(builder.client) - before
    assert builder.run(image, "cat /seen") == f"certificate {mark}"
    assert "ca.crt" not in builder.run(image, "env; ls -A /mintmark")
    builder.ca_bundle = None
    builder.said.clear()
    assert builder.prepare(scenario) == image
    assert builder.said == []


@pytest.mark.docker
@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (ImageSource(), r"add `packages: \[python3\]`"),
        (ImageSource(packages=("no-such-package",)), "Unable to locate package no-such-package"),
        (ImageSource(setup=("echo so far; exit 7",)), r"failed with exit code 7(.|\n)*so far"),
        (ImageSource(setup=("echo $undefined",)), "parameter not set"),
    ],
    ids=["no python", "unknown package", "failing command", "undefined variable"],
)
def test_what_the_author_has_to_put_right_is_said_plainly(
    builder: Builder, make_scenario: MakeScenario, source: ImageSource, problem: str
) -> None:
    with pytest.raises(BadFile, match=problem):
        builder.prepare(make_scenario(source))


def _saved(client: docker.DockerClient, image: PreparedImage) -> bytes:
    return b"".join(client.images.get(image.tag).save())


def _bundles(client: docker.DockerClient) -> set[str]:
    found = client.images.list(filters={"label": "mintmark.ca"})
    return {tag for image in found for tag in image.tags}
