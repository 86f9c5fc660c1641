from __future__ import annotations

import json

import pytest

from evaluators.findings import MAX_FINDINGS, Report, compare, listed, read_findings
from harness.domain.patch import FilePatch, Patch, PatchKind
from harness.domain.record import Finding

ESLINT = [
    {
        "filePath": "/workspace/src/a.js",
        "messages": [{"ruleId": "no-eval", "severity": 2, "message": "No eval.", "line": 3}],
    },
    {"filePath": "/workspace/src/b.js", "messages": []},
]
RUFF = [
    {"code": "F401", "filename": "/workspace/a.py", "message": "unused", "location": {"row": 1}}
]
PYLINT = [
    {"message-id": "C0114", "symbol": "no-doc", "path": "a.py", "message": "Missing", "line": 1}
]
PYRIGHT = {
    "generalDiagnostics": [
        {"file": "/workspace/a.py", "severity": "error", "message": "No.", "rule": "reportX"}
        | {"range": {"start": {"line": 4}}},
        {"file": "/workspace/a.py", "severity": "information", "message": "fyi"},
    ]
}
BANDIT = {
    "errors": [{"filename": "./bad.py", "reason": "syntax error"}],
    "results": [
        {"test_id": "B602", "filename": "./a.py", "issue_text": "shell", "line_number": 5}
        | {"issue_severity": "HIGH"}
    ],
}
SEMGREP = {
    "results": [
        {"check_id": "py.eval", "path": "a.py", "start": {"line": 2}}
        | {"extra": {"message": "eval", "severity": "WARNING"}}
    ],
    "errors": [],
}
RUFF_FULL = """\
F401 [*] `os` imported but unused
 --> src/a.py:1:8
  |
1 | import os
  |        ^^
help: Remove unused import: `os`
"""
STYLISH = """\

/workspace/src/a.js
  1:7   error    'x' is assigned a value but never used  no-unused-vars
  4:12  warning  Unexpected console statement            no-console

✖ 2 problems (1 error, 1 warning)
"""
MYPY = """\
src/a.py:3: error: Incompatible return value type  [return-value]
src/a.py:3: note: See the docs
Found 1 error in 1 file (checked 2 source files)
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (json.dumps(ESLINT), [("no-eval", "src/a.js", "No eval.", 3)]),
        ("\n> lint\n> eslint .\n\n" + json.dumps(ESLINT), [("no-eval", "src/a.js", "No eval.", 3)]),
        (json.dumps(RUFF), [("F401", "a.py", "unused", 1)]),
        (json.dumps(PYLINT), [("no-doc", "a.py", "Missing", 1)]),
        (json.dumps(PYRIGHT), [("reportX", "a.py", "No.", 5)]),
        (
            json.dumps(BANDIT),
            [("B602", "a.py", "shell", 5), ("unreadable", "bad.py", "syntax error", None)],
        ),
        (json.dumps(SEMGREP), [("py.eval", "a.py", "eval", 2)]),
        ("[]", []),
        ("a.py:1:8: F401 [*] unused\n", [("F401", "a.py", "unused", 1)]),
        (RUFF_FULL, [("F401", "src/a.py", "`os` imported but unused", 1)]),
        ("./a.py:1:80: E501 line too long\n", [("E501", "a.py", "line too long", 1)]),
        ("a.py:1:0: C0114: Missing (no-doc)\n", [("C0114", "a.py", "Missing (no-doc)", 1)]),
        ("a.py:1:1: 'os' imported but unused\n", [("", "a.py", "'os' imported but unused", 1)]),
        (MYPY, [("return-value", "src/a.py", "Incompatible return value type", 3)]),
        ("/workspace/a.js:1:2: No. [Error/no-x]\n", [("Error/no-x", "a.js", "No.", 1)]),
        (
            STYLISH,
            [
                ("no-console", "src/a.js", "Unexpected console statement", 4),
                ("no-unused-vars", "src/a.js", "'x' is assigned a value but never used", 1),
            ],
        ),
        (
            "src/app/(x)/a.ts(3,7): error TS2322: Type 'a'.\n",
            [("TS2322", "src/app/(x)/a.ts", "Type 'a'.", 3)],
        ),
        ("\x1b[96msrc/a.ts\x1b[0m:3:7 - error TS2322: No.\n", [("TS2322", "src/a.ts", "No.", 3)]),
        ("error TS18003: No inputs.\n", [("TS18003", "", "No inputs.", None)]),
    ],
    ids=[
        *("eslint-json", "eslint-json-after-npm", "ruff-json", "pylint-json", "pyright", "bandit"),
        *("semgrep", "nothing-found", "ruff-concise", "ruff-full", "flake8", "pylint", "pyflakes"),
        *("mypy", "eslint-unix", "eslint-stylish", "tsc", "tsc-pretty", "tsc-at-large"),
    ],
)
def test_what_tools_say_is_read(
    output: str, expected: list[tuple[str, str, str, int | None]]
) -> None:
    found = read_findings(output)
    assert found is not None
    assert [
        (f.rule, f.path, f.message, f.line) for f in (report.finding for report in found)
    ] == expected


@pytest.mark.parametrize(
    "output",
    [
        *("", "Traceback (most recent call last):\n  File 'x.py', line 3\nKeyError: 1\n"),
        *("    at f (/workspace/a.js:1:2)\n", "12:30:11: done\n", "[" * 100_000),
        *('{"a":' * 50_000, "[1]", '{"results": 3}', "{" + "9" * 10_000 + "\n" * 1000),
    ],
    ids=["nothing", "traceback", "stack", "clock", "deep", "deep-tables", "numbers", "odd", "long"],
)
def test_output_without_findings_is_not_understood(output: str) -> None:
    assert read_findings(output) is None


@pytest.mark.parametrize(
    "piece",
    ["a.py:1", "a.py(1,1", "  1:1  error  x ", " --> a:", "a: error: [x", "[\n", "(a) (b", "F401 "],
)
def test_no_line_takes_long_however_it_is_made(piece: str) -> None:
    # were a pattern to backtrack, this would not come to an end
    assert len(read_findings(piece * 20_000) or ()) <= 1
    assert len(read_findings(f"{piece}\n" * 5_000) or ()) <= MAX_FINDINGS


def test_findings_are_bounded_in_number_and_in_length() -> None:
    found = read_findings("".join(f"a{n}.py:1:1: {'x' * 500}\n" for n in range(5000)))
    assert found is not None
    assert len(found) == MAX_FINDINGS
    assert all(len(report.finding.message) <= 300 for report in found)


def reports(*findings: Finding) -> tuple[Report, ...]:
    return tuple(Report(finding) for finding in findings)


OLD = Finding("F401", "a.py", "unused", 3)


def test_a_finding_that_moved_within_its_file_is_not_new() -> None:
    compared = compare(reports(Finding("F401", "a.py", "unused", 30)), [OLD])
    assert compared.new == ()
    assert compared.known == 1


def test_the_same_finding_once_more_is_new() -> None:
    assert len(compare(reports(OLD, OLD), [OLD]).new) == 1


def test_a_finding_in_a_renamed_file_is_not_new() -> None:
    patch = Patch((FilePatch("b.py", PatchKind.RENAMED, was="a.py"),))
    moved = Finding("F401", "b.py", "unused", 3)
    assert compare(reports(moved), [OLD], patch).new == ()
    assert len(compare(reports(moved), [OLD]).new) == 1


def test_line_numbers_within_messages_say_nothing() -> None:
    before = Finding("F811", "a.py", "redefined from line 3 (101 > 88)")
    now = Finding("F811", "a.py", "redefined from line 9 (102 > 88)")
    assert compare(reports(now), [before]).new == ()


def test_of_more_than_can_be_kept_only_the_first_are_compared() -> None:
    before = [Finding("X", f"b{n:05}.py", "m") for n in range(MAX_FINDINGS)]
    early, late = Finding("X", "a.py", "m"), Finding("X", "c.py", "m")
    compared = compare(reports(early, *before[1:], late), before)
    assert [report.finding for report in compared.new] == [early]
    assert compared.cut


def test_a_list_for_people_says_how_much_is_left_out() -> None:
    lines = listed(reports(*(Finding("X", "a.py", str(n), n) for n in range(12))))
    assert lines[0] == "new: a.py:0 X 0"
    assert lines[-1] == "… and 2 more"
