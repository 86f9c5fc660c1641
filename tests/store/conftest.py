from __future__ import annotations

from dataclasses import replace

import pytest

from harness.domain.artifact import Artifact
from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.record import (
    CheckResult,
    CommandResult,
    Fault,
    Maker,
    PriceTables,
    RunRecord,
    SpecialistRef,
    TestOutcome,
    TreeRef,
    Verdict,
)
from harness.domain.scenario import Level
from harness.domain.session import Ending, Entry, Question, Role, Session, Usage
from harness.testing.store import a_cell, a_record

NASTY = "line\nnul\0 lone surrogate \udcff quote' \" backslash \\ 日本 \U0001f600"


@pytest.fixture
def full_record() -> RunRecord:
    """A record in which every field holds something, nothing of it harmless."""
    output = Artifact("build.txt", text_digest("output"), 17)
    outcomes = (TestOutcome("t.py::test_a", Verdict.FAILED, NASTY),)
    session = Session(
        ending=Ending.TIMED_OUT,
        duration_s=0.1 + 0.2,
        transcript=(Entry(Role.TOOL_CALL, NASTY, 1.5, "run", is_error=True),),
        questions=(Question(NASTY, "no", None), Question("b", "yes", "b")),
        usage=Usage(1, 2, 3, 4),
        cost_usd=1e-9,
        detail=NASTY,
    )
    return replace(
        a_record(),
        cell=replace(
            a_cell(),
            model="anthropic:x",
            specialist=SpecialistRef("@org/name", "1.2.3", text_digest("specialist")),
        ),
        session=session,
        tree=TreeRef("a" * 40, "b" * 40, 3, 20, 1, (NASTY,)),
        commands=(CommandResult("build", "make", None, 2.0, output),),
        checks=(
            CheckResult("test", "test", 1 / 3, 0.6, required=True, reason=NASTY,
                        details=(NASTY, ""), level=Level.B, outcomes=outcomes,
                        artifacts=(output,), duration_s=1.0),
            CheckResult("lint", "lint", None, 0.4, reason="could not run: no ruff"),
        ),
        total_score=1 / 3,
        passed=False,
        fault=Fault(Cause.EVALUATOR, "evaluate", NASTY),
        stages_s=(("prepare", 0.25), ("work", 3.0)),
        maker=Maker("0.1.0", PriceTables(NASTY, text_digest("prices.json5"))),
    )  # fmt: skip
