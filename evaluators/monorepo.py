"""monorepo_handling: workspaces stay workspaces, and ask for one version of what was changed."""

from __future__ import annotations

from evaluators.dependencies.model import LOCAL, PEER
from evaluators.dependencies.project import Project, after, before, standing
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored

Part = tuple[float, list[str]]


class MonorepoEvaluator:
    """Score = mean of members kept, links kept, one version, lock at the root; x standing."""

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Compare the workspaces with the fixture's."""
        was, now = before(evidence), after(evidence)
        if not was.members:
            return not_run(check, "the fixture has no workspaces")
        looks = {
            "members": _members(was, now),
            "links between members": _links(was, now),
            "one version of what was changed": _versions(was, now),
            "lock file at the root only": _locks(was, now),
        }
        parts, details = [], []
        for what, found in looks.items():
            if found is not None:
                parts.append(found[0])
                details += [f"{found[0]:.2f} {what}", *(f"✗ {text}" for text in found[1][:20])]
        stands, lost = standing(was, now)
        return scored(check, stands * sum(parts) / len(parts), *details, *lost)


def _members(was: Project, now: Project) -> Part:
    gone = sorted(was.members - now.members)
    lines = [f"{path} is no member any more" for path in gone]
    return 1 - len(gone) / len(was.members), lines


def _links(was: Project, now: Project) -> Part | None:
    """A dependency on a member goes on as it was: a folder's address is not a version."""
    then = _internal(was)
    if not then:
        return None
    here = _internal(now)
    lines = []
    for (path, name), spec in sorted(then.items()):
        found = here.get((path, name))
        same = found == spec
        if not same and not (_is_local(spec) and found is not None and _is_local(found)):
            lines.append(f"{path}: {name} was {spec!r}, is {found!r}")
    return 1 - len(lines) / len(then), lines


def _is_local(spec: str) -> bool:
    return spec.startswith(LOCAL)


def _internal(project: Project) -> dict[tuple[str, str], str]:
    names = {m.name for m in project.manifests if m.path in project.members and m.name}
    return {
        (each.manifest, each.name): each.spec
        for manifest in project.manifests
        for each in manifest.declared
        if each.name in names or each.spec.startswith("workspace:")
    }


def _versions(was: Project, now: Project) -> Part | None:
    then, here = _specs(was), _specs(now)
    changed = [name for name, specs in here.items() if specs != then.get(name) and len(specs) > 1]
    if not changed:
        return None
    lines = []
    for name in sorted(changed):
        asked = sorted({spec for _, spec in here[name]})
        if len(asked) > 1:
            lines.append(f"{name} is asked for as {', '.join(map(repr, asked[:5]))}")
    return 1 - len(lines) / len(changed), lines


def _specs(project: Project) -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for manifest in project.manifests:
        for each in manifest.declared:
            if each.section != PEER and not _is_local(each.spec):
                found.setdefault(each.name, set()).add((each.manifest, each.spec))
    return found


def _locks(was: Project, now: Project) -> Part:
    known = {lock.path for lock in was.locks}
    inner = [
        lock.path for lock in now.locks if lock.path not in known and _in_member(lock.path, was)
    ]
    return float(not inner), [f"{path} is below the root" for path in inner]


def _in_member(path: str, project: Project) -> bool:
    folder = path.rpartition("/")[0]
    return any(member.rpartition("/")[0] == folder for member in project.members)
