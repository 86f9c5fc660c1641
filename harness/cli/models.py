"""The options that say which model works, how it is asked and what it may cost."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
from rich.text import Text

from harness import roster, wiring
from harness.cli.console import clean, messages
from harness.cli.purses import refuse_empty
from harness.domain.digests import bytes_digest
from harness.domain.grading import JUDGE, Grading
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelSettings, parse_model
from harness.domain.provider import PROVIDERS
from harness.domain.spec import RunSpec
from harness.errors import UsageError
from harness.gateway import cassette
from harness.gateway.budget import Purse
from harness.gateway.targets import Targets
from harness.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

MAX_TURNS = 100
MAX_REQUESTS = 500


@dataclass(frozen=True, slots=True)
class Shared:
    """What was asked of all runs of a command together."""

    budget: Budget = field(default_factory=Budget)
    strict_prices: bool = False
    cassette: Path | None = None
    cassette_digest: str | None = None
    """Of the cassette as it was, when an earlier command named it."""
    day: Budget = field(default_factory=Budget)
    """Of all batches of the store together, from midnight to midnight, UTC."""

    @property
    def of_day(self) -> Budget:
        """What a day allows of this; what a cassette answers is paid on none."""
        return Budget() if self.cassette else self.day

    @property
    def limits_usd(self) -> bool:
        """Whether money is limited."""
        return self.budget.usd is not None or self.day.usd is not None

    def remembered(self) -> dict[str, object]:
        """What a resumed command reads again."""
        return {
            "batch_budget": asdict(self.budget),
            "day_budget": asdict(self.day),
            "strict_prices": self.strict_prices,
            "cassette": str(self.cassette) if self.cassette else None,
            "cassette_digest": self.cassette_digest,
        }


def remembered_shared(given: Mapping[str, Any]) -> Shared:
    """What a batch was planned with; one of an earlier version remembers none of it."""
    cassette_path = given.get("cassette")
    return Shared(
        Budget(**given.get("batch_budget", {})),
        given.get("strict_prices", False),
        Path(cassette_path) if cassette_path else None,
        given.get("cassette_digest"),
        Budget(**given.get("day_budget", {})),
    )


def remembered_grading(given: Mapping[str, Any]) -> Grading:
    """What was asked of the grading when a run was planned."""
    return Grading(
        only=tuple(given.get("only", ())),
        skip=tuple(given.get("skip", ())),
        judges=tuple(ModelRef(**model) for model in given.get("judges", ())),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What those options said."""

    model: str | None
    settings: ModelSettings
    budget: Budget
    user: ModelRef | None
    shared: Shared


@dataclass(frozen=True, slots=True)
class Source:
    """What runs share beyond their own specs: a batch's purse, and a recording to play."""

    purses: Mapping[BatchId, Purse] = field(default_factory=dict)
    replay: bytes | None = None
    shared: Shared = field(default_factory=Shared)


def look_at_models(
    settings: Settings, specs: Sequence[RunSpec], shared: Shared | None = None
) -> None:
    """Refuse what no run could do: a model without a key, a limit in money without a price."""
    needed = [(spec, roster.make_agent(spec).needs.model) for spec in specs]
    others = [model for spec in specs for model in (spec.user, *spec.grading.judges) if model]
    models = dict.fromkeys([*(model for _, model in needed if model), *others])
    shared = shared or Shared()
    if shared.cassette and not models:
        say_note(f"{shared.cassette} is not played: nobody here asks a model")
    if shared.cassette:
        return
    targets = wiring.open_targets(settings)
    _look_at_judges(specs, targets)
    if not models:
        return
    for model in models:
        targets.find(model)
    is_limited = any(model and spec.budget.usd for spec, model in needed)
    look_at_prices(settings, models, shared, is_limited=is_limited)


def look_at_prices(
    settings: Settings, models: Iterable[ModelRef], shared: Shared, *, is_limited: bool = False
) -> None:
    """Say whose price is not known; raises UsageError where it has to be."""
    prices = wiring.open_prices(settings)
    unknown = [model for model in models if not prices.known(model)]
    if not unknown:
        return
    what = f"the price of {', '.join(model.label for model in unknown)} is not known"
    near = ", ".join(repr(like) for model in unknown if (like := prices.like(model)))
    hint = f" (did you mean {near}?)" if near else ""
    where = f"{hint}; say it in {settings.root / 'prices.json5'}"
    if shared.strict_prices:
        raise UsageError(f"{what}, and --strict-prices asks for it{where}")
    if is_limited or shared.limits_usd:
        raise UsageError(f"{what}: a limit in money cannot be kept{where}, or limit the tokens")
    say_note(f"{what}: its cost will be shown as unknown{where}")


def say_note(text: str) -> None:
    """Say something in passing; names in it are no markup."""
    messages().print(Text.assemble(("note:", "yellow"), f" {clean(text)}"))


def _look_at_judges(specs: Sequence[RunSpec], targets: Targets) -> None:
    """A rubric's own judges: one without a key is no reason not to run, unless it is required."""
    asked = {spec.scenario.key: spec.scenario for spec in specs if not spec.grading.judges}
    for key, scenario in asked.items():
        check = next((c for c in scenario.checks if c.kind == JUDGE), None)
        rubric = scenario.rubric
        if check is None or rubric is None:
            continue
        try:
            for judge in rubric.judges:
                targets.find(parse_model(judge, "", PROVIDERS))
        except UsageError as error:
            if check.required:
                raise
            say_note(f"{key}: {check.name!r} will not run: {error}")


def source_of(specs: Sequence[RunSpec], shared: Shared, purses: Mapping[BatchId, Purse]) -> Source:
    """What is asked of all runs together; raises UsageError for what cannot be done now.

    That is a cassette that is broken, another one or of other models, and an empty purse.
    """
    replay, digest = None, None
    if shared.cassette is not None:
        replay = read_cassette(shared.cassette, specs)
        digest = bytes_digest(replay)
        if shared.cassette_digest not in {None, digest}:
            raise UsageError(
                f"{shared.cassette} is not the cassette that the batch was planned with:"
                " it has changed; run it in a new batch"
            )
        shared = replace(shared, cassette=shared.cassette.absolute(), cassette_digest=digest)
    if not any(map(asks_model, specs)):
        purses = {batch: replace(purse, day=None) for batch, purse in purses.items()}
    refuse_empty(purses)
    return Source(purses, replay, shared)


def asks_model(spec: RunSpec) -> bool:
    """Whether anybody in a run asks a model: its agent, who plays its user, a judge."""
    judged = any(check.kind == JUDGE for check in spec.scenario.checks)
    return bool(roster.make_agent(spec).needs.model or spec.user or judged)


def read_cassette(path: Path, specs: Sequence[RunSpec]) -> bytes:
    """A recording that can answer the agents' models; raises UsageError naming the file."""
    try:
        data = path.read_bytes()
        held = cassette.load(data).model.split(", ")
    except OSError as error:
        raise UsageError(f"{path}: the cassette cannot be read: {error.strerror}") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    for spec in specs:
        model = roster.make_agent(spec).needs.model
        if model and model.name not in map(_name, held):
            raise UsageError(
                f"{path} was recorded with {', '.join(held)}, and {spec.agent.label!r} asks"
                f" {model.label}: it would have no answer"
            )
    return data


def _name(label: str) -> str:
    """Where a model was does not matter to a recording of it."""
    return label.partition(":")[2].partition("@http")[0]


BATCH_OPTIONS = (
    click.option(
        "--max-batch-cost", type=float, metavar="USD",
        help="All runs of the batch together, earlier commands' included.",
    ),
    click.option("--max-batch-tokens", type=int, metavar="N", help="The same, in tokens."),
    click.option(
        "--max-day-cost", type=float, metavar="USD", envvar="BENCH_MAX_DAY_COST",
        show_envvar=True, help="All runs of the store that end on one day (UTC), of any batch.",
    ),
    click.option(
        "--max-day-tokens", type=int, metavar="N", envvar="BENCH_MAX_DAY_TOKENS",
        show_envvar=True, help="The same, in tokens.",
    ),
)  # fmt: skip
_OF_BATCH = ("max_batch_cost", "max_batch_tokens", "max_day_cost", "max_day_tokens")
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
    *BATCH_OPTIONS,
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


def batch_options(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command the limits of batch and day alone; it receives them as `given`."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **given: P.kwargs) -> R:
        taken = {name: given.pop(name) for name in _OF_BATCH}
        check_limits(taken)
        return command(*args, given=_limits(taken), **given)  # type: ignore[arg-type]  # as above

    for option in reversed(BATCH_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


_NAMES = (
    *(field.name for field in fields(ModelSettings)),
    *("model", "user", "strict_prices", "cassette", "max_cost", "max_tokens", "max_requests"),
    *("max_turns", *_OF_BATCH),
)


def _limits(given: Mapping[str, object]) -> Shared:
    """What a batch may use, and all batches of a day."""
    batch, day = (
        Budget(
            usd=_given(given, f"max_{whose}_cost", float),
            tokens=_given(given, f"max_{whose}_tokens", int),
        )
        for whose in ("batch", "day")
    )
    return Shared(batch, day=day)


def check_limits(given: Mapping[str, object]) -> None:
    """Raise UsageError for a number that nothing can be held to."""
    for name, value in given.items():
        if not isinstance(value, int | float):
            continue
        option = f"--{name.replace('_', '-')}"
        if not math.isfinite(value):
            raise UsageError(f"{option} is {value}; write a number, or leave it out for no limit")
        if name.startswith("max_") and value <= 0:
            raise UsageError(f"{option} is {value:g}; it must be more than 0")


def _asked(given: dict[str, object]) -> Asked:
    check_limits(given)
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
        user=named_model("--user", user) if (user := _given(given, "user", str)) else None,
        shared=replace(
            _limits(given),
            strict_prices=bool(given["strict_prices"]),
            cassette=_given(given, "cassette", Path),
        ),
    )


def named_model(option: str, text: str) -> ModelRef:
    """A model with its provider; raises UsageError naming the option."""
    model = parse_model(text, "", PROVIDERS)
    if not model.provider:
        named, colon, _ = text.partition(":")
        if colon and (near := get_close_matches(named, PROVIDERS, n=1)):
            raise UsageError(f"{option}: no provider {named!r}; did you mean {near[0]!r}?")
        raise UsageError(f"{option} {text!r} names no provider; write for example openai:{text}")
    return model


T = TypeVar("T")


def _given(given: Mapping[str, object], name: str, kind: type[T]) -> T | None:
    value = given[name]
    return value if isinstance(value, kind) else None
