"""`policy.yaml` beside a suite's prompts: how tiers shift the weights of some checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.domain.scenario import TIERS, TierProfile
from harness.errors import BadFile
from harness.load.files import read_document
from harness.load.schema import POLICY, schema_problems

FILE = "policy.yaml"


@dataclass(frozen=True, slots=True)
class ProfilesFile:
    """What was read, and what is wrong with it."""

    profiles: tuple[TierProfile, ...] = ()
    errors: tuple[str, ...] = ()


def read_profiles(suite_folder: Path) -> ProfilesFile:
    """Every tier's profile; a suite without the file has none."""
    path = suite_folder / "prompts" / FILE
    if not path.is_file():
        return ProfilesFile()
    name = path.relative_to(suite_folder)
    try:
        document = read_document(path)
    except BadFile as error:
        return ProfilesFile(errors=tuple(f"{name}: {problem}" for problem in error.problems))
    problems = document.report(schema_problems(document.value, POLICY))
    if problems:
        return ProfilesFile(errors=tuple(f"{name}: {problem}" for problem in problems))
    given: Any = document.value
    tiers: Mapping[str, Any] = given.get("tiers", {})
    usual = TierProfile("")
    return ProfilesFile(
        tuple(
            TierProfile(
                tier,
                float(tiers[tier].get("askUser_bonus", usual.ask_user_bonus)),
                float(tiers[tier].get("efficiency_weight", usual.efficiency_weight)),
            )
            for tier in TIERS
            if tier in tiers
        )
    )
