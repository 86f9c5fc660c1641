"""docs/security.md names tests that are there and every cheat that is played."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
CHEATS = yaml.safe_load((ROOT / "tests/cheaters/cheats.yaml").read_text(encoding="utf-8"))
NAMED = dict(re.findall(r"^\| ([^|]+?) \| [^|]+ \| (●?) ?\|$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("named", re.findall(r"`(tests/[\w/.]+::\w+)`", PAGE))
def test_every_proof_is_there(named: str) -> None:
    path, _, test = named.partition("::")
    assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("cheat", CHEATS, ids=[cheat["name"] for cheat in CHEATS])
def test_every_cheat_is_on_the_page(cheat: dict[str, object]) -> None:
    assert f"| {cheat['name']} |" in PAGE
    if cheat["name"] in NAMED:
        assert bool(NAMED[str(cheat["name"])]) == cheat.get("named", False)
