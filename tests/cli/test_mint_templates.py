from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from harness.cli.mint import mint

Mint = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mint:
    """Run `mint` in an empty project."""
    monkeypatch.setenv("BENCH_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suites").mkdir()

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(mint, list(arguments), standalone_mode=False)

    return call


def said(result: Result) -> str:
    return f"{result.stdout}{result.exception or ''}"


def test_a_new_template_is_valid_as_it_stands(run: Mint, tmp_path: Path) -> None:
    assert "wrote templates/my-specialist.json5" in said(run("new", "@org/my-specialist"))
    text = (tmp_path / "templates" / "my-specialist.json5").read_text(encoding="utf-8")
    assert "mint validate templates/my-specialist.json5" in text
    result = run("validate")
    assert result.return_value == 0
    assert result.stdout == "✓ templates/my-specialist.json5\n"


def test_a_new_template_may_inherit(run: Mint) -> None:
    run("new", "@org/base")
    run("new", "kid", "--from", "@org/base")
    assert run("validate").return_value == 0
    resolved = run("show", "kid", "--resolved").stdout
    assert "// templates/kid.json5, with what it inherits from templates/base.json5." in resolved
    assert '    // from templates/base.json5\n    tags: ["example"],' in resolved
    assert resolved.index('name: "kid"') < resolved.index("persona:")
    document = json.loads(run("show", "kid", "--resolved", "--json").stdout)
    assert document["origins"]["/capabilities/tags"] == "templates/base.json5"
    assert document["origins"]["/persona/purpose"] == "templates/kid.json5"
    assert document["files"] == ["templates/kid.json5", "templates/base.json5"]


def test_what_is_resolved_is_itself_a_template(run: Mint, tmp_path: Path) -> None:
    run("new", "base")
    run("new", "kid", "--from", "base")
    (tmp_path / "again.json5").write_text(run("show", "kid", "--resolved").stdout, "utf-8")
    assert run("validate", "again.json5").return_value == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new", "Bad Name"], "'Bad Name' is no name"),
        (["new", "there"], "exists; it was left as it is"),
        (["new", "x", "--output", "x.json"], "has comments in it"),
        (["new", "x", "--from", "@no/body"], "no template '@no/body'"),
        (["validate", "nowhere.json5"], "there is no file 'nowhere.json5'"),
        (["show", "ther"], "did you mean 'there'"),
        (["show", "there", "--task", "x"], "go with --words"),
        (["show", "there", "--resolved", "--words"], "exclude each other"),
        (["show", "there", "--words", "--task", "x"], "has no task 'x'"),
    ],
    ids=" ".join,
)
def test_a_wrong_word_is_answered(run: Mint, arguments: list[str], words: str) -> None:
    run("new", "there")
    assert words in said(run(*arguments))


def test_a_parent_that_is_missing_leaves_no_file_behind(run: Mint, tmp_path: Path) -> None:
    run("new", "x", "--from", "@no/body")
    assert not (tmp_path / "templates" / "x.json5").exists()


def test_everything_wrong_with_every_template_is_said(run: Mint, tmp_path: Path) -> None:
    run("new", "good")
    bad = (tmp_path / "templates" / "good.json5").read_text(encoding="utf-8")
    bad = bad.replace("tags:", "tgas:").replace('name: "good"', 'name: "Bad"')
    (tmp_path / "templates" / "bad.json5").write_text(bad, encoding="utf-8")
    result = run("validate")
    assert result.return_value == 2
    assert "✗ templates/bad.json5" in result.stdout
    assert "/capabilities/tgas (line 17): unknown key 'tgas'; did you mean 'tags'?" in result.stdout
    assert "/name (line 7): 'Bad' is not a name" in result.stdout
    assert "✓ templates/good.json5" in result.stdout
    document = json.loads(run("validate", "--json").stdout)
    assert [each["ok"] for each in document["templates"]] == [False, True]


def test_a_prompt_that_nobody_can_fill_in_is_an_error_for_any_model(
    run: Mint, tmp_path: Path
) -> None:
    run("new", "x")
    path = tmp_path / "templates" / "x.json5"
    prompts = 'default: { migration: "To {version}." }, model_specific: { m: { s: "{{nam}}" } }, '
    text = path.read_text(encoding="utf-8").replace("prompts: {", f"prompts: {{ {prompts}", 1)
    text = text.replace("    default: { spawnerPrompt", "    other: { default: { spawnerPrompt", 1)
    path.write_text(text.replace('purpose}}" },', 'purpose}}" } },', 1), encoding="utf-8")
    result = run("validate", "x")
    assert result.return_value == 2
    assert "/prompts/model_specific/m/s (line 21): nothing fills {{nam}}; did" in result.stdout
    assert "never said, as nobody fills them in: default/migration ({version})" in result.stdout


BAD = """\
{
  name: "@org/bad", version: "1.0.0", purpse: 1,
  persona: { purpose: 3 },
  capabilities: { tags: ["t", "t"] },
  merge: { "capabilities.tags": "append" },
  dependencies: { mcps: [{ nme: "x" }, { name: "two words" }] },
  task_detection: { patterns: { fix: ["/(/", 7], b: 3 }, priority: ["fx"] },
  documentation: [
    { path: "docs/none.md" },
    { path: "../../outside.md" },
    { type: "web" },
    { path: "docs/there.md" },
    { url: "https://x.example" },
  ],
  prompts: {
    "1x": {},
    default: { spawnerPrompt: "{{nam}}", b: 5 },
  },
}
"""


def test_everything_wrong_with_a_template_is_said_at_once(run: Mint, tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "docs"
    folder.mkdir(parents=True)
    (folder / "there.md").write_text("Text.", encoding="utf-8")
    (tmp_path / "outside.md").write_text("Text.", encoding="utf-8")
    (folder.parent / "bad.json5").write_text(BAD, encoding="utf-8")
    (report,) = json.loads(run("validate", "--json").stdout)["templates"]
    assert [error.split(": ")[0] for error in report["errors"]] == [
        "/purpse (line 2)",
        "/persona/purpose (line 3)",
        "/capabilities/tags (line 4)",
        "/merge (line 5)",
        "/dependencies/mcps/0 (line 6)",
        "/dependencies/mcps/0/nme (line 6)",
        "/dependencies/mcps/1/name (line 6)",
        "/task_detection/patterns/fix/0 (line 7)",
        "/task_detection/patterns/fix/1 (line 7)",
        "/task_detection/patterns/b (line 7)",
        "/task_detection/priority/0 (line 7)",
        "/documentation/2 (line 11)",
        "/prompts/1x (line 16)",
        "/prompts/default/spawnerPrompt (line 17)",
        "/prompts/default/b (line 17)",
    ]
    missing, outside, *_ = report["warnings"]
    assert (
        missing == "/documentation/0 (line 9): there is no file 'docs/none.md' beside the template"
    )
    assert outside.startswith(
        "/documentation/1 (line 10): '../../outside.md' is outside of the temp"
    )
    assert not any("there.md" in warning for warning in report["warnings"])


def test_two_templates_of_one_name_and_version_are_both_told(run: Mint, tmp_path: Path) -> None:
    run("new", "one")
    templates = tmp_path / "templates"
    text = (templates / "one.json5").read_text(encoding="utf-8")
    (templates / "other.json5").write_text(text, encoding="utf-8")
    newer = text.replace('version: "0.1.0"', 'version: "0.2.0"')
    (templates / "newer.json5").write_text(newer, encoding="utf-8")
    enriched = templates / "newer" / "enriched" / "0.2.0" / "enriched-001.json5"
    enriched.parent.mkdir(parents=True)
    enriched.write_text(newer, encoding="utf-8")
    result = run("validate")
    assert result.return_value == 2
    assert "/name (line 7): templates/other.json5 claims the same name and version" in result.stdout
    assert "/name (line 7): templates/one.json5 claims the same name and version" in result.stdout
    assert "✓ templates/newer.json5" in result.stdout
    assert "✓ templates/newer/enriched/0.2.0/enriched-001.json5" in result.stdout


def test_a_template_is_shown_with_what_it_is_good_for(run: Mint, tmp_path: Path) -> None:
    run("new", "@org/x")
    snapshot = tmp_path / "snapshots" / "x" / "0.1.0" / "snapshot-001.json5"
    snapshot.parent.mkdir(parents=True)
    snapshot.write_text("{}", encoding="utf-8")
    shown = run("show", "@org/x").stdout
    for words in ("@org/x", "0.1.0", "example", "0, 0 of them enriched", "snapshot-001.json5"):
        assert words in shown
    document = json.loads(run("show", "@org/x", "--json").stdout)
    assert (document["name"], document["tags"]) == ("@org/x", ["example"])


def test_the_words_of_a_template_are_shown(run: Mint, tmp_path: Path) -> None:
    run("new", "@org/x")
    (tmp_path / "prompt.md").write_text("Fix it.", encoding="utf-8")
    assert run("show", "x", "--words").stdout.startswith("You are x. Say in one sentence")
    document = json.loads(run("show", "x", "--words", "--prompt", "prompt.md", "--json").stdout)
    assert document["application"]["task_reason"] == "the template tells no tasks apart"
