from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.domain.scenario import ImageSource
from harness.errors import BadFile, UsageError
from harness.sandbox.dockerfiles import CERTIFICATES, Recipe, from_file, generated, parse

BASE = "sha256:0123"


def _bases(path: Path) -> list[str]:
    return [step.base for step in parse(path) if step.base]


def _write(folder: Path, text: str) -> Path:
    path = folder / "Dockerfile"
    path.write_text(text)
    return path


def test_the_same_packages_in_another_order_make_the_same_layer() -> None:
    one = generated(ImageSource(packages=("python3", "git", "git")), BASE)
    two = generated(ImageSource(packages=("git", "python3")), BASE)
    assert one == two
    assert "--no-install-recommends git python3" in one.text


def test_recipes_with_the_same_packages_share_their_head() -> None:
    one = generated(ImageSource(packages=("git",), setup=("make",)), BASE)
    two = generated(ImageSource(packages=("git",)), BASE)
    other = generated(ImageSource(packages=("make",)), BASE)
    assert one.head == two.head
    assert one.text != two.text
    assert one.head != other.head


def test_every_setup_line_is_one_run_whatever_it_contains() -> None:
    lines = ("echo one\necho 'two'", 'echo "$HOME" \\', "# only a comment")
    recipe = generated(ImageSource(setup=lines), BASE)
    runs = [step.text for step in recipe.steps if step.text.startswith("RUN ")]
    scripts = [json.loads(run.removeprefix("RUN ")) for run in runs]
    assert [script[:2] for script in scripts] == [["/bin/sh", "-euc"]] * 4
    assert tuple(script[2] for script in scripts[:3]) == lines
    assert all("\n" not in run for run in runs)


@pytest.mark.parametrize("name", ["git; reboot", "-o", "Git", "$(id)", "a b", ""])
def test_what_is_no_package_name_never_reaches_a_shell(name: str) -> None:
    with pytest.raises(UsageError, match="is no package name"):
        generated(ImageSource(packages=(name,)), BASE)


@pytest.mark.parametrize("name", ["g++", "libc6:i386", "python3=3.11.2-1+b1", "node-typescript"])
def test_package_names_with_versions_and_architectures_are_fine(name: str) -> None:
    assert name in generated(ImageSource(packages=(name,)), BASE).text


def test_the_last_layer_is_on_top_of_either_kind_of_image(tmp_path: Path) -> None:
    path = _write(tmp_path, "FROM debian:12\nUSER nobody\n")
    written = from_file(parse(path), tmp_path, {"debian:12": BASE})
    made = generated(ImageSource(), BASE)
    assert written.steps[-5:] == made.steps[-5:]
    assert made.steps[-5].text == "USER 0"
    assert written.context == tmp_path
    assert made.context is None


def test_a_bundle_is_trusted_in_every_stage_and_never_an_environment_variable() -> None:
    recipe = Recipe(
        generated(ImageSource(), BASE).steps[:1] * 2 + generated(ImageSource(), BASE).steps
    )
    trusting = recipe.trusting("sha256:cafe")
    texts = [step.text for step in trusting.steps]
    after = [texts[i + 1] for i, text in enumerate(texts) if text.startswith("FROM ")]
    assert after == [f"COPY --from=sha256:cafe /ca.crt {CERTIFICATES}"] * 3
    assert not any(text.startswith("ENV") for text in texts)
    assert f"rm -f {CERTIFICATES}" in texts[-4]


def test_bases_are_found_behind_stages_flags_variables_and_comments(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        "# FROM commented:1\n"
        "ARG TAG=12-slim\n"
        "ARG EMPTY\n"
        "FROM --platform=linux/amd64 debian:$TAG AS debian\n"
        "RUN echo \\\n  # in between\n  FROM not:this \\\n  && true\n"
        "from debian\n"
        "FROM ${EMPTY:-python:3.12} as last\n"
        "FROM scratch\n"
        "COPY --from=last / /\nCOPY --from=0 / /\n",
    )
    assert _bases(path) == ["debian:$TAG".replace("$TAG", "12-slim"), "python:3.12"]


def test_bases_are_pinned_and_stages_are_left_alone(tmp_path: Path) -> None:
    path = _write(tmp_path, "FROM --platform=x debian:12 AS debian\nFROM debian\nRUN a \\\n  b\n")
    texts = [step.text for step in from_file(parse(path), tmp_path, {"debian:12": BASE}).steps]
    assert texts[:3] == [f"FROM --platform=x {BASE} AS debian", "FROM debian", "RUN a   b"]


def test_a_last_line_that_goes_on_does_not_swallow_our_layer(tmp_path: Path) -> None:
    path = _write(tmp_path, "FROM debian:12\nRUN true \\")
    texts = [step.text for step in from_file(parse(path), tmp_path, {"debian:12": BASE}).steps]
    assert texts[1:3] == ["RUN true", "USER 0"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("RUN true\n", "has no FROM"),
        ("FROM\n", "names no image"),
        ("FROM --platform=linux/amd64\n", "names no image"),
        ("FROM debian:$TAG\n", "FROM uses \\$TAG"),
        ("FROM debian\nCOPY --from=alpine /a /b\n", "stage of its own"),
    ],
)
def test_what_could_be_another_image_tomorrow_is_refused(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(BadFile, match=problem):
        parse(_write(tmp_path, text))


def test_a_dockerfile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="Dockerfile: cannot be read"):
        parse(tmp_path / "Dockerfile")


def test_people_hear_of_the_steps_that_take_time(tmp_path: Path) -> None:
    recipe = generated(ImageSource(packages=("git",), setup=("make " + "x" * 200,)), BASE)
    said = [recipe.says(step.text) for step in recipe.steps]
    assert said[:3] == ["", "", "installing git"]
    assert said[3].startswith("make xxx")
    assert len(said[3]) == 72
    path = _write(tmp_path, "FROM debian\nENV A=1\nRUN true\n")
    own = from_file(parse(path), tmp_path, {"debian": BASE})
    assert [own.says(step.text) for step in own.steps][:3] == ["", "", "RUN true"]
