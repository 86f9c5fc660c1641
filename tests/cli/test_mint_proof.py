"""`mint keygen`, `mint snapshot --sign`, `mint verify`, `mint list` and `mint promote`."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from rich.console import Console

from harness.cli import mint_browse
from harness.cli.entry import exit_code_of
from harness.cli.mint import mint
from harness.cli.mint_browse import show_snapshot
from harness.domain.session import Entry, Role
from harness.settings import Settings
from harness.store import transcripts
from harness.store.artifacts import FileArtifacts
from harness.store.sqlite import SqliteStore
from tests.report.records import a_session, a_task
from tests.specialists.proofs import graded
from tests.specialists.templates import a_template, fill, worn

Mint = Callable[..., int]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a batch `b`: eight scenarios, better with the specialist."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("BENCH_KEYS", raising=False)
    template = a_template(tmp_path)
    put = FileArtifacts(tmp_path / "results").put
    log = transcripts.keep((Entry(Role.ASSISTANT, "I will look.", 0.5),), put)
    session = replace(a_session(), log=log)
    runs = []
    for n in range(8):
        task = a_task(f"task-{n}")
        for k in range(2):
            low = round(0.3 + 0.02 * ((n + k) % 4), 3)
            high = round(low + 0.2 + 0.01 * ((2 * n + k) % 5), 3)
            runs += [graded(low, task), graded(high, worn(template, task))]
    with SqliteStore.open(tmp_path / "results" / "bench.db") as store:
        fill(store, *(replace(run, session=session) for run in runs))
    return tmp_path


@pytest.fixture
def run(project: Path) -> Mint:
    """A command of mint in the project; its exit code."""

    def call(*arguments: str) -> int:
        assert isinstance(mint, click.Group)
        return exit_code_of(mint, [*arguments, "--root", str(project)])

    return call


@pytest.fixture
def shown(run: Mint, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """The same with --json: what it prints."""

    def call(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        run(*arguments, "--json")
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return call


def snapshot_path(project: Path, number: int = 1) -> Path:
    return project / f"snapshots/debugger/1.0.0/snapshot-{number:03d}.json5"


def test_a_key_is_made_and_signs_from_then_on(
    run: Mint, shown: Callable[..., dict[str, Any]], project: Path
) -> None:
    assert run("snapshot", "--batch-id", "b") == 0
    made = shown("keygen")
    assert made["key"] == str(project / "config/mintmark/mint.key")
    minted = shown("snapshot", "--batch-id", "b")

    assert minted["signed_by"] == made["keyid"]
    assert shown("verify", minted["path"])["signed_by"] == made["keyid"]
    assert run("verify", minted["path"], "--key", made["public_file"]) == 0
    assert run("verify", minted["path"], "--key", "0" * 64) == 22
    assert run("verify", str(snapshot_path(project)), "--key", made["public_key"]) == 22
    assert run("keygen") == 2


def test_a_signature_that_is_wanted_needs_a_key(
    run: Mint, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("snapshot", "--batch-id", "b", "--sign") == 2

    assert "mint keygen" in capsys.readouterr().err
    assert not (project / "snapshots").exists()
    key = str(project / "another.key")
    assert run("keygen", "--key", key) == 0
    assert run("snapshot", "--batch-id", "b", "--key", key) == 0
    assert "Signed            Ed25519 " in capsys.readouterr().out


def test_verifying_says_what_holds_and_what_no_file_can_show(
    run: Mint, capsys: pytest.CaptureFixture[str]
) -> None:
    run("snapshot", "--batch-id", "b")
    capsys.readouterr()

    assert run("verify", "debugger") == 0

    said = capsys.readouterr().out
    assert "✓ scores: 32 runs scored again from their evaluations" in said
    assert "note: not signed" in said
    assert "no verification of files shows" in said
    last = said.splitlines()[-1]
    assert last == ("holds @acme/debugger, not signed: anyone could have made it, digests and all")


def test_what_is_wrong_with_a_file_is_listed_and_a_long_list_is_cut(
    run: Mint,
    shown: Callable[..., dict[str, Any]],
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("snapshot", "--batch-id", "b")
    path = snapshot_path(project)
    path.write_text(path.read_text().replace("spec_digest:", "spec_digets:"))
    capsys.readouterr()

    assert run("verify", str(path)) == 22

    said = capsys.readouterr().out
    assert "found     64 problems" in said
    assert "unknown key 'spec_digets'; did you mean 'spec_digest'?" in said
    assert "and 44 more, all of them with --json" in said
    assert len(shown("verify", str(path))["flaw"]["problems"]) == 64


@pytest.mark.parametrize(
    ("ref", "hint"),
    [
        ("debugger#009", "there is @acme/debugger@1.0.0#001"),
        ("debuger", "did you mean 'debugger'?"),
        ("@acme/debuger#001", "did you mean '@acme/debugger'?"),
    ],
)
def test_a_snapshot_that_is_not_there_is_answered_with_what_is(
    run: Mint, capsys: pytest.CaptureFixture[str], ref: str, hint: str
) -> None:
    run("snapshot", "--batch-id", "b")

    assert run("verify", ref) == 2

    assert hint in " ".join(capsys.readouterr().err.split())


def test_the_first_thing_that_does_not_hold_is_named_and_the_exit_code_is_22(
    run: Mint,
    shown: Callable[..., dict[str, Any]],
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("snapshot", "--batch-id", "b")
    path = snapshot_path(project)
    path.write_text(path.read_text().replace("improvement: 0.2", "improvement: 0.9", 1))
    capsys.readouterr()

    assert run("verify", str(path)) == 22

    said = capsys.readouterr().out
    assert "✗ /benchmarks/comparison/improvement" in said
    assert "does not hold" in said
    flaw = shown("verify", str(path))["flaw"]
    assert flaw["place"] == "/benchmarks/comparison/improvement"
    assert flaw["found"].startswith("0.9")


def test_a_bundle_holds_the_records_and_every_output(
    run: Mint, shown: Callable[..., dict[str, Any]], project: Path
) -> None:
    assert run("snapshot", "--batch-id", "b", "--bundle") == 0

    bundle = snapshot_path(project).with_suffix(".bundle.tar")
    with tarfile.open(bundle) as tar:
        names = tar.getnames()
    assert "records.jsonl" in names
    assert shown("verify", "debugger", "--bundle")["held"][-1].startswith("bundle: 32 stored")
    assert run("verify", "debugger", "--bundle") == 0


def test_a_list_shows_templates_and_snapshots(
    run: Mint, shown: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    run("list")
    assert "no snapshots yet" in capsys.readouterr().out
    run("snapshot", "--batch-id", "b")
    capsys.readouterr()

    assert run("list") == 0

    said = capsys.readouterr().out
    assert "templates/debugger.json5" in said
    assert "@acme/debugger@1.0.0#001" in said
    listed = shown("list")
    assert listed["templates"][0]["name"] == "@acme/debugger"
    (entry,) = listed["snapshots"]
    assert (entry["verdict"], entry["best"], entry["signed"]) == ("better", True, False)


def test_a_list_leaves_out_what_cannot_be_read_and_says_so(
    run: Mint,
    shown: Callable[..., dict[str, Any]],
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("snapshot", "--batch-id", "b")
    snapshot_path(project, 2).write_text("{")
    (project / "templates/broken.json5").write_text("{")
    capsys.readouterr()

    assert run("list") == 0

    said = capsys.readouterr()
    assert "@acme/debugger@1.0.0#001" in said.out
    for file in ("templates/broken.json5: ", "snapshots/debugger/1.0.0/snapshot-002.json5: is no"):
        assert f"warning: left out: {file}" in said.err
    listed = shown("list")
    assert [len(listed[key]) for key in ("templates", "snapshots", "unreadable")] == [1, 1, 2]
    assert {*listed["unreadable"][0]} == {"path", "reason"}


def test_a_narrow_list_cuts_no_name(
    run: Mint, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("snapshot", "--batch-id", "b")
    text = (
        snapshot_path(project)
        .read_text()
        .replace("@acme/debugger", "@mintmark/careful-react-developer")
    )
    snapshot_path(project).write_text(text.replace('"1.0.0"', '"10.12.1"'))
    capsys.readouterr()
    narrow = Console(width=80, highlight=False)
    monkeypatch.setattr(mint_browse, "output", lambda: narrow)

    run("list")

    lines = capsys.readouterr().out.splitlines()
    column = [line.split("  ")[0].strip() for line in lines]
    assert "@mintmark/careful-react-developer@10.12.1#001" in "".join(column)
    assert max(map(len, lines)) <= 80


def test_what_is_deprecated_says_so_and_what_to_use(
    run: Mint,
    shown: Callable[..., dict[str, Any]],
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("snapshot", "--batch-id", "b")
    why = {"deprecated": True, "deprecated_in": "1.0.0", "deprecated_reason": "It knows React 17."}
    a_template(project, version_metadata={**why, "replacement": "@acme/other"})
    capsys.readouterr()

    words = "deprecated since 1.0.0: It knows React 17; use @acme/other"
    for asked in (["show", "debugger"], ["show", "debugger", "--no-enriched"]):
        run(*asked)
        # before anything else that is said of it
        assert words in capsys.readouterr().out[:200]
    run("list")
    said = " ".join(capsys.readouterr().out.split())
    assert f"debugger.json5 {words[:22]}" in said
    assert "better deprecated, best" in said
    listed = shown("list")
    assert [listed[key][0]["deprecated"]["replacement"] for key in ("templates", "snapshots")] == [
        "@acme/other",
        "@acme/other",
    ]


def test_what_is_proved_is_promoted(
    run: Mint, shown: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    run("snapshot", "--batch-id", "b")
    assert run("promote", "debugger") == 0
    assert "The specialist improves the score by" in capsys.readouterr().out
    assert shown("list")["snapshots"][0]["promoted"]


def test_what_does_not_hold_is_not_promoted_even_by_force(
    run: Mint, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("snapshot", "--batch-id", "b")
    path = snapshot_path(project)
    path.write_text(path.read_text() + "// more\n")

    assert run("promote", str(path), "--force", "--reason", "because") == 2

    assert "does not hold, and is not promoted" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["--force"], ["--reason", "x"], ["--force", "--reason", " "]])
def test_force_and_reason_go_together(run: Mint, given: list[str]) -> None:
    run("snapshot", "--batch-id", "b")

    assert run("promote", "debugger", *given) == 2


def test_of_a_name_what_compares_is_shown_and_why(
    run: Mint,
    shown: Callable[..., dict[str, Any]],
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("snapshot", "--batch-id", "b")
    with SqliteStore.open(project / "results" / "bench.db") as store:
        fill(store, graded(0.5, a_task(), batch="plain"))
    run("snapshot", "debugger", "--batch-id", "plain")
    capsys.readouterr()

    assert run("show", "debugger") == 0

    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("@acme/debugger@1.0.0#001 ")
    assert "newer, but without a comparison: @acme/debugger@1.0.0#002" in said
    assert run("show", "debugger#7") == 2
    assert "no snapshot 'debugger#7'" in capsys.readouterr().err
    assert shown("show", "debugger")["chosen"].startswith("of 2 snapshots the newest that compares")


def test_a_snapshot_is_shown_as_its_card(
    run: Mint, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("snapshot", "--batch-id", "b")
    run("promote", "debugger")
    capsys.readouterr()
    settings = Settings(root=project)

    assert not show_snapshot(settings, "templates/debugger.json5", as_json=False)
    assert not show_snapshot(settings, "@acme/other", as_json=False)
    assert capsys.readouterr().out == ""
    assert show_snapshot(settings, str(snapshot_path(project)), as_json=False)
    assert "The specialist improves the score by" in capsys.readouterr().out
    assert show_snapshot(settings, "@acme/debugger", as_json=False)

    said = capsys.readouterr().out
    assert "The specialist improves the score by" in said
    assert "task-7 L1" in said
    assert "  Promoted            yes" in said
    show_snapshot(settings, "@acme/debugger", as_json=True)
    assert json.loads(capsys.readouterr().out)["promotion"]["number"] == 1


def test_a_batch_of_one_side_is_minted_or_refused(
    run: Mint, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SqliteStore.open(project / "results" / "bench.db") as store:
        fill(store, graded(0.5, a_task(), batch="plain"))

    assert run("snapshot", "--batch-id", "plain") == 2
    given = ["snapshot", "debugger", "--batch-id", "plain"]
    assert run(*given, "--require-comparison") == 2
    assert "only of its baseline" in capsys.readouterr().err
    assert run(*given) == 0
    assert "warning: No comparison: no run of @acme/debugger@1.0.0" in capsys.readouterr().out
    assert run("verify", "debugger") == 0
