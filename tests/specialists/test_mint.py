from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyjson5

from harness import __version__
from harness.domain.artifact import Artifact
from harness.domain.failures import Cause
from harness.domain.ids import BatchId
from harness.domain.model import ModelUse, Usage
from harness.domain.record import CheckResult, RunRecord
from harness.domain.scenario import Level
from harness.domain.session import ToolCount
from harness.domain.template import Template
from harness.load.templates import snapshot_problems
from harness.specialists.mint import candidates, read_proof
from harness.store.base import Store
from tests.report.records import DEBUGGER, a_run, a_session, a_task, runs_of
from tests.specialists.conftest import minted
from tests.specialists.templates import a_template, fill, worn

BASE = a_task()


def read(path: Path) -> Any:  # noqa: ANN401  # a JSON document
    document = pyjson5.decode(path.read_text(encoding="utf-8"))
    assert snapshot_problems(document) == ()
    return document


def test_a_batch_of_three_and_three_is_minted(
    template: Template, store: Store, tmp_path: Path
) -> None:
    fill(store, *runs_of(BASE, 0.6, 0.65, 0.7), *runs_of(worn(template), 0.8, 0.85, 0.9))

    done = minted(template, store, tmp_path)

    assert done.path == tmp_path / "snapshots/debugger/1.0.0/snapshot-001.json5"
    assert (done.number, done.name, done.version) == (1, "@acme/debugger", "1.0.0")
    snapshot = read(done.path)
    comparison = snapshot["benchmarks"]["comparison"]
    statistics = comparison.pop("statistics")
    assert comparison == {
        "baseline_avg_score": 0.65,
        "specialist_avg_score": 0.85,
        "improvement": 0.2,
        "improvement_pct": 30.77,
        "baseline_runs": 3,
        "specialist_runs": 3,
        "unscored_runs": 0,
        "models_compared": [
            {
                "model": "acme:one",
                "agent": "tool-loop",
                "baseline_score": 0.65,
                "specialist_score": 0.85,
                "improvement": 0.2,
                "improvement_pct": 30.77,
                "baseline_runs": 3,
                "specialist_runs": 3,
            }
        ],
    }
    (cell,) = statistics["cells"]
    assert cell["specialist"]["standard_deviation"] == 0.05
    assert (cell["baseline"]["passed"], cell["specialist"]["passed"]) == (1, 3)
    assert snapshot["benchmarks"]["test_suites"] == [
        {"name": "slots", "path": "core/slots", "type": "functional"}
    ]
    assert snapshot["benchmarks"]["scoring"] == {"methodology": "weighted_average"}


def test_the_snapshot_says_where_it_comes_from(
    template: Template, store: Store, tmp_path: Path
) -> None:
    fill(store, *runs_of(BASE, 0.5), *runs_of(worn(template), 0.9))

    metadata = read(minted(template, store, tmp_path).path)["snapshot_metadata"]

    assert metadata["created_at"] == "2025-01-18T12:00:00Z"
    assert metadata["minted_by"] == f"mintmark {__version__}"
    assert metadata["template_version"] == "1.0.0"
    assert metadata["template_digest"] == template.digest
    assert metadata["batch_id"] == "b"
    assert metadata["provenance"]["batch_ids"] == ["b"]
    ref = worn(template).specialist
    assert ref
    assert metadata["provenance"]["specialist_digests"] == [ref.digest]


def test_everything_of_the_template_is_in_the_snapshot(tmp_path: Path, store: Store) -> None:
    template = a_template(
        tmp_path,
        **{"$schema": "https://example.com/template.schema.json"},
        displayName="Debugger",
        license="MIT",
        preferred_models=["acme/one", {"model": "acme/two", "weight": 0.5}],
        documentation=[{"source": "https://example.com", "type": "web"}],
        benchmarks={
            "test_suites": [{"name": "planned", "path": "core/planned", "type": "functional"}],
            "scoring": {"methodology": "pass_fail", "update_frequency": "per_run"},
        },
    )
    fill(store, *runs_of(BASE, 0.5), *runs_of(worn(template), 0.9))

    snapshot = read(minted(template, store, tmp_path).path)

    for key in ("name", "version", "displayName", "license", "persona", "capabilities"):
        assert snapshot[key]
    assert snapshot["preferred_models"][1] == {"model": "acme/two", "weight": 0.5}
    assert snapshot["documentation"] == [{"source": "https://example.com", "type": "web"}]
    assert "$schema" not in snapshot
    assert [suite["name"] for suite in snapshot["benchmarks"]["test_suites"]] == ["slots"]
    assert snapshot["benchmarks"]["scoring"] == {
        "methodology": "weighted_average",
        "update_frequency": "per_run",
    }


def test_a_run_is_listed_as_it_was(template: Template, store: Store, tmp_path: Path) -> None:
    checks = (
        CheckResult("test", "test", 1.0, 0.6, required=True, level=Level.B),
        CheckResult("lint", "lint", 0.5, 0.2, artifacts=(Artifact("log", DEBUGGER.digest, 3),)),
        CheckResult("typecheck", "typecheck", None, 0.2, reason="could not run: no mypy"),
    )
    usage = Usage(input_tokens=100, output_tokens=20, cached_tokens=50, reasoning_tokens=5)
    session = replace(a_session(cost_usd=0.125, duration_s=1.2345), usage=usage)
    baseline = a_run(0.5, BASE, checks=checks)
    run = a_run(0.875, worn(template), checks=checks, session=session)
    fill(store, baseline, run)

    runs = read(minted(template, store, tmp_path).path)["benchmarks"]["runs"]

    assert [each["specialist_enabled"] for each in runs] == [False, True]
    listed = runs[1]
    assert listed["run_id"] == run.id
    assert listed["run_date"] == run.started_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (listed["overall_score"], listed["weighted_score"]) == (0.875, 8.75)
    assert (listed["suite"], listed["scenario"], listed["tier"]) == ("core", "slots", "L1")
    assert (listed["status"], listed["simulated"], listed["passed"]) == ("finished", False, True)
    assert listed["evaluations"] == {
        "test": {
            "score": 1.0,
            "passed": True,
            "kind": "test",
            "weight": 0.6,
            "required": True,
            "level": "B",
        },
        "lint": {
            "score": 0.5,
            "passed": False,
            "kind": "lint",
            "weight": 0.2,
            "required": False,
        },
        "typecheck": {
            "score": None,
            "passed": None,
            "kind": "typecheck",
            "weight": 0.2,
            "required": False,
            "error": "could not run: no mypy",
        },
    }
    assert listed["telemetry"] == {
        "duration_ms": 1234,
        "ending": "finished",
        "tool_calls": 1,
        "failed_tool_calls": 0,
        "token_usage": {
            "prompt_tokens": 150,
            "completion_tokens": 20,
            "total_tokens": 170,
            "cached_tokens": 50,
            "cache_write_tokens": 0,
            "reasoning_tokens": 5,
        },
        "cost_usd": 0.125,
    }


def test_runs_that_faulted_are_listed_without_a_score_and_in_no_average(
    template: Template, store: Store, tmp_path: Path
) -> None:
    scored = [*runs_of(BASE, 0.5), *runs_of(worn(template), 0.75)]
    broken = a_run(None, worn(template), fault=Cause.HARNESS, session=None)
    half = replace(broken.fault, message="half a \ud800 character") if broken.fault else None
    fill(store, *scored, replace(broken, fault=half))

    done = minted(template, store, tmp_path)

    snapshot = read(done.path)
    comparison, runs = snapshot["benchmarks"]["comparison"], snapshot["benchmarks"]["runs"]
    assert (comparison["specialist_avg_score"], comparison["specialist_runs"]) == (0.75, 1)
    assert comparison["unscored_runs"] == 1
    assert runs[2]["status"] == "faulted"
    assert runs[2]["overall_score"] is runs[2]["weighted_score"] is None
    assert runs[2]["fault"] == "bug in the harness in stage 'work': half a ? character"
    assert "telemetry" not in runs[2]
    assert any("1 of 3 compared runs" in limit for limit in done.limits)


def test_what_the_gateway_metered_of_a_run_is_listed(
    template: Template, store: Store, tmp_path: Path
) -> None:
    usage = Usage(100, 20, 50, 30, 5)
    use = ModelUse(usage, 0.125, requests=7, turns=6, failed=1, refused=2, retries=3,
                   first_token_s=0.25)  # fmt: skip
    calls = (ToolCount("run_command", 4, errors=1),)
    session = replace(a_session(cost_usd=0.125), usage=usage, model_use=use, calls=calls)
    fill(store, *runs_of(BASE, 0.5), a_run(0.9, worn(template), session=session))

    listed = read(minted(template, store, tmp_path).path)["benchmarks"]["runs"][1]["telemetry"]

    assert (listed["tool_calls"], listed["failed_tool_calls"]) == (4, 1)
    assert listed["token_usage"] == {
        "prompt_tokens": 180,
        "completion_tokens": 20,
        "total_tokens": 200,
        "cached_tokens": 50,
        "cache_write_tokens": 30,
        "reasoning_tokens": 5,
    }
    assert [listed[name] for name in ("requests", "turns", "failed_requests")] == [7, 6, 1]
    assert [listed[name] for name in ("refused_requests", "retries", "first_token_ms")] == [
        2,
        3,
        250,
    ]


def test_tries_that_were_made_good_do_not_lower_what_is_minted(
    template: Template, store: Store, tmp_path: Path
) -> None:
    fill(store, *runs_of(BASE, 0.5, 0.5), *runs_of(worn(template), 0.9, 0.9))
    store.save(a_run(None, BASE, fault=Cause.PROVIDER, iteration=1))

    done = minted(template, store, tmp_path)

    assert (done.comparison.runs, done.comparison.unscored) == (4, 0)
    assert not any("Without a score" in limit for limit in done.limits)


def test_an_unknown_price_and_unknown_tokens_are_null(
    template: Template, store: Store, tmp_path: Path
) -> None:
    fill(store, *runs_of(BASE, 0.5), a_run(0.9, worn(template), session=a_session(cost_usd=None)))

    run = read(minted(template, store, tmp_path).path)["benchmarks"]["runs"][1]

    assert run["telemetry"]["cost_usd"] is run["telemetry"]["token_usage"] is None


def test_simulated_runs_are_said_to_be_so_everywhere(
    template: Template, store: Store, tmp_path: Path
) -> None:
    records = [*runs_of(BASE, 0.5), *runs_of(worn(template), 0.9)]
    fill(store, *(replace(record, simulated=True) for record in records))

    done = minted(template, store, tmp_path)

    snapshot = read(done.path)
    assert "says nothing about any model" in done.limits[0]
    assert snapshot["snapshot_metadata"]["provenance"]["limits"] == list(done.limits)
    assert "says nothing about any model" in snapshot["snapshot_metadata"]["notes"]
    above = done.path.read_text(encoding="utf-8").partition("    comparison: {")[0]
    assert above.splitlines()[-1].endswith("this says nothing about any model.")
    assert snapshot["benchmarks"]["comparison"]["statistics"]["simulated_runs"] == 2
    assert all(run["simulated"] for run in snapshot["benchmarks"]["runs"])


def test_a_cell_without_a_baseline_is_listed_as_unmatched(
    template: Template, store: Store, tmp_path: Path
) -> None:
    lonely = worn(template, a_task("other"))
    fill(store, *runs_of(BASE, 0.5), *runs_of(worn(template), 0.6), *runs_of(lonely, 1.0))

    comparison = read(minted(template, store, tmp_path).path)["benchmarks"]["comparison"]

    assert comparison["specialist_avg_score"] == 0.6
    (unmatched,) = comparison["statistics"]["unmatched"]
    assert (unmatched["scenario"], unmatched["mean"]) == ("other", 1.0)
    assert unmatched["reason"].startswith("no baseline run")


def test_baseline_and_specialist_may_be_in_two_batches(
    template: Template, store: Store, tmp_path: Path
) -> None:
    fill(store, *runs_of(BASE, 0.5, batch="a"), *runs_of(worn(template), 0.9, batch="c"))

    metadata = read(minted(template, store, tmp_path, "a", "c", "a").path)["snapshot_metadata"]

    assert metadata["provenance"]["batch_ids"] == ["a", "c"]
    assert "batch_id" not in metadata


def test_runs_of_other_specialists_are_left_out_and_counted(
    template: Template, store: Store, tmp_path: Path
) -> None:
    other = replace(worn(template), specialist=replace(DEBUGGER, name="@acme/other"))
    fill(store, *runs_of(BASE, 0.5), *runs_of(worn(template), 0.9), *runs_of(other, 1.0))

    done = minted(template, store, tmp_path)

    assert len(read(done.path)["benchmarks"]["runs"]) == 2
    assert any(limit.startswith("Runs of other specialists") for limit in done.limits)
    assert candidates(read_proof(store, [BatchId("b")])) == (
        "@acme/debugger@1.0.0",
        "@acme/other@1.0.0",
    )


def test_what_to_use_in_place_of_a_deprecated_template_is_said(
    tmp_path: Path, store: Store
) -> None:
    gone = {"deprecated": True, "deprecated_in": "1.0.0", "replacement": "@acme/other"}
    template = a_template(tmp_path, version_metadata=gone)
    fill(store, *runs_of(BASE, 0.5), *runs_of(worn(template), 0.9))

    done = minted(template, store, tmp_path)

    assert "The template is deprecated since 1.0.0; use @acme/other." in done.limits


def test_each_model_is_compared_with_its_own_words(tmp_path: Path, store: Store) -> None:
    special = {"acme/two": {"spawnerPrompt": "For you."}}
    template = a_template(
        tmp_path, prompts={"default": {"spawnerPrompt": "Hi."}, "model_specific": special}
    )
    two = a_task(model="acme:two")
    fill(
        store,
        *runs_of(BASE, 0.5),
        *runs_of(two, 0.25),
        *runs_of(worn(template), 0.75),
        *runs_of(worn(template, two), 0.75),
    )

    comparison = read(minted(template, store, tmp_path).path)["benchmarks"]["comparison"]

    assert [m["improvement"] for m in comparison["models_compared"]] == [0.25, 0.5]
    assert comparison["improvement"] == 0.375


def test_a_second_snapshot_has_the_next_number_and_leaves_the_first_alone(
    template: Template, store: Store, tmp_path: Path
) -> None:
    fill(store, *runs_of(BASE, 0.5), *runs_of(worn(template), 0.9))
    first = minted(template, store, tmp_path)
    before = first.path.read_bytes()

    second = minted(template, store, tmp_path)

    assert second.path.name == "snapshot-002.json5"
    assert first.path.read_bytes() == before == second.path.read_bytes()


def test_a_run_without_a_session_that_ended_badly_is_no_bug_of_minting(
    template: Template, store: Store, tmp_path: Path
) -> None:
    silent: RunRecord = a_run(None, BASE, fault=Cause.HARNESS, session=None, tree=None)
    fill(store, *runs_of(BASE, 0.5), silent, *runs_of(worn(template), 0.9))

    assert isinstance(minted(template, store, tmp_path).comparison.overall.baseline, float)
