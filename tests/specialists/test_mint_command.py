from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness import wiring
from harness.cli.mint import main, mint, mint_snapshot
from harness.domain.ids import BatchId
from harness.domain.template import Template
from harness.errors import UsageError
from harness.settings import Settings
from harness.store.sqlite import SqliteStore
from tests.report.records import DEBUGGER, a_task, runs_of
from tests.specialists.templates import a_template, fill, worn

ROOT = Path(__file__).parents[2]
BASE = a_task(agent="scripted:demo", model=None)


@pytest.fixture(autouse=True)
def _no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("BENCH_KEYS", raising=False)


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return a_template(tmp_path)


@pytest.fixture
def project(tmp_path: Path, template: Template) -> Path:
    """A project with a batch `b` of simulated runs, three and three."""
    records = [*runs_of(BASE, 0.3, 0.4, 0.5), *runs_of(worn(template, BASE), 0.7, 0.8, 0.9)]
    with SqliteStore.open(tmp_path / "results" / "bench.db") as store:
        fill(store, *(replace(record, simulated=True) for record in records))
    return tmp_path


def run(root: Path, *arguments: str) -> None:
    mint.main(["snapshot", "--root", str(root), *arguments], standalone_mode=False)


@pytest.fixture
def exit_code(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """What the console script would leave with."""

    def leave(*arguments: str) -> object:
        monkeypatch.setattr(sys, "argv", ["mint", *arguments])
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code

    return leave


def test_a_snapshot_is_minted_and_shown_as_in_the_guide(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(project, "@acme/debugger", "--batch-id", "b")

    path = project / "snapshots/debugger/1.0.0/snapshot-001.json5"
    assert path.is_file()
    shown = capsys.readouterr().out
    for line in (
        "✓ Snapshot minted",
        "  Snapshot ID       001",
        f"  Output path       {path}",
        f"  Template file     {project / 'templates/debugger.json5'}",
        "  Template version  1.0.0",
        "  Signed            no",
    ):
        assert line in shown.splitlines()
    words = [line.split() for line in shown.splitlines()]
    (row,) = [line for line in words if line[:1] == ["core/slots"]]
    assert row[1:7] == ["L1", "scripted:demo", "0.40", "±", "0.10", "(n=3)"]
    assert row[7:] == ["0.80", "±", "0.10", "(n=3)", "+0.40"]
    assert ["Average", "0.40", "(n=3)", "0.80", "(n=3)", "+0.40", "(+100.0%)"] in words
    assert "warning: Every compared run was played by a simulated agent" in shown


def test_without_a_template_it_is_the_only_specialist_of_the_batch(project: Path) -> None:
    run(project, "--batch-id", "b", "--output", str(project / "elsewhere"))

    assert (project / "elsewhere/debugger/1.0.0/snapshot-001.json5").is_file()


@pytest.mark.parametrize("name", ["nig", "last"])
def test_a_batch_is_named_by_its_beginning_or_as_the_last(
    project: Path, template: Template, name: str
) -> None:
    records = [*runs_of(BASE, 0.3), *runs_of(worn(template, BASE), 0.7)]
    with SqliteStore.open(project / "results" / "bench.db") as store:
        fill(store, *(replace(record, batch=BatchId("nightly")) for record in records))

    run(project, "--batch-id", name)

    (written,) = project.rglob("snapshot-001.json5")
    assert '"nightly"' in written.read_text()


def test_without_a_template_two_specialists_are_named(project: Path) -> None:
    other = replace(BASE, specialist=replace(DEBUGGER, name="@acme/other"))
    with SqliteStore.open(project / "results" / "bench.db") as store:
        fill(store, *runs_of(other, 0.5))

    with pytest.raises(UsageError, match=r"@acme/debugger@1\.0\.0 or @acme/other@1\.0\.0"):
        run(project, "--batch-id", "b")


def test_without_a_template_and_without_a_specialist(project: Path) -> None:
    with SqliteStore.open(project / "results" / "bench.db") as store:
        fill(store, *runs_of(BASE, 0.5, batch="plain"))

    with pytest.raises(UsageError, match="no specialist worked in plain: name the template"):
        run(project, "--batch-id", "plain")


def test_a_path_below_the_current_folder_is_shown_as_such(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)

    mint.main(["snapshot", "--batch-id", "b"], standalone_mode=False)

    shown = capsys.readouterr().out
    assert "  Output path       snapshots/debugger/1.0.0/snapshot-001.json5\n" in shown


def test_json_is_one_document(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(project, "--batch-id", "b", "--json")

    document = json.loads(capsys.readouterr().out)
    assert document["snapshot_id"] == "001"
    assert document["name"] == "@acme/debugger"
    assert document["comparison"]["improvement_pct"] == 100.0
    assert Path(document["path"]).is_file()
    assert "simulated" in document["limits"][0]


def test_bench_mints_through_the_same_door(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(root=project)

    mint_snapshot(settings, None, (BatchId("b"),), project / "out", quiet=True)
    assert capsys.readouterr().out == ""
    mint_snapshot(settings, "@acme/debugger@1.0.0", (BatchId("b"),), project / "out", quiet=False)

    assert "Snapshot ID       002" in capsys.readouterr().out


def test_help_needs_nothing_but_click() -> None:
    code = "import sys; from harness.cli.mint import mint; mint(['--help'], standalone_mode=False)"

    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules, file=sys.stderr)"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"},
    )

    assert "mint snapshot @mintmark/careful-debugger --batch-id" in done.stdout
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "click" in loaded
    assert loaded.isdisjoint({"rich", "sqlalchemy", "jsonschema", "pyjson5", "structlog", "docker"})


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["snapshot", "--batch-id", "nope"], 2, "error: no batch 'nope'"),
        (["snapshot"], 2, "Missing option '--batch-id'"),
        (["snapshoot"], 2, "did you mean 'snapshot'?"),
        (["snapshot", "--batch-id", "b", "--output", "{root}/results/bench.db/x"], 3, "could not"),
    ],
    ids=["unknown batch", "no batch", "unknown command", "folder in the way"],
)
def test_exit_codes_say_who_has_to_do_something(
    project: Path,
    exit_code: Callable[..., object],
    capsys: pytest.CaptureFixture[str],
    arguments: Sequence[str],
    code: int,
    said: str,
) -> None:
    given = [argument.format(root=project) for argument in arguments]
    root = ["--root", str(project)] if "snapshot" in given else []

    assert exit_code(*given, *root) == code
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [(ZeroDivisionError(), 70, "Traceback"), (KeyboardInterrupt(), 130, "interrupted")],
)
def test_a_bug_shows_its_traceback_and_an_interruption_does_not(
    exit_code: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    def fail(settings: Settings) -> None:
        del settings
        raise error

    monkeypatch.setattr(wiring, "open_store", fail)

    assert exit_code("snapshot", "--batch-id", "b") == code
    shown = capsys.readouterr().err
    assert said in shown
    assert ("Traceback" in shown) is (code == 70)
