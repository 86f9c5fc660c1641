from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from harness.domain.failures import Cause
from harness.domain.ids import RunId
from harness.domain.model import ModelUse, Usage
from harness.domain.record import RunRecord
from harness.domain.session import Entry, Role, ToolCount
from harness.errors import EnvironmentFault
from harness.report.otel import spans, to_collector, to_line
from tests.report.records import DEBUGGER, a_run, a_session, a_task

ENTRIES = (
    Entry(Role.USER, "Mend it; the secret is 42.", 0.0),
    Entry(Role.ASSISTANT, "I look.", 2.0),
    Entry(Role.TOOL_CALL, '{"path": "a"}', 2.0, tool="read_file"),
    Entry(Role.TOOL_RESULT, "the secret is 42", 2.5, tool="read_file"),
    Entry(Role.TOOL_CALL, "{}", 2.5001, tool="no\udcffpe"),
    Entry(Role.TOOL_RESULT, "no such tool", 3.0, tool="no\udcffpe", is_error=True),
    Entry(Role.ASSISTANT, "Done.", 5.0),
)
STAGES = (("prepare", 1.0), ("work", 11.0), ("evaluate", 3.0))


def the_run(**changes: object) -> RunRecord:
    usage = Usage(10, 20, 30, 40, 5)
    session = replace(
        a_session(cost_usd=0.25, duration_s=10.0),
        usage=usage,
        model_use=ModelUse(usage, 0.25, requests=3, turns=2, first_token_s=0.5),
        calls=(ToolCount("read_file", 1),),
    )
    cell = a_task(agent="tool-loop", model="anthropic:big@http://host/v1", specialist=DEBUGGER)
    made = a_run(0.75, cell, session=session, stages_s=STAGES)
    return replace(made, id=RunId("run_1"), **changes)  # type: ignore[arg-type]  # a record's own fields


def by_name(found: tuple[ReadableSpan, ...]) -> dict[str, list[ReadableSpan]]:
    names: dict[str, list[ReadableSpan]] = {}
    for span in found:
        names.setdefault(span.name, []).append(span)
    return names


def seconds(span: ReadableSpan, run: RunRecord) -> tuple[float, float]:
    began = round(run.started_at.timestamp() * 1e9)
    assert span.start_time is not None
    assert span.end_time is not None
    return round((span.start_time - began) / 1e9, 3), round((span.end_time - began) / 1e9, 3)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_an_agent_its_conversations_and_its_tools_are_spans_inside_each_other() -> None:
    names = by_name(spans(the_run(), ENTRIES))
    assert set(names) == {
        "run core/slots", "stage prepare", "stage work", "stage evaluate",
        "invoke_agent tool-loop", "chat big", "execute_tool read_file", "execute_tool no?pe",
    }  # fmt: skip
    parents = {
        span.name: span.parent and span.parent.span_id for each in names.values() for span in each
    }
    ids = {name: each[0].context.span_id for name, each in names.items()}
    assert parents["run core/slots"] is None
    assert parents["stage work"] == ids["run core/slots"]
    assert parents["invoke_agent tool-loop"] == ids["stage work"]
    assert parents["chat big"] == parents["execute_tool read_file"] == ids["invoke_agent tool-loop"]


def test_spans_have_the_times_of_what_happened() -> None:
    run = the_run()
    names = by_name(spans(run, ENTRIES))
    assert seconds(names["stage work"][0], run) == (1.0, 12.0)
    assert seconds(names["invoke_agent tool-loop"][0], run) == (2.0, 12.0)
    assert seconds(names["execute_tool read_file"][0], run) == (4.0, 4.5)
    assert [seconds(span, run) for span in names["chat big"]] == [(2.0, 4.0), (5.0, 7.0)]
    assert names["chat big"][0].kind is SpanKind.CLIENT


def test_usage_follows_the_conventions_and_counts_cached_tokens_as_input() -> None:
    (agent,) = by_name(spans(the_run(), ENTRIES))["invoke_agent tool-loop"]
    found = attributes(agent)
    assert {name: value for name, value in found.items() if name.startswith("gen_ai.")} == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "big",
        "gen_ai.agent.name": "tool-loop",
        "gen_ai.conversation.id": "run_1",
        "gen_ai.usage.input_tokens": 80,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_creation.input_tokens": 40,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "gen_ai.response.time_to_first_chunk": 0.5,
    }
    assert (found["mintmark.cost_usd"], found["mintmark.turns"]) == (0.25, 2)


def test_an_unknown_price_is_no_attribute() -> None:
    run = the_run()
    assert run.session
    free = replace(run, session=replace(run.session, cost_usd=None))
    (agent,) = by_name(spans(free, ENTRIES))["invoke_agent tool-loop"]
    assert "mintmark.cost_usd" not in attributes(agent)


def test_a_tool_that_failed_and_a_run_that_faulted_are_errors() -> None:
    run = replace(a_run(None, fault=Cause.PROVIDER, session=the_run().session), stages_s=STAGES)
    names = by_name(spans(run, ENTRIES))
    (tool,) = names["execute_tool no?pe"]
    assert tool.status.status_code is StatusCode.ERROR
    assert names["execute_tool read_file"][0].status.status_code is StatusCode.UNSET
    root = names["run core/slots"][0]
    assert attributes(root)["error.type"] == "provider"
    assert root.status.status_code is StatusCode.ERROR


def test_scores_are_evaluation_events_of_the_run() -> None:
    (root,) = by_name(spans(the_run(), ENTRIES))["run core/slots"]
    (event,) = root.events
    assert event.name == "gen_ai.evaluation.result"
    assert dict(event.attributes or {}) == {
        "gen_ai.evaluation.name": "test",
        "gen_ai.evaluation.score.value": 0.75,
    }
    assert attributes(root)["mintmark.score"] == 0.75


def test_nobody_chats_in_a_simulated_run() -> None:
    assert not [s for s in spans(the_run(simulated=True), ENTRIES) if s.name.startswith("chat")]


def test_nothing_that_was_said_leaves_with_the_spans() -> None:
    assert "secret" not in to_line(spans(the_run(), ENTRIES))


def test_a_run_without_an_agent_is_a_trace_too() -> None:
    assert len(spans(a_run(None, fault=Cause.SANDBOX, session=None), ())) == 1


def test_exported_twice_a_run_has_the_same_ids_and_another_run_has_others() -> None:
    def ids(run: RunRecord) -> list[int]:
        return [span.context.span_id for span in spans(run, ENTRIES)]

    first = ids(the_run())
    assert first == ids(the_run())
    assert len(set(first)) == len(first)
    assert not set(first) & set(ids(replace(the_run(), id=RunId("run_2"))))


def test_a_line_is_otlp_json_with_hexadecimal_ids() -> None:
    found = spans(the_run(), ENTRIES)
    line = to_line(found)
    assert line.count("\n") == 1
    (scope,) = json.loads(line)["resourceSpans"][0]["scopeSpans"]
    ids = {span["spanId"] for span in scope["spans"]}
    assert {f"{span.context.span_id:016x}" for span in found} == ids
    assert {span["traceId"] for span in scope["spans"]} == {f"{found[0].context.trace_id:032x}"}
    assert {span["parentSpanId"] for span in scope["spans"] if "parentSpanId" in span} <= ids
    assert all(a["endTimeUnixNano"] >= a["startTimeUnixNano"] for a, _ in pairwise(scope["spans"]))


@contextmanager
def collector(status: int) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A local HTTP server that takes what is posted."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", got
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("path", ["", "/", "/v1/traces"])
def test_a_collector_gets_every_span_at_the_place_of_traces(path: str) -> None:
    found = spans(the_run(), ENTRIES)
    with collector(200) as (url, got):
        to_collector(found, url + path, timeout_s=5)
    ((place, body),) = got
    assert place == "/v1/traces"
    request = ExportTraceServiceRequest.FromString(body)
    sent = request.resource_spans[0].scope_spans[0].spans
    assert [span.name for span in sent] == [span.name for span in found]


def test_a_collector_that_refuses_is_a_fault_of_the_world() -> None:
    with (
        collector(400) as (url, _),
        pytest.raises(EnvironmentFault, match=r"did not take the spans; .* 400"),
    ):
        to_collector(spans(the_run(), ENTRIES), url, timeout_s=5)
