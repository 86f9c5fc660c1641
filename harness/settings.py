"""What a command was told about where it works; read from the environment once, in the CLI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from harness.domain.provider import ENDPOINT_KEY, PROVIDERS

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
KEYS = (*(provider.key_variable for provider in PROVIDERS.values()), ENDPOINT_KEY)
URLS = tuple(provider.url_variable for provider in PROVIDERS.values())


class Secrets:
    """Values that are never shown: asked for by name, and by nothing that prints an object."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def get(self, name: str) -> str | None:
        """The value, when there is one."""
        return self._values.get(name)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self._values)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not copied into files or other processes")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the project is and how to reach the world."""

    root: Path
    docker_host: str | None = None
    ca_bundle: Path | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    keys: Secrets = field(default_factory=Secrets)
    """The providers' keys that the environment has; `keys_file` may hold more."""
    keys_file: Path | None = None
    urls: Mapping[str, str] = field(default_factory=dict)
    """Other places for providers: their own variables, such as OPENAI_BASE_URL."""
    npm_registry: str | None = None
    workspaces: str | None = None
    """The workspace back end to use, or None for the one that fits."""
    store: str | None = field(default=None, repr=False)
    """A file or the URL of a database, which may hold a password; None for the project's own."""
    artifacts: str | None = field(default=None, repr=False)
    """A folder, or a URL such as s3://bucket/prefix; None for the project's own."""
    verbose: bool = False
    elsewhere: Path | None = None
    """Where runs leave what they leave, when that is not below the project."""

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, root: Path | None = None) -> Settings:
        """`BENCH_ROOT`, `_CA_BUNDLE`, `_LOG`, `_WORKSPACES`, `_STORE`, `_ARTIFACTS` and others'.

        Those are Docker's, the proxies' and the providers' variables.
        """
        bundle = env.get("BENCH_CA_BUNDLE") or env.get("SSL_CERT_FILE")
        if not bundle and SYSTEM_BUNDLE.is_file():
            # a proxy whose certificate this machine trusts stands before image builds too
            bundle = str(SYSTEM_BUNDLE)
        return cls(
            root=(root or Path(env.get("BENCH_ROOT") or ".")).absolute(),
            docker_host=env.get("DOCKER_HOST") or None,
            ca_bundle=Path(bundle) if bundle else None,
            proxies={name: env[name] for name in PROXIES if env.get(name)},
            keys=Secrets({name: env[name] for name in KEYS if env.get(name)}),
            keys_file=_keys_file(env),
            urls={name: env[name] for name in URLS if env.get(name)},
            npm_registry=env.get("npm_config_registry") or env.get("NPM_CONFIG_REGISTRY") or None,
            workspaces=env.get("BENCH_WORKSPACES") or None,
            store=env.get("BENCH_STORE") or None,
            artifacts=env.get("BENCH_ARTIFACTS") or None,
            verbose=env.get("BENCH_LOG") == "debug",
        )

    @property
    def results(self) -> Path:
        """The folder of everything that runs leave."""
        return self.elsewhere or self.root / "results"

    @property
    def state(self) -> Path:
        """The folder of what can be made again: fixtures and mounts."""
        return self.results / "state"


def _keys_file(env: Mapping[str, str]) -> Path | None:
    named = env.get("BENCH_KEYS")
    if named:
        return Path(named)
    home = env.get("XDG_CONFIG_HOME") or (f"{env['HOME']}/.config" if env.get("HOME") else None)
    return Path(home) / "mintmark" / "keys.env" if home else None
