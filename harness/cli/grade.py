"""`bench grade`: what a person makes of a stored run, in the categories of its rubric."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from harness import wiring
from harness.cli.console import clean
from harness.cli.entry import PASSED, json_option, root_option, settings_for
from harness.cli.judge import keep_review, rubric_of, rubric_option, stored_task
from harness.cli.lookup import find_run
from harness.domain.judgement import Judgement, Mark
from harness.domain.provider import PROVIDERS
from harness.domain.record import RunRecord
from harness.domain.rubric import Category, Rubric
from harness.errors import UsageError, nearest
from harness.judging import rubric_digest, weighted_score
from harness.load.marks import MarksFile, load_marks

LEVELS = ("1", "2", "3", "4", "5")
NAME_CHARS = 80
LEFT_OUT = ""


@click.command()
@click.argument("run")
@click.option("--by", required=True, metavar="NAME", help="Who gives the marks.")
@click.option(
    "--score",
    "scores",
    multiple=True,
    metavar='"CATEGORY=1..5"',
    help="A mark; once for every category. Without any you are asked for them.",
)
@click.option("--note", metavar="TEXT", help="What else there is to say.")
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML file: scores (a mark for every category) and note.",
)
@rubric_option
@click.option("--partial", is_flag=True, help="Leave categories out; they are in no score.")
@json_option
@root_option
def grade(  # noqa: PLR0913  # click hands over one argument per option
    *,
    run: str,
    by: str,
    scores: tuple[str, ...],
    note: str | None,
    file: Path | None,
    rubric_file: Path | None,
    partial: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Record a person's marks for a stored run, from 1 to 5 in each category of its rubric.

    They are kept beside the run's own grade and change nothing in it. Whoever grades a run again
    adds to what is there; the latest marks count.

    \b
    Examples:
      bench grade last --by ann
      bench grade run_2026 --by ann --score "Correctness=4" --score "Code quality=5"
      bench grade run_2026 --by ann --from marks.yaml
    """  # noqa: D301  # click wants its \b
    person = _person(by)
    if scores and file:
        raise UsageError("--score and --from exclude each other; give one of them")
    settings = settings_for(root)
    store = wiring.open_store(settings)
    record = find_run(store, run)
    rubric = rubric_of(stored_task(settings, record).scenario, rubric_file)
    given = load_marks(file) if file else MarksFile()
    marks = _marks(rubric, [*given.scores.items(), *map(_pair, scores)])
    if not marks and not file:
        _introduce(record, rubric)
        marks = ask_marks(rubric, partial=partial)
        note = (
            click.prompt("Note", default="", show_default=False, err=True) if note is None else note
        )
    judgement = _judgement(person, rubric, marks, partial=partial, note=note or given.note)
    keep_review(store, record, judgement, as_json=as_json)
    return PASSED


def ask_marks(rubric: Rubric, *, partial: bool) -> Mapping[str, int]:
    """Ask for the mark of one category after the other."""
    marks = {}
    for number, category in enumerate(rubric.categories, 1):
        _describe(category, f"{number}/{len(rubric.categories)}")
        answer = _ask(partial=partial)
        if answer != LEFT_OUT:
            marks[category.name] = int(answer)
    return marks


def _ask(*, partial: bool) -> str:
    while True:
        hint = "Mark 1-5, or nothing to leave it out" if partial else "Mark 1-5"
        answer: str = click.prompt(hint, default=LEFT_OUT, show_default=False, err=True).strip()
        if answer in LEVELS or (partial and answer == LEFT_OUT):
            return answer
        click.echo(f"{clean(answer)!r} is not {_any_of(LEVELS)}", err=True)


def _introduce(record: RunRecord, rubric: Rubric) -> None:
    if not sys.stdin.isatty():
        names = " ".join(f'--score "{category.name}=…"' for category in rubric.categories)
        raise UsageError(f"no marks are given, and nobody is here to ask: {names}")
    click.echo(
        f"{record.id}  {record.cell.suite}/{record.cell.scenario} {record.cell.tier}\n"
        f"Look at the work before you go on:\n"
        f"  bench show {record.id} --diff | less -R\n"
        f"  bench checkout {record.id} FOLDER",
        err=True,
    )


def _describe(category: Category, place: str) -> None:
    click.echo(f"\n{place}  {clean(category.name)} ({category.weight:.0%})", err=True)
    if category.text:
        click.echo(f"  {clean(category.text)}", err=True)
    for level, meaning in category.anchors:
        click.echo(f"  {level} = {clean(meaning)}", err=True)


def _person(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_CHARS or not name.isprintable():
        raise UsageError(f"--by {name[:NAME_CHARS]!r} is no name; it is 1 to {NAME_CHARS} letters")
    provider, colon, _ = name.partition(":")
    if colon and provider.strip().casefold() in PROVIDERS:
        raise UsageError(
            f"--by {name!r} is a model's name; people's marks are kept here, and models judge with"
            f" `bench judge RUN --judge {name}`"
        )
    return name


def _pair(text: str) -> tuple[str, int]:
    name, equals, level = (part.strip() for part in text.rpartition("="))
    if not equals or not name:
        raise UsageError(f'--score {text!r} is not CATEGORY=MARK, as in --score "Correctness=4"')
    if level not in LEVELS:
        raise UsageError(f"--score {text!r}: {level!r} is not {_any_of(LEVELS)}")
    return name, int(level)


def _any_of(levels: Sequence[str]) -> str:
    return f"{', '.join(levels[:-1])} or {levels[-1]}"


def _marks(rubric: Rubric, given: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    """By the rubric's own names; capitals do not matter."""
    names = {category.name.casefold(): category.name for category in rubric.categories}
    marks: dict[str, int] = {}
    for typed, level in given:
        name = names.get(typed.casefold())
        if name is None:
            raise UsageError(f"no category {typed!r}; {nearest(typed, names.values())}")
        if name in marks:
            raise UsageError(f"{name!r} has two marks; give one")
        marks[name] = level
    return marks


def _judgement(
    person: str, rubric: Rubric, given: Mapping[str, int], *, partial: bool, note: str
) -> Judgement:
    missing = [c.name for c in rubric.categories if c.name not in given]
    if not given:
        raise UsageError("there is no mark at all, so there is nothing to keep")
    if missing and not partial:
        raise UsageError(
            f"no mark for {', '.join(map(repr, missing))}; give all of them, or --partial"
        )
    marks = tuple(
        Mark(c.name, c.weight, float(given[c.name])) for c in rubric.categories if c.name in given
    )
    return Judgement(
        by=(person,),
        is_human=True,
        rubric=rubric_digest(rubric),
        score=weighted_score(marks),
        marks=marks,
        note=_whole(note.strip()),
    )


def _whole(text: str) -> str:
    """Text that any file and any database takes."""
    return text.encode("utf-8", "backslashreplace").decode()
