"""Where a run's spans go: a file, standard output, or a collector."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from harness.domain.record import RunRecord
from harness.domain.session import Entry
from harness.errors import UsageError

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SCHEMES = ("http://", "https://")
TIMEOUT_S = 10.0


def export(run: RunRecord, entries: Sequence[Entry], target: str) -> int:
    """Send or append a run's spans; how many they are."""
    try:
        from harness.report import otel  # noqa: PLC0415  # an extra that need not be there
    except ImportError as error:
        raise UsageError(
            f"OpenTelemetry is not installed ({error}); pip install 'mintmark[otel]'"
        ) from error
    url = endpoint(target, os.environ)
    found = otel.spans(run, entries)
    if url is not None:
        otel.to_collector(found, url, timeout_s=TIMEOUT_S)
    elif target == "-":
        click.echo(otel.to_line(found), nl=False)
    else:
        # a file of several runs is a file of several lines
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(otel.to_line(found))
    return len(found)


def endpoint(target: str, environment: Mapping[str, str]) -> str | None:
    """The collector's address; None when the target is a file."""
    if target == "env":
        url = environment.get(ENDPOINT, "")
        if not url.startswith(SCHEMES):
            raise UsageError(
                f"{ENDPOINT} is {url!r}; set it to a collector such as http://host:4318"
            )
        return url
    return target if target.startswith(SCHEMES) else None
