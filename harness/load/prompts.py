"""The prompts of a scenario, one per tier, from the suite's folder and the scenario's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.domain.scenario import TIERS, Prompt
from harness.errors import BadFile, nearest
from harness.load.files import read_text

MAX_BYTES = 256 * 1024

_NAME = re.compile(r"(?P<tier>L\d+|Lx)(?:-.*)?\.md", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """What was read, what is wrong with it, and files that look like prompts but are none."""

    prompts: tuple[Prompt, ...]
    errors: tuple[str, ...]
    notes: tuple[str, ...]


def read_prompts(suite_folder: Path, scenario_folder: Path) -> PromptFiles:
    """Every `<tier>[-label].md` of both places; one tier may have one file."""
    errors: list[str] = []
    found: dict[str, Prompt] = {}
    folders = (suite_folder / "prompts" / scenario_folder.name, scenario_folder / "prompts")
    files = [f for folder in folders if folder.is_dir() for f in sorted(folder.glob("*.md"))]
    named = [(file, match["tier"]) for file in files if (match := _NAME.fullmatch(file.name))]
    for file, tier in named:
        place = file.relative_to(suite_folder)
        if tier not in TIERS:
            errors.append(f"{place}: there is no tier {tier!r}; {nearest(tier, TIERS)}")
        elif tier in found:
            other = found[tier].path.relative_to(suite_folder)
            errors.append(f"{place}: tier {tier} has another prompt in {other}")
        else:
            errors.extend(_read(file, tier, place, found))
    if not named:
        errors.append(f"there is no prompt in {folders[0].relative_to(suite_folder)}/<tier>.md")
    strange = [f for f in files if not _NAME.fullmatch(f.name) and f.name != "README.md"]
    notes = tuple(
        f"{f.relative_to(suite_folder)}: no prompt; those begin with a tier" for f in strange
    )
    ordered = tuple(found[tier] for tier in TIERS if tier in found)
    return PromptFiles(ordered, tuple(errors), notes)


def _read(file: Path, tier: str, place: Path, found: dict[str, Prompt]) -> list[str]:
    try:
        text = read_text(file, max_bytes=MAX_BYTES)
    except BadFile as error:
        return [f"{place}: {problem}" for problem in error.problems]
    found[tier] = Prompt(tier, file, text)
    return [] if text.strip() else [f"{place}: is empty"]
