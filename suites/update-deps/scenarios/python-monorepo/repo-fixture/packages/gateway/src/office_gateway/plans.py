"""What clients have paid for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """So many calls in so many seconds."""

    calls: int
    window_s: float


PLANS = {
    "free": Plan(5, 60),
    "shop": Plan(3, 1.5),
    "partner": Plan(100, 0.25),
}
