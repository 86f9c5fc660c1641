from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from harness.domain.artifact import Artifact
from harness.domain.digests import text_digest
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.model import ModelUse, Usage
from harness.domain.record import Batch, Maker, PriceTables
from harness.domain.session import Entry, Reported, Role, ToolCount
from harness.report.documents import batch_summary, run_document, transcript_document
from tests.report.records import a_run, a_session

USAGE = Usage(1, 2, 3, 4, 5)
BATCH = Batch(BatchId("b"), datetime(2026, 1, 1, tzinfo=UTC), 2, finished=True)


def test_a_run_tells_everything_that_was_metered() -> None:
    log = Artifact("transcript.jsonl", text_digest("log"), 7)
    session = replace(
        a_session(cost_usd=0.5),
        usage=USAGE,
        model_use=ModelUse(USAGE, 0.5, 9, 8, 1, 2, 3, 4, 0.25, 0.123456),
        calls=(ToolCount("a", 3, errors=1),),
        reported=Reported(Usage(6, 7), 0.4, 8),
        log=log,
    )
    found = run_document(a_run(1.0, session=session))["session"]

    usage = {"input_tokens": 1, "output_tokens": 2, "cached_tokens": 3, "cache_write_tokens": 4,
             "reasoning_tokens": 5}  # fmt: skip
    assert (found["usage"], found["cost_usd"], found["tool_calls"]) == (usage, 0.5, 3)
    assert found["requests"] == {
        "requests": 9, "turns": 8, "failed": 1, "refused": 2, "unmetered": 3, "retries": 4,
        "waited_s": 0.25, "first_token_s": 0.1235,
    }  # fmt: skip
    assert found["tools"] == [{"tool": "a", "calls": 3, "errors": 1}]
    assert (found["reported"]["cost_usd"], found["reported"]["turns"]) == (0.4, 8)
    assert found["transcript"] == {"name": log.name, "digest": log.digest, "size_bytes": 7}
    json.dumps(found)


def test_a_run_tells_what_made_it_where_that_was_recorded() -> None:
    maker = Maker("0.1.0", PriceTables("genai-prices 1"))

    assert run_document(a_run(0.5, maker=maker))["maker"] == {
        "harness": "0.1.0",
        "prices": {"library": "genai-prices 1", "own": None},
    }
    assert run_document(a_run(0.5))["maker"] is None


def test_what_nobody_metered_is_null_and_not_zero() -> None:
    found = run_document(a_run(1.0, session=a_session(cost_usd=None)))["session"]
    assert {found[name] for name in ("usage", "requests", "cost_usd", "reported")} == {None}


def test_a_batch_adds_up_what_its_runs_used() -> None:
    priced = replace(a_session(cost_usd=0.5), usage=USAGE)
    runs = [
        a_run(1.0, session=priced),
        a_run(None, fault=Cause.PROVIDER, session=priced),
        a_run(0.5, session=replace(priced, cost_usd=None)),
    ]
    found = batch_summary(BATCH, runs)
    assert found["usage"]["input_tokens"] == 3
    assert (found["cost_usd"], found["unpriced"]) == (1.0, 1)


def test_a_try_that_was_made_good_is_no_fault_of_the_batch() -> None:
    lost = a_run(None, fault=Cause.PROVIDER, iteration=1)
    found = batch_summary(BATCH, [lost, a_run(0.5, iteration=1)])
    assert (found["runs"], found["retried"], found["faulted"]) == (2, 1, 0)
    assert batch_summary(BATCH, [lost])["faulted"] == 1


def test_a_transcript_is_its_entries_with_stable_keys() -> None:
    (row,) = transcript_document([Entry(Role.NOTE, "x", 1.23456, tool="a", is_error=True)])
    assert list(row.items()) == [
        ("at_s", 1.235), ("role", "note"), ("tool", "a"), ("is_error", True), ("text", "x"),
    ]  # fmt: skip
