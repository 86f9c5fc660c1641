"""Who is to blame when a box answers no more: whoever worked in it, or the engine."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from docker import DockerClient

from harness.domain.ids import Digest
from harness.domain.scenario import Limits, Network
from harness.errors import BoxClosed, BoxDied, SandboxFault
from harness.interrupts import Interrupts
from harness.sandbox import box as box_module
from harness.sandbox.base import BoxSpec, PreparedImage, Purpose
from harness.sandbox.box import DaemonBox
from harness.sandbox.channel import Channel
from harness.sandbox.docker import DockerSandboxes
from harness.testing.sandbox import OpenBox

SPEC = BoxSpec(
    "a-box", PreparedImage("image", Digest("")), Purpose.GRADE, Limits(), Network.NONE, ()
)


class Stream:
    """Takes everything, and ends in one way."""

    def __init__(self, end: bytes | Exception) -> None:
        self.end = end

    def sendall(self, _data: bytes) -> None: ...

    def settimeout(self, _seconds: float | None) -> None: ...

    def shutdown(self, _how: int) -> None: ...

    def close(self) -> None: ...

    def recv(self, _size: int) -> bytes:
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


def a_box(end: bytes | Exception, why: Callable[[], str]) -> DaemonBox:
    return DaemonBox(Channel(Stream(end)), SPEC, why)


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_module, "HEARD_S", 0.2)


@pytest.mark.parametrize("end", [b"", ConnectionResetError("reset")], ids=["ended", "reset"])
def test_a_stream_that_ends_while_the_container_runs_is_the_engines_doing(
    end: bytes | Exception,
) -> None:
    with pytest.raises(SandboxFault, match="broke off the connection to a-box, which runs"):
        a_box(end, lambda: "").run("true", timeout_s=1)


def test_a_container_that_ended_is_whose_it_was_though_the_engine_hears_of_it_late() -> None:
    heard = iter(["", "", "its daemon ended with exit code 1"])
    with pytest.raises(BoxDied, match="exit code 1"):
        a_box(b"", lambda: next(heard)).run("true", timeout_s=1)


@pytest.mark.parametrize("end", [TimeoutError("slow"), b"\1\0\0\0\0\0\0\5nope\n"])
def test_silence_and_nonsense_are_no_fault_of_the_engine(end: bytes | Exception) -> None:
    with pytest.raises(BoxClosed):
        a_box(end, lambda: "").run("true", timeout_s=1)


def test_a_stream_that_we_cut_ourselves_blames_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    signals = Interrupts()
    signals.stopping = True
    monkeypatch.setattr(box_module, "INTERRUPTS", signals)
    with pytest.raises(BoxClosed):
        a_box(b"", lambda: "").run("true", timeout_s=1)


def said_of(**state: object) -> str:
    """What is said of a container in a state."""
    known = {"OOMKilled": False, "Running": False, "ExitCode": 0, "Error": "", **state}
    api = SimpleNamespace(inspect_container=lambda _id: {"State": known})
    client: Any = SimpleNamespace(api=api)
    return DockerSandboxes(client)._why_closed("0123456789abcdef")


def test_a_first_process_that_was_killed_was_killed_from_outside_unless_memory_ran_out() -> None:
    with pytest.raises(SandboxFault, match="killed from outside"):
        said_of(ExitCode=137)
    with pytest.raises(SandboxFault, match="connection to container 0123456789ab was cut"):
        said_of(ExitCode=0)
    assert "more memory" in said_of(ExitCode=137, OOMKilled=True)
    assert "exit code 1" in said_of(ExitCode=1)
    assert said_of(Running=True) == ""


@pytest.mark.docker
def test_a_box_that_somebody_kills_is_a_fault_of_the_world(
    open_box: OpenBox, engine: DockerClient
) -> None:
    with open_box() as (box, workspace):
        (mine,) = [
            each
            for each in engine.containers.list()
            if workspace.mount.source in str(each.attrs["Mounts"])
        ]
        mine.kill()
        with pytest.raises(SandboxFault, match="killed from outside"):
            box.run("true", timeout_s=5)
