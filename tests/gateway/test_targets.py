"""Where requests go, and with which key."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from harness.domain.model import Api, ModelRef
from harness.errors import UsageError
from harness.gateway.targets import Targets
from harness.settings import Secrets
from tests.gateway.rig import CLAUDE, GPT, keys

KEY = "sk-canary-0123456789"


def _targets(url: str | None = None, **found: str) -> Targets:
    urls = {"ANTHROPIC_BASE_URL": url, "OPENAI_BASE_URL": url} if url else {}
    return Targets(Secrets(found), None, urls)


def test_a_missing_key_is_named_with_the_file_it_may_stand_in() -> None:
    with pytest.raises(UsageError) as caught:
        Targets(Secrets(), Path("/home/me/keys.env"), {}).find(CLAUDE)
    assert str(caught.value) == (
        "no key for anthropic: set ANTHROPIC_API_KEY, "
        "or a line ANTHROPIC_API_KEY=… in /home/me/keys.env"
    )


def test_a_key_of_one_provider_is_no_key_of_another() -> None:
    with pytest.raises(UsageError, match="set OPENAI_API_KEY"):
        _targets(ANTHROPIC_API_KEY=KEY).find(GPT)


def test_an_unknown_provider_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'anthropic'"):
        Targets(keys(), None, {}).find(ModelRef("antropic", "x"))


@pytest.mark.parametrize(
    "url", ["https://host", "https://host/", "https://host/v1", "https://host/v1/"]
)
def test_an_address_may_end_as_libraries_like(url: str) -> None:
    target = _targets(url, ANTHROPIC_API_KEY=KEY).find(CLAUDE)
    assert target.url == "https://host/v1"
    assert target.headers(Api.MESSAGES) == {"x-api-key": KEY}


@pytest.mark.parametrize(
    "url", ["host", "ftp://host", "https://me:pw@host", "http://", "https://a b"]
)
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        _targets(url, ANTHROPIC_API_KEY=KEY).find(CLAUDE)
    assert str(caught.value) == "ANTHROPIC_BASE_URL is no URL; write https://host/v1"


def test_the_key_of_a_provider_goes_to_no_other_host() -> None:
    own = ModelRef("openai", "llama", "http://127.0.0.1:8000/v1")
    found = _targets(OPENAI_API_KEY=KEY).find(own)
    assert (found.key, found.headers(Api.CHAT)) == (None, {})
    with_key = _targets(OPENAI_API_KEY=KEY, BENCH_ENDPOINT_KEY="theirs-1").find(own)
    assert with_key.headers(Api.CHAT) == {"authorization": "Bearer theirs-1"}


@pytest.mark.parametrize(
    "key", [f"{KEY}\n", f" {KEY}", f"{KEY} {KEY}", f"{KEY}\u00e9", f"{KEY}\x00"]
)
@pytest.mark.parametrize("model", [CLAUDE, ModelRef("openai", "x", "http://host")])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str, model: ModelRef) -> None:
    variables = {"ANTHROPIC_API_KEY": key, "BENCH_ENDPOINT_KEY": key}
    with pytest.raises(UsageError) as caught:
        _targets(**variables).find(model)
    assert "canary" not in str(caught.value)
    assert "is no key" in str(caught.value)


def test_neither_a_target_nor_the_secrets_show_a_key() -> None:
    found = Targets(keys(KEY), None, {})
    shown = f"{found!r} {found.find(CLAUDE)!r} {found.keys!s}"
    assert KEY not in shown
    assert "ANTHROPIC_API_KEY" in shown
    with pytest.raises(TypeError, match="not copied"):
        pickle.dumps(found.keys)
