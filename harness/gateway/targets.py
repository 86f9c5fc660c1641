"""Where a model's requests go, and with which key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.domain.model import Api, ModelRef, is_address
from harness.domain.provider import ENDPOINT_KEY, PROVIDERS
from harness.errors import UsageError, nearest
from harness.settings import Secrets

_KEY = re.compile(r"[!-~]+")
_VERSION = re.compile(r"/v\d+[a-z]*$")


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """A provider as one model's requests find it."""

    provider: str
    url: str
    """What paths below /v1 are added to."""
    apis: frozenset[Api]
    key: str | None
    key_from: str = ""
    """Where the key was found, or how one is given."""

    def asked(self, model: ModelRef) -> str:
        """What was asked, and as whom: for somebody who looks for what is wrong with it."""
        return f"asked {self.url} for {model.name!r} with {self.key_from}"

    def headers(self, api: Api) -> Mapping[str, str]:
        """What says who asks; the one place where a key is used."""
        if self.key is None:
            return {}
        if api is Api.MESSAGES and self.provider == "anthropic":
            return {"x-api-key": self.key}
        return {"authorization": f"Bearer {self.key}"}


@dataclass(frozen=True, slots=True)
class Targets:
    """Every provider, with the keys and addresses of this machine."""

    keys: Secrets
    keys_file: Path | None
    urls: Mapping[str, str]
    in_file: frozenset[str] = frozenset()
    """Which of the keys the file holds, and not the environment."""

    def find(self, model: ModelRef) -> Target:
        """The target of a model; raises UsageError when its key is missing."""
        provider = PROVIDERS.get(model.provider)
        if provider is None:
            raise UsageError(
                f"no provider {model.provider!r}; {nearest(model.provider, PROVIDERS)}"
            )
        if model.endpoint:
            key = self._key(ENDPOINT_KEY)
            url = _versioned(model.endpoint)
            return Target(provider.name, url, provider.apis, key, self._source(ENDPOINT_KEY, key))
        key = self._key(provider.key_variable)
        if key is None:
            place = f", or a line {provider.key_variable}=… in {self.keys_file}"
            raise UsageError(
                f"no key for {provider.name}: set {provider.key_variable}"
                f"{place if self.keys_file else ''}"
            )
        url = self.urls.get(provider.url_variable, provider.url)
        if not is_address(url):
            raise UsageError(f"{provider.url_variable} is no URL; write https://host/v1")
        source = self._source(provider.key_variable, key)
        return Target(provider.name, _versioned(url), provider.apis, key, source)

    def _source(self, variable: str, key: str | None) -> str:
        if key is None:
            return f"no key; where it wants one, set {variable}"
        place = self.keys_file if variable in self.in_file else "the environment"
        return f"the key {variable} of {place}"

    def _key(self, variable: str) -> str | None:
        """A key that can be sent; libraries quote one that cannot when they complain."""
        key = self.keys.get(variable)
        if key and not _KEY.fullmatch(key):
            raise UsageError(f"{variable} is no key: it holds a space, a line break or the like")
        return key or None


def _versioned(url: str) -> str:
    """Some name their address with /v1, as their library wants it, and some without."""
    bare = url.rstrip("/")
    return bare if _VERSION.search(bare) else f"{bare}/v1"
