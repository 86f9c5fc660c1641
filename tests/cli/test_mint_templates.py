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
    assert "/prompts/model_specific/m/s: nothing fills {{nam}}; did you mean" in result.stdout
    assert "never said, as nobody fills them in: default/migration ({version})" in result.stdout


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
