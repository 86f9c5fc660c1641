from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluators.security import SecurityEvaluator
from harness.domain.changes import Change, ChangeKind, Changes
from harness.domain.ids import Digest
from harness.domain.record import CheckResult, Control
from harness.domain.scenario import CheckSpec
from harness.evaluate import Evidence
from harness.sandbox.base import Completed
from harness.testing.builders import a_scenario
from harness.testing.sandbox import Answer, FakeBox
from harness.testing.store import MemoryArtifacts

CHECK = CheckSpec("security", "security", 1.0)
MISSING = Completed(127, "", "bandit: not found", 0.1)
Answers = Mapping[str, Answer]


def bandit(*severities: str, errors: tuple[str, ...] = ()) -> Completed:
    results = [
        {"test_id": f"B{n}", "filename": "./a.py", "issue_text": "bad", "line_number": n}
        | {"issue_severity": severity}
        for n, severity in enumerate(severities)
    ]
    failed = [{"filename": name, "reason": "syntax error"} for name in errors]
    text = json.dumps({"errors": failed, "results": results})
    return Completed(1 if severities else 0, text, "", 0.1)


def judge(
    folder: Path,
    before: Answers | None,
    after: Answers,
    *changes: Change,
    options: Mapping[str, Any] | None = None,
) -> tuple[CheckResult, FakeBox]:
    check = replace(CHECK, options=options or {})
    scenario = a_scenario(folder, checks=(check,))
    evidence = Evidence(
        scenario, Changes(), FakeBox({}, before or {}), (), None, {}, MemoryArtifacts().put
    )
    known = None
    if before is not None:
        first = SecurityEvaluator().judge(replace(evidence, untouched=True), check)
        known = Control(Digest("k"), (), (first,))
    box = FakeBox({}, after)
    box.apply(changes)
    later = replace(evidence, box=box, control=known, changes=Changes(changes))
    return SecurityEvaluator().judge(later, check), box


@pytest.mark.parametrize(
    ("before", "after", "score"),
    [
        (bandit(), bandit(), 1.0),
        (bandit("HIGH"), bandit("HIGH"), 1.0),
        (bandit("HIGH"), bandit(), 1.0),
        (bandit(), bandit("LOW"), 1 / 2),
        (bandit(), bandit("MEDIUM"), 1 / 3),
        (bandit(), bandit("HIGH"), 1 / 5),
        (bandit("HIGH"), bandit("HIGH", "LOW", "LOW"), 1 / 3),
        (bandit(), bandit(errors=("a.py",)), 1 / 3),
        (bandit(), Completed(2, "", "usage", 0.1), 0.0),
        (bandit(), Completed(None, "", "", 0.1), 0.0),
        (bandit(), MISSING, 0.0),
    ],
    ids=[
        *("nothing", "as-before", "mended", "low", "medium", "high", "two-low", "unreadable"),
        *("no-report", "endless", "lost-the-tool"),
    ],
)
def test_new_findings_count_by_their_severity(
    tmp_path: Path, before: Completed, after: Completed, score: float
) -> None:
    result, _ = judge(tmp_path, {"bandit": before}, {"bandit": after, "ruff": MISSING})
    assert result.score == score


def test_ruff_is_asked_where_there_is_no_bandit(tmp_path: Path) -> None:
    row = {"code": "S602", "filename": "/workspace/a.py", "message": "shell"}
    found = Completed(0, json.dumps([row | {"location": {"row": 3}}]), "", 0.1)
    clean = Completed(0, "[]", "", 0.1)
    result, _ = judge(
        tmp_path, {"bandit": MISSING, "ruff": clean}, {"bandit": MISSING, "ruff": found}
    )
    assert result.score == 1 / 3


def test_without_a_scanner_the_reason_says_what_to_install(tmp_path: Path) -> None:
    missing = {"bandit": MISSING, "ruff": MISSING}
    result, _ = judge(tmp_path, missing, missing)
    assert result.score is None
    assert "add `bandit` to the scenario's image packages" in result.reason


def test_a_command_of_the_scenarios_own_is_named_when_it_is_missing(tmp_path: Path) -> None:
    missing = {"semgrep": MISSING}
    result, _ = judge(tmp_path, missing, missing, options={"command": "semgrep --json"})
    assert result.score is None
    assert "'semgrep --json' is not in the image" in result.reason


def test_without_a_control_only_a_clean_scan_has_a_score(tmp_path: Path) -> None:
    assert judge(tmp_path, None, {"bandit": bandit()})[0].score == 1.0
    assert judge(tmp_path, None, {"bandit": bandit("LOW")})[0].score is None


def test_weights_and_ignored_rules_are_the_scenarios(tmp_path: Path) -> None:
    options = {"ignore": ["B0"], "weights": {"low": 9.0}}
    result, _ = judge(
        tmp_path, {"bandit": bandit()}, {"bandit": bandit("HIGH", "LOW")}, options=options
    )
    assert result.score == 1 / 10


def test_the_scanner_believes_no_file_and_no_comment_of_the_works(tmp_path: Path) -> None:
    change = Change(b"src/.bandit", ChangeKind.FILE, data=b"[bandit]\nskips: B602\n")
    seen: list[bool] = []

    def look(box: FakeBox) -> Completed:
        seen.append("src/.bandit" in box.files)
        return bandit()

    _, box = judge(tmp_path, {"bandit": bandit()}, {"bandit": look}, change)
    assert seen == [False]
    assert "src/.bandit" in box.files
    (scanned,) = [line for line in box.asked if line.startswith("bandit")]
    assert "--ignore-nosec --ini /dev/null" in scanned


def test_work_without_code_is_not_secure(tmp_path: Path) -> None:
    gone = Change(b"app.py", ChangeKind.DELETE)
    result, _ = judge(tmp_path, {"bandit": bandit("HIGH")}, {"bandit": bandit()}, gone)
    assert result.score == 0.0
