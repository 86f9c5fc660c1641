"""A run as OpenTelemetry spans, by the semantic conventions for generative AI.

The only home of `opentelemetry`, which comes with the extra `otel`. What was said is left out: the
conventions want content only from whoever asks for it. Conversations with a model are timed by the
transcript: from what it was given to the first thing that it said or called.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from google.protobuf.json_format import (  # type: ignore[import-untyped]  # stubs are a package of their own
    MessageToDict,
)
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode

from harness import __version__
from harness.domain.session import Entry, Role, Session
from harness.errors import EnvironmentFault

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from harness.domain.record import RunRecord

Attributes = Mapping[str, "AttributeValue | None"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NS = 10**9
AT_ONCE_S = 0.005
"""A call that follows a result this soon came with the same answer of the model."""
TRACES = "v1/traces"
IDS = ("traceId", "spanId", "parentSpanId")


def spans(run: RunRecord, entries: Sequence[Entry]) -> tuple[ReadableSpan, ...]:
    """One trace; exported twice it has the same ids."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=Resource({"service.name": "mintmark", "service.version": __version__}),
        shutdown_on_exit=False,
        id_generator=_Ids(run.id),
    )
    provider.add_span_processor(SimpleSpanProcessor(memory))
    _Trace(provider.get_tracer("mintmark", __version__), run).record(entries)
    provider.shutdown()
    return memory.get_finished_spans()


def to_collector(found: Sequence[ReadableSpan], url: str, *, timeout_s: float) -> None:
    """Send the spans as OTLP over HTTP; raises EnvironmentFault when they were not taken.

    Headers and certificates are what the exporter finds in its own OTEL_EXPORTER_OTLP_ variables.
    """
    place = url if url.rstrip("/").endswith(TRACES) else f"{url.rstrip('/')}/{TRACES}"
    exporter = OTLPSpanExporter(endpoint=place, timeout=timeout_s)
    said = _Said()
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(said)
    try:
        taken = exporter.export(found)
    finally:
        logger.removeHandler(said)
        exporter.shutdown()  # type: ignore[no-untyped-call]  # the library leaves it so
    if taken is not SpanExportResult.SUCCESS:
        raise EnvironmentFault(
            f"the collector at {place} did not take the spans; see that it speaks OTLP over HTTP:"
            f" {said.first}"
        )


def to_line(found: Sequence[ReadableSpan]) -> str:
    """The spans as one line of OTLP JSON, as collectors write and read files."""
    request = MessageToDict(encode_spans(found), use_integers_for_enums=True)
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in IDS:
                    if name in span:  # protobuf's JSON has base64 here, OTLP's has hexadecimal
                        span[name] = base64.b64decode(span[name]).hex()
    return json.dumps(request, separators=(",", ":")) + "\n"


class _Said(logging.Handler):
    """Why an export failed is only logged."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.first = self.first or record.getMessage()


class _Ids(IdGenerator):
    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._numbers = count()

    def generate_span_id(self) -> int:
        return self._number(f"{self._seed}/{next(self._numbers)}", 8)

    def generate_trace_id(self) -> int:
        return self._number(self._seed, 16)

    @staticmethod
    def _number(text: str, size: int) -> int:
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size]) or 1


class _Trace:
    """The spans of one run, made with the times at which things happened."""

    def __init__(self, tracer: trace.Tracer, run: RunRecord) -> None:
        self._tracer = tracer
        self._run = run
        self._origin = _ns(run.started_at)

    def record(self, entries: Sequence[Entry]) -> None:
        run, cell = self._run, self._run.cell
        root = self._open(f"run {cell.suite}/{cell.scenario}", 0.0, None, _run_attributes(run))
        parent, agent_end_s = root, 0.0
        at_s = 0.0
        for stage, took_s in run.stages_s:
            span = self._open(f"stage {stage}", at_s, root, {"mintmark.stage": stage})
            at_s += took_s
            if stage == "work":
                parent, agent_end_s = span, at_s
            self._close(span, at_s)
        if run.session:
            end_s = agent_end_s or run.session.duration_s
            self._agent(run.session, entries, parent, end_s)
        for check in run.checks:
            event = {
                "gen_ai.evaluation.name": check.name,
                "gen_ai.evaluation.score.value": check.score,
                "gen_ai.evaluation.explanation": check.reason or None,
            }
            finished = _ns(run.finished_at)
            root.add_event("gen_ai.evaluation.result", _known(event), timestamp=finished)
        if run.fault:
            root.set_status(Status(StatusCode.ERROR, _whole(run.fault.message)))
        root.end(max(_ns(run.finished_at), self._at(at_s)))

    def _agent(
        self, session: Session, entries: Sequence[Entry], parent: trace.Span, end_s: float
    ) -> None:
        start_s = max(end_s - session.duration_s, 0.0)
        name = f"invoke_agent {self._run.cell.agent}"
        attributes = {**self._operation("invoke_agent"), **_session_attributes(session)}
        agent = self._open(name, start_s, parent, attributes)
        calls: dict[str | None, list[Entry]] = {}
        for before, entry in zip([None, *entries], entries, strict=False):
            if entry.role is Role.TOOL_CALL:
                calls.setdefault(entry.tool, []).append(entry)
            if self._is_answer(before, entry):
                since_s = before.at_s if before else 0.0
                self._chat(agent, start_s + since_s, start_s + entry.at_s)
            if entry.role is Role.TOOL_RESULT and calls.get(entry.tool):
                self._tool(agent, calls[entry.tool].pop(0), entry, start_s)
        self._close(agent, end_s)

    def _is_answer(self, before: Entry | None, entry: Entry) -> bool:
        if self._run.simulated or entry.role not in (Role.ASSISTANT, Role.TOOL_CALL):
            return False
        if before is None or before.role in (Role.SYSTEM, Role.USER):
            return True
        is_new = before.role in (Role.TOOL_RESULT, Role.NOTE)
        return is_new and entry.at_s - before.at_s > AT_ONCE_S

    def _chat(self, parent: trace.Span, start_s: float, end_s: float) -> None:
        name = f"chat {_model(self._run)[1]}".rstrip()
        span = self._open(name, start_s, parent, self._operation("chat"), SpanKind.CLIENT)
        self._close(span, end_s)

    def _tool(self, parent: trace.Span, call: Entry, result: Entry, start_s: float) -> None:
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.tool,
            "gen_ai.tool.type": "function",
            "error.type": "tool_error" if result.is_error else None,
        }
        name = f"execute_tool {call.tool or ''}".rstrip()
        span = self._open(name, start_s + call.at_s, parent, attributes)
        if result.is_error:
            span.set_status(Status(StatusCode.ERROR))
        self._close(span, start_s + result.at_s)

    def _operation(self, name: str) -> dict[str, AttributeValue | None]:
        provider, model = _model(self._run)
        return {
            "gen_ai.operation.name": name,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.agent.name": self._run.cell.agent,
            "gen_ai.conversation.id": self._run.id,
        }

    def _open(
        self,
        name: str,
        start_s: float,
        parent: trace.Span | None,
        attributes: Attributes,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> trace.Span:
        return self._tracer.start_span(
            _whole(name),
            context=trace.set_span_in_context(parent or trace.INVALID_SPAN),
            kind=kind,
            attributes=_known(attributes),
            start_time=self._at(start_s),
        )

    def _close(self, span: trace.Span, end_s: float) -> None:
        span.end(self._at(end_s))

    def _at(self, seconds: float) -> int:
        return self._origin + round(seconds * NS)


def _model(run: RunRecord) -> tuple[str, str]:
    """Provider and name of the model; empty where the run does not say."""
    label = (run.cell.model or "").partition("@http")[0]
    provider, colon, name = label.partition(":")
    return (provider, name) if colon else ("", label)


def _run_attributes(run: RunRecord) -> Attributes:
    cell = run.cell
    ref = cell.specialist
    return {
        "mintmark.run.id": run.id,
        "mintmark.batch.id": run.batch,
        "mintmark.suite": cell.suite,
        "mintmark.scenario": cell.scenario,
        "mintmark.tier": cell.tier,
        "mintmark.agent": cell.agent,
        "mintmark.model": cell.model,
        "mintmark.specialist": f"{ref.name}@{ref.version}" if ref else None,
        "mintmark.iteration": run.iteration,
        "mintmark.simulated": run.simulated,
        "mintmark.status": run.status,
        "mintmark.passed": run.passed,
        "mintmark.score": run.total_score,
        "mintmark.threshold": run.threshold,
        "error.type": run.fault.cause.value if run.fault else None,
    }


def _session_attributes(session: Session) -> Attributes:
    found: dict[str, AttributeValue | None] = {
        "mintmark.ending": session.ending.value,
        "mintmark.cost_usd": session.cost_usd,
        "mintmark.questions": len(session.questions),
    }
    if usage := session.usage:
        # the conventions count what was read from a cache, or written to it, as input
        every = usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens
        found |= {
            "gen_ai.usage.input_tokens": every,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
            "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
        }
    if use := session.model_use:
        found |= {
            "gen_ai.response.time_to_first_chunk": use.first_token_s,
            "mintmark.requests": use.requests,
            "mintmark.turns": use.turns,
            "mintmark.requests.failed": use.failed,
            "mintmark.requests.refused": use.refused,
            "mintmark.requests.retries": use.retries,
            "mintmark.waited_s": use.waited_s,
        }
    return found


def _known(attributes: Attributes) -> dict[str, AttributeValue]:
    return {
        name: _whole(value) if isinstance(value, str) else value
        for name, value in attributes.items()
        if value is not None and value != ""
    }


def _whole(text: str) -> str:
    """Text without the halves of characters that protobuf does not carry."""
    return text.encode("utf-8", "replace").decode()


def _ns(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
