from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.domain.digests import bytes_digest, image_digest, text_digest, tree_digest
from harness.domain.scenario import ImageSource


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "src").mkdir(parents=True)
    (root / "src/app.py").write_text("x = 1\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "link").symlink_to("src/app.py")
    return root


def _write(tree: Path) -> None:
    (tree / "src/app.py").write_text("x = 2\n")


def _rename(tree: Path) -> None:
    (tree / "src/app.py").rename(tree / "src/main.py")


def _make_executable(tree: Path) -> None:
    (tree / "run.sh").chmod(0o755)


def _retarget(tree: Path) -> None:
    (tree / "link").unlink()
    (tree / "link").symlink_to("run.sh")


def _copy_for_link(tree: Path) -> None:
    (tree / "link").unlink()
    (tree / "link").write_text((tree / "src/app.py").read_text())


def _add_folder(tree: Path) -> None:
    (tree / "empty").mkdir()


@pytest.mark.parametrize(
    "change", [_write, _rename, _make_executable, _retarget, _copy_for_link, _add_folder]
)
def test_every_change_that_an_agent_could_see_changes_the_digest(
    tree: Path, change: Callable[[Path], None]
) -> None:
    before = tree_digest(tree)
    change(tree)
    assert tree_digest(tree) != before


def test_times_group_bits_and_git_bookkeeping_do_not_change_the_digest(tree: Path) -> None:
    before = tree_digest(tree)
    os.utime(tree / "run.sh", (0, 0))
    (tree / "run.sh").chmod(0o640)
    (tree / ".git").mkdir()
    (tree / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (tree / "src/.git").write_text("gitdir: elsewhere\n")
    assert tree_digest(tree) == before


def test_a_tree_has_one_digest_wherever_it_stands(tree: Path, tmp_path: Path) -> None:
    before = tree_digest(tree)
    tree.rename(tmp_path / "elsewhere")
    assert tree_digest(tmp_path / "elsewhere") == before


def test_a_link_is_not_followed_even_when_it_leads_to_itself(tree: Path) -> None:
    (tree / "loop").symlink_to(".")
    (tree / "dangling").symlink_to("/nowhere/at/all")
    assert tree_digest(tree)


def test_names_that_are_no_text_are_part_of_the_digest(tree: Path) -> None:
    before = tree_digest(tree)
    (Path(os.fsdecode(os.fsencode(tree) + b"/\xff\n"))).write_text("")
    assert tree_digest(tree) != before


def test_a_file_cannot_pretend_to_be_two(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    (one / "ab").write_text("")
    (two / "a").write_text("")
    (two / "b").write_text("")
    assert tree_digest(one) != tree_digest(two)


def test_parts_of_a_text_digest_do_not_run_into_each_other() -> None:
    assert text_digest("ab", "c") != text_digest("a", "bc")
    assert bytes_digest(b"") == ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def test_the_order_of_packages_is_no_difference_and_the_order_of_commands_is() -> None:
    assert image_digest(ImageSource(packages=("git", "python3"))) == image_digest(
        ImageSource(packages=("python3", "git"))
    )
    assert image_digest(ImageSource(setup=("a", "b"))) != image_digest(
        ImageSource(setup=("b", "a"))
    )


def test_a_file_beside_a_dockerfile_changes_the_image(tmp_path: Path) -> None:
    source = ImageSource(dockerfile=tmp_path / "Dockerfile")
    (tmp_path / "Dockerfile").write_text("FROM debian\nCOPY . /\n")
    before = image_digest(source)
    (tmp_path / "data").write_text("1")
    assert image_digest(source) != before
