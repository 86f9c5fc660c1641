"""Stops the guessing of passwords."""

from saltern_throttle import Throttle

from office_gateway.clock import to_ms

ATTEMPTS = 3
LOCK_MINUTES = 15


class LoginGuard:
    """Three failures within a quarter of an hour of the first lock a user out until it is over."""

    def __init__(self) -> None:
        self._failures = Throttle(ATTEMPTS, to_ms(LOCK_MINUTES * 60), sliding=False)

    def may_try(self, user: str, at_s: float) -> bool:
        """Whether a password may be tried now; asking costs nothing."""
        return self._failures.peek(user, to_ms(at_s)).allowed

    def failed(self, user: str, at_s: float) -> bool:
        """Note a failure; whether the user is locked out now."""
        self._failures.check(user, to_ms(at_s))
        return not self.may_try(user, at_s)

    def succeeded(self, user: str) -> None:
        """Earlier failures are forgiven."""
        self._failures.forget(user)
