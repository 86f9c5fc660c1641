"""What a line used: counted, priced, recorded, and taken from its purses."""

from __future__ import annotations

import json
import statistics
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from harness.domain.model import ModelUse, Usage
from harness.gateway.base import Access, Refusal
from harness.gateway.budget import Purse
from harness.gateway.exchange import Exchange
from harness.gateway.metering import Metered
from harness.gateway.policy import Ask, RefusedError
from harness.gateway.prices import Prices
from harness.gateway.recording import Recorder
from harness.gateway.upstream import PATIENCE_S, retry_after_s

THE_WORLDS = frozenset({401, 402, 403, 404, 408, 409, 425, 429})
"""Statuses that are no doing of the agent's; nor is anything from 500 on."""
THE_KEYS = frozenset({401, 403, 404})
"""Those of them that say that a key or a model is wrong, which then never works."""
SAID_CHARS = 300
MOST_UNPAID = 5
"""So many answers may go without their price where tokens or money are limited."""
UNPAID_BYTES = 256 * 1024 * 1024
"""So much is recorded of what was refused or failed: no budget bounds it, and memory holds it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A provider's answer, whole or as far as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    metered: Metered
    first_byte_s: float | None
    first_token_s: float | None
    duration_s: float
    retries: int = 0
    waited_s: float = 0.0
    broken: str | None = None
    """Why it is not whole."""

    @property
    def ok(self) -> bool:
        """The provider did as it was asked."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(slots=True)
class _Counters:
    usage: Usage = field(default_factory=Usage)
    cost_usd: float | None = 0.0
    failed: int = 0
    refused: int = 0
    unmetered: int = 0
    unpaid: int = 0
    """Answers of which nobody knows all that they cost: the provider does not say, or the agent
    hung up before it could."""
    retries: int = 0
    waited_s: float = 0.0
    first_tokens_s: list[float] = field(default_factory=list)


class Account:
    """The books of one line; threads may look while the gateway writes."""

    def __init__(
        self,
        access: Access,
        purses: Sequence[Purse],
        prices: Prices,
        recorder: Recorder,
        now: Callable[[], datetime],
    ) -> None:
        self.spent: Refusal | None = None
        self.spent_why = ""
        self.cut_by_batch = False
        self.denied = False
        """The key, the address or the model is wrong: nothing was ever answered."""
        self.fault: str | None = None
        self._access = access
        self._purses = purses
        self._prices = prices
        self._recorder = recorder
        self._now = now
        self._counters = _Counters()
        self._unpaid_bytes = 0
        self._answered = False
        self._lock = threading.Lock()

    def take(self, ask: Ask) -> None:
        """Take a request from every purse, or from none; raises RefusedError."""
        if ask.free:
            return
        self._check_paid()
        for number, purse in enumerate(self._purses):
            if empty := purse.take(turn=ask.turn):
                for each in self._purses[:number]:
                    each.give_back(request=True, turn=ask.turn)
                refusal, why = empty
                self.cut_by_batch = number > 0
                raise RefusedError(refusal, why)

    def _check_paid(self) -> None:
        limited = self._limits_usd or any(purse.limits_tokens for purse in self._purses)
        if limited and self._counters.unpaid >= MOST_UNPAID:
            why = (
                f"what {MOST_UNPAID} answers used or cost is not known,"
                " and tokens or money are limited"
            )
            raise RefusedError(Refusal.BUDGET, why)

    @property
    def _limits_usd(self) -> bool:
        return any(purse.limits_usd for purse in self._purses)

    def answered(self, ask: Ask, heard: Heard, cost_usd: float | None = None) -> None:
        """Book an answer; `cost_usd` is what it cost when it was recorded."""
        usage, model, now = heard.metered.usage, self._access.model, self._now()
        if cost_usd is None and usage is not None:
            cost_usd = self._prices.cost_usd(model, usage, now, heard.metered.terms)
        least_usd = cost_usd
        if cost_usd is None and usage is not None:
            least_usd = self._prices.least_usd(model, usage, now)
        with self._lock:
            self._counters.retries += heard.retries
            self._counters.waited_s += heard.waited_s
            if not heard.ok:
                self._counters.failed += 1
            elif not ask.free:
                self._count(usage, cost_usd, heard.first_token_s)
                whole = heard.metered.complete or heard.broken is not None
                unpriced = self._limits_usd and cost_usd is None
                self._counters.unpaid += usage is None or not whole or unpriced
        if not ask.free:
            # not every server counts tokens, and agents ask for it in passing
            self.fault = self._fault(heard)
            self._answered = self._answered or heard.ok
            self.denied = not self._answered and heard.status in THE_KEYS
        for purse in () if ask.free else self._purses:
            if heard.ok:
                purse.settle(usage, least_usd)
            else:
                purse.give_back(request=False, turn=ask.turn)
        self._keep(
            Exchange(
                path=ask.path,
                request=ask.body,
                status=heard.status,
                headers=heard.headers,
                body=heard.body,
                first_byte_s=heard.first_byte_s,
                duration_s=heard.duration_s,
                retries=heard.retries,
                waited_s=heard.waited_s,
                usage=usage,
                cost_usd=cost_usd,
                broken=heard.broken,
            ),
            paid=heard.ok and not ask.free,
        )
        if heard.ok and ask.turn:
            self._tell()

    def unreachable(self, ask: Ask, why: str | None, retries: int, waited_s: float) -> None:
        """Book a request that nobody answered; nobody is to blame when there is no `why`."""
        with self._lock:
            self._counters.failed += 1
            self._counters.retries += retries
            self._counters.waited_s += waited_s
            # the agent hung up while the provider worked: what that cost, nobody will say
            self._counters.unpaid += why is None and not ask.free
        self.fault = why or self.fault
        self.give_back(ask)

    def give_back(self, ask: Ask) -> None:
        """Nothing came of a request, which was made all the same."""
        for purse in () if ask.free else self._purses:
            purse.give_back(request=False, turn=ask.turn)

    def failed(self, why: str) -> None:
        """Book a request that the gateway itself failed at."""
        with self._lock:
            self._counters.failed += 1
        self.fault = why

    def refused(self, path: str, body: bytes, error: RefusedError) -> None:
        """Book a request that the gateway answered itself."""
        with self._lock:
            self._counters.refused += error.refusal is not Refusal.PROVIDER
        if error.refusal in {Refusal.BUDGET, Refusal.TURNS}:
            self.spent, self.spent_why = error.refusal, str(error)
        if error.refusal is Refusal.REPLAY:
            self.fault = str(error)
        if error.refusal is not Refusal.TOKEN:
            self._keep(
                Exchange(
                    path=path,
                    request=body,
                    status=error.status,
                    body=str(error).encode(),
                    refusal=error.refusal,
                ),
                paid=False,
            )

    def use(self) -> ModelUse:
        """What was metered so far."""
        with self._lock:
            count, purse = self._counters, self._purses[0]
            first = count.first_tokens_s
            return ModelUse(
                usage=count.usage,
                cost_usd=count.cost_usd,
                least_usd=purse.usd,
                requests=purse.requests,
                turns=purse.turns,
                failed=count.failed,
                refused=count.refused,
                unmetered=count.unmetered,
                retries=count.retries,
                waited_s=count.waited_s,
                first_token_s=statistics.median(first) if first else None,
            )

    def recording(self) -> bytes:
        """Every exchange so far, without keys."""
        return self._recorder.dump()

    def _keep(self, exchange: Exchange, *, paid: bool) -> None:
        if not paid:
            self._unpaid_bytes += len(exchange.request) + len(exchange.body)
        if paid or self._unpaid_bytes <= UNPAID_BYTES:
            self._recorder.add(exchange)

    def _count(self, usage: Usage | None, cost_usd: float | None, first_s: float | None) -> None:
        count = self._counters
        if usage is None:
            count.unmetered += 1
        else:
            count.usage = count.usage + usage
        known = count.cost_usd is not None and cost_usd is not None
        count.cost_usd = (count.cost_usd or 0.0) + (cost_usd or 0.0) if known else None
        if first_s is not None:
            count.first_tokens_s.append(first_s)

    def _fault(self, heard: Heard) -> str | None:
        provider = self._access.model.provider
        if heard.broken:
            return f"{provider} broke off its answer: {heard.broken}"
        if heard.status in THE_KEYS and self._answered:
            # the same key and model have answered: it is what was asked that is not allowed
            return None
        if heard.status in THE_WORLDS or heard.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            said = f"{provider} answered {heard.status}: {_said(heard.body)}"
            pause_s = retry_after_s(dict(heard.headers), self._now())
            asked_to_wait = pause_s is not None and pause_s > PATIENCE_S
            return f"{said}; it asks to wait for {pause_s:,.0f} s" if asked_to_wait else said
        return None

    def _tell(self) -> None:
        use = self.use()
        cost = "price unknown" if use.cost_usd is None else f"${use.cost_usd:.2f}"
        self._access.tell(f"turn {use.turns}, {use.usage.total:,} tokens, {cost}")


def _said(body: bytes) -> str:
    """The words of a provider's error."""
    text = body.decode("utf-8", "replace")
    try:
        error = json.loads(text)["error"]
        text = error["message"] if isinstance(error, dict) else str(error)
    except (ValueError, KeyError, TypeError):
        pass
    return " ".join(str(text).split())[:SAID_CHARS]
