from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from harness.cli import mint_enrich
from harness.cli.entry import exit_code_of
from harness.cli.mint import mint
from harness.domain.provider import PROVIDERS
from harness.testing.provider import KEY, ProviderDouble, Script
from tests.cli.enriching import Mint, Provider, a_project
from tests.specialists.web import Served, Site, a_web, serving


@pytest.fixture
def site() -> Iterator[Site]:
    words = b"# Dialogs\n\nA dialog asks one question."
    with serving({"/dialog": Served(words, "text/markdown")}) as found:
        yield found


@pytest.fixture
def template(tmp_path: Path, site: Site) -> Path:
    return a_project(tmp_path, site.url)


@pytest.fixture
def enriched(template: Path) -> Path:
    return template.parent / "my-specialist/enriched/1.0.0"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for each in PROVIDERS.values():
        monkeypatch.delenv(each.key_variable, raising=False)
    monkeypatch.setenv("BENCH_KEYS", str(tmp_path / "keys.env"))
    monkeypatch.setenv("BENCH_ROOT", str(tmp_path))


@pytest.fixture
def local_web(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook by which tests, and nobody else, reach this machine."""
    monkeypatch.setattr(mint_enrich, "open_web", lambda _settings, _timeout_s: a_web())


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with ExitStack() as stack:

        def start(script: Script) -> ProviderDouble:
            double = stack.enter_context(ProviderDouble(script))
            monkeypatch.setenv("OPENAI_BASE_URL", double.url)
            monkeypatch.setenv("OPENAI_API_KEY", KEY)
            return double

        yield start


@pytest.fixture
def run() -> Mint:
    """`mint` as the console script would run it."""

    def call(*arguments: str) -> Result:
        @click.command(context_settings={"ignore_unknown_options": True})
        @click.argument("rest", nargs=-1, type=click.UNPROCESSED)
        def command(rest: tuple[str, ...]) -> None:
            raise SystemExit(exit_code_of(mint, list(rest)))

        return CliRunner().invoke(command, ["--", *arguments])

    return call
