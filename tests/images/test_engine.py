from __future__ import annotations

from dataclasses import replace

import docker
import docker.errors
import pytest
import requests

from harness.errors import SandboxFault
from harness.sandbox import engine
from harness.sandbox.engine import EngineReport, Level, OurImage, connect, engine_faults, findings
from harness.testing.sandbox import AN_ENGINE

HEALTHY = replace(AN_ENGINE, images=(OurImage("mintmark/prepared:1", "prepared", 100 * 2**20),))


class OldApi:
    api_version = "1.40"


class OldEngine:
    api = OldApi()
    closed = False

    def close(self) -> None:
        self.closed = True


def _levels(report: EngineReport) -> dict[str, Level]:
    return {finding.subject: finding.level for finding in findings(report)}


def test_a_healthy_engine_has_nothing_to_advise() -> None:
    assert set(_levels(HEALTHY).values()) == {Level.OK}
    assert not any(finding.advice for finding in findings(HEALTHY))


@pytest.mark.parametrize(
    ("report", "subject", "level"),
    [
        (replace(HEALTHY, local=False, free_bytes=None), "place", Level.WARN),
        (replace(HEALTHY, cgroup_driver="none"), "limits", Level.FAIL),
        (replace(HEALTHY, missing_limits=("pids",)), "limits", Level.FAIL),
        (replace(HEALTHY, security=()), "seccomp", Level.FAIL),
        (replace(HEALTHY, security=("seccomp", "rootless")), "rootless", Level.WARN),
        (replace(HEALTHY, storage_driver="vfs"), "storage", Level.WARN),
        (replace(HEALTHY, free_bytes=3 * engine.GIB), "disk", Level.WARN),
        (replace(HEALTHY, free_bytes=2**20), "disk", Level.FAIL),
        (replace(HEALTHY, memory_bytes=engine.GIB), "memory", Level.WARN),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_found_alone_and_comes_with_advice(
    report: EngineReport, subject: str, level: Level
) -> None:
    bad = [finding for finding in findings(report) if finding.level is not Level.OK]
    assert [(finding.subject, finding.level) for finding in bad] == [(subject, level)]
    assert bad[0].advice


def _nested(cause: BaseException) -> docker.errors.DockerException:
    """As docker-py nests it: the cause is an argument of the cause of the cause."""
    outer = docker.errors.DockerException("Error while fetching server API version")
    outer.__cause__ = requests.ConnectionError(("Connection aborted.", cause), cause)
    return outer


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (_nested(FileNotFoundError(2, "No such file")), r"there is no such socket.*engine\.sh"),
        (_nested(ConnectionRefusedError(111, "refused")), r"the socket is dead.*engine\.sh"),
        (_nested(PermissionError(13, "denied")), r"may not use .*usermod -aG docker"),
        (requests.Timeout("read timed out"), r"does not answer in time.*look at its log"),
        (docker.errors.DockerException("odd"), r"no Docker engine answers at .*odd.*DOCKER_HOST"),
    ],
    ids=["absent", "dead", "forbidden", "hung", "other"],
)
def test_an_engine_that_cannot_be_reached_says_why_and_what_next(
    monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def refuse(**_: object) -> docker.DockerClient:
        raise error

    monkeypatch.setattr(docker, "DockerClient", refuse)
    with pytest.raises(SandboxFault, match=message) as caught:
        connect("unix:///run/mine.sock")
    assert "unix:///run/mine.sock" in str(caught.value)


def test_an_engine_that_is_too_old_is_refused_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    old = OldEngine()
    monkeypatch.setattr(docker, "DockerClient", lambda **_: old)
    with pytest.raises(SandboxFault, match=r"speaks API 1\.40; Mintmark needs 1\.41"):
        connect()
    assert old.closed


def test_engine_errors_become_faults_in_the_engines_own_words() -> None:
    refusal = docker.errors.APIError("500 Server Error for url", explanation="no space left")
    with (
        pytest.raises(SandboxFault, match=r"could not start a box: no space left$"),
        engine_faults("start a box"),
    ):
        raise refusal


def test_our_own_bugs_stay_bugs() -> None:
    with pytest.raises(KeyError), engine_faults("start a box"):
        raise KeyError("Id")


@pytest.mark.docker
def test_the_engine_here_describes_itself(client: docker.DockerClient) -> None:
    report = engine.report(client)
    assert report.cpus >= 1
    assert report.memory_bytes > 0
    assert report.api >= "1.41"
    assert report.seccomp
    assert {finding.subject for finding in findings(report)} >= {"engine", "limits", "disk"}
