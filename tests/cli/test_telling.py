"""Who else is told about a batch, however it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness import wiring
from harness.bounds import Bounds
from harness.errors import BadFile, Interrupted, SandboxFault, StoreFault
from harness.report.events import EVENTS
from harness.store import patience
from harness.testing.builders import Fakes
from tests.cli.conftest import Cli
from tests.cli.hooks import Hook, a_hook

ROOT = Path(__file__).parents[2]
RUN = ("run", "sample", "greet", "--batch-id", "mine", "--iterations", "3")


pytestmark = pytest.mark.usefixtures("fakes")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with a_hook() as made:
        yield made


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    return path


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def kinds(path: Path) -> dict[str, str]:
    cases = ET.parse(path).iter("testcase")  # noqa: S314  # our own
    return {case.attrib["name"]: case[0].tag for case in cases}


def test_a_batch_is_told_in_every_form(cli: Cli, hook: Hook, page: Path, tmp_path: Path) -> None:
    events, junit = tmp_path / "events.jsonl", tmp_path / "out.xml"
    result = cli(
        *RUN, "--events", str(events), "--junit", str(junit), "--github-summary",
        "--webhook", hook.url,
    )  # fmt: skip
    code = result.exit_code
    assert code in {0, 1}
    found = lines(events.read_text())
    names = [event["event"] for event in found]
    assert names[0] == "batch_planned"
    assert (found[0]["runs"], found[0]["jobs"]) == (3, 1)
    assert names.count("run_began") == names.count("run_ended") == 3
    assert names[-1] == "batch_ended"
    assert found[-1]["end"] == "finished"
    assert {event["batch_id"] for event in found} == {"mine"}
    assert sorted(kinds(junit)) == [f"L1 echo #{n}" for n in (1, 2, 3)]
    assert page.read_text().startswith("before\n### Mintmark batch `mine`")
    (body,) = hook.bodies
    assert (body["event"], body["end"], body["batch_id"]) == ("batch_ended", "finished", "mine")
    assert body["text"].startswith("Batch mine finished: ")
    assert cli(*RUN).exit_code == code


def test_a_stream_on_standard_output_is_alone_there(cli: Cli) -> None:
    result = cli(*RUN, "--events", "-")
    names = [event["event"] for event in lines(result.stdout)]
    assert names[-1] == "batch_ended"
    assert "Batch ID: mine" in result.stderr


def test_a_stream_and_a_document_exclude_each_other(cli: Cli, fakes: Fakes) -> None:
    result = cli(*RUN, "--events", "-", "--json")
    assert result.exit_code == 2
    assert fakes.store.batches() == ()


def test_a_batch_that_stops_is_told_with_its_reason_and_what_is_missing(
    cli: Cli, hook: Hook, page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter([None])
    monkeypatch.setattr(Bounds, "reached", lambda _: next(said, "the batch's time is over"))
    events, junit = tmp_path / "events.jsonl", tmp_path / "out.xml"
    result = cli(
        *RUN, "--events", str(events), "--junit", str(junit), "--github-summary",
        "--webhook", hook.url,
    )  # fmt: skip
    assert result.exit_code == 3
    found = lines(events.read_text())
    assert [e["why"] for e in found if e["event"] == "batch_limited"] == [
        "the batch's time is over"
    ]
    assert (found[-1]["end"], found[-1]["not_run"]) == ("stopped", 2)
    assert [*kinds(junit).values()].count("skipped") == 2
    assert "> the batch's time is over" in page.read_text()
    (body,) = hook.bodies
    assert (body["end"], body["why"]) == ("stopped", "the batch's time is over")


def test_a_batch_that_is_interrupted_leaves_its_files(
    cli: Cli, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise Interrupted

    monkeypatch.setattr("harness.run.grade", stop)
    junit = tmp_path / "out.xml"
    result = cli(*RUN, "--junit", str(junit), "--webhook", hook.url)
    assert result.exit_code == 130
    assert set(kinds(junit).values()) == {"skipped"}
    assert hook.bodies[0]["end"] == "interrupted"


def test_a_batch_that_never_began_is_told_and_leaves_no_file(
    cli: Cli, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_engine(*_: object) -> None:
        raise SandboxFault("no engine")

    monkeypatch.setattr(wiring, "open_tools", no_engine)
    junit = tmp_path / "out.xml"
    assert cli(*RUN, "--junit", str(junit), "--webhook", hook.url).exit_code == 3
    (body,) = hook.bodies
    assert (body["end"], body["why"]) == ("failed", "no engine")
    assert not junit.exists()


def test_a_store_that_fails_in_the_end_is_told_without_its_numbers(
    cli: Cli, fakes: Fakes, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreFault("the disk is full")

    monkeypatch.setattr(patience, "PATIENCE_S", 0.0)
    monkeypatch.setattr(fakes.store, "save", full)
    monkeypatch.setattr(fakes.store, "batch", full)
    junit = tmp_path / "out.xml"
    result = cli(*RUN, "--junit", str(junit), "--webhook", hook.url)
    assert result.exit_code == 3
    assert "the disk is full" in result.stderr
    (body,) = hook.bodies
    assert (body["end"], body["why"]) == ("stopped", "the disk is full")
    assert "planned" not in body


def test_a_run_that_cannot_be_made_is_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BadFile(tmp_path / "scenario.yaml", ["no image"])

    monkeypatch.setattr("harness.run.grade", refuse)
    events = tmp_path / "events.jsonl"
    assert cli(*RUN, "--events", str(events)).exit_code == 2
    found = lines(events.read_text())
    assert "no image" in next(e["why"] for e in found if e["event"] == "run_refused")
    assert found[-1]["end"] == "refused"


def test_a_bug_is_told_without_what_it_quotes(
    cli: Cli, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("harness.run.grade", break_down)
    events = tmp_path / "events.jsonl"
    assert cli(*RUN, "--events", str(events), "--webhook", hook.url).exit_code == 70
    assert "run_ended" in {event["event"] for event in lines(events.read_text())}
    assert "a secret" not in json.dumps(hook.bodies[0])
    assert "ZeroDivisionError" in hook.bodies[0]["why"]


def test_no_key_is_told_to_anybody(cli: Cli, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-some-key-that-is-long"
    monkeypatch.setenv("OPENAI_API_KEY", key)

    def quoting(*_: object) -> None:
        raise SandboxFault(f"could not start: {key}")

    monkeypatch.setattr(wiring, "open_tools", quoting)
    cli(*RUN, "--webhook", hook.url)
    assert hook.bodies[0]["why"] == "could not start: [redacted]"


def test_a_chat_obeys_nothing_in_what_it_is_told(
    cli: Cli, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def calling(*_: object) -> None:
        raise SandboxFault("<!channel> & all")

    monkeypatch.setattr(wiring, "open_tools", calling)
    cli(*RUN, "--webhook", hook.url)
    assert hook.bodies[0]["text"] == (
        "Batch mine did not begin: failed: &lt;!channel&gt; &amp; all"
    )


def test_a_webhook_that_fails_is_a_warning(cli: Cli) -> None:
    with a_hook(404) as broken:
        result = cli(*RUN, "--webhook", broken.url)
    assert result.exit_code in {0, 1}
    assert f"warning: the webhook at http://127.0.0.1:{broken.port} was not told" in result.stderr
    assert "secret-token" not in result.output


def test_webhooks_may_stand_in_the_environment(
    cli: Cli, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_WEBHOOK", f"{hook.url} {hook.url}?2")
    cli(*RUN)
    assert len(hook.bodies) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--webhook", "http://example.com/x"), "use https, or say --insecure-webhook"),
        (("--junit", "."), "is a folder; name a file in it"),
        (("--junit", "no/such/out.xml"), "there is no folder"),
        (("--events", "no/such/events.jsonl"), "No such file or directory"),
        (("--github-summary",), "GITHUB_STEP_SUMMARY is not set"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_could_not_be_told_in_the_end_is_refused_before_anything_runs(
    cli: Cli,
    fakes: Fakes,
    options: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    result = cli(*RUN, *options)
    assert (result.exit_code, fakes.store.batches()) == (2, ())
    assert said in " ".join(result.stderr.split())


def test_a_file_that_can_no_longer_be_written_is_a_warning_and_another_is_still_written(
    cli: Cli, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    junit = gone / "out.xml"
    began = wiring.describe_engine

    def vanish(settings: Any) -> Any:  # noqa: ANN401  # as it is
        gone.rmdir()
        return began(settings)

    monkeypatch.setattr(wiring, "describe_engine", vanish)
    result = cli(*RUN, "--junit", str(junit), "--webhook", hook.url)
    assert result.exit_code in {0, 1}
    assert "warning:" in result.stderr
    assert str(junit) in " ".join(result.stderr.split())
    assert len(hook.bodies) == 1


def test_a_stored_batch_is_written_again(cli: Cli, page: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.xml", tmp_path / "second.xml"
    cli(*RUN, "--junit", str(first))
    second.symlink_to(tmp_path / "real.xml")
    assert cli("batch", "mine", "--junit", str(second), "--github-summary").exit_code == 0
    assert second.is_symlink()
    assert second.read_bytes() == first.read_bytes()
    assert "Mintmark batch `mine`" in page.read_text()


def test_a_resumed_batch_of_which_nothing_is_missing_is_written_too(
    cli: Cli, hook: Hook, tmp_path: Path
) -> None:
    cli(*RUN)
    junit = tmp_path / "out.xml"
    assert cli("resume", "mine", "--junit", str(junit), "--webhook", hook.url).exit_code == 0
    assert len(kinds(junit)) == 3
    assert hook.bodies[0]["end"] == "finished"


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_is_documented(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs/batches.md").read_text(encoding="utf-8")
