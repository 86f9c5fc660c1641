from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.domain.heuristics import Heuristic, HeuristicKind
from harness.load.globs import matching
from tests.load.project import Project

Make = Callable[..., Project]

HEAD = "name: x\nimage: {}\nheuristic_checks:\n  enabled: true\n"


def test_every_kind_is_read(project: Make) -> None:
    text = """\
  commands: [{name: a, command: "make", weight: 2, description: d, absent: true}]
  files: [{name: b, path: "./app/"}]
  patterns: [{name: c, file: "app/**", pattern: "^x", flags: im, absent: true}]
  structured:
    - {name: d, file: a.json, json_path: "$.a.b[0]['c.d'].1", equals: {y: 1, x: null}}
    - {name: e, file: a.toml, section_header: "[tool]", exists: false}
  scripts:
    - {name: f, script: checks/s.sh, args: ["${scenario.suite}/${scenario.id}", "$x", 3, 0.5]}
"""
    scenario = project(HEAD + text).write({"checks/s.sh": "exit 0\n"}).load()
    command, file, pattern, value, section, script = scenario.heuristics
    assert command == Heuristic(HeuristicKind.COMMAND, "a", 2.0, "d", "make", absent=True)
    assert file == Heuristic(HeuristicKind.FILE, "b", file="app")
    assert (pattern.file, pattern.pattern, pattern.flags) == ("app/**", "^x", "im")
    assert pattern.absent
    assert value.path == ("a", "b", 0, "c.d", "1")
    assert (value.equals, value.absent) == ('{"x": null, "y": 1}', False)
    assert (section.section, section.absent) == ("[tool]", True)
    assert (script.script, script.args) == ("checks/s.sh", ("shop/sums", "$x", "3", "0.5"))
    assert scenario.checks[0].kind == "heuristic_checks"


def test_another_script_is_another_task(project: Make) -> None:
    made = project(HEAD + "  scripts: [{name: f, script: s.sh}]\n").write({"s.sh": "exit 0\n"})
    before = made.load().digests.definition
    assert made.write({"s.sh": "exit 1\n"}).load().digests.definition != before


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ("patterns: [{name: p, file: a, pattern: '(?P<x>a)'}]",
         "/heuristic_checks/patterns/0/pattern (line 5): '(?P<x>a)' is no regular expression of"),
        ("patterns: [{name: p, file: a, pattern: 'a++'}]", "is no regular expression of JavaScr"),
        ("patterns: [{name: p, file: a, pattern: a, flags: g}]", "some of the flags i, m, s and"),
        ("patterns: [{name: p, file: ../a, pattern: a}]", "is not a relative path that does not"),
        ("files: [{name: p, path: /etc/passwd}]", "is not a relative path that does not climb"),
        ("files: [{name: p, path: a}, {name: p, path: b}]", "'p' names more than one check"),
        ("files: [{name: p, path: a, weight: 0}]", "every check has weight 0"),
        ("files: []", "/heuristic_checks (line 3): there is no check in heuristic_checks"),
        ("structured: [{name: p, file: a, json_path: a.b}]", "'a.b' is no path such as $.a.b[0]"),
        ("structured: [{name: p, file: a, json_path: '$.a[*]'}]", "'[*]' cannot follow"),
        ("structured: [{name: p, file: a, equals: 1}]", "/structured/0/equals (line 5): needs the"),
        ("scripts: [{name: p, script: gone.sh}]",
         "/scripts/0/script (line 5): 'gone.sh' is not there; scripts are taken from the scenario"),
        ("scripts: [{name: p, script: repo-fixture/README.md}]", "is in the fixture, where the ag"),
        ("scripts: [{name: p, script: link.sh}]", "'link.sh' leads out of the scenario's folder"),
        ("scripts: [{name: p, script: s.sh, args: ['${artifact.figma_file_id}']}]",
         "/args/0 (line 5): ${artifact.figma_file_id} is of artifact scenarios, which are not"),
        ("scripts: [{name: p, script: s.sh, args: ['${scenario.name}']}]",
         "${scenario.name} is unknown; did you mean 'scenario.id'"),
    ],
)  # fmt: skip
def test_a_check_that_cannot_be_is_refused(project: Make, items: str, said: str) -> None:
    made = project(f"{HEAD}  {items}\n").write({"s.sh": "exit 0\n"})
    (made.folder / "link.sh").symlink_to("/etc/passwd")
    errors = made.errors()
    assert any(said in error for error in errors), errors


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ("patterns: [{name: no_pages_router, file: 'a/**', pattern: getStaticProps}]",
         "/patterns/0 (line 5): 'no_pages_router' sounds as if it must not be there, but"),
        ("patterns: [{name: no_x, file: 'a/**', pattern: y}]",
         "the check demands it; add `absent: true`, or `absent: false` if it is meant so"),
        ("patterns: [{name: hooks, file: a, pattern: x, description: No hooks}]", "`absent: t"),
        ("patterns: [{name: avoidsLegacy, file: a, pattern: x}]", "'avoidsLegacy' sounds as if"),
        ("files: [{name: without-config, path: a.js}]", "/files/0 (line 5): 'without-config' soun"),
        ("structured: [{name: no_webpack, file: a.json, json_path: $.webpack}]", "`exists: false`"),
    ],
)  # fmt: skip
def test_a_check_named_for_what_must_not_be_but_demands_it_is_noted(
    project: Make, items: str, said: str
) -> None:
    notes = project(f"{HEAD}  {items}\n").report().warnings
    assert any(said in note for note in notes), notes


@pytest.mark.parametrize(
    "items",
    [
        "patterns: [{name: no_pages_router, file: 'a/**', pattern: x, absent: true}]",
        "patterns: [{name: no_pages_router, file: 'a/**', pattern: x, absent: false}]",
        "patterns: [{name: notes, file: a, pattern: x, description: Notes are kept}]",
        "files: [{name: not_found_page, path: app/not-found.tsx}]",
        "structured: [{name: no_webpack, file: a.json, json_path: $.webpack, exists: false}]",
        "commands: [{name: no_lint_errors, command: make lint}]",
    ],
)
def test_other_checks_are_not_suspected(project: Make, items: str) -> None:
    notes = project(f"{HEAD}  {items}\n").report().warnings
    assert not any("sounds as if" in note for note in notes)


def test_a_file_that_the_fixture_has_under_another_suffix_is_noted(project: Make) -> None:
    text = f"{HEAD}  files: [{{name: config, path: next.config.js}}]\n"
    made = project(text).write({"repo-fixture/next.config.ts": ""})
    said = "'next.config.js' is not in the fixture, but 'next.config.ts' is"
    assert any(note.endswith(said) for note in made.load().notes)
    assert "so this cannot hold" in made.write({"solution/a.py": ""}).load().notes[0]
    assert not any("next" in n for n in made.write({"solution/next.config.js": ""}).load().notes)


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("a/b.ts", ["a/b.ts"]),
        ("*.ts", ["c.ts"]),
        ("**/*.ts", ["a/b.ts", "c.ts"]),
        ("a/**", ["a/b.ts", "a/[x]/y.js"]),
        ("a/[x]/y.js", ["a/[x]/y.js"]),
        ("**/*.{js,ts}", ["a/b.ts", "a/[x]/y.js", "c.ts"]),
        ("[!a].ts", ["c.ts"]),
        ("?.ts", ["c.ts"]),
        (".d/*", [".d/z.ts"]),
        ("node_modules/**", ["node_modules/m/i.ts"]),
        ("*" * 200 + "!", []),
        ("/".join(["**"] * 100) + "/!", []),
        ("{a,b}" * 100, []),
    ],
    ids=lambda value: str(value)[:20],
)
def test_globs_mean_what_they_do_in_a_shell(glob: str, found: list[str]) -> None:
    paths = ["a/b.ts", "a/[x]/y.js", "c.ts", ".d/z.ts", "node_modules/m/i.ts", "x" * 250]
    assert list(matching(glob, paths)) == found
