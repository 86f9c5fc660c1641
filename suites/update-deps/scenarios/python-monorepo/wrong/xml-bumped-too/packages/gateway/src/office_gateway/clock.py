"""Our seconds, the throttle's milliseconds."""


def to_ms(seconds: float) -> int:
    """To the nearest millisecond."""
    return round(seconds * 1000)
