"""`bench judge`: a stored run before judges again, without its agent and without an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from harness import roster, wiring
from harness.cli.console import clean, messages, output, print_json, print_judgement
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.lookup import find_run
from harness.cli.models import Shared, check_limits, look_at_prices, named_model, say_note
from harness.domain.ids import BatchId
from harness.domain.judgement import Judgement, Review
from harness.domain.model import Budget, ModelRef, ModelSettings, ModelUse
from harness.domain.record import RunRecord, TreeRef
from harness.domain.rubric import DEFAULT_CATEGORIES, Rubric
from harness.domain.scenario import Prompt, Scenario
from harness.domain.spec import AgentRef, RunSpec, Warmup
from harness.errors import Interrupted, ProviderFault, UsageError
from harness.evaluate import Judges, Seat
from harness.gateway.budget import Purse
from harness.interrupts import shield
from harness.judging import Case, JudgeFailed, judge_work, make_case
from harness.llm.base import NO_DEADLINE, Chat, Message, ToolSpec, Turn
from harness.llm.settings import check_settings
from harness.load.rubric_file import load_rubric
from harness.load.scenarios import load_scenario
from harness.patches import parse_patch
from harness.report.documents import review_documents
from harness.report.judging import used
from harness.report.words import plural
from harness.settings import Settings
from harness.store.base import Store
from harness.store.transcripts import read
from harness.tools import Panel

PURSE = BatchId("judge")
"""Whose common budget all judges of one command draw on."""
MOST_SAMPLES = 15

rubric_option = click.option(
    "--rubric",
    "rubric_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML file with what llm_judge of a scenario.yaml holds, in place of the scenario's.",
)


@click.command()
@click.argument("run")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="PROVIDER:MODEL",
    help="Judges in place of those that the rubric names; repeatable.",
)
@rubric_option
@click.option("--samples", type=click.IntRange(1, MOST_SAMPLES), help="How often each is asked.")
@click.option(
    "--show",
    "shown",
    multiple=True,
    type=click.Choice(["solution", "statement"]),
    help="Let them see the reference solution too, or what the agent said last; repeatable.",
)
@click.option("--max-cost", type=float, metavar="USD", help="All judges together may cost this.")
@click.option("--max-tokens", type=int, metavar="N", help="… use so many tokens.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
@root_option
def judge(  # noqa: PLR0913  # click hands over one argument per option
    *,
    run: str,
    judges: tuple[str, ...],
    rubric_file: Path | None,
    samples: int | None,
    shown: tuple[str, ...],
    max_cost: float | None,
    max_tokens: int | None,
    quiet: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Judge a stored run again, with another model or rubric; its agent does not run.

    The judgement is kept beside the run's own grade, which stays what it is. Exit code 3: no judge
    gave a verdict; nothing is stored then.

    \b
    Examples:
      bench judge last
      bench judge run_2026 --judge openai:MODEL --judge anthropic:MODEL --samples 3
      bench judge last --rubric strict.yaml --show solution --max-cost 0.50
    """  # noqa: D301  # click wants its \b
    check_limits({"max_cost": max_cost, "max_tokens": max_tokens})
    budget = Budget(usd=max_cost, tokens=max_tokens)
    settings = settings_for(root)
    store = wiring.open_store(settings)
    record = find_run(store, run)
    task = stored_task(settings, record)
    scenario = task.scenario
    rubric = _asked(rubric_of(scenario, rubric_file), samples, shown)
    if rubric.with_solution and scenario.solution is None:
        raise UsageError(f"{scenario.key} has no solution/ that judges could be shown")
    models = tuple(named_model("--judge", each) for each in judges) or tuple(
        named_model("the rubric's judge", each) for each in rubric.judges
    )
    _look_at(settings, models, rubric.settings, budget)
    case = _case(settings, record, task, rubric)
    with Asking(models, rubric.samples, quiet=quiet or as_json) as asking:
        judgement = _judged(settings, record, case, rubric, asking, budget)
    said = (judgement.note, *_otherwise(rubric_file, shown))
    judgement = replace(judgement, note="; ".join(part for part in said if part))
    keep_review(store, record, judgement, as_json=as_json)
    return PASSED


class StoredTask(NamedTuple):
    """What a run was about, and what it left."""

    scenario: Scenario
    prompt: Prompt
    tree: TreeRef


def stored_task(settings: Settings, record: RunRecord) -> StoredTask:
    """What a run was about, as it is now; says so when that is not what it was."""
    if record.tree is None:
        raise UsageError(f"{record.id} left no files: there is nothing to judge")
    cell = record.cell
    scenario = load_scenario(
        settings.root, cell.suite, cell.scenario, kinds=wiring.evaluator_kinds()
    )
    prompt = next((p for p in scenario.prompts if p.tier == cell.tier), None)
    if prompt is None:
        raise UsageError(f"{scenario.key} has no prompt for {cell.tier} any more")
    specs = (
        RunSpec(scenario, prompt, AgentRef(cell.agent), warmup=warmup, grading=record.grading)
        for warmup in Warmup
    )
    if all(spec.task_digest != record.task_digest for spec in specs):
        say_note(
            f"{scenario.key} or its prompt has changed since {record.id}: the run is judged by what"
            " they are now"
        )
    return StoredTask(scenario, prompt, record.tree)


def rubric_of(scenario: Scenario, file: Path | None) -> Rubric:
    """The rubric that was named, else the scenario's, else the one that is there for all."""
    if file is not None:
        return load_rubric(file)
    if scenario.rubric is None:
        say_note(
            f"{scenario.key} has no rubric (llm_judge); the categories are"
            f" {', '.join(category.name for category in DEFAULT_CATEGORIES)}"
        )
    return scenario.rubric or Rubric(DEFAULT_CATEGORIES)


def keep_review(store: Store, record: RunRecord, judgement: Judgement, *, as_json: bool) -> None:
    """Keep a new judgement beside the run's own grade, and show it."""
    review = Review(record.id, datetime.now(UTC), judgement)
    with shield():
        store.save_review(review)
    if as_json:
        print_json(review_documents([review])[0])
        return
    console = output()
    console.print(Text(f"{record.id}  {record.cell.suite}/{record.cell.scenario}"), end="")
    print_judgement(console, judgement, "Judged")
    console.print(f"\nkept beside the run's own grade: bench show {record.id}")


def _asked(rubric: Rubric, samples: int | None, shown: Sequence[str]) -> Rubric:
    return replace(
        rubric,
        samples=samples or rubric.samples,
        with_solution=rubric.with_solution or "solution" in shown,
        with_statement=rubric.with_statement or "statement" in shown,
    )


def _otherwise(file: Path | None, shown: Sequence[str]) -> Iterator[str]:
    """How the judges were asked otherwise than the scenario would have it."""
    if file is not None:
        yield f"by the rubric {file.name}"
    if shown:
        yield f"shown the {' and the '.join(sorted(set(shown)))}"


def _look_at(
    settings: Settings, models: Sequence[ModelRef], how: ModelSettings, budget: Budget
) -> None:
    """Refuse what cannot be asked before anything is."""
    if not models:
        raise UsageError("the rubric names no judge; give --judge PROVIDER:MODEL")
    targets = wiring.open_targets(settings)
    for model in models:
        check_settings(model.provider, how)
        targets.find(model)
    look_at_prices(settings, models, Shared(budget))


def _case(settings: Settings, record: RunRecord, task: StoredTask, rubric: Rubric) -> Case:
    session = record.session if rubric.with_statement else None
    return make_case(
        replace(task.scenario, rubric=rubric),
        parse_patch(wiring.open_ledger(settings).diff(task.tree)),
        task=task.prompt.text,
        transcript=read(session, wiring.open_artifacts(settings)) if session else (),
        commands=record.commands,
        checks=record.checks,
    )


def _judged(
    settings: Settings,
    record: RunRecord,
    case: Case,
    rubric: Rubric,
    asking: Asking,
    budget: Budget,
) -> Judgement:
    """Ask; on Ctrl-C the lines to the models are cut, so that nobody waits for an answer."""
    purses = {PURSE: Purse(budget)}
    keep = wiring.open_artifacts(settings).put
    with closing(wiring.open_gateway(settings, purses)) as gateway:
        panel = Panel(gateway, roster.open_chat, f"{record.id}-judge", asking.models, PURSE)
        asking.panel = panel
        try:
            return asking.until(lambda: judge_work(case, rubric, asking, keep), gateway.close)
        except JudgeFailed as error:
            cost = f" (used: {used(error.use)})" if error.use and error.use.requests else ""
            raise ProviderFault(
                f"{record.id} was not judged, and nothing was stored: {error}{cost}"
            ) from error


@dataclass(slots=True)
class Asking:
    """The panel's seats with a line that moves while they are asked."""

    models: tuple[ModelRef, ...]
    samples: int
    quiet: bool
    panel: Judges | None = None
    stopped: bool = False
    answers: int = 0
    progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=messages(),
            transient=True,
            disable=self.quiet,
        )

    def __enter__(self) -> Self:
        if self.progress.console.is_terminal:
            self.progress.start()
            self.progress.add_task(self._doing())
        elif not self.quiet:
            self.progress.console.print(Text(self._doing()))
        return self

    def __exit__(self, *_: object) -> None:
        if self.progress.console.is_terminal:
            self.progress.stop()

    @contextmanager
    def seat(self, model: ModelRef, settings: ModelSettings) -> Iterator[Seat]:
        """One of the panel's."""
        if self.panel is None or self.stopped:
            raise Interrupted
        with self.panel.seat(model, settings) as seat:
            yield _Seat(seat, self)

    def cut(self) -> None:
        """Nobody waits any more; who asks for seats is `until`, which cuts the lines itself."""

    def until(self, work: Callable[[], Judgement], cut: Callable[[], None]) -> Judgement:
        """What `work` comes to; an interruption cuts the lines and takes no more seats."""
        with ThreadPoolExecutor(1) as pool:
            try:
                return pool.submit(copy_context().run, work).result()
            except (Interrupted, KeyboardInterrupt):
                self.stopped = True
                self._show()
                cut()
                raise

    def answered(self) -> None:
        """One more answer is there."""
        self.answers += 1
        self._show()

    def _show(self) -> None:
        for task in self.progress.task_ids:
            self.progress.update(task, description=self._doing())

    def _doing(self) -> str:
        if self.stopped:
            return "stopping; nothing will be stored"
        names = clean(", ".join(model.label for model in self.models))
        times = f", {self.samples} times each" if self.samples > 1 else ""
        there = f": {plural(self.answers, 'answer')}" if self.answers else ""
        return f"asking {names}{times}{there}"


@dataclass(frozen=True, slots=True)
class _Seat:
    seat: Seat
    asking: Asking

    @property
    def chat(self) -> Chat:
        return _Counted(self.seat.chat, self.asking)

    def use(self) -> ModelUse:
        return self.seat.use()


@dataclass(frozen=True, slots=True)
class _Counted:
    """A chat whose answers are counted."""

    chat: Chat
    asking: Asking

    def send(
        self,
        system: str | None,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        timeout_s: float = NO_DEADLINE,
    ) -> Turn:
        turn = self.chat.send(system, messages, tools, timeout_s=timeout_s)
        self.asking.answered()
        return turn
