"""namespace_migrations: packages that go on under another name."""

from __future__ import annotations

from evaluators.dependencies.imports import importers
from evaluators.dependencies.project import Project, after, before, standing
from harness.domain.dependencies import Migration
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.load.versions import python_name


class NamespacesEvaluator:
    """Score = mean over the migrations x share of the manifests that still stand.

    A migration's part is the mean of what there is to look at of three: manifests, imports,
    lock files.
    """

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Look for the old names and the new ones."""
        migrations = evidence.scenario.rules.migrations
        if not migrations:
            return not_run(check, "the scenario names no migrations")
        was, now = before(evidence), after(evidence)
        details: list[str] = []
        parts = [_migration(each, was, now, details) for each in migrations]
        found = [part for part in parts if part is not None]
        if not found:
            return not_run(check, "nothing in the fixture uses the old names")
        stands, lost = standing(was, now)
        return scored(check, stands * sum(found) / len(found), *details, *lost)


def _migration(each: Migration, was: Project, now: Project, details: list[str]) -> float | None:
    looks = {
        "manifests": _manifests(each, was, now),
        "imports": _imports(each, was, now),
        "lock files": _locks(each, was, now),
    }
    parts = []
    for what, (part, why) in looks.items():
        if part is not None:
            parts.append(part)
            details.append(f"{part:.2f} {each.old} -> {each.new}: {what}{why and f': {why}'}")
    if not parts:
        details.append(f"{each.old} is nowhere in the fixture")
        return None
    return sum(parts) / len(parts)


def _users(project: Project, name: str) -> set[str]:
    """Manifests that install a package, under whatever name."""
    return {
        each.manifest
        for manifest in project.manifests
        for each in manifest.declared
        if name in (each.name, each.package) or each.name == python_name(name)
    }


def _manifests(each: Migration, was: Project, now: Project) -> tuple[float | None, str]:
    old, still, new = _users(was, each.old), _users(now, each.old), _users(now, each.new)
    places = sorted(old | still)
    wrong = [path for path in places if path in still or path not in new]
    return _share(places, wrong)


def _imports(each: Migration, was: Project, now: Project) -> tuple[float | None, str]:
    old, still = importers(was.tree, each.old), importers(now.tree, each.old)
    new = importers(now.tree, each.new)
    places = sorted(old | still)
    # who imports under the new name in a file of another name has moved the file
    moved = bool(new - frozenset(was.tree.names))
    wrong = [path for path in places if path in still or not (path in new or moved)]
    return _share(places, wrong)


def _locks(each: Migration, was: Project, now: Project) -> tuple[float | None, str]:
    old, new = python_name(each.old), python_name(each.new)

    def holds(project: Project, *names: str) -> set[str]:
        return {k.path for k in project.locks if any(p.name in names for p in k.packages)}

    had, still = holds(was, each.old, old), holds(now, each.old, old)
    have = holds(now, each.new, new)
    places = sorted(had | still)
    wrong = [path for path in places if path in still or path not in have]
    return _share(places, wrong)


def _share(places: list[str], wrong: list[str]) -> tuple[float | None, str]:
    if not places:
        return None, ""
    return 1 - len(wrong) / len(places), ", ".join(wrong[:20])
