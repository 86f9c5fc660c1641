"""What a command was told about where it works; read from the environment once, in the CLI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the project is and how to reach the world."""

    root: Path
    docker_host: str | None = None
    ca_bundle: Path | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    """Names of the provider keys that are present; never their values."""
    workspaces: str | None = None
    """The workspace back end to use, or None for the one that fits."""
    verbose: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, root: Path | None = None) -> Settings:
        """`BENCH_ROOT`, `BENCH_CA_BUNDLE`, `BENCH_LOG`, `BENCH_WORKSPACES` and others' own.

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
            keys=frozenset(name for name in KEYS if env.get(name)),
            workspaces=env.get("BENCH_WORKSPACES") or None,
            verbose=env.get("BENCH_LOG") == "debug",
        )

    @property
    def results(self) -> Path:
        """The folder of everything that runs leave."""
        return self.root / "results"

    @property
    def state(self) -> Path:
        """The folder of what can be made again: fixtures and mounts."""
        return self.results / "state"
