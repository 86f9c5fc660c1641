"""efficiency: what the work took against what it should take, as far as it achieved something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.domain.grading import OF_THE_SESSION
from harness.domain.record import CheckResult
from harness.domain.scenario import CheckSpec, Scenario
from harness.domain.session import Session
from harness.evaluate import Cost, Evidence, not_run, scored
from harness.load.overlays import SOLUTION_PATCH, read_overlay

USUAL_SHARE = 0.25
"""Of the wall clock limit: the seconds that are expected where the scenario gives no par."""
WHOLE_SECONDS = 100
"""From here on tenths of a second say nothing."""
CALLS_AT_LEAST = 10
CALLS_PER_FILE = 4


class EfficiencyEvaluator:
    """Score = mean of min(1, par / used) x share of what was missing that the work brought."""

    # no sandbox is used, but what the work is worth has to be known by then
    cost = Cost.SANDBOX

    def judge(self, evidence: Evidence, check: CheckSpec) -> CheckResult:
        """Compare the session's figures with their pars."""
        session = evidence.work.session
        if evidence.untouched or session is None:
            return not_run(check, "nobody worked on the untouched fixture")
        if not evidence.changes:
            return scored(check, 0.0, "nothing was changed, so nothing was achieved")
        used = _used(session)
        pars = {str(k): float(v) for k, v in check.options.items()} or _usual(evidence.scenario)
        known = {name: par for name, par in pars.items() if used[name] is not None}
        missing = [f"{name}: not known of this session" for name in pars if name not in known]
        if not known:
            return not_run(check, f"of {', '.join(pars)} nothing is known of this session")
        shares = {name: _share(par, used[name]) for name, par in known.items()}
        pace, gain = sum(shares.values()) / len(shares), achieved(evidence)
        lines = [
            f"{name}: {_shown(name, used[name])} used, par {pars[name]:.12g}: {share:.2f}"
            for name, share in shares.items()
        ]
        return scored(check, pace * gain, *lines, *missing, f"achieved: {gain:.2f}")


def achieved(evidence: Evidence) -> float:
    """How much of what the untouched fixture lacks in the checks made so far the work brought."""
    missing = gained = 0.0
    for result in evidence.earlier.values():
        if result.score is None or result.kind in OF_THE_SESSION:
            continue
        before = evidence.control.check(result.name) if evidence.control else None
        was = before.score if before and before.score is not None else 0.0
        missing += result.weight * (1.0 - was)
        gained += result.weight * (result.score - was)
    if missing <= 0:
        return 1.0 if gained >= 0 else 0.0
    return min(1.0, max(0.0, gained / missing))


def _used(session: Session) -> Mapping[str, float | None]:
    """What is known; an agent that calls no tool and changes files does not tell its calls."""
    return {
        "turns": float(session.model_use.turns) if session.model_use else None,
        "tool_calls": float(session.tool_calls) if session.tool_calls else None,
        "tokens": float(session.usage.total) if session.usage else None,
        "usd": session.cost_usd,
        "seconds": session.duration_s,
    }


def _shown(name: str, used: float | None) -> str:
    """As many digits as mean anything."""
    amount = used or 0.0
    if name == "seconds":
        return f"{amount:.0f}" if amount >= WHOLE_SECONDS else f"{amount:.1f}"
    return f"{amount:.4f}" if name == "usd" else f"{amount:.0f}"


def _share(par: float, used: float | None) -> float:
    return min(1.0, par / used) if used else 1.0


def _usual(scenario: Scenario) -> Mapping[str, float]:
    seconds = {"seconds": USUAL_SHARE * scenario.limits.wall_clock_s}
    if scenario.solution is None:
        return seconds
    files = sum(1 for _ in _solution_files(scenario.solution))
    return {**seconds, "tool_calls": float(CALLS_AT_LEAST + CALLS_PER_FILE * files)}


def _solution_files(folder: Path) -> Iterator[str]:
    patch = folder / SOLUTION_PATCH
    if patch.is_file():
        lines = patch.read_text(encoding="utf-8", errors="replace").splitlines()
        yield from (line for line in lines if line.startswith("diff --git "))
    yield from (change.display for change in read_overlay(folder))
