"""Which model settings a provider takes; the planner asks before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.domain.model import ModelSettings
from harness.errors import UsageError, nearest


@dataclass(frozen=True, slots=True)
class Ranges:
    """What a provider's protocol can say."""

    hottest: float
    efforts: tuple[str, ...]
    seed: bool


_OPENAI_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_CHAT = Ranges(hottest=2.0, efforts=_OPENAI_EFFORTS, seed=True)

RANGES: Mapping[str, Ranges] = {
    "anthropic": Ranges(
        hottest=1.0, efforts=("none", "low", "medium", "high", "xhigh", "max"), seed=False
    ),
    "openai": _CHAT,
    "openrouter": _CHAT,
}


def check_settings(provider: str, settings: ModelSettings) -> None:
    """Raises UsageError for what the provider's protocol cannot be told."""
    ranges = RANGES.get(provider)
    if ranges is None:
        raise UsageError(f"no provider {provider!r}; {nearest(provider, RANGES)}")
    temperature, effort = settings.temperature, settings.reasoning_effort
    if temperature is not None and not 0 <= temperature <= ranges.hottest:
        raise UsageError(
            f"temperature is {temperature:g}; with {provider} it goes from 0 to {ranges.hottest:g}"
        )
    if settings.max_output_tokens is not None and settings.max_output_tokens < 1:
        raise UsageError(f"max output tokens is {settings.max_output_tokens}; it is at least 1")
    if effort is not None and effort not in ranges.efforts:
        known = ", ".join(ranges.efforts)
        raise UsageError(f"no reasoning effort {effort!r} with {provider}; there is {known}")
    if settings.seed is not None and not ranges.seed:
        raise UsageError(f"{provider} takes no seed; leave {settings.seed} out")
    if provider == "anthropic" and effort not in (None, "none") and temperature not in (None, 1):
        raise UsageError(
            f"anthropic takes no temperature with reasoning: leave {temperature:g} or {effort} out"
        )
