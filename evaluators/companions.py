"""companion_alignment: dependencies whose versions have to follow another's."""

from __future__ import annotations

from pathlib import PurePosixPath

from evaluators.dependencies.model import PEER, Declared
from evaluators.dependencies.project import Project, after, before
from harness.domain.dependencies import ENGINES, EXACT, MAJOR, MINOR, Companion
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.load.versions import Ecosystem, Version, read_range

NUMBERS = {MAJOR: 1, MINOR: 2, EXACT: 3}
"""How many numbers of a version have to be the same."""

FILES = {"node": (".nvmrc", ".node-version"), "python": (".python-version",)}


class CompanionsEvaluator:
    """Score = share of the places, where a companion is or was asked for, that follow the rule."""

    cost = Cost.DATA

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Look at each companion in each manifest."""
        companions = evidence.scenario.rules.companions
        if not companions:
            return not_run(check, "the scenario names no companions")
        was, now = before(evidence), after(evidence)
        node = evidence.scenario.rules.node
        lines = [line for each in companions for line in _look(each, was, now, node)]
        if not lines:
            return not_run(check, "nothing in the fixture uses the companions")
        good = sum(ok for ok, _ in lines)
        details = (f"{'✓' if ok else '✗'} {text}" for ok, text in lines)
        return scored(check, good / len(lines), *details)


def _look(rule: Companion, was: Project, now: Project, node: str) -> list[tuple[bool, str]]:
    present, then = _installed(now, rule.name), _installed(was, rule.name)
    gone = sorted({each.manifest for each in then} - {each.manifest for each in present})
    lines = [(False, f"{rule.name}: {path} does not ask for it any more") for path in gone]
    for each in present:
        theirs = [each.range.lowest] if each.range else []
        locked = now.resolved(each)
        ours = _main(rule.main, each, now, node) or _main(rule.main, each, was, node)
        if not theirs and locked is None:
            lines.append((False, f"{each.where} names no version"))
        elif rule.rule not in NUMBERS:
            allowed = read_range(rule.rule, each.ecosystem)
            both = [*theirs, *([locked] if locked else [])]
            ok = allowed is not None and all(allowed.holds(version) for version in both)
            lines.append((ok, f"{each.where} has to be in {rule.rule}"))
        elif ours is None:
            lines.append((False, f"{each.where}: there is no version of {rule.main} to follow"))
        else:
            declared, main_locked = ours
            depth = NUMBERS[rule.rule]
            ok = not theirs or _same(theirs[0], declared, depth)
            if locked and main_locked:
                ok = ok and _same(locked, main_locked, depth)
            elif locked and not theirs:
                ok = _same(locked, declared, depth)
            text = f"{each.where} beside {rule.main} {declared.text}: {rule.rule}"
            lines.append((ok, text))
    return lines


def _installed(project: Project, name: str) -> list[Declared]:
    """Who asks for a dependency; what peers ask for is not installed for them."""
    return [each for each in project.declared(name) if each.section != PEER]


def _same(one: Version, other: Version, depth: int) -> bool:
    return one.release[:depth] == other.release[:depth]


def _main(
    name: str, beside: Declared, project: Project, node: str
) -> tuple[Version, Version | None] | None:
    """The version to follow, as it is asked for and as it is locked: the nearest counts."""
    if name in ENGINES:
        found = _engine(name, beside, project, node)
        return (found, None) if found else None
    candidates = [
        each for each in _installed(project, name) if each.range or project.resolved(each)
    ]
    near = sorted(candidates, key=lambda each: _distance(each.manifest, beside.manifest))
    for each in near:
        locked = project.resolved(each)
        declared = each.range.lowest if each.range else locked
        if declared:
            return declared, locked
    return None


def _distance(manifest: str, other: str) -> tuple[int, str]:
    above = PurePosixPath(manifest).parent in PurePosixPath(other).parents
    return (0 if manifest == other else 1 if above else 2, manifest)


def _engine(name: str, beside: Declared, project: Project, node: str) -> Version | None:
    """What runs the project: the scenario's word, then the manifests', then the version file's."""
    ecosystem = Ecosystem.NPM if name == "node" else Ecosystem.PYTHON
    manifests = sorted(project.manifests, key=lambda m: _distance(m.path, beside.manifest))
    given = [node] if name == "node" and node else []
    given += [m.engines[name] for m in manifests if name in m.engines]
    files = (project.tree.text(path) for path in FILES[name])
    given += [text.strip()[:100] for text in files if text]
    for each in given:
        found = read_range(each, ecosystem)
        if found is not None:
            return found.lowest
    return None
