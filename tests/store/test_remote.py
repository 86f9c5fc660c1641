"""What is particular to artefacts beyond this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fsspec.registry import _registry

from harness import wiring
from harness.domain.artifact import Artifact
from harness.domain.digests import text_digest
from harness.errors import StoreFault, UsageError
from harness.settings import Settings
from tests.store import objects
from tests.store.objects import held_at

NEVER = Artifact("log", text_digest("never"), 5)


@pytest.mark.s3
def test_two_machines_share_what_one_of_them_kept(bucket: str, tmp_path: Path) -> None:
    settings = Settings.from_env({"BENCH_ARTIFACTS": bucket}, root=tmp_path)
    artifact = wiring.open_artifacts(settings).put("log", b"kept")
    assert held_at(bucket).artifacts.get(artifact) == b"kept"
    assert [path.partition("/")[2] for path in held_at(bucket).paths()] == [
        f"some/prefix/artifacts/{artifact.digest[:2]}/{artifact.digest[2:]}"
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.s3
def test_a_bucket_that_is_not_there_is_a_fault_that_says_so(bucket: str) -> None:
    del bucket  # only what leads to the server
    with pytest.raises(StoreFault, match=r"could not keep .* s3://no-such.*see that its bucket"):
        held_at("s3://no-such-bucket/prefix").artifacts.put("log", b"x")


@pytest.mark.s3
def test_a_store_that_does_not_answer_is_a_fault_that_says_what_next(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects.lead_to(f"http://127.0.0.1:{free_port}", monkeypatch)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreFault, match=r"Could not connect.*names its endpoint and keys"):
        held_at("s3://bucket").artifacts.get(NEVER)


def test_a_store_that_refuses_is_a_fault_that_speaks_of_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = held_at("memory://refusing")

    def refuse(*_: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(type(held.files), "cat_file", refuse)
    with pytest.raises(StoreFault, match=r"memory:///refusing/.*Access Denied; see that the keys"):
        held.artifacts.get(NEVER)


def test_an_unknown_kind_of_place_is_refused() -> None:
    with pytest.raises(UsageError, match=r"cannot be kept in gopher://.*name a folder or s3://"):
        held_at("gopher://hole/prefix")


@pytest.mark.parametrize("library", ["fsspec.core", "s3fs"])
def test_without_its_library_the_extra_is_named(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(_registry, "s3", raising=False)  # what was loaded once is remembered
    monkeypatch.setitem(sys.modules, library, None)
    settings = Settings(Path("/nowhere"), artifacts="s3://bucket/prefix")
    with pytest.raises(UsageError, match=r"pip install 'mintmark\[s3\]'"):
        wiring.open_artifacts(settings)


def test_a_folder_can_be_named_for_the_artefacts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({"BENCH_ARTIFACTS": "shared"}, root=tmp_path / "project")
    artifact = wiring.open_artifacts(settings).put("log", b"kept")
    assert (tmp_path / "shared/artifacts" / artifact.digest[:2] / artifact.digest[2:]).is_file()
    assert not (tmp_path / "project").exists()
