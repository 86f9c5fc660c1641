"""A comparison as a JSON document: what `bench compare --json` prints and snapshots keep.

Numbers carry ten digits that count: enough to be checked, and the same on every machine.
"""

from __future__ import annotations

from typing import Any

from harness.report.arms import Arm, PassK
from harness.report.claims import Claim
from harness.report.effects import CHECK, MODEL, SCENARIO, TIER, Effect
from harness.report.inference import ComparedCell, ComparisonReport, Extras
from harness.report.paired import Lone
from harness.report.power import Outlook
from harness.stats.bootstrap import LABEL, RESAMPLES
from harness.stats.estimate import ALPHA, Estimate, Interval
from harness.stats.power import POWER
from harness.stats.streams import SEED
from harness.stats.validity import Bounds

Document = dict[str, Any]
DIGITS = 10
NO_WIDTH = "nothing varied, and an interval without width would look like certainty"


def report_document(found: ComparisonReport) -> Document:
    """The whole comparison; null is not zero."""
    return {
        "claim": found.claim.sentence,
        "claims": [_claim(each) for each in found.claims],
        "question": {
            "declared": list(found.question.declared),
            "wanted_difference": found.question.wanted,
            "confidence": 1 - ALPHA,
        },
        "sides": [_arm(side) for side in found.arms],
        "overall": [_effect(each) for each in found.effects],
        "by_scenario": [_effect(each) for each in found.part(SCENARIO)],
        "by_tier": [_effect(each) for each in found.part(TIER)],
        "by_model": [_effect(each) for each in found.part(MODEL)],
        "by_check": [_effect(each) for each in found.part(CHECK)],
        "pass_k": [_pass_k(before, after) for before, after in found.pass_k],
        "difference_bounds": _bounds(found.bounds),
        "further": found.extras and _extras(found.extras),
        "power": found.outlook and outlook_document(found.outlook),
        "cells": [_cell(each) for each in found.cells],
        "unpaired": [_lone(each) for each in found.lone],
        "same_fixture": [list(names) for names in found.pairing.namesakes],
        "notes": list(found.notes),
    }


def outlook_document(found: Outlook) -> Document:
    """What a size can show."""
    known = found.spreads.known
    return {
        "scenarios": found.scenarios,
        "cells_per_scenario": tidy(found.cells_per_scenario),
        "iterations": tidy(found.iterations),
        "wanted_difference": found.wanted,
        "power": POWER,
        "spreads": found.spreads.source,
        "deviation_of_runs": tidy(known.within**0.5) if found.spreads.is_split else None,
        "deviation_of_scenarios": tidy(known.between**0.5),
        "minimum_detectable_effect": tidy(found.detectable),
        "chance_of_wanted": tidy(found.chance),
        "scenarios_needed": found.scenarios_needed,
        "iterations_needed": found.iterations_needed,
    }


def tidy(value: float | None) -> float | None:
    """Without the digits that are rounding."""
    return None if value is None else float(f"{value:.{DIGITS}g}") + 0.0


def _claim(each: Claim) -> Document:
    return {
        "about": each.about,
        "verdict": each.verdict.value,
        "scope": each.scope.value,
        "sentence": each.sentence,
    }


def _arm(side: Arm) -> Document:
    return {
        "name": side.name,
        "runs": side.runs,
        "scored": side.scored,
        "without_whole_grade": {kind.value: count for kind, count in side.missing},
        "simulated": side.simulated,
        "cells": side.cells,
        "scenarios": side.scenarios,
        "score": _estimate(side.score),
        "deviation_of_runs": tidy(side.deviation),
        "naive_error": tidy(side.naive_se),
        "design_effect": tidy(side.design_effect),
        "score_bounds": _bounds(side.bounds),
        "success": side.success
        and {
            "passed": side.success.passed,
            "rate": _estimate(side.success.rate),
            "design_effect": tidy(side.success.design_effect),
            "effective_runs": tidy(side.success.effective),
            "wilson": _interval(side.success.wilson),
            "clopper_pearson": _interval(side.success.clopper_pearson),
            "jeffreys": _interval(side.success.jeffreys),
        },
        "seconds": dict(zip(("p50", "p95", "p99"), map(tidy, side.seconds), strict=False)),
        "cost": side.costs
        and {
            "total_usd": tidy(side.costs.total_usd),
            "priced_runs": side.costs.priced,
            "per_success_usd": _estimate(side.costs.per_success),
        },
    }


def _effect(each: Effect) -> Document:
    sign = each.sign_flip
    return {
        "name": each.name,
        "cells": each.cells,
        "scenarios": each.scenarios,
        "runs": list(each.runs),
        "before": tidy(each.before),
        "after": tidy(each.after),
        "difference": tidy(each.delta),
        "scenarios_like_these": _estimate(each.general),
        "these_scenarios": _estimate(each.these),
        "p": tidy(each.p),
        "p_adjusted": tidy(each.adjusted),
        "adjusted_by": each.method or None,
        "p_sign_flip": sign and tidy(sign.p_two_sided),
        "p_permutation": tidy(each.permutation),
        "fragile": each.is_fragile(),
    }


def _pass_k(before: PassK, after: PassK) -> Document:
    return {
        "k": before.k,
        "before": {
            "pass_at_k": _mean(before.at_least_one),
            "pass_hat_k": _mean(before.all_of_them),
        },
        "after": {"pass_at_k": _mean(after.at_least_one), "pass_hat_k": _mean(after.all_of_them)},
    }


def _extras(found: Extras) -> Document:
    return {
        "bootstrap": {
            **_interval(found.bootstrap),
            "resamples": RESAMPLES,
            "stream": f"{LABEL}/{SEED}",
        },
        "effect_size": {
            "cohens_d": tidy(found.size.d),
            "hedges_g": tidy(found.size.g),
            "d_z": tidy(found.size.d_z),
            "why": found.size.why or None,
        },
        "probability_of_improvement": _estimate(found.improvement),
        "bayesian_success_better": tidy(found.success_better),
        "mcnemar_mid_p": found.mcnemar and tidy(found.mcnemar.p_mid),
    }


def _cell(each: ComparedCell) -> Document:
    cell, after = each.pair.before_cell, each.pair.after_cell
    return {
        "suite": cell.suite,
        "scenario": cell.scenario,
        "tier": cell.tier,
        "before": cell.who,
        "after": after.who,
        "before_scores": list(each.before),
        "after_scores": list(each.after),
        "difference": tidy(each.difference),
    }


def _lone(each: Lone) -> Document:
    cell = each.cell
    return {
        "side": each.side,
        "suite": cell.suite,
        "scenario": cell.scenario,
        "tier": cell.tier,
        "who": cell.who,
        "runs": each.runs,
        "reason": each.reason,
    }


def _estimate(found: Estimate | None) -> Document | None:
    if found is None:
        return None
    return {
        "mean": tidy(found.mean),
        "standard_error": tidy(found.se),
        "df": tidy(found.df),
        **_interval(Interval(found.low, found.high)),
        "why": found.why or (NO_WIDTH if found.se == 0 else None),
    }


def _mean(found: Estimate | None) -> Document | None:
    if found is None:
        return None
    return {"mean": tidy(found.mean), "standard_error": tidy(found.se)}


def _interval(found: Interval) -> Document:
    has_width = found.low != found.high
    return {
        "low": tidy(found.low) if has_width else None,
        "high": tidy(found.high) if has_width else None,
    }


def _bounds(found: Bounds | None) -> Document | None:
    return {"worst": tidy(found.worst), "best": tidy(found.best)} if found else None
