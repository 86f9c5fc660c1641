from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.load
from harness.domain.failures import Cause
from harness.domain.scenario import Level
from harness.domain.session import Ending
from harness.load.fits import fits
from harness.load.schema import MINTED, schema_problems
from tests.load.test_templates import SNAPSHOT

RUN = f"{MINTED}#/$defs/run"
DIGEST = "a" * 64

WHOLE: dict[str, Any] = {
    "run_id": "run_1",
    "run_date": "2025-01-18T12:00:00Z",
    "batch_id": "b",
    "suite": "shop",
    "scenario": "sums",
    "tier": "L1",
    "iteration": 1,
    "agent": "tool-loop",
    "model": None,
    "specialist_enabled": True,
    "specialist": {"name": "@a/b", "version": "1.0.0", "digest": DIGEST},
    "simulated": False,
    "status": "finished",
    "passed": True,
    "overall_score": 0.5,
    "weighted_score": 5.0,
    "threshold": 0.7,
    "spec_digest": DIGEST,
    "task_digest": DIGEST,
    "fixture": "base",
    "tree": "commit",
    "cause": "harness",
    "fault": "broke",
    "settings": {"seed": 1},
    "evaluations": {
        "test": {
            "score": 0.5,
            "passed": False,
            "kind": "test",
            "weight": 1.0,
            "required": True,
            "level": "A",
        }
    },
    "telemetry": {
        "duration_ms": 1,
        "ending": "finished",
        "tool_calls": 1,
        "failed_tool_calls": 0,
        "token_usage": None,
        "cost_usd": None,
    },
}


def problems_of(run: object) -> object:
    """What the library says of the run."""
    return [
        problem
        for problem in schema_problems({"benchmarks": {"runs": [run]}}, MINTED)
        if problem.place[:2] == ("benchmarks", "runs")
    ]


def test_a_whole_run_fits() -> None:
    assert fits(RUN)(WHOLE)
    assert not problems_of(WHOLE)
    assert not fits(RUN)(SNAPSHOT["benchmarks"]["runs"][0])


PLACES = [
    *((key,) for key in WHOLE),
    *(("specialist", key) for key in WHOLE["specialist"]),
    *(("telemetry", key) for key in WHOLE["telemetry"]),
    *(("evaluations", "test", key) for key in WHOLE["evaluations"]["test"]),
    ("evaluations", "test"),
    ("settings", "seed"),
    ("settings", "sede"),
    ("telemetry", "requests"),
    ("budget",),
    ("prices",),
]
VALUES = st.sampled_from(
    [None, True, 0, -1, 2, 11, 0.5, 1.0, "", " ", "x", DIGEST, f"{DIGEST}\n", [], {}, {"x": 1}]
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(PLACES), st.none() | st.tuples(VALUES))
def test_what_fits_the_library_lets_pass(place: tuple[str, ...], new: tuple[object] | None) -> None:
    run = json.loads(json.dumps(WHOLE))
    inner = run
    for step in place[:-1]:
        inner = inner[step]
    if new:
        inner[place[-1]] = new[0]
    else:
        inner.pop(place[-1], None)

    assert not fits(RUN)(run) or not problems_of(run)


def test_a_word_of_schemas_that_is_not_known_is_left_to_the_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schema = {"type": "array", "uniqueItems": True}
    monkeypatch.setattr("harness.load.fits._load", lambda _: {"properties": {"a": schema}})
    check = fits("another.schema.json#")

    assert check({})
    assert not check({"a": []})


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (Ending, ("telemetry", "properties", "ending")),
        (Cause, ("cause",)),
        (Level, ("evaluations", "additionalProperties", "properties", "level")),
    ],
)
def test_the_schema_knows_every_word_that_a_run_can_say(
    kind: type[StrEnum], place: tuple[str, ...]
) -> None:
    schema = Path(harness.load.__file__).parent / "schemas" / MINTED
    part = json.loads(schema.read_text(encoding="utf-8"))["$defs"]["run"]["properties"]
    for step in place:
        part = part[step]

    assert part["enum"] == [member.value for member in kind]
