"""breaking_changes_strategy: majors move where they were asked to, and nothing breaks by it."""

from __future__ import annotations

from typing import NamedTuple

from evaluators.dependencies.model import PEER
from evaluators.dependencies.project import Project, after, before, standing
from harness.domain.dependencies import DependencyRules, Target
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.load.versions import Version, read_range

SPEC_CHARS = 200


class BreakingEvaluator:
    """Score = share of majors moved rightly x share of commands that pass as before x standing.

    A major that a target asks for and that did not move counts, too.
    """

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Look at every major that moved or should have."""
        was, now = before(evidence), after(evidence)
        if not any(manifest.declared for manifest in was.manifests):
            return not_run(check, "the fixture declares no dependency")
        lines = _majors(evidence.scenario.rules, was, now)
        share = sum(ok for ok, _ in lines) / len(lines) if lines else 1.0
        details = [f"{'✓' if ok else '✗'} {text}" for ok, text in lines]
        if not lines:
            details.append("no major version moved, and none had to")
        still, broken = _still_passing(evidence)
        stands, lost = standing(was, now)
        return scored(check, share * still * stands, *details, *broken, *lost)


class _Asked(NamedTuple):
    """What one manifest asks for."""

    version: Version | None
    """The lowest that its range allows, or a tag's locked one; None for an address, a folder."""
    text: str
    """As it is written."""


def _majors(rules: DependencyRules, was: Project, now: Project) -> list[tuple[bool, str]]:
    old, new = _asked(was), _asked(now)
    lines = []
    for place, (version, text) in sorted(old.items()):
        path, name = place
        if version is None:
            continue
        here = new.get(place)
        if here is None or here.version is None or here.version.major == version.major:
            if wanted := _asked_major(rules, name, version):
                what = f"{path}: {name} {text} had to move to {wanted.to}"
                lines.append((False, f"{what}, {_left(here)}"))
            continue
        what = f"{path}: {name} moved from {text} to {here.text}"
        wrong = _wrongly_moved(rules, name, here.version)
        lines.append((not wrong, f"{what}{wrong}"))
    return lines


def _left(here: _Asked | None) -> str:
    if here is None:
        return "is not there"
    return f"is {here.text}" + ("" if here.version else ", of which no version is known")


def _asked(project: Project) -> dict[tuple[str, str], _Asked]:
    """What each manifest asks for, peers aside."""
    found: dict[tuple[str, str], _Asked] = {}
    for manifest in project.manifests:
        for each in manifest.declared:
            if each.section == PEER:
                continue
            version = each.range.lowest if each.range else project.resolved(each)
            locked = f" (locked at {version.text})" if version and not each.range else ""
            place = (each.manifest, each.name)
            if version or place not in found:
                spec = " ".join(each.spec[:SPEC_CHARS].split()) or "asked for without a version"
                found[place] = _Asked(version, f"{spec}{locked}")
    return found


def _asked_major(rules: DependencyRules, name: str, version: Version) -> Target | None:
    """The required target that lies in another major."""
    for target in rules.targets:
        wanted = read_range(target.to, version.ecosystem)
        if target.name == name and target.required and wanted and not wanted.holds(version):
            return target if wanted.lowest.major != version.major else None
    return None


def _wrongly_moved(rules: DependencyRules, name: str, here: Version) -> str:
    """Nothing where a target's range holds it, or it is a companion, which has to follow."""
    for target in rules.targets:
        if target.name == name:
            wanted = read_range(target.to, here.ecosystem)
            return "" if wanted and wanted.holds(here) else f", and the target is {target.to}"
    if any(companion.name == name for companion in rules.companions):
        return ""
    return ", which nothing asks for"


def _still_passing(evidence: Evidence) -> tuple[float, list[str]]:
    """The share of the validation commands that pass, of those that passed on the fixture."""
    if evidence.untouched:
        return 1.0, []
    if evidence.control is None:
        return 1.0, ["the fixture was not graded, so what passed before is not known"]
    passed = [command.name for command in evidence.control.commands if command.ok]
    if not passed:
        return 1.0, ["no validation command passed on the untouched fixture"]
    good = {command.name for command in evidence.commands if command.ok}
    broken = [name for name in passed if name not in good]
    lines = [f"✗ {name} passed on the untouched fixture and fails now" for name in broken]
    return 1 - len(broken) / len(passed), lines
