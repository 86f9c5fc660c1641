from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.ledger import Ledger
from tests.ledger.trees import DIGEST, where


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fixture and a ledger that holds it, to be copied: git is slow at beginning things."""
    root = tmp_path_factory.mktemp("template")
    folder = root / "fixture"
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / "README.md").write_text("one\ntwo\nthree\nfour\nfive\nsix\n")
    (folder / "src" / "app.py").write_text("print(1)\n")
    (folder / "src" / "deep" / "a.py").write_text("a = 1\n")
    (folder / "src" / "deep" / "b.py").write_text("b = 1\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("src/app.py")
    Ledger.open(where(root)).base(DIGEST, folder)
    return root


@pytest.fixture
def fixture(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template / "fixture", tmp_path / "fixture", symlinks=True)


@pytest.fixture
def ledger(template: Path, tmp_path: Path) -> Ledger:
    shutil.copytree(template / "state", tmp_path / "state")
    return Ledger.open(where(tmp_path))


@pytest.fixture
def base(ledger: Ledger, fixture: Path) -> str:
    return ledger.base(DIGEST, fixture)
