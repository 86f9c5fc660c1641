"""Lets calls through, or does not."""

import math
from dataclasses import dataclass, field

from office_notify.hub import Hub
from saltern_throttle import Throttle

from office_gateway.plans import PLANS


@dataclass(frozen=True)
class Verdict:
    """An HTTP status, and the headers that go with it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


class Gate:
    """One plan's gate. A client's window opens with its first call and ends `window_s` later.

    All of a plan's calls may be made at once in each window, also right before and right after a
    window ends.
    """

    def __init__(self, plan: str, hub: Hub | None = None) -> None:
        self._plan = PLANS[plan]
        self._throttle = Throttle(self._plan.calls, self._plan.window_s)
        self._hub = hub or Hub()

    def admit(self, client: str, at_s: float) -> Verdict:
        """200, or 429 with the full seconds to wait, at least one, as Retry-After.

        Refusals are announced as "gate.refused" with `client` and `wait_s`, the exact wait.
        """
        if self._throttle.allow(client, at_s):
            return Verdict(200)
        wait_s = self._throttle.retry_after(client, at_s)
        self._hub.announce("gate.refused", {"client": client, "wait_s": round(wait_s, 3)})
        return Verdict(429, {"Retry-After": str(max(1, math.ceil(wait_s)))})
