"""One order from many pairwise wins: Bradley and Terry, where the wins connect everybody."""

from __future__ import annotations

import math
from collections.abc import Sequence

_ROUNDS = 100_000
_STILL = 1e-13
ELO = 400 / math.log(10)
"""How many Elo points one unit of log strength is."""


def bradley_terry(wins: Sequence[Sequence[float]]) -> list[float] | None:
    """Log strengths that sum to 0; `wins[i][j]` counts how often i beat j.

    None unless everybody beat everybody else at least over others: without that somebody's
    strength has no bound, and any number would be made up. Newman's iteration (2023).
    """
    size = len(wins)
    for row in wins:
        if len(row) != size or any(not 0 <= each < math.inf for each in row):
            raise ValueError("wins make a square table of counts")
    if not is_strongly_connected(wins):
        return None
    strength = [1.0] * size
    for _ in range(_ROUNDS):
        moved = 0.0
        for i in range(size):
            others = [j for j in range(size) if j != i]
            up = sum(wins[i][j] * strength[j] / (strength[i] + strength[j]) for j in others)
            down = sum(wins[j][i] / (strength[i] + strength[j]) for j in others)
            new = up / down
            moved = max(moved, abs(math.log(new / strength[i])))
            strength[i] = new
        if moved < _STILL:
            break
    logs = [math.log(each) for each in strength]
    centre = math.fsum(logs) / size
    return [each - centre for each in logs]


def elo(strengths: Sequence[float]) -> list[float]:
    """Log strengths on the scale of Elo."""
    return [ELO * each for each in strengths]


def is_strongly_connected(wins: Sequence[Sequence[float]]) -> bool:
    """Everybody beat everybody else, directly or over others."""
    size = len(wins)
    if size < 2:  # noqa: PLR2004  # nobody to beat
        return False
    forward = [[j for j in range(size) if j != i and wins[i][j] > 0] for i in range(size)]
    back = [[j for j in range(size) if j != i and wins[j][i] > 0] for i in range(size)]
    return len(_reached(forward)) == size == len(_reached(back))


def _reached(edges: Sequence[Sequence[int]]) -> set[int]:
    seen, open_ = {0}, [0]
    while open_:
        for following in edges[open_.pop()]:
            if following not in seen:
                seen.add(following)
                open_.append(following)
    return seen
