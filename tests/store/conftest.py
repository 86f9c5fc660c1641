from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest

from harness.domain.artifact import Artifact
from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.record import (
    CheckResult,
    CommandResult,
    Fault,
    Maker,
    PriceTables,
    RunRecord,
    SpecialistRef,
    TestOutcome,
    TreeRef,
    Verdict,
)
from harness.domain.scenario import Level
from harness.domain.session import Ending, Entry, Question, Role, Session, Usage
from harness.store.base import Artifacts, Store
from harness.testing.store import MemoryArtifacts, MemoryStore, a_cell, a_record
from tests.store import objects
from tests.store.objects import Held, held_at
from tests.store.places import opened
from tests.store.server import Server, running

NASTY = "line\nnul\0 lone surrogate \udcff quote' \" backslash \\ 日本 \U0001f600"

PLACES = ("files", "fsspec", pytest.param("s3", marks=pytest.mark.s3))
DATABASES = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture
def database(server: Server) -> str:
    """The URL of an empty database, or of what is as good as one."""
    return server.new_schema()


@pytest.fixture(params=DATABASES)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be made: the path of a file, or a URL."""
    return _location(request, tmp_path)


@pytest.fixture(params=("memory", *DATABASES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        with opened(_location(request, tmp_path)) as found:
            yield found


def _location(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return str(folder / "state" / "bench.db")
    url: str = request.getfixturevalue("database")
    return url


@pytest.fixture(scope="session")
def object_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with objects.running(tmp_path_factory.mktemp("s3") / "log") as endpoint:
        yield endpoint


@pytest.fixture
def bucket(object_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new bucket; the environment has what leads there."""
    objects.lead_to(object_server, monkeypatch)
    name = f"bucket-{secrets.token_hex(8)}"
    fsspec.filesystem("s3", use_listings_cache=False).mkdir(name)
    return f"s3://{name}/some/prefix"


@pytest.fixture(params=PLACES)
def held(request: pytest.FixtureRequest, tmp_path: Path) -> Held:
    """Artefacts in a folder, or wherever fsspec reaches."""
    return _held(request, tmp_path)


@pytest.fixture(params=("memory", *PLACES))
def artifacts(request: pytest.FixtureRequest, tmp_path: Path) -> Artifacts:
    return MemoryArtifacts() if request.param == "memory" else _held(request, tmp_path).artifacts


def _held(request: pytest.FixtureRequest, folder: Path) -> Held:
    match request.param:
        case "files":
            return held_at(str(folder))
        case "fsspec":
            return held_at(f"memory://{secrets.token_hex(8)}")
        case _:
            return held_at(request.getfixturevalue("bucket"))


@pytest.fixture
def full_record() -> RunRecord:
    """A record in which every field holds something, nothing of it harmless."""
    output = Artifact("build.txt", text_digest("output"), 17)
    outcomes = (TestOutcome("t.py::test_a", Verdict.FAILED, NASTY),)
    session = Session(
        ending=Ending.TIMED_OUT,
        duration_s=0.1 + 0.2,
        transcript=(Entry(Role.TOOL_CALL, NASTY, 1.5, "run", is_error=True),),
        questions=(Question(NASTY, "no", None), Question("b", "yes", "b")),
        usage=Usage(1, 2, 3, 4),
        cost_usd=1e-9,
        detail=NASTY,
    )
    return replace(
        a_record(),
        cell=replace(
            a_cell(),
            model="anthropic:x",
            specialist=SpecialistRef("@org/name", "1.2.3", text_digest("specialist")),
        ),
        session=session,
        tree=TreeRef("a" * 40, "b" * 40, 3, 20, 1, (NASTY,)),
        commands=(CommandResult("build", "make", None, 2.0, output),),
        checks=(
            CheckResult("test", "test", 1 / 3, 0.6, required=True, reason=NASTY,
                        details=(NASTY, ""), level=Level.B, outcomes=outcomes,
                        artifacts=(output,), duration_s=1.0),
            CheckResult("lint", "lint", None, 0.4, reason="could not run: no ruff"),
        ),
        total_score=1 / 3,
        passed=False,
        fault=Fault(Cause.EVALUATOR, "evaluate", NASTY),
        stages_s=(("prepare", 0.25), ("work", 3.0)),
        maker=Maker("0.1.0", PriceTables(NASTY, text_digest("prices.json5"))),
    )  # fmt: skip


@pytest.fixture
def free_port() -> int:
    """A port of this machine at which nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
