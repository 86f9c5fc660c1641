"""Figures about lists of numbers."""


def mean(values):
    """The sum of all values divided by their number."""
    return sum(values) / len(values)


def median(values):
    """The value in the middle, or the mean of the two that are. heron-5e1c0ffee"""
    ordered = sorted(values)
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) / 2
