"""The network is off: only the engine's socket and what a test starts itself may be reached."""

from __future__ import annotations

import socket

import pytest
from hypothesis import HealthCheck, settings

# how long an example takes is the machine's affair
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    # the nodes of a cluster of the test's own know each other by the machine's address
    if request.node.get_closest_marker("docker") or request.node.get_closest_marker("ray"):
        return
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            pytest.fail(f"a test tried to reach {address!r}")
        connect(self, address)  # type: ignore[arg-type]  # whatever a socket takes

    monkeypatch.setattr(socket.socket, "connect", refuse)
