"""deprecated_handling: the block list is kept, and nothing comes in that is deprecated."""

from __future__ import annotations

from evaluators.dependencies.model import Declared
from evaluators.dependencies.project import Project, after, before, standing
from harness.domain.dependencies import Blocked
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.load.versions import Ecosystem, read_range, read_version


class DeprecatedEvaluator:
    """Score = share of the rules that are kept x share of the manifests that still stand.

    Each entry of the block list is a rule, and so is each new dependency that a lock file marks
    as deprecated: that one is broken.
    """

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Hold the work to each rule."""
        blocked = evidence.scenario.rules.blocked
        was, now = before(evidence), after(evidence)
        marking = [lock.path for lock in was.locks if lock.tells_deprecated]
        if not blocked and not marking:
            return not_run(
                check, "there is no block list, and no lock file of the fixture marks packages"
            )
        lines = [_kept(each, was, now) for each in blocked]
        there = {lock.path for lock in now.locks if not lock.problem}
        lines += [(path in there, f"{path} is there to be read") for path in marking]
        lines += [(False, text) for text in _new_deprecated(was, now)]
        stands, lost = standing(was, now)
        score = stands * sum(ok for ok, _ in lines) / len(lines)
        details = (f"{'✓' if ok else '✗'} {text}" for ok, text in lines)
        return scored(check, score, *details, *lost)


def _kept(rule: Blocked, was: Project, now: Project) -> tuple[bool, str]:
    why = f" ({rule.reason})" if rule.reason else ""
    if rule.versions:
        found = _in_blocked(rule, now)
        return not found, found or f"no {rule.name} in {' or '.join(rule.versions)}{why}"
    then, here = _state(rule.name, was), _state(rule.name, now)
    # a lock file that is new has nothing to be compared with
    here = {k: (spec, at if then.get(k, ("", ""))[1] else "") for k, (spec, at) in here.items()}
    if then == here:
        return True, f"{rule.name} is as it was{why}"
    place = min(key for key in then.keys() | here.keys() if then.get(key) != here.get(key))
    old, new = (" ".join(state.get(place, ("none",))).strip() for state in (then, here))
    text = f"{rule.name} has to stay as it was{why}: {' '.join(place)}: {old} became {new}"
    return False, text


def _state(name: str, project: Project) -> dict[tuple[str, str], tuple[str, str]]:
    """How a dependency is asked for and locked, everywhere."""
    return {
        (each.manifest, each.section): (each.spec, locked.text if locked else "")
        for each in project.declared(name)
        for locked in [project.resolved(each)]
    }


def _in_blocked(rule: Blocked, now: Project) -> str:
    for each in now.declared(rule.name):
        ecosystem = each.ecosystem
        ranges = [r for text in rule.versions if (r := read_range(text, ecosystem)) is not None]
        locked = now.resolved(each)
        declared = each.range.lowest if each.range else None
        for blocked in ranges:
            for version in (declared, locked):
                if version is not None and blocked.holds(version):
                    return f"{each.where} is {version.text}, which {blocked.text} blocks"
    for lock in now.locks:
        for package in lock.packages:
            if package.name == rule.name and (found := _blocked_package(rule, package.version)):
                return f"{lock.path} has {package.name} {package.version}, which {found} blocks"
    return ""


def _blocked_package(rule: Blocked, version: str) -> str:
    for ecosystem in Ecosystem:
        parsed = read_version(version, ecosystem)
        for text in rule.versions:
            allowed = read_range(text, ecosystem)
            if parsed and allowed and allowed.holds(parsed):
                return text
    return ""


def _new_deprecated(was: Project, now: Project) -> list[str]:
    """Dependencies that manifests newly ask for and a lock file marks."""
    said = {
        (package.name, package.version): package.deprecated
        for lock in now.locks
        for package in lock.packages
        if package.deprecated
    }
    found = []
    for each in _introduced(was, now):
        locked = now.resolved(each)
        text = said.get((each.package, locked.text)) if locked else None
        if text:
            found.append(f"{each.where} is new and deprecated: {text[:200]}")
    return found


def _introduced(was: Project, now: Project) -> list[Declared]:
    known = {each.package for manifest in was.manifests for each in manifest.declared}
    return [
        each
        for manifest in now.manifests
        for each in manifest.declared
        if each.package not in known
    ]
