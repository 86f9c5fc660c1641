from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.domain.template import DocumentRef, ModelPrompts, PreferredModel
from harness.errors import BadFile, UsageError
from harness.load.schema import SNAPSHOT as SNAPSHOT_SCHEMA
from harness.load.schema import TEMPLATE as TEMPLATE_SCHEMA
from harness.load.templates import (
    check_snapshot,
    find_template,
    load_template,
    snapshot_problems,
)

SCHEMAS = Path(__file__).parents[2] / "harness" / "load" / "schemas"

GUIDE = """\
{
  name: "@org/my-specialist",
  version: "1.0.0",
  persona: { purpose: "Help users", tech_stack: ["React"] },
  capabilities: { tags: ["ui"] },
  preferred_models: ["anthropic/claude-3.5-sonnet"],
  documentation: [{ source: "https://ui.example/docs", type: "web",
                    enrichment: { summary: "s", use_cases: ["u"], relevance_to_specialist: "r" } }],
}
"""

FULL = """\
// A template in the original's shape.
{
  "$schema": "/somewhere/else/template.schema.jsonc",
  "schema_version": "0.0.1", "name": "nextjs-specialist", "displayName": "Next.js",
  "version": "0.0.1", "license": "MIT", "availability": "public",
  "maintainers": [{ "name": "A team" }, { "name": "B", "email": "b@example.org" }],
  "persona": { "purpose": "Expert", "values": ["a"], "attributes": ["b"], "tech_stack": ["c"] },
  "capabilities": { "tags": ["app-router"], "descriptions": { "app-router": "d" },
                    "considerations": ["e"] },
  "dependencies": { "subscription": { "required": false, "purpose": "none" },
    "available_tools": ["terminal"],
    "mcps": [{ "name": "figma", "version": "^0.1.0", "permissions": ["read"], "required": false,
               "description": "x", "allowed_tools": ["y"] }] },
  "documentation": [{ "type": "official", "url": "https://x.example", "description": "Docs" },
                    { "type": "recipes", "path": "docs/a.md", "description": "Local" }],
  "preferred_models": [{ "model": "claude-sonnet-4.5", "weight": 0.5, "specialist_enabled": true,
                         "benchmarks": { "accuracy": 0.9 } }],
  "prompts": {
    "default": { "spawnerPrompt": "I am {{name}}.", "migration": "Migrate {x}" },
    "model_specific": { "claude-sonnet-4.5": { "spawnerPrompt": "I am Claude." } },
    "bug_fix": { "default": { "systemPrompt": "Fix." },
                 "model_specific": { "gpt-5": { "systemPrompt": "Fix well." } } },
    "prompt_strategy": { "fallback": "default", "model_detection": "auto", "allow_override": true,
                         "interpolation": { "style": "mustache", "escape_html": false } },
  },
  "task_detection": { "patterns": { "bug_fix": ["fix*", "/bug/i"] }, "priority": ["bug_fix"] },
  "llm_config": { "enabled": false, "provider": "openrouter", "timeout_ms": 10000 },
  "spawnable_sub_agent_specialists": [{ "name": "a", "version": "1", "purpose": "p" }],
  "spawnable_sub-agent_specialists": ["b"],
  "version_metadata": { "deprecated": true, "deprecated_reason": "old", "deprecated_in": "0.0.1",
    "replacement": "@org/new", "changelog": [{ "version": "0.0.1", "date": "2025-01-01",
      "type": "patch", "changes": [{ "category": "fix", "description": "d" }] }] },
}
"""

SNAPSHOT: dict[str, Any] = {
    "name": "@org/my-specialist",
    "version": "1.0.0",
    "persona": {"purpose": "Help users"},
    "capabilities": {"tags": ["ui"]},
    "version_metadata": {"deprecated": False},
    "benchmarks": {
        "test_suites": [{"name": "sums", "path": "shop/sums", "type": "functional"}],
        "scoring": {"methodology": "weighted_average", "update_frequency": "per_run"},
        "runs": [
            {
                "run_id": "run_1",
                "run_date": "2025-01-18T12:00:00Z",
                "model": None,
                "overall_score": None,
                "fault": "sandbox failed",
            },
            {
                "run_id": "run_2",
                "run_date": "2025-01-18T12:00:00.5+00:00",
                "model": "m",
                "overall_score": 0.85,
                "specialist_enabled": True,
                "evaluations": {"test": {"score": 1.0, "passed": True}},
                "telemetry": {"duration_ms": 12, "token_usage": {"prompt_tokens": 1}},
            },
        ],
        "comparison": {"baseline_avg_score": None, "specialist_avg_score": 0.85},
    },
    "snapshot_metadata": {
        "created_at": "2025-01-18T12:00:00Z",
        "minted_by": "mint",
        "template_version": "1.0.0",
    },
}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_form_of_the_guide(tmp_path: Path) -> None:
    template = load_template(write(tmp_path / "a.json5", GUIDE))
    assert (template.name, template.short_name) == ("@org/my-specialist", "my-specialist")
    assert template.preferred_models == (PreferredModel("anthropic/claude-3.5-sonnet"),)
    (document,) = template.documentation
    assert (document.location, document.kind) == ("https://ui.example/docs", "web")
    assert document.enrichment is not None
    assert (document.enrichment.use_cases, document.enrichment.relevance) == (("u",), "r")
    assert template.deprecation is None


def test_the_form_of_the_original(tmp_path: Path) -> None:
    template = load_template(write(tmp_path / "a.jsonc", FULL))
    assert template.display_name == "Next.js"
    assert template.prompts.default == (
        ("spawnerPrompt", "I am {{name}}."),
        ("migration", "Migrate {x}"),
    )
    assert template.prompts.model_specific == (
        ModelPrompts("claude-sonnet-4.5", (("spawnerPrompt", "I am Claude."),)),
    )
    (task,) = template.tasks
    assert (task.task, task.prompts.default) == ("bug_fix", (("systemPrompt", "Fix."),))
    assert task.prompts.model_specific[0].model == "gpt-5"
    assert template.documentation[1] == DocumentRef("docs/a.md", "recipes", "Local")
    assert template.task_detection.patterns == (("bug_fix", ("fix*", "/bug/i")),)
    assert template.deprecation is not None
    assert template.deprecation.replacement == "@org/new"
    assert [note.split(":")[0] for note in template.notes] == [
        "dependencies",
        "llm_config",
        "spawnable_sub_agent_specialists",
        "spawnable_sub-agent_specialists",
    ]


def test_the_whole_file_is_kept_in_its_order(tmp_path: Path) -> None:
    template = load_template(write(tmp_path / "a.jsonc", FULL))
    kept = json.loads(template.document)
    assert list(kept)[:3] == ["$schema", "schema_version", "name"]
    assert kept["prompts"]["prompt_strategy"]["interpolation"]["style"] == "mustache"


def test_the_digest_is_of_the_content_only(tmp_path: Path) -> None:
    one = load_template(write(tmp_path / "a.json5", '{name: "a", version: "1.0.0", ' + REST))
    two = load_template(
        write(tmp_path / "b.json5", '{ // x\n "version": "1.0.0", name: "a", ' + REST)
    )
    other = load_template(write(tmp_path / "c.json5", '{name: "a", version: "1.0.1", ' + REST))
    assert one.digest == two.digest != other.digest


REST = 'persona: {purpose: "p"}, capabilities: {tags: ["t"]}}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "/: 'name' is missing"),
        ('{name: "A b", version: "1.0.0", ' + REST, "/name (line 1): 'A b' is not a name such as"),
        ('{name: "a\\n", version: "1.0.0", ' + REST, "'a\\n' is not a name such as my-specialist"),
        ('{name: "a", version: "1.0", ' + REST, "/version (line 1): '1.0' is not a version such"),
        (GUIDE.replace("purpose", "purpse"), "/persona/purpse (line 4): unknown key 'purpse'; did"),
        (GUIDE.replace('tags: ["ui"]', "tags: []"), "/capabilities/tags (line 5): the list is emp"),
        (GUIDE.replace('"web"', '"wbe"'), "/documentation/0/type (line 7): 'wbe' is unknown here"),
        (GUIDE.replace("source:", "url: 'x', path:"), "is not a document with exactly one of url,"),
        (
            GUIDE.replace("name:", 'from: "@a/b", name:'),
            "cannot be inherited (a.json5 → @a/b): no templ",
        ),
        (GUIDE.replace("name:", "prompt_strategy: {}, name:"), "it belongs in 'prompts'"),
        (
            GUIDE.replace("name:", "prompts: {defualt: {a: 'b'}}, name:"),
            "unknown key 'a'; there is",
        ),
        (
            GUIDE.replace("name:", "task_detection: {patterns: {fix: ['/(/']}}, name:"),
            "/task_detection/patterns/fix/0 (line 2): '/(/' is no regular expression",
        ),
        (
            GUIDE.replace(
                "name:", "task_detection: {patterns: {fix: ['a']}, priority: ['fxi']}, name:"
            ),
            "/task_detection/priority/0 (line 2): no task 'fxi' among the patterns; did you mean",
        ),
        (GUIDE.replace("name:", "name: 'x', name:"), "/name (line 2): the key 'name' stands here"),
        ("[1]", "/: [1] is not a mapping"),
        ("{", "line 1: Unclosed"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    path = write(tmp_path / "a.json5", text)
    with pytest.raises(BadFile) as caught:
        load_template(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_everything_wrong_with_a_template_is_said_at_once(tmp_path: Path) -> None:
    text = (
        '{from: "@a/b", name: "a", version: "1", persona: {}, capabilities: {tags: ["a b"]}, y: 1,'
        "x: 1}"
    )
    with pytest.raises(BadFile) as caught:
        load_template(write(tmp_path / "a.json5", text))
    assert len(caught.value.problems) == 5


def named(root: Path, file: str, name: str, version: str) -> Path:
    text = GUIDE.replace("@org/my-specialist", name).replace("1.0.0", version)
    return write(root / "templates" / file, text)


def test_a_template_is_found_by_name_and_the_newest_is_taken(tmp_path: Path) -> None:
    named(tmp_path, "a.json5", "@org/a", "9.0.0")
    named(tmp_path, "deep/er/b.jsonc", "@org/a", "10.0.0")
    named(tmp_path, "c.json5", "@org/b", "99.0.0")
    write(tmp_path / "templates" / "broken.json5", "{")
    assert find_template(tmp_path, "@org/a").version == "10.0.0"
    assert find_template(tmp_path, "a").version == "10.0.0"
    assert find_template(tmp_path, "@org/a@9.0.0").source == tmp_path / "templates" / "a.json5"


def test_a_template_is_found_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = named(tmp_path, "a.json5", "@org/a", "1.0.0")
    assert find_template(tmp_path, "templates/a.json5").source == path
    assert find_template(tmp_path / "elsewhere", str(path)).name == "@org/a"
    monkeypatch.chdir(tmp_path / "templates")
    assert find_template(tmp_path, "a.json5").source == path


def test_an_enriched_file_of_the_same_version_is_preferred(tmp_path: Path) -> None:
    named(tmp_path, "a.json5", "a", "1.0.0")
    for number in ("002", "010", "009"):
        named(tmp_path, f"a/enriched/1.0.0/enriched-{number}.json5", "a", "1.0.0")
    assert find_template(tmp_path, "a").source.name == "enriched-010.json5"


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("@org/spcialist", "no template '@org/spcialist' in .*; did you mean '@org/specialist'"),
        ("@org/specialist@2.0.0", "has no version '2.0.0'; it has 1.0.0"),
        ("twice", "'twice' means more than one template: .* and .*; give the path"),
        ("templates/none.json5", "there is no file 'templates/none.json5'"),
        ("a b/c/d", "is no template: neither"),
        ("", "is no template: neither"),
    ],
)
def test_a_reference_that_leads_nowhere_is_answered(tmp_path: Path, ref: str, said: str) -> None:
    named(tmp_path, "s.json5", "@org/specialist", "1.0.0")
    named(tmp_path, "t1.json5", "twice", "1.0.0")
    named(tmp_path, "t2.json5", "twice", "1.0.0")
    with pytest.raises(UsageError, match=said):
        find_template(tmp_path, ref)


def test_a_snapshot_is_a_template_with_its_results() -> None:
    check_snapshot(SNAPSHOT)
    template = json.loads((SCHEMAS / TEMPLATE_SCHEMA).read_text(encoding="utf-8"))
    snapshot = json.loads((SCHEMAS / SNAPSHOT_SCHEMA).read_text(encoding="utf-8"))
    assert template["properties"].keys() <= snapshot["properties"].keys()


def test_whatever_a_template_may_say_a_snapshot_may_say_too(tmp_path: Path) -> None:
    raw = json.loads(load_template(write(tmp_path / "a.jsonc", FULL)).document)
    enrichment = {"summary": "s", "relevant_tags": ["app-router"], "last_enriched": "2025-01-01"}
    raw["documentation"][0]["enrichment"] = enrichment
    proof = {key: SNAPSHOT[key] for key in ("benchmarks", "snapshot_metadata")}
    assert {"$schema", "task_detection", "llm_config", "version_metadata"} <= raw.keys()
    check_snapshot({**raw, **proof})


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (
            ("benchmarks", "runs", 1, "overall_score"),
            1.5,
            "/benchmarks/runs/1/overall_score: 1.5 is",
        ),
        (("benchmarks", "runs", 1, "run_date"), "today", "'today' is not a date and time such as"),
        (("benchmarks", "test_suites"), [], "/benchmarks/test_suites: the list is empty"),
        (("snapshot_metadata",), {}, "/snapshot_metadata: 'created_at' is missing"),
        (("benchmarks", "runs", 1, "evaluations", "test"), {}, "'score' is missing"),
        (("nmae",), 1, "unknown key 'nmae'; did you mean 'name'?"),
    ],
)
def test_what_is_no_snapshot_is_never_written(
    place: tuple[str | int, ...], value: object, said: str
) -> None:
    document: Any = json.loads(json.dumps(SNAPSHOT))
    target = document
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    assert any(said in problem for problem in snapshot_problems(document))
    with pytest.raises(ValueError, match="not a snapshot"):
        check_snapshot(document)
