"""manager_correctness: the right package manager's lock file, in step, and no other's."""

from __future__ import annotations

from evaluators.dependencies.model import Lock
from evaluators.dependencies.project import Project, after, before, standing
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored

WITHOUT_LOCK = "pip"
"""Its requirements are pinned where they are declared."""

PYTHONS = frozenset({"poetry", "uv", "pdm", "pipenv"})

PENALTY = 0.5
"""What is left of the score for foreign lock files, and for another packageManager field."""


class ManagerEvaluator:
    """Score = agreement of the worst allowed lock file x 0.5 for foreign ones x 0.5 for the field.

    It is 0 when no allowed manager's lock file is there, and shrinks with manifests that do not
    stand any more.
    """

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Look at the lock files and the field."""
        was, now = before(evidence), after(evidence)
        allowed = set(evidence.scenario.rules.managers) or _managers(was)
        if not allowed:
            return not_run(check, "neither the scenario nor the fixture names a package manager")
        stands, lost = standing(was, now)
        details = [*lost]
        score = stands * _agreement(allowed, was, now, details)
        known = {lock.path for lock in was.locks}
        for lock in now.locks:
            if lock.manager not in allowed and lock.path not in known:
                details.append(f"✗ {lock.path} is of {lock.manager}, which is not allowed")
                score *= PENALTY
                break
        if not _fields_kept(allowed, was, now, details):
            score *= PENALTY
        return scored(check, score, *details)


def _managers(project: Project) -> set[str]:
    """The managers of a project, as its own files tell."""
    named = {_manager(m.manager) for m in project.manifests if m.manager}
    locked = {lock.manager for lock in project.locks}
    # the field speaks for JavaScript only
    return named | (locked & PYTHONS) if named else locked


def _manager(field: str) -> str:
    return field.partition("@")[0].strip()


def _agreement(allowed: set[str], was: Project, now: Project, details: list[str]) -> float:
    locks = [lock for lock in now.locks if lock.manager in allowed]
    needed = {lock.path for lock in was.locks if lock.manager in allowed}
    gone = sorted(needed - {lock.path for lock in locks})
    details += [f"✗ {path} is gone" for path in gone]
    if gone or not locks:
        if WITHOUT_LOCK in allowed and not needed:
            details.append("✓ pip needs no lock file")
            return 1.0
        if not gone:
            details.append(f"✗ there is no lock file of {' or '.join(sorted(allowed))}")
        return 0.0
    for lock in locks:
        details += _lines(lock)
    return min(lock.agreement for lock in locks)


def _lines(lock: Lock) -> list[str]:
    if lock.problem:
        return [f"✗ {lock.path} cannot be read: {lock.problem}"]
    if not lock.disagreements:
        return [f"✓ {lock.path} is in step with the manifests"]
    more = len(lock.disagreements) - 20
    tail = [f"… and {more} more"] if more > 0 else []
    return [*(f"✗ {text}" for text in lock.disagreements[:20]), *tail]


def _fields_kept(allowed: set[str], was: Project, now: Project, details: list[str]) -> bool:
    kept = True
    fields = {m.path: m.manager for m in now.manifests}
    then = {m.path: m.manager for m in was.manifests}
    for manifest in was.manifests:
        if not manifest.manager:
            continue
        field = fields.get(manifest.path, "")
        was_allowed = _manager(manifest.manager) in allowed
        if was_allowed and _manager(field) != _manager(manifest.manager):
            details.append(
                f"✗ packageManager of {manifest.path} was {manifest.manager!r}, is {field!r}"
            )
            kept = False
    for path, field in fields.items():
        if field and _manager(field) not in allowed and field != then.get(path):
            details.append(f"✗ packageManager of {path} is {field!r}, which is not allowed")
            kept = False
    return kept
