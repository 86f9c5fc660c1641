"""Gateways that are gone when the test ends, with everything they opened."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.testing.provider import Answer, Script, plays
from tests.gateway.rig import Rig, rig

Start = Callable[..., Rig]


@pytest.fixture(autouse=True)
def _own_sockets(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder: Path = tmp_path_factory.mktemp("s")
    monkeypatch.setattr("tempfile.tempdir", str(folder))


@pytest.fixture(scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The first that this machine trusts."""
    bundle = ssl.get_default_verify_paths().cafile
    if bundle is None:
        return None
    end = "-----END CERTIFICATE-----\n"
    first, found, _ = Path(bundle).read_text(encoding="utf-8").partition(end)
    path = tmp_path_factory.mktemp("trust") / "one.pem"
    path.write_text(first + found, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _trust_little(one_certificate: Path | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """To read all that a machine trusts takes longer than a test."""
    if one_certificate:
        monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))


@pytest.fixture
def start() -> Iterator[Start]:
    """A gateway before a double that gives the answers in their order."""
    with ExitStack() as stack:

        def begin(*answers: Answer, script: Script | None = None, **more: object) -> Rig:
            return stack.enter_context(rig(script or plays(*answers), **more))

        yield begin
