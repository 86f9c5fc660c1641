"""Models, what may be spent on them, and what was used of them."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from harness.errors import UsageError

_ADDRESS = re.compile(r"https?://[^\s/@?#]+(/[^\s@?#]*)?")
_MEANT = re.compile(
    # what stands behind the @ of somebody who forgot the http://, or wrote something else there
    r".*://.*|localhost\b.*|\[.*|[^\s/]+:\d+(/.*)?|\d+(\.\d+){3}(/.*)?|[\w-]+(\.[\w-]+)*\.[a-z]{2,}(/.*)?",
    re.IGNORECASE,
)


class Api(StrEnum):
    """The protocols that the gateway speaks."""

    MESSAGES = "messages"
    """Anthropic Messages."""
    CHAT = "chat"
    """OpenAI Chat Completions, which other servers speak too."""
    RESPONSES = "responses"
    """OpenAI Responses."""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model of a provider, or of an endpoint that speaks a provider's protocol."""

    provider: str
    name: str
    endpoint: str | None = None

    @property
    def label(self) -> str:
        """The model as it is typed: `provider:name[@endpoint]`."""
        return f"{self.provider}:{self.name}{f'@{self.endpoint}' if self.endpoint else ''}"


def parse_model(text: str, provider: str, providers: Collection[str]) -> ModelRef:
    """`[provider:]name[@endpoint]`; raises UsageError for an endpoint that is no URL.

    An @ may be part of a name, as in `model@4bit`.
    """
    named, colon, rest = text.partition(":")
    if colon and named in providers:
        provider, text = named, rest
    name, at, endpoint = text.partition("@http")
    if at and not is_address(f"http{endpoint}"):
        raise UsageError(f"{'http' + endpoint!r} is no URL; write {name}@https://host/v1")
    meant = name.rpartition("@")
    if not at and meant[1] and _MEANT.fullmatch(meant[2]):
        host = meant[2].rpartition("://")[2]
        better = f"http://{host if '/' in host else host + '/v1'}"
        raise UsageError(f"{'@' + meant[2]!r} is no endpoint; write @{better}")
    if not name.strip():
        raise UsageError(f"{text!r} names no model; write for example {provider}:MODEL")
    return ModelRef(provider, name, f"http{endpoint}" if at else None)


def is_address(text: str) -> bool:
    """Whether it is a URL that requests can go to."""
    if not _ADDRESS.fullmatch(text):
        return False
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is asked; None leaves the provider's own default."""

    temperature: float | None = None
    max_output_tokens: int | None = None
    reasoning_effort: str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run, or a batch, may use; None is no limit.

    A request is every completion that is asked for; a turn is an answered one that offered tools.
    """

    usd: float | None = None
    tokens: int | None = None
    requests: int | None = None
    turns: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """How a run's model was asked, what it might use, and which one played the user."""

    settings: ModelSettings = field(default_factory=ModelSettings)
    budget: Budget = field(default_factory=Budget)
    user: ModelRef | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them.

    The first four never overlap; reasoning tokens are part of the output tokens.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    """Read from the provider's cache."""
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached_tokens + other.cached_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
        )

    @property
    def total(self) -> int:
        """Every token that was read or written."""
        return self.input_tokens + self.output_tokens + self.cached_tokens + self.cache_write_tokens


def total_usage(usages: Sequence[Usage]) -> Usage:
    """What several used together."""
    return Usage(
        sum(usage.input_tokens for usage in usages),
        sum(usage.output_tokens for usage in usages),
        sum(usage.cached_tokens for usage in usages),
        sum(usage.cache_write_tokens for usage in usages),
        sum(usage.reasoning_tokens for usage in usages),
    )


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What the gateway metered of one run."""

    usage: Usage = Usage()
    cost_usd: float | None = None
    """None when the price of any token in it is unknown."""
    requests: int = 0
    turns: int = 0
    failed: int = 0
    """Requests that the provider did not answer, after every retry."""
    refused: int = 0
    """Requests that the gateway did not pass on: budget, model, token or tool."""
    unmetered: int = 0
    """Answers whose provider did not say what they used."""
    retries: int = 0
    waited_s: float = 0.0
    """Spent in back-off and in the queue for the provider."""
    first_token_s: float | None = None
    """The median over the answers."""
    least_usd: float = 0.0
    """What is known of the cost, also where the whole is not."""


def total_use(uses: Sequence[ModelUse]) -> ModelUse | None:
    """What several lines used together; the cost is known when each line's is."""
    if not uses:
        return None
    costs = [use.cost_usd for use in uses if use.requests]
    known = [cost for cost in costs if cost is not None]
    return ModelUse(
        usage=total_usage([use.usage for use in uses]),
        cost_usd=math.fsum(known) if len(known) == len(costs) else None,
        requests=sum(use.requests for use in uses),
        turns=sum(use.turns for use in uses),
        failed=sum(use.failed for use in uses),
        refused=sum(use.refused for use in uses),
        unmetered=sum(use.unmetered for use in uses),
        retries=sum(use.retries for use in uses),
        waited_s=math.fsum(use.waited_s for use in uses),
        first_token_s=uses[0].first_token_s,
        least_usd=math.fsum(use.least_usd for use in uses),
    )
