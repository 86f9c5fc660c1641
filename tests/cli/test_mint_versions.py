from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from harness.cli.entry import exit_code_of
from harness.cli.mint import mint
from harness.load.json_text import parse_json5
from harness.load.templates import load_template

Mint = Callable[..., Result]

AUTHORS = """\
{
  // who it is
  name: "@org/my-specialist",
  version: "1.0.0",
  persona: { purpose: "Help." },
  capabilities: { tags: ["ui"] },
}
"""


def minted(root: Path, number: int, notes: str) -> Path:
    """A snapshot of the template, as far as it is compared."""
    raw = parse_json5(AUTHORS).value
    assert isinstance(raw, dict)
    about = {
        "suite": "s", "scenario": "a", "tier": "L1", "agent": "echo", "model": "echo",
        "simulated": True,
    }  # fmt: skip
    proven = {
        **raw,
        "benchmarks": {"runs": [about]},
        "snapshot_metadata": {"notes": notes, "created_at": "2025-01-18T12:00:00Z"},
    }
    path = root / f"snapshots/my-specialist/1.0.0/snapshot-{number:03d}.json5"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(proven))
    return path


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "templates/my-specialist.json5"
    path.parent.mkdir()
    path.write_text(AUTHORS)
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mint:
    monkeypatch.setenv("BENCH_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        @click.command(context_settings={"ignore_unknown_options": True})
        @click.argument("rest", nargs=-1, type=click.UNPROCESSED)
        def command(rest: tuple[str, ...]) -> None:
            raise SystemExit(exit_code_of(mint, list(rest)))

        return CliRunner().invoke(command, ["--", *arguments])

    return call


def test_a_bump_is_written_and_the_comments_survive(run: Mint, template: Path) -> None:
    result = run("bump", "@org/my-specialist", "--minor", "-m", "better prompt", "--author", "Ann")
    assert result.exit_code == 0, result.stderr
    assert "1.0.0 → 1.1.0" in result.stdout
    assert "  // who it is\n" in template.read_text()
    assert load_template(template).version == "1.1.0"
    assert [path.name for path in template.parent.iterdir()] == ["my-specialist.json5"]


def test_a_bump_keeps_the_quotation_marks_of_the_version(run: Mint, template: Path) -> None:
    template.write_text(AUTHORS.replace('"1.0.0"', "'1.0.0'"))
    assert run("bump", str(template), "--patch", "-m", "fix").exit_code == 0
    assert "version: '1.0.1'," in template.read_text()


def test_line_ends_and_the_mode_of_the_file_are_kept(run: Mint, template: Path) -> None:
    template.write_bytes(AUTHORS.replace("\n", "\r\n").encode())
    template.chmod(0o640)
    assert run("bump", str(template), "--patch", "-m", "fix").exit_code == 0
    data = template.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")
    assert template.stat().st_mode & 0o777 == 0o640


def test_a_byte_order_mark_is_kept(run: Mint, template: Path) -> None:
    template.write_bytes(b"\xef\xbb\xbf" + AUTHORS.encode())
    assert run("bump", str(template), "--patch", "-m", "fix").exit_code == 0
    assert template.read_bytes().startswith(b"\xef\xbb\xbf{\n  // who")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-m", "x"], "give one of --major, --minor and --patch"),
        (["--major", "--patch", "-m", "x"], "give one of"),
        (["--patch"], "--message"),
        (["--patch", "-m", "x", "--breaking"], "--migration-notes"),
        (["--patch", "-m", "x", "--breaking", "--migration-notes", "y"], "takes --major"),
    ],
)
def test_a_bump_that_is_not_whole_changes_nothing(
    run: Mint, template: Path, arguments: list[str], said: str
) -> None:
    result = run("bump", str(template), *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert template.read_text() == AUTHORS


def test_a_bump_says_what_becomes_of_enriched_files(run: Mint, template: Path) -> None:
    folder = template.parent / "my-specialist/enriched/1.0.0"
    folder.mkdir(parents=True)
    (folder / "enriched-001.json5").write_text(AUTHORS)
    result = run("bump", str(template), "--patch", "-m", "fix")
    assert "stay with 1.0.0" in result.stdout
    assert "mint enrich" in result.stdout
    refused = run("bump", str(folder / "enriched-001.json5"), "--patch", "-m", "fix")
    assert refused.exit_code == 2
    assert str(template) in refused.stderr


def test_a_broken_template_is_not_bumped(run: Mint, template: Path) -> None:
    template.write_text(AUTHORS.replace("persona", "personae"))
    result = run("bump", str(template), "--patch", "-m", "fix")
    assert result.exit_code == 2
    assert "personae" in result.stderr


def test_the_changelog_shows_the_newest_first_and_as_many_as_asked(
    run: Mint, template: Path
) -> None:
    for message in ("fix one", "fix two", "fix three"):
        run("bump", str(template), "--patch", "-m", message)
    run("bump", str(template), "--major", "-m", "fix all", "--breaking", "--migration-notes", "do")
    shown = run("changelog", str(template), "-n", "2").stdout
    assert shown.index("fix all") < shown.index("fix three")
    assert "fix two" not in shown
    assert "2 earlier versions" in shown
    assert "to migrate: do" in shown
    found = json.loads(run("changelog", str(template), "--breaking-only", "--json").stdout)
    assert [each["version"] for each in found["changelog"]] == ["2.0.0"]
    assert found["migrations"] == [{"version": "2.0.0", "guide": "do"}]


def test_a_template_without_history_says_so(run: Mint, template: Path) -> None:
    assert "no changelog yet" in run("changelog", str(template)).stdout


def test_a_deprecated_template_says_what_to_use(run: Mint, template: Path) -> None:
    other = template.with_name("other.json5")
    other.write_text(AUTHORS.replace("my-specialist", "other"))
    result = run("deprecate", str(template), "--replacement", "@org/other", "-m", "too old")
    assert (result.exit_code, result.stderr) == (0, "")
    found = load_template(template).deprecation
    assert found
    assert (found.reason, found.replacement) == ("too old", "@org/other")
    assert "too old; use @org/other" in run("changelog", str(template)).stdout
    assert run("deprecate", str(template), "--undo").exit_code == 0
    assert load_template(template).deprecation is None


def test_a_second_deprecation_is_refused_and_says_what_the_first_one_is(
    run: Mint, template: Path
) -> None:
    run("deprecate", str(template), "--replacement", "@org/other", "-m", "too old")
    before = template.read_text()
    result = run("deprecate", str(template), "-m", "no longer true")
    assert result.exit_code == 2
    assert "is deprecated since 1.0.0: too old; use @org/other; --force" in result.stderr
    assert template.read_text() == before
    assert run("deprecate", str(template), "-m", "no longer true", "--force").exit_code == 0
    found = load_template(template).deprecation
    assert found
    assert (found.reason, found.replacement) == ("no longer true", None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say why with -m"),
        (["-m", " "], "message is empty"),
        (["--undo"], "is not deprecated"),
        (["--undo", "-m", "x"], "--undo goes without"),
        (["--undo", "--force"], "--undo goes without"),
        (["-m", "x", "--replacement", "@org/my-specialist"], "its own replacement"),
    ],
)
def test_a_deprecation_that_says_nothing_is_refused(
    run: Mint, template: Path, arguments: list[str], said: str
) -> None:
    result = run("deprecate", str(template), *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert template.read_text() == AUTHORS


def test_a_replacement_from_elsewhere_is_noted(run: Mint, template: Path) -> None:
    result = run("deprecate", str(template), "--replacement", "@org/elsewhere", "-m", "old")
    assert result.exit_code == 0
    assert "not in this project" in result.stderr


def test_two_templates_are_compared_in_words_and_line_by_line(run: Mint, template: Path) -> None:
    other = template.with_name("other.json5")
    other.write_text(AUTHORS.replace('["ui"]', '["ui", "forms"]').replace("// who it is", ""))
    shown = run("diff", str(template), str(other), "-u").stdout
    assert 'capabilities.tags: added "forms"' in shown
    assert '+  capabilities: { tags: ["ui", "forms"] },' in shown
    found = json.loads(run("diff", str(template), str(other), "--json").stdout)
    assert found["same"] is False
    assert found["differences"][0]["place"] == "capabilities.tags[forms]"
    assert "they say the same" in run("diff", str(template), str(template)).stdout


def test_a_template_is_compared_with_what_a_snapshot_took_from_it(
    run: Mint, template: Path, tmp_path: Path
) -> None:
    first, second = (minted(tmp_path, number, notes) for number, notes in ((1, "x"), (2, "y")))
    assert "they say the same" in run("diff", str(template), str(first)).stdout
    shown = run("diff", str(first), str(second)).stdout
    assert shown == 'snapshot_metadata.notes: "x" → "y"\n'


def test_snapshots_go_by_their_numbers(run: Mint, template: Path, tmp_path: Path) -> None:
    minted(tmp_path, 1, "x")
    minted(tmp_path, 2, "y")
    result = run("diff", "@org/my-specialist@1.0.0#001", "my-specialist@1.0.0#2")
    assert (result.stdout, result.stderr) == ('snapshot_metadata.notes: "x" → "y"\n', "")
    assert "the same" in run("diff", str(template), "@org/my-specialist@1.0.0#002").stdout
    missing = run("diff", str(template), "@org/my-specialist@1.0.0#003")
    assert missing.exit_code == 2
    assert "has @org/my-specialist@1.0.0#001, @org/my-specialist@1.0.0#002" in missing.stderr


def test_a_version_that_was_bumped_away_is_taken_from_its_snapshot(
    run: Mint, template: Path, tmp_path: Path
) -> None:
    minted(tmp_path, 1, "x")
    run("bump", str(template), "--patch", "-m", "fix")
    template.write_text(template.read_text().replace('"Help."', '"Help well."'))
    result = run("diff", "@org/my-specialist@1.0.0", "@org/my-specialist@1.0.1")
    assert 'persona.purpose: "Help." → "Help well."' in result.stdout
    assert "no author's file has @org/my-specialist@1.0.0 any more: a snapshot" in result.stderr
    missing = run("diff", "@org/my-specialist@0.9.0", "@org/my-specialist")
    assert missing.exit_code == 2
    assert "has no version '0.9.0'; it has 1.0.1; snapshots/ has @org/my-spec" in missing.stderr
    unknown = run("diff", "@org/my-specialis", "@org/my-specialist")
    assert "did you mean '@org/my-specialist'" in unknown.stderr


def test_two_versions_are_compared_without_what_a_model_drew_for_one_of_them(
    run: Mint, template: Path
) -> None:
    documents = 'documentation: [{ path: "a.md"%s }],\n}'
    template.write_text(AUTHORS.replace("\n}", "\n  " + documents % "", 1))
    enriched = template.parent / "my-specialist/enriched/1.0.0/enriched-001.json5"
    enriched.parent.mkdir(parents=True)
    drawn = ', enrichment: { summary: "s" }'
    enriched.write_text(AUTHORS.replace("\n}", "\n  " + documents % drawn, 1))
    asked = str(template), str(enriched)
    assert "documentation[a.md].enrichment: added" in run("diff", *asked).stdout
    run("bump", str(template), "--patch", "-m", "fix")
    result = run("diff", "@org/my-specialist@1.0.0", "@org/my-specialist@1.0.1")
    assert 'version: "1.0.0" → "1.0.1"' in result.stdout
    assert "enrichment" not in result.stdout
    assert "an enriched file of it, enriched-001.json5, is compared" in result.stderr
    assert "what a model drew from documents is left out" in result.stderr
