"""Who else is told about a batch: event streams, JUnit and Markdown files, webhooks."""

from __future__ import annotations

import functools
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from rich.text import Text

from harness import wiring
from harness.cli.console import clean, messages
from harness.cli.events import STDOUT, EventStream, LineFile, open_lines
from harness.cli.webhook import PATIENCE_S, SHORT_S, Post, checked_url, for_chats
from harness.domain.ids import BatchId
from harness.domain.record import Batch, RunRecord
from harness.errors import (
    BatchStopped,
    EnvironmentFault,
    Interrupted,
    MintmarkError,
    UsageError,
)
from harness.gateway.redaction import Redactor
from harness.interrupts import shield
from harness.load.keys import read_keys
from harness.report.documents import Document
from harness.report.events import End, closed
from harness.report.words import line
from harness.settings import KEYS, Settings
from harness.store.base import Store
from harness.tools import Watch

P = ParamSpec("P")
R = TypeVar("R")

GITHUB = "GITHUB_STEP_SUMMARY"
HOOKS = "BENCH_WEBHOOK"
LONGEST = 500
SIGNAL = "interrupted by a signal"


@dataclass(frozen=True, slots=True)
class Pages:
    """Files that show a batch to somebody else's program."""

    junit: Path | None = None
    summary: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.junit or self.summary)

    def write(self, store: Store, batch: Batch, runs: Sequence[RunRecord], ended: str = "") -> None:
        """Write them anew, and add to a job's page; raises UsageError where that cannot be."""
        if self.junit:
            from harness.report.junit import junit  # noqa: PLC0415  # when asked for

            _replace(self.junit, junit(batch.id, runs, store.missing(batch.id)))
        if self.summary:
            from harness.report.step_summary import step_summary  # noqa: PLC0415  # as above

            _append(self.summary, step_summary(batch, runs, ended))


@dataclass(frozen=True, slots=True)
class Telling:
    """What was asked for."""

    pages: Pages = Pages()
    webhooks: tuple[str, ...] = ()
    lines: LineFile | None = None

    def __bool__(self) -> bool:
        return bool(self.pages or self.webhooks or self.lines)


SILENT = Telling()


def _is_place(_context: click.Context, _option: click.Parameter, value: Path | None) -> Path | None:
    """A file that can be written: it is said before anything runs."""
    if value is None:
        return None
    folder = value.absolute().parent
    if value.is_dir():
        raise click.BadParameter(f"{value} is a folder; name a file in it")
    if not folder.is_dir():
        raise click.BadParameter(f"there is no folder {folder}")
    if not os.access(value if value.exists() else folder, os.W_OK):
        raise click.BadParameter(f"{value} cannot be written; see its owner")
    return value


def _job_page(context: click.Context, option: click.Parameter, value: bool) -> Path | None:  # noqa: FBT001  # click's
    if not value:
        return None
    place = os.environ.get(GITHUB)
    if not place:
        raise click.BadParameter(
            f"{GITHUB} is not set: GitHub Actions sets it; elsewhere, name a file in it"
        )
    return _is_place(context, option, Path(place))


_PAGES = (
    click.option(
        "--junit", metavar="FILE", type=click.Path(path_type=Path), callback=_is_place,
        help="Write the batch as JUnit XML: a test case per run.",
    ),
    click.option(
        "--github-summary", "summary", is_flag=True, callback=_job_page,
        help=f"Add the batch to the job's page of GitHub Actions (${GITHUB}).",
    ),
)  # fmt: skip
_REST = (
    click.option(
        "--events", metavar="FILE",
        help="Append what happens as JSON lines; '-' is standard output, and all else goes to"
        " standard error.",
    ),
    click.option(
        "--webhook", "webhooks", multiple=True, metavar="URL", envvar=HOOKS,
        help="Tell this address how the batch ended, in JSON that Slack takes too; repeatable"
        f" [${HOOKS}].",
    ),
    click.option(
        "--insecure-webhook", "insecure", is_flag=True, help="Take http:// addresses too.",
    ),
)  # fmt: skip


def page_options(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command the options for files; it receives them as one `pages`."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **given: P.kwargs) -> R:
        options: dict[str, Any] = dict(given)
        pages = Pages(options.pop("junit"), options.pop("summary"))
        return command(*args, pages=pages, **options)  # type: ignore[arg-type]  # one more than click gave

    return _with(wrapped, _PAGES)


def telling_options(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command all of them; it receives them as one `telling`, and its stream is open."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **given: P.kwargs) -> R:
        options: dict[str, Any] = dict(given)
        pages = Pages(options.pop("junit"), options.pop("summary"))
        insecure, target = options.pop("insecure"), options.pop("events")
        urls = dict.fromkeys(options.pop("webhooks"))
        webhooks = tuple(checked_url(url, insecure=insecure) for url in urls)
        if target == STDOUT and options.get("as_json"):
            raise UsageError("--events - writes JSON lines already; leave --json out")
        with _lines(target) as lines:
            telling = Telling(pages, webhooks, lines)
            return command(*args, telling=telling, **options)  # type: ignore[arg-type]  # as above

    return _with(wrapped, (*_REST, *_PAGES))


def _with(command: Callable[..., R], options: Sequence[Callable[..., Any]]) -> Callable[..., R]:
    for option in reversed(options):
        command = option(command)
    return command


@contextmanager
def _lines(target: str | None) -> Iterator[LineFile | None]:
    """The stream's file; where it is standard output, everything else goes to standard error."""
    if target is None:
        yield None
        return
    name = "--events" if target == STDOUT else f"--events {target}"
    lines = LineFile(open_lines(target), name, warn)
    try:
        if target == STDOUT:
            with redirect_stdout(sys.stderr):
                yield lines
        else:
            yield lines
    finally:
        lines.close()


@contextmanager
def told(settings: Settings, batch: BatchId, telling: Telling) -> Iterator[tuple[Watch, ...]]:
    """A block that works on a batch: who looks on meanwhile, and who is told how it ended."""
    stream = EventStream(telling.lines, batch) if telling.lines else None
    error: BaseException | None = None
    try:
        yield (stream,) if stream else ()
    except BaseException as raised:
        error = raised
        raise
    finally:
        if telling:
            _finish(settings, batch, telling, stream, error)


def _finish(
    settings: Settings,
    batch: BatchId,
    telling: Telling,
    stream: EventStream | None,
    error: BaseException | None,
) -> None:
    """Nothing that goes wrong here takes the place of how the batch ended."""
    end, why = _ending(error)
    with shield():
        stored = None
        # it may never have been planned, or the store is what failed
        with suppress(MintmarkError):
            store = wiring.open_store(settings)
            stored = store.batch(batch), store.runs(batch)
        closing = closed(batch, end, why, stored)
        if stream:
            stream.put({**closing, "event": "batch_ended"})
        if stored:
            try:
                telling.pages.write(store, *stored, why)
            except MintmarkError as wrong:
                warn(str(wrong))
    if telling.webhooks:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        said = f": {why}" if why and end is not End.INTERRUPTED else ""
        text = for_chats(closing["text"] + said)
        body = {**closing, "at": at, "batch_id": batch, "text": text}
        patience_s = SHORT_S if end is End.INTERRUPTED else PATIENCE_S
        post = Post(settings.ca_bundle, settings.proxies)
        post.deliver(telling.webhooks, _redacted(settings, body), warn, patience_s)


def _ending(error: BaseException | None) -> tuple[End, str]:
    """How a batch ended by what was raised, and why on one line."""
    said = line(str(error), LONGEST)
    match error:
        case None:
            return End.FINISHED, ""
        case BatchStopped():
            # what to do about it stands in the lines below
            return End.STOPPED, line(str(error).partition("\n")[0], LONGEST)
        case Interrupted() | KeyboardInterrupt():
            return End.INTERRUPTED, SIGNAL
        case UsageError():
            return End.REFUSED, said
        case EnvironmentFault():
            return End.FAILED, said
        case _:
            # whatever it quotes is for the terminal
            return End.FAILED, f"{type(error).__name__}: a bug in Mintmark"


def _redacted(settings: Settings, body: Document) -> Document:
    """Without any key that this command knows, wherever one may have been quoted."""
    in_file: Mapping[str, str] = {}
    with suppress(MintmarkError):
        in_file = read_keys(settings.keys_file)
    keys = [*(settings.keys.get(name) for name in KEYS), *in_file.values()]
    text = Redactor(key for key in keys if key).clean_text(json.dumps(body))
    cleaned: Document = json.loads(text)
    return cleaned


def warn(text: str) -> None:
    """Say what went wrong beside the batch."""
    messages().print(Text(clean(f"warning: {text}"), "yellow"))


def _replace(path: Path, data: bytes) -> None:
    """A file as a whole, or what was there before."""
    # a link stays a link, and a pipe a pipe
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        hidden = target.with_name(f".{target.name}-{os.getpid()}-{secrets.token_hex(4)}")
        try:
            hidden.write_bytes(data)
            hidden.replace(target)
        finally:
            hidden.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from error
