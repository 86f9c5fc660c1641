"""`mint enrich`: what a model draws from a template's documents, in a file beside it."""

from __future__ import annotations

import math
import ssl
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from harness import roster, wiring
from harness.cli.console import clean, messages, output, print_json
from harness.cli.entry import NOT_PASSED, PASSED, json_option, root_option, settings_for
from harness.cli.places import near
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelUse, parse_model
from harness.domain.provider import ENDPOINT_KEY, PROVIDERS
from harness.errors import ProviderFault, UsageError
from harness.gateway.budget import Purse
from harness.load.enriched import home_of
from harness.load.template_files import TEMPLATES, find_file
from harness.report.telemetry import tokens, unknown
from harness.report.words import dollars, plural
from harness.settings import Settings
from harness.specialists.enrich import (
    Asking,
    Enriched,
    Outcome,
    Status,
    Work,
    enrich,
    open_work,
)
from harness.specialists.fetch import Web, World
from harness.specialists.reading import Reader
from harness.tools import Panel

PURSE = BatchId("enrich")
"""What all documents of one command draw on."""
USUAL = {
    "openrouter": "anthropic/claude-haiku-4.5",
    "anthropic": "claude-haiku-4-5",
    "openai": "gpt-5-mini",
}
"""The model of each provider that is asked when none is named, in the order of preference."""
OWN = "openai"
"""As whom an endpoint of one's own is spoken to, when --model names no provider."""
PAGE_S = 30.0
ANSWER_S = 4.0
"""An answer may take so many times as long as a page."""
MOST_AT_ONCE = 16

SIGNS = {
    Status.ENRICHED: ("✓", "green"),
    Status.UNCHANGED: ("=", "dim"),
    Status.FAILED: ("✗", "red"),
}


@click.command(
    name="enrich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.argument("template")
@click.option(
    "--provider",
    type=click.Choice(sorted(PROVIDERS)),
    help="Whose model reads the documents [the first with a key: openrouter, anthropic, openai].",
)
@click.option(
    "--model",
    metavar="MODEL[@URL]",
    help="Which model [a small one of the provider]; @URL is an endpoint of your own, and"
    f" {ENDPOINT_KEY} its key, where it wants one.",
)
@click.option("--force", is_flag=True, help="Ask again about documents that have not changed.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(1, 3600),
    default=PAGE_S,
    show_default=True,
    metavar="SECONDS",
    help="The longest a page may take; an answer may take four times as long.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=3,
    show_default=True,
    help="Documents at once.",
)
@click.option("--max-cost", type=float, metavar="USD", help="All documents together may cost this.")
@click.option(
    "--allow-folder",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder besides the template's own whose files may be read; repeatable.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@root_option
def enrich_command(  # noqa: PLR0913  # click hands over one argument per option
    *,
    template: str,
    provider: str | None,
    model: str | None,
    force: bool,
    timeout_s: float,
    concurrency: int,
    max_cost: float | None,
    folders: tuple[Path, ...],
    quiet: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Read the documents of TEMPLATE, a path or @org/name, and have a model describe them.

    The template stays as it is: what is new goes into NAME/enriched/VERSION/enriched-001.json5
    beside it, which minting and --specialist then use. Documents that have not changed are not
    asked about again. Exit code 1: some document could not be enriched and is left as it was.
    Ctrl-C keeps what was answered until then.

    \b
    Examples:
      mint enrich templates/my-specialist.json5
      mint enrich @org/my-specialist --provider anthropic --max-cost 0.20
      mint enrich templates/my-specialist.json5 --model openai:MODEL --force --json
    """  # noqa: D301  # click wants its \b
    settings = settings_for(root)
    path = find_file(settings.root, template, enriched=False).path
    work = open_work(path, settings.root / TEMPLATES)
    if not work.documents:
        _say_nothing(work, as_json=as_json)
        return PASSED
    asked = chosen_model(settings, provider, model)
    look_at(settings, asked, max_cost)
    web = open_web(settings, timeout_s)
    reader = Reader(web, home_of(path), folders)
    purses = {PURSE: Purse(Budget(usd=max_cost))}

    def stop() -> None:
        web.stopped.set()
        gateway.close()

    with closing(wiring.open_gateway(settings, purses)) as gateway:
        asking = Asking(
            model=asked,
            seats=Panel(gateway, roster.open_chat, "enrich", (asked,), PURSE),
            now=lambda: datetime.now(UTC),
            timeout_s=timeout_s * ANSWER_S,
            concurrency=concurrency,
            force=force,
            stop=stop,
        )
        try:
            done = _watched(work, reader, asking, quiet=quiet or as_json)
        except ProviderFault as error:
            if why := gateway.stopped(PURSE):
                raise UsageError(f"{error}\n{why}") from error
            raise
    _show(work, asked, done, as_json=as_json)
    if done.ended:
        raise done.ended
    return NOT_PASSED if done.count(Status.FAILED) else PASSED


def open_web(settings: Settings, timeout_s: float) -> Web:
    """The way to pages, which trusts what the rest of the command trusts."""
    bundle = settings.ca_bundle

    def tls() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(bundle) if bundle else None)

    return Web(timeout_s, World(tls=tls))


def chosen_model(settings: Settings, provider: str | None, model: str | None) -> ModelRef:
    """The model that is asked; raises UsageError when it cannot be told."""
    if model and provider is None:
        named = parse_model(model, OWN, PROVIDERS)
        if named.endpoint or parse_model(model, "", PROVIDERS).provider:
            return named
    name = provider or _with_key(settings)
    if model is None:
        return ModelRef(name, USUAL[name])
    asked = parse_model(model, name, PROVIDERS)
    if asked.provider != name:
        raise UsageError(f"--model {model!r} is not of the --provider {name!r}")
    return asked


def _with_key(settings: Settings) -> str:
    """The first provider that has a key."""
    targets = wiring.open_targets(settings)
    variables = {name: PROVIDERS[name].key_variable for name in USUAL}
    for name, variable in variables.items():
        if targets.keys.get(variable):
            return name
    *most, last = variables.values()
    place = f", or write it as a line into {targets.keys_file}" if targets.keys_file else ""
    raise UsageError(
        f"no key of any provider: set one of {', '.join(most)} and {last}{place};"
        " --model MODEL@URL asks an endpoint of your own"
    )


def look_at(settings: Settings, model: ModelRef, max_cost: float | None) -> None:
    """Refuse what cannot be asked, or not be kept within its limit, before anything is."""
    if max_cost is not None and not (math.isfinite(max_cost) and max_cost > 0):
        raise UsageError(f"--max-cost is {max_cost:g}; it must be a number more than 0")
    wiring.open_targets(settings).find(model)
    if wiring.open_prices(settings).known(model):
        return
    what = f"the price of {model.label} is not known"
    where = f"say it in {settings.root / 'prices.json5'}"
    if max_cost is not None:
        raise UsageError(f"{what}: --max-cost cannot be kept; {where}")
    messages().print(Text(clean(f"note: {what}: the cost will be shown as unknown; {where}")))


def _watched(work: Work, reader: Reader, asking: Asking, *, quiet: bool) -> Enriched:
    console = messages()
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as progress:
        described = clean(asking.model.label).replace("[", "\\[")
        bar = progress.add_task(f"reading with {described}", total=len(work.documents))

        def tell(outcome: Outcome) -> None:
            if not quiet:
                progress.console.print(_line(outcome))
            progress.advance(bar)

        return enrich(work, reader.read, asking, tell)


def _line(outcome: Outcome) -> Text:
    said = "; ".join(filter(None, [outcome.reason, *outcome.notes]))
    why = f": {clean(said)}" if said else ""
    where = f" {clean(outcome.location)}: {outcome.status}"
    return Text.assemble(SIGNS[outcome.status], where, why)


def _say_nothing(work: Work, *, as_json: bool) -> None:
    said = f"{work.template.name} names no documents"
    if work.inherited:
        said += " itself; enrich the template that it inherits them from"
    if as_json:
        print_json(_document(work, None, Enriched(None, (), None)))
    messages().print(Text(clean(f"note: {said}")))


def _document(work: Work, model: ModelRef | None, done: Enriched) -> dict[str, Any]:
    use = done.use
    return {
        "template": work.template.name,
        "template_version": work.template.version,
        "path": str(done.path) if done.path else None,
        "newest": str(done.path or work.newest or "") or None,
        "model": model.label if model else None,
        "enriched": done.count(Status.ENRICHED),
        "unchanged": done.count(Status.UNCHANGED),
        "failed": done.count(Status.FAILED),
        "cost_usd": use.cost_usd if use else 0.0,
        "requests": use.requests if use else 0,
        "tokens": use.usage.total if use else 0,
        "documents": [
            {
                "location": each.location,
                "status": each.status.value,
                "reason": each.reason or None,
                "notes": list(each.notes),
            }
            for each in done.outcomes
        ],
    }


def _show(work: Work, model: ModelRef, done: Enriched, *, as_json: bool) -> None:
    if as_json:
        print_json(_document(work, model, done))
        return
    console = output()
    failed = done.count(Status.FAILED)
    sign, style = ("✗", "red") if failed else ("✓", "green")
    console.print(Text.assemble((sign, style), f" {_heading(done)}: {work.template.name}"))
    if done.path:
        console.print(Text(f"   Enriched template: {near(done.path)}"), soft_wrap=True)
    else:
        why = "Nothing new was learned" if failed else "Nothing has changed"
        kept = f"; the newest is {near(work.newest)}" if work.newest else ""
        console.print(Text(f"   {why}: no file was written{kept}"), soft_wrap=True)
    console.print(f"   Documents enriched: {done.count(Status.ENRICHED)}")
    console.print(f"   Documents skipped: {done.count(Status.UNCHANGED)}")
    if failed:
        console.print(f"   Documents left as they were: {failed}")
    if work.inherited:
        console.print(f"   Inherited, not enriched here: {plural(work.inherited, 'document')}")
    if done.use and done.use.requests:
        console.print(Text(f"   Cost: {_cost(done.use)}"), soft_wrap=True)


def _cost(use: ModelUse) -> str:
    cost = unknown(use) if use.cost_usd is None else dollars(use.cost_usd)
    lost = f"; {use.failed} of the requests got no answer" if use.failed else ""
    return f"{plural(use.requests, 'request')}, {tokens(use.usage)}, {cost}{lost}"


def _heading(done: Enriched) -> str:
    if done.ended:
        return "Template enrichment ended early, and what was answered is kept"
    if not done.count(Status.FAILED):
        return "Template enrichment completed"
    some = done.count(Status.ENRICHED) + done.count(Status.UNCHANGED)
    return "Template enrichment is not complete" if some else "No document was enriched"
