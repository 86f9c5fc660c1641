from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.load.project import Project

Make = Callable[..., Project]

DOCKERFILE = "name: x\nimage: {dockerfile: %s}\nevaluators: [{name: build, command: x}]\n"


def test_a_scenario_needs_a_fixture(project: Make) -> None:
    made = project()
    (made.folder / "repo-fixture" / "README.md").unlink()
    (made.folder / "repo-fixture").rmdir()
    assert made.errors() == (
        "there is no repo-fixture/ with the repository that the agent works on",
    )


def test_repo_wins_over_repo_fixture(project: Make) -> None:
    scenario = project().write({"repo/a.py": ""}).load()
    assert scenario.fixture.name == "repo"
    assert scenario.notes == ("repo-fixture/: not used, because repo/ is there",)


@pytest.mark.parametrize("target", ["/etc/passwd", "../hidden/x", "sub/../../x", "loop/../../../x"])
def test_a_link_that_leaves_the_fixture_is_refused(project: Make, target: str) -> None:
    made = project().write({"repo-fixture/sub/a.py": ""})
    (made.folder / "repo-fixture" / "link").symlink_to(target)
    (error,) = made.errors()
    assert error == f"repo-fixture/link: the symbolic link leaves its tree, to {target!r}"


def test_a_link_through_another_link_cannot_leave_either(project: Make) -> None:
    made = project().write({"repo-fixture/a/b/c.py": ""})
    fixture = made.folder / "repo-fixture"
    (fixture / "deep").symlink_to("a/b")
    (fixture / "inside").symlink_to("deep/../../README.md")
    assert made.load()
    (fixture / "up").symlink_to("a/..")
    (fixture / "outside").symlink_to("up/../scenario.yaml")
    (error,) = made.errors()
    assert error.startswith("repo-fixture/outside: ")


def test_links_within_the_fixture_are_welcome_even_broken_ones(project: Make) -> None:
    made = project()
    (made.folder / "repo-fixture" / "a").symlink_to("README.md")
    (made.folder / "repo-fixture" / "b").symlink_to("not-yet")
    assert made.load()


@pytest.mark.parametrize("name", [".git/HEAD", "vendor/lib/.git", ".gitmodules", "a/.git/config"])
def test_git_data_in_the_fixture_is_refused(project: Make, name: str) -> None:
    errors = project().write({f"repo-fixture/{name}": "x"}).errors()
    assert len(errors) == 1
    assert "its history would be readable" in errors[0]


def test_special_files_and_undecodable_names_are_said(project: Make) -> None:
    made = project()
    os.mkfifo(os.fsencode(made.folder / "repo-fixture") + b"/pipe-\xff")
    assert made.errors() == ("repo-fixture/pipe-\\xff: is neither file, folder nor symbolic link",)


def test_what_tools_left_behind_is_noted(project: Make) -> None:
    made = project().write({"repo-fixture/a/__pycache__/b.pyc": "", "hidden/.mypy_cache/c": ""})
    assert made.load().notes == (
        "repo-fixture/a/__pycache__: remove it, it changes the digest",
        "hidden/.mypy_cache: remove it, it changes the digest",
    )


def test_many_mistakes_of_one_sort_are_cut(project: Make) -> None:
    made = project().write({f"repo-fixture/{n:02}/.gitmodules": "" for n in range(25)})
    assert len(made.errors()) == 11
    assert made.errors()[-1] == "… and 15 more like it"


def test_a_link_in_the_hidden_folder_cannot_leave_it(project: Make) -> None:
    made = project().write({"hidden/test_a.py": ""})
    (made.folder / "hidden" / "key").symlink_to(Path.home())
    assert "hidden/key: the symbolic link leaves its tree" in made.errors()[0]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Dockerfile", "Dockerfile: must be in a folder of its own"),
        ("./Dockerfile", "Dockerfile: must be in a folder of its own"),
        ("hidden/Dockerfile", "hidden/ is not for building images"),
        ("solution/x/Dockerfile", "solution/ is not for building images"),
        ("scripts/Dockerfile", "scripts/ is not for building images"),
        ("repo-fixture/Dockerfile", "repo-fixture/ is not for building images"),
        ("image/none", "image/none: there is no such Dockerfile"),
        ("image", "image: there is no such Dockerfile"),
        ("x" * 300, "there is no such Dockerfile"),
        ("/etc/passwd", "'/etc/passwd' is not a relative path that does not climb"),
        ("image/../../x", "is not a relative path that does not climb"),
    ],
)
def test_a_dockerfile_must_be_apart_from_what_is_hidden(
    project: Make, path: str, said: str
) -> None:
    folders = ("", "hidden/", "solution/x/", "repo-fixture/", "image/", "scripts/")
    made = project(DOCKERFILE % path).write({f"{f}Dockerfile": "FROM x" for f in folders})
    assert any(said in error for error in made.errors()), made.errors()


def test_a_dockerfile_of_its_own_folder_is_the_image(project: Make) -> None:
    made = project(DOCKERFILE % "image/Dockerfile").write({"image/Dockerfile": "FROM x\n"})
    first = made.load()
    assert first.image.dockerfile == made.folder / "image" / "Dockerfile"
    made.write({"image/requirements.txt": "x"})
    assert made.load().digests.image != first.digests.image


@pytest.mark.parametrize("name", ["image/hidden/test_a.py", "image/deep/oracle-answers.json"])
def test_what_is_hidden_cannot_be_in_the_image(project: Make, name: str) -> None:
    made = project(DOCKERFILE % "image/Dockerfile")
    errors = made.write({"image/Dockerfile": "FROM x\n", name: "x"}).errors()
    assert errors[0].endswith("hidden things must not be in an image")


def test_a_dockerfile_and_an_image_name_exclude_each_other(project: Make) -> None:
    image = "image: {dockerfile: image/Dockerfile, name: y, packages: [a1]}"
    made = project(f"name: x\n{image}\nevaluators: [{{name: build, command: x}}]\n")
    made.write({"image/Dockerfile": "FROM x\n"})
    assert [error.split(" says")[0] for error in made.errors()] == [
        "/image/dockerfile (line 2): image.name",
        "/image/dockerfile (line 2): image.packages",
    ]
