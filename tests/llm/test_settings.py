from __future__ import annotations

import pytest

from harness.domain.model import ModelSettings
from harness.domain.provider import PROVIDERS
from harness.errors import UsageError
from harness.llm.settings import RANGES, check_settings


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        ("anthropic", ModelSettings()),
        ("anthropic", ModelSettings(temperature=1.0, reasoning_effort="max")),
        ("anthropic", ModelSettings(temperature=0.2, reasoning_effort="none")),
        ("openai", ModelSettings(2.0, 1, "minimal", 0)),
        ("openrouter", ModelSettings(seed=1)),
    ],
)
def test_settings_that_a_provider_takes_are_taken(provider: str, settings: ModelSettings) -> None:
    check_settings(provider, settings)


@pytest.mark.parametrize(
    ("provider", "settings", "said"),
    [
        ("anthropic", ModelSettings(seed=3), "takes no seed; leave 3 out"),
        ("anthropic", ModelSettings(temperature=1.5), "goes from 0 to 1"),
        ("anthropic", ModelSettings(reasoning_effort="minimal"), "no reasoning effort 'minimal'"),
        ("anthropic", ModelSettings(0.5, reasoning_effort="low"), "leave 0.5 or low out"),
        ("openai", ModelSettings(temperature=-1), "temperature is -1"),
        ("openai", ModelSettings(temperature=float("nan")), "temperature is nan"),
        ("openai", ModelSettings(max_output_tokens=0), "at least 1"),
        ("openrouter", ModelSettings(reasoning_effort="hgih"), "there is none, minimal"),
        ("antropic", ModelSettings(), "did you mean 'anthropic'?"),
    ],
)
def test_settings_that_it_does_not_take_are_refused_before_anything_runs(
    provider: str, settings: ModelSettings, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        check_settings(provider, settings)
    assert said in str(caught.value)


def test_every_provider_has_its_ranges() -> None:
    assert RANGES.keys() == PROVIDERS.keys()
