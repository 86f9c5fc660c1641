"""Runs in a sandbox: does anything to the files there, the same for the same seed."""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

STEPS = 150
NAMES = ("a", "b", "src", "deep", "er", "tests", "README.md", "library", "link")
TEXTS = ("x = 1\n", "deep\n", "# Fixture\n", "new\n")


def some_path(dice: random.Random) -> Path:
    return Path(*dice.choices(NAMES, k=dice.randint(1, 4)))


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def step(dice: random.Random) -> None:
    path, other = some_path(dice), some_path(dice)
    match dice.randrange(8):
        case 0:
            remove(path)
        case 1:
            path.mkdir(parents=True)
        case 2 if path.is_symlink() or not path.is_dir():  # an overlay does not move all folders
            path.rename(other)
        case 3:
            path.symlink_to(other)
        case 4:
            shutil.move(path, other)
        case 5 if path.resolve() not in other.resolve().parents:
            shutil.copytree(path, other, symlinks=True)
        case 6 if path.is_file():
            path.chmod(dice.choice((0o644, 0o755)))
        case _:
            path.write_text(dice.choice(TEXTS), encoding="utf-8")


def main() -> None:
    dice = random.Random(int(sys.argv[1]))  # noqa: S311  # play, not secrets
    for _ in range(STEPS):
        try:
            step(dice)
        except (OSError, shutil.Error, RuntimeError):  # RuntimeError: a loop of links
            continue


main()
