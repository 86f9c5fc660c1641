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
BEGINNING = b'{"resourceSpans"'


def export(run: RunRecord, entries: Sequence[Entry], target: str) -> int:
    """Send or append a run's spans; how many they are."""
    try:
        from harness.report import otel  # noqa: PLC0415  # an extra that need not be there
    except ImportError as error:
        raise UsageError(
            f"OpenTelemetry is not installed ({error}); pip install 'mintmark[otel]'"
        ) from error
    url = endpoint(target, os.environ)
    if url is None and target != "-":
        _check_file(Path(target))
    found = otel.spans(run, entries)
    if url is not None:
        otel.to_collector(found, url, timeout_s=TIMEOUT_S)
    elif target == "-":
        click.echo(otel.to_line(found), nl=False)
    else:
        # a file of several runs is a file of several lines
        try:
            with Path(target).open("a", encoding="utf-8") as file:
                file.write(otel.to_line(found))
        except OSError as error:
            raise UsageError(f"{target} cannot be written: {error.strerror}") from error
    return len(found)


def _check_file(path: Path) -> None:
    """Raise UsageError for a file that is there and holds something else than spans."""
    try:
        with path.open("rb") as file:
            begins = file.read(len(BEGINNING))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    if begins and begins != BEGINNING:
        raise UsageError(f"{path} exists and holds no spans to add to; name another file")


def endpoint(target: str, environment: Mapping[str, str]) -> str | None:
    """The collector's address; None when the target is a file."""
    if target == "env":
        url = environment.get(ENDPOINT, "")
        if not url.startswith(SCHEMES):
            raise UsageError(
                f"{ENDPOINT} is {url!r}; set it to a collector such as http://host:4318"
            )
        return url
    scheme, is_url, _ = target.partition("://")
    if is_url and not target.startswith(SCHEMES):
        raise UsageError(
            f"no target {scheme}://…; there is a file, '-', 'env', http://HOST:PORT and https://…"
        )
    return target if is_url else None
