"""The options that say which model works, how it is asked and what it may cost."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from harness import roster, wiring
from harness.cli.console import messages
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelSettings, parse_model
from harness.domain.provider import PROVIDERS
from harness.domain.spec import RunSpec
from harness.errors import UsageError
from harness.gateway import cassette
from harness.gateway.budget import Purse
from harness.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

MAX_TURNS = 100
MAX_REQUESTS = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """What those options said."""

    model: str | None
    settings: ModelSettings
    budget: Budget
    batch_budget: Budget
    user: ModelRef | None
    strict_prices: bool
    cassette: Path | None


@dataclass(frozen=True, slots=True)
class Source:
    """What runs share beyond their own specs: a batch's purse, and a recording to play."""

    purses: Mapping[BatchId, Purse] = field(default_factory=dict)
    replay: bytes | None = None


def look_at_models(
    settings: Settings, specs: Sequence[RunSpec], asked: Asked | None = None
) -> None:
    """Refuse what no run could do: a model without a key, a limit in money without a price."""
    needed = [(spec, roster.make_agent(spec).needs.model) for spec in specs]
    users = [spec.user for spec in specs if spec.user]
    models = dict.fromkeys([*(model for _, model in needed if model), *users])
    if not models:
        return
    if asked is None or asked.cassette is None:
        targets = wiring.open_targets(settings)
        for model in models:
            targets.find(model)
    prices = wiring.open_prices(settings)
    unknown = [model.label for model in models if not prices.known(model)]
    if not unknown or (asked and asked.cassette):
        return
    what = f"the price of {', '.join(unknown)} is not known"
    where = f"; say it in {settings.root / 'prices.json5'}"
    if asked and asked.strict_prices:
        raise UsageError(f"{what}, and --strict-prices asks for it{where}")
    if any(model and spec.budget.usd for spec, model in needed) or (
        asked and asked.batch_budget.usd
    ):
        raise UsageError(f"{what}: a limit in money cannot be kept{where}, or limit the tokens")
    messages().print(f"[yellow]note:[/] {what}: its cost will be shown as unknown{where}")


def source_of(settings: Settings, batch: BatchId, asked: Asked) -> Source:
    """What the options ask of all runs together; raises UsageError for a broken cassette."""
    replay = asked.cassette.read_bytes() if asked.cassette else None
    if replay is not None:
        cassette.load(replay)
    return Source(_batch_purse(settings, batch, asked.batch_budget), replay)


def _batch_purse(settings: Settings, batch: BatchId, budget: Budget) -> Mapping[BatchId, Purse]:
    """The batch's common purse, with what its earlier runs took already gone."""
    if budget == Budget():
        return {}
    sessions = [run.session for run in wiring.open_store(settings).runs(batch) if run.session]
    return {
        batch: Purse(
            budget,
            usd=sum(session.cost_usd or 0.0 for session in sessions),
            tokens=sum(session.usage.total for session in sessions if session.usage),
        )
    }


_OPTIONS = (
    click.option(
        "--model",
        metavar="MODEL[@URL]",
        help="The model behind the agent; @URL is an endpoint that speaks the same protocol.",
    ),
    click.option("--temperature", type=click.FloatRange(min=0), help="How freely it samples."),
    click.option(
        "--max-output-tokens", type=click.IntRange(min=1), help="The longest single answer."
    ),
    click.option("--reasoning-effort", metavar="LEVEL", help="low, medium, high, …"),
    click.option("--seed", type=int, help="Where the provider takes one."),
    click.option(
        "--max-cost", type=float, metavar="USD", help="A run ends when its model cost this much."
    ),
    click.option("--max-tokens", type=int, metavar="N", help="… used so many tokens."),
    click.option(
        "--max-requests", type=int, metavar="N", default=MAX_REQUESTS, show_default=True,
        help="… asked so often.",
    ),
    click.option(
        "--max-turns", type=int, metavar="N", default=MAX_TURNS, show_default=True,
        help="… answered with tools at hand so often.",
    ),
    click.option(
        "--max-batch-cost", type=float, metavar="USD",
        help="All runs of the batch together, earlier commands' included.",
    ),
    click.option("--max-batch-tokens", type=int, metavar="N", help="The same, in tokens."),
    click.option(
        "--user", metavar="PROVIDER:MODEL",
        help="A model plays the user whom agents ask; the scenario's own answers come first.",
    ),
    click.option(
        "--strict-prices", is_flag=True, help="Refuse a model whose price is not known."
    ),
    click.option(
        "--cassette",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Answer from this recording instead of a model: no key, no network.",
    ),
)  # fmt: skip


def model_options(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command those options; it receives them as one `asked`."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **given: P.kwargs) -> R:
        taken = {name: given.pop(name) for name in _NAMES}
        return command(*args, asked=_asked(taken), **given)  # type: ignore[arg-type]  # one more than click gave

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


_NAMES = (
    *(field.name for field in fields(ModelSettings)),
    *("model", "user", "strict_prices", "cassette", "max_cost", "max_tokens", "max_requests"),
    *("max_turns", "max_batch_cost", "max_batch_tokens"),
)


def _asked(given: dict[str, object]) -> Asked:
    for name, value in given.items():
        if name.startswith("max_") and isinstance(value, int | float) and value <= 0:
            raise UsageError(f"--{name.replace('_', '-')} is {value:g}; it must be more than 0")
    return Asked(
        model=_given(given, "model", str),
        settings=ModelSettings(
            temperature=_given(given, "temperature", float),
            max_output_tokens=_given(given, "max_output_tokens", int),
            reasoning_effort=_given(given, "reasoning_effort", str),
            seed=_given(given, "seed", int),
        ),
        budget=Budget(
            usd=_given(given, "max_cost", float),
            tokens=_given(given, "max_tokens", int),
            requests=_given(given, "max_requests", int),
            turns=_given(given, "max_turns", int),
        ),
        batch_budget=Budget(
            usd=_given(given, "max_batch_cost", float),
            tokens=_given(given, "max_batch_tokens", int),
        ),
        user=_user(_given(given, "user", str)),
        strict_prices=bool(given["strict_prices"]),
        cassette=_given(given, "cassette", Path),
    )


def _user(text: str | None) -> ModelRef | None:
    if text is None:
        return None
    model = parse_model(text, "", PROVIDERS)
    if not model.provider:
        raise UsageError(f"--user {text!r} names no provider; write for example openai:{text}")
    return model


T = TypeVar("T")


def _given(given: dict[str, object], name: str, kind: type[T]) -> T | None:
    value = given[name]
    return value if isinstance(value, kind) else None
