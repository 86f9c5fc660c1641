"""What stored runs are written to: spans and cassettes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness import wiring
from harness.domain.failures import Cause
from harness.domain.record import Fault, RunRecord
from harness.gateway import cassette
from harness.gateway.recording import Recorder
from harness.store.artifacts import FileArtifacts
from harness.testing.store import MemoryStore
from tests.cli.conftest import Cli
from tests.report.records import a_run, a_session


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, project: Path) -> RunRecord:
    """A run that its provider failed, with what was said until then."""
    store = MemoryStore()
    monkeypatch.setattr(wiring, "open_store", lambda _settings: store)
    put = FileArtifacts(project / "results").put
    recording = put("recording.jsonl", Recorder((), "openai:m").dump())
    run = a_run(None, session=replace(a_session(), recording=recording))
    run = replace(run, fault=Fault(Cause.PROVIDER, "work", "529"))
    store.save(run)
    return run


@pytest.mark.usefixtures("kept")
def test_the_recording_of_a_faulted_run_can_be_taken_along(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "it.cassette"
    result = cli("cassette", "last", "--output", str(path))
    assert result.exit_code == 0, result.stderr
    assert cassette.load(path.read_bytes()).model == "openai:m"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "arguments", [("cassette", "last", "--output"), ("show", "last", "--otel")], ids=" ".join
)
def test_a_folder_that_is_not_there_is_said_in_a_sentence(
    cli: Cli, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "no" / "such"
    result = cli(*arguments, str(path))
    assert result.exit_code == 2
    assert f"{path} cannot be written: No such file or directory" in result.stderr


@pytest.mark.usefixtures("kept")
def test_spans_are_not_put_into_a_file_of_something_else(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("# Mine\n", encoding="utf-8")
    result = cli("show", "last", "--otel", str(path))
    assert result.exit_code == 2
    assert "holds no spans to add to" in result.stderr
    assert path.read_text(encoding="utf-8") == "# Mine\n"


@pytest.mark.usefixtures("kept")
def test_a_target_of_another_kind_is_no_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli("show", "last", "--otel", "ftp://x")
    assert result.exit_code == 2
    assert "no target ftp://" in result.stderr
    assert list(tmp_path.glob("ftp*")) == []
