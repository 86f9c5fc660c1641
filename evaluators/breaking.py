"""breaking_changes_strategy: majors move where they were asked to, and nothing breaks by it."""

from __future__ import annotations

from evaluators.dependencies.model import PEER
from evaluators.dependencies.project import Project, after, before, standing
from harness.domain.dependencies import DependencyRules
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.load.versions import Version, read_range


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


def _majors(rules: DependencyRules, was: Project, now: Project) -> list[tuple[bool, str]]:
    old, new = _versions(was), _versions(now)
    lines = []
    for place, version in sorted(old.items()):
        path, name = place
        wanted = _asked_major(rules, name, version)
        here = new.get(place)
        if here is None or here.major == version.major:
            if wanted:
                at = here.text if here else "not there"
                lines.append((False, f"{path}: {name} {version.text} had to move, is {at}"))
            continue
        text = f"{path}: {name} moved from {version.text} to {here.text}"
        asked = _may_move(rules, name, here)
        lines.append((asked, text if asked else f"{text}, which nothing asks for"))
    return lines


def _versions(project: Project) -> dict[tuple[str, str], Version]:
    """The lowest version that each manifest asks for, peers aside; a tag's is the locked one."""
    found: dict[tuple[str, str], Version] = {}
    for manifest in project.manifests:
        for each in manifest.declared:
            version = each.range.lowest if each.range else project.resolved(each)
            if version and each.section != PEER:
                found[each.manifest, each.name] = version
    return found


def _asked_major(rules: DependencyRules, name: str, version: Version) -> bool:
    """A required target lies in another major."""
    for target in rules.targets:
        wanted = read_range(target.to, version.ecosystem)
        if target.name == name and target.required and wanted and not wanted.holds(version):
            return wanted.lowest.major != version.major
    return False


def _may_move(rules: DependencyRules, name: str, here: Version) -> bool:
    """A target's range holds the version, or it is a companion's, which has to follow."""
    for target in rules.targets:
        wanted = read_range(target.to, here.ecosystem)
        if target.name == name:
            return wanted is not None and wanted.holds(here)
    return any(companion.name == name for companion in rules.companions)


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
