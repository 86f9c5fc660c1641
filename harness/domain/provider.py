"""The model providers that are known by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.domain.model import Api


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider is, what it speaks, and which variables people set for it."""

    name: str
    apis: frozenset[Api]
    url: str
    key_variable: str
    url_variable: str


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            "anthropic",
            frozenset({Api.MESSAGES}),
            "https://api.anthropic.com/v1",
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_BASE_URL",
        ),
        Provider(
            "openai",
            frozenset({Api.CHAT, Api.RESPONSES}),
            "https://api.openai.com/v1",
            "OPENAI_API_KEY",
            "OPENAI_BASE_URL",
        ),
        Provider(
            "openrouter",
            frozenset({Api.CHAT, Api.RESPONSES, Api.MESSAGES}),
            "https://openrouter.ai/api/v1",
            "OPENROUTER_API_KEY",
            "OPENROUTER_BASE_URL",
        ),
    )
}

ENDPOINT_KEY = "BENCH_ENDPOINT_KEY"
"""The key for an endpoint of one's own: a provider's key is never sent to another host."""
