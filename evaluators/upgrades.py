"""semantic_upgrade_quality: how far declared and locked versions have come to the targets."""

from __future__ import annotations

from evaluators.dependencies.model import PEER, Declared, Lock
from evaluators.dependencies.project import Project, after, before
from harness.domain.dependencies import Target
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.load.versions import Range, Version, read_range

REQUIRED, OPTIONAL = 1.0, 0.5
"""What a target weighs."""

SAME_MINOR, SAME_MAJOR = 0.7, 0.4
"""What a version is worth that moved up and is not in the range, but near its lowest."""


class UpgradesEvaluator:
    """Score = weighted mean over the targets of the mean over the manifests that ask for each.

    Half of a manifest's part is what it declares, half what the lock file has, where there is or
    was one.
    """

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Look for each target."""
        targets = evidence.scenario.rules.targets
        if not targets:
            return not_run(check, "the scenario names no targets")
        was, now = before(evidence), after(evidence)
        total = weight = 0.0
        details: list[str] = []
        for target in targets:
            part = _target(target, was, now, details)
            if part is not None:
                counts = REQUIRED if target.required else OPTIONAL
                total, weight = total + counts * part, weight + counts
        if not weight:
            return not_run(check, "the targets are optional and nothing in the fixture uses them")
        return scored(check, total / weight, *details)


def _target(target: Target, was: Project, now: Project, details: list[str]) -> float | None:
    olds = {(each.manifest, each.name): each for each in was.declared(target.name)}
    news: dict[tuple[str, str], list[Declared]] = {}
    for each in now.declared(target.name):
        news.setdefault((each.manifest, each.name), []).append(each)
    places = sorted(olds.keys() | news.keys())
    if not places:
        if target.required:
            details.append(f"0.00 {target.name} {target.to}: no manifest asks for it")
            return 0.0
        details.append(f"{target.name} is optional and not used")
        return None
    parts = []
    for place in places:
        if place not in news:
            parts.append(0.0)
            details.append(f"0.00 {target.name}: {place[0]} does not ask for it any more")
            continue
        old = olds.get(place)
        found = [_place(target, each, (old, was), now) for each in news[place]]
        part, why = min(found)
        parts.append(part)
        details.append(f"{part:.2f} {target.name} {target.to}: {why}")
    return sum(parts) / len(parts)


def _place(
    target: Target, new: Declared, then: tuple[Declared | None, Project], now: Project
) -> tuple[float, str]:
    old, was = then
    ecosystem = new.ecosystem
    wanted = read_range(target.to, ecosystem)
    if wanted is None:
        return 0.0, f"{new.where}; {target.to!r} is no range of {ecosystem.value}"
    floor = old.range.lowest if old and old.range else None
    declared = _worth(new.range.lowest if new.range else None, floor, wanted)
    if new.section == PEER:
        # a peer may be anything that works with the target
        fits = new.range is not None and new.range.holds(wanted.lowest)
        return max(declared, float(fits)), new.where
    locks = [*now.locks_of(new), *(was.locks_of(old) if old else ())]
    if not _is_locked(new, locks):
        return declared, new.where
    resolved = now.resolved(new)
    part = _worth(resolved, was.resolved(old) if old else None, wanted)
    shown = f"locked {resolved.text}" if resolved else "the lock file has none"
    return (declared + part) / 2, f"{new.where}, {shown}"


def _is_locked(new: Declared, locks: list[Lock]) -> bool:
    return bool(locks) and not new.manifest.endswith((".txt", "setup.cfg"))


def _worth(version: Version | None, old: Version | None, wanted: Range) -> float:
    if version is None:
        return 0.0
    if wanted.holds(version):
        return 1.0
    if old is None or not old < version:
        return 0.0
    near = wanted.lowest.release
    if version.release[:2] == near[:2]:
        return SAME_MINOR
    return SAME_MAJOR if version.major == near[0] else 0.0
