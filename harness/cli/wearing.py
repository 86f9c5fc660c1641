"""What a command line says of specialists, and what is said of them in return."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click
from rich.text import Text

from harness import wiring
from harness.cli.console import clean, messages, money, output
from harness.cli.models import named_model
from harness.cli.places import near
from harness.domain.application import DOCUMENT_TOKENS, Application, Wearing
from harness.domain.ids import BatchId, Digest
from harness.domain.model import Asked, ModelRef
from harness.domain.outline import Run
from harness.domain.record import Cell, RunRecord, SpecialistRef
from harness.domain.spec import RunSpec
from harness.errors import UsageError
from harness.gateway.budget import Purse
from harness.report.words import plural
from harness.settings import Settings

if TYPE_CHECKING:
    from harness.specialists.outfit import Outfit

P = ParamSpec("P")
R = TypeVar("R")

PROMPT_OUTPUT = "system-prompt"
"""What `bench show --output` calls the specialist's words."""
SHOWN_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Worn:
    """The specialists that a command line names."""

    refs: tuple[str, ...] = ()
    wearing: Wearing = field(default_factory=Wearing)
    own_tools: bool = False


_OPTIONS = (
    click.option(
        "--specialist",
        "specialists",
        multiple=True,
        metavar="REF",
        help="@org/name[@version] or a template's path, worn by the agent; repeatable. Its newest"
        " enriched file is used, where it has one.",
    ),
    click.option(
        "--task",
        metavar="TASK",
        help="The specialist's words for this kind of task [recognised from the prompt].",
    ),
    click.option(
        "--document-tokens",
        type=click.IntRange(min=0),
        default=DOCUMENT_TOKENS,
        show_default=True,
        metavar="N",
        help="The most that a specialist's documents may take of its prompt.",
    ),
    click.option("--no-enriched", is_flag=True, help="Use the author's file, not an enriched one."),
    click.option(
        "--compose-with",
        metavar="PROVIDER:MODEL",
        help="A model chooses task, documents and missing words, once for each prompt.",
    ),
    click.option(
        "--own-tools",
        is_flag=True,
        help="Compare a specialist that brings servers of tools with a baseline that has none.",
    ),
)


_NAMES = ("specialists", "task", "document_tokens", "no_enriched", "compose_with", "own_tools")


def specialist_options(command: Callable[P, R]) -> Callable[..., R]:
    """Give a command those options; it receives them as one `worn`."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **given: P.kwargs) -> R:
        taken: dict[str, Any] = {name: given.pop(name) for name in _NAMES}
        chooser = taken["compose_with"]
        worn = Worn(
            tuple(taken["specialists"]),
            Wearing(
                taken["task"],
                taken["document_tokens"],
                not taken["no_enriched"],
                named_model("--compose-with", chooser) if chooser else None,
            ),
            own_tools=taken["own_tools"],
        )
        return command(*args, worn=worn, **given)  # type: ignore[arg-type]  # one more than click gave

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def outfits_of(
    settings: Settings, worn: Worn, purses: Mapping[BatchId, Purse] | None = None
) -> tuple[Outfit, ...]:
    """The specialists, found; raises UsageError for one that is not there or cannot be used."""
    return tuple(wiring.find_specialist(settings, ref, worn.wearing, purses) for ref in worn.refs)


def without_chooser(worn: Worn) -> Worn:
    """The same, without asking a model: which cells there are does not depend on its words."""
    return replace(worn, wearing=replace(worn.wearing, chooser=None))


def refuse_unworn(settings: Settings, template: str, outfits: Sequence[Outfit]) -> None:
    """Raise UsageError where what is to be minted would not run at all."""
    minted = wiring.find_specialist(settings, template).template
    worn = [f"{each.template.name}@{each.template.version}" for each in outfits]
    name = f"{minted.name}@{minted.version}"
    if name not in worn:
        raise UsageError(
            f"--mint-template {template} is {name}, and the runs wear {', '.join(worn)}: there"
            f" would be nothing to compare; add --specialist {template}"
        )


def refuse_confounded(
    runs: Iterable[Run], specs: Iterable[RunSpec], read: Callable[[str], RunRecord]
) -> None:
    """Raise UsageError where a batch's other side was asked in another way, or something else."""
    runs, specs = list(runs), list(specs)
    _refuse_other_words(runs, specs, read)
    before: dict[Cell, dict[tuple[Cell, Digest, Asked], Run]] = {}
    for run in runs:
        alike = before.setdefault(replace(run.cell, specialist=None), {})
        alike.setdefault((run.cell, run.task_digest, run.asked), run)
    for spec in specs:
        for run in before.get(replace(spec.cell, specialist=None), {}).values():
            if run.cell.specialist != spec.cell.specialist and (how := _differs(run, spec)):
                with_or_without = run.cell.specialist.name if run.cell.specialist else "baseline"
                raise UsageError(
                    f"batch {run.batch} has runs of {spec.scenario.key} {spec.prompt.tier}"
                    f" {run.cell.agent} ({with_or_without}) with {how}: whose doing a difference is"
                    " could not be told; ask as those were asked, or take another --batch-id"
                )


def _refuse_other_words(
    before: Sequence[Run], specs: Iterable[RunSpec], read: Callable[[str], RunRecord]
) -> None:
    """One name and version is one file in a batch: of two, nothing could be compared or minted."""
    worn = {(ref.name, ref.version): (ref, run) for run in before if (ref := run.cell.specialist)}
    for ref in (spec.specialist.ref for spec in specs if spec.specialist):
        old, run = worn.get((ref.name, ref.version), (ref, None))
        if run and old.digest != ref.digest:
            then = read(run.id).application
            file = f" {then.template}," if then else ""
            raise UsageError(
                f"batch {run.batch} has runs of {ref.name}@{ref.version} in other words (then"
                f"{file} {old.digest[:SHOWN_DIGEST]}…; now {ref.digest[:SHOWN_DIGEST]}…): whose"
                " doing a difference is could not be told; wear what those wore, by its path, or"
                " raise the version, or take another --batch-id"
            )


def _differs(run: Run, spec: RunSpec) -> str:
    if run.task_digest != spec.task_digest:
        return "another prompt, fixture or grading"
    pairs = {
        **_changed(asdict(run.asked.settings), asdict(spec.agent.settings)),
        **_changed(asdict(run.asked.budget), asdict(spec.budget)),
        **_changed({"user": run.asked.user}, {"user": spec.user}),
    }
    return ", ".join(f"{name} {old} instead of {new}" for name, (old, new) in pairs.items())


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (old[name], new[name]) for name in new if old[name] != new[name]}


def say_worn(
    specs: Sequence[RunSpec], outfits: Sequence[Outfit], choices: Iterable[str] = ()
) -> None:
    """What was chosen for the user: enriched files, an agent, a model, words left out."""
    console = output()
    lines = [
        f"{outfit.template.name}: {note}"
        for outfit in outfits
        for note in outfit.template.notes
        if note.startswith("enriched: ")
    ]
    _warn_of_deprecated(outfits)
    lines += choices
    for spec in specs:
        application = spec.specialist.application if spec.specialist else None
        if spec.specialist and application and application.left_out:
            ref = spec.specialist.ref
            left = "; ".join(application.left_out)
            lines.append(f"{ref.name}, {spec.scenario.key} {spec.prompt.tier}, left out: {left}")
    for line in dict.fromkeys(lines):
        console.print(Text(f"note: {clean(line)}", "dim"), soft_wrap=True)


def _warn_of_deprecated(outfits: Sequence[Outfit]) -> None:
    from harness.specialists.cards import deprecation_words  # noqa: PLC0415  # with a specialist only

    gone = {each.template.name: each.template.deprecation for each in outfits}
    for name, deprecation in gone.items():
        if deprecation:
            said = f"warning: {name} is {deprecation_words(deprecation)}"
            messages().print(Text(clean(said), "yellow"), soft_wrap=True)


def remembered_outfits(settings: Settings, outfits: Sequence[Outfit]) -> dict[str, str]:
    """By `name@version`, the very file that a resumed command has to read."""
    return {
        f"{each.template.name}@{each.template.version}": near(
            each.template.source, settings.root.absolute()
        )
        for each in outfits
    }


def remembered_specialist(spec: RunSpec, refs: Mapping[str, str]) -> dict[str, Any]:
    """What a resumed command needs to compose the same words."""
    if spec.specialist is None:
        return {"specialist": None}
    ref, application = spec.specialist.ref, spec.specialist.application
    return {
        "specialist": refs.get(f"{ref.name}@{ref.version}"),
        "wearing": asdict(application.wearing) if application else None,
    }


def outfit_again(
    settings: Settings, remembered: Mapping[str, Any], purses: Mapping[BatchId, Purse]
) -> Outfit | None:
    """The specialist that a run was planned with; a newer enriched file is not taken."""
    ref = remembered["specialist"]
    if ref is None:
        return None
    given = dict(remembered.get("wearing") or {})
    chooser = given.pop("chooser", None)
    wearing = Wearing(**given, chooser=ModelRef(**chooser) if chooser else None)
    return wiring.planned_specialist(settings, ref, wearing, purses)


def print_application(run: RunRecord) -> None:
    """The specialist of a run: who it was, which words it was given, and why those."""
    ref, application = run.cell.specialist, run.application
    if ref is None:
        return
    console = output()
    console.print("\n[bold]Specialist[/]")
    for subject, said in _lines(ref, application):
        console.print(Text(f"  {subject:<14}{clean(said)}"), soft_wrap=True)


def _lines(ref: SpecialistRef, application: Application | None) -> list[tuple[str, str]]:
    lines = [("Template", f"{ref.name}@{ref.version}  {ref.digest[:SHOWN_DIGEST]}…")]
    if application is None:
        return lines
    lines[0] = ("Template", f"{lines[0][1]}  {application.template}")
    size = f", {plural(application.prompt.size_bytes, 'byte')}" if application.prompt else ""
    more = f"{application.prompt_digest[:SHOWN_DIGEST]}…{size}  (--output {PROMPT_OUTPUT})"
    lines.append(("Prompt", more))
    lines.append(("Task", f"{application.task or 'none'}: {application.task_reason}"))
    lines.append(("Words for", application.model_words or "every model"))
    if choice := application.choice:
        use = choice.use
        spent = f": {plural(use.usage.total, 'token')}, {money(use.cost_usd)}" if use else ""
        lines.append(("Chosen by", f"{choice.model}{spent or ', which had been asked before'}"))
        lines += [("Word", f"{name}: {value}") for name, value in choice.values]
    lines += [("Document", each) for each in application.documents]
    lines += [("Left out", each) for each in application.left_out]
    return lines
