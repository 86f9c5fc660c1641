"""Several questions at once: p values raised so that luck does not answer one of them.

Holm for the hypotheses that were declared, Benjamini and Hochberg for tables that only look. All
keep the order in which the p values came; an adjusted p is compared with alpha itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from harness.stats.inputs import share


def bonferroni(ps: Sequence[float]) -> list[float]:
    """Each times their number."""
    _checked(ps)
    return [min(1.0, p * len(ps)) for p in ps]


def holm(ps: Sequence[float]) -> list[float]:
    """Step down: holds the chance of one false rejection, however the tests depend."""
    order = _checked(ps)
    raised = [min(1.0, ps[i] * (len(ps) - n)) for n, i in enumerate(order)]
    return _back(order, list(accumulate(raised, max)))


def hochberg(ps: Sequence[float]) -> list[float]:
    """Step up: as Holm, for tests that are independent or lean the same way."""
    order = _checked(ps)
    raised = [ps[i] * (len(ps) - n) for n, i in enumerate(order)]
    return _stepped_up(order, raised)


def benjamini_hochberg(ps: Sequence[float]) -> list[float]:
    """Holds the expected share of false rejections among all rejections."""
    order = _checked(ps)
    raised = [ps[i] * len(ps) / (n + 1) for n, i in enumerate(order)]
    return _stepped_up(order, raised)


def benjamini_yekutieli(ps: Sequence[float]) -> list[float]:
    """The same, however the tests depend."""
    order = _checked(ps)
    harmonic = sum(1 / n for n in range(1, len(ps) + 1))
    raised = [ps[i] * len(ps) * harmonic / (n + 1) for n, i in enumerate(order)]
    return _stepped_up(order, raised)


def _checked(ps: Sequence[float]) -> list[int]:
    """The places of the p values from the smallest up."""
    for p in ps:
        share(p, "a p value")
    return sorted(range(len(ps)), key=ps.__getitem__)


def _stepped_up(order: Sequence[int], raised: Sequence[float]) -> list[float]:
    least = list(accumulate(reversed(raised), min))[::-1]
    return _back(order, [min(1.0, p) for p in least])


def _back(order: Sequence[int], adjusted: Sequence[float]) -> list[float]:
    back = [0.0] * len(order)
    for place, p in zip(order, adjusted, strict=True):
        back[place] = p
    return back
