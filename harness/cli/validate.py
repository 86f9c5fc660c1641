"""`bench validate`: are the files right; with --prove, do they tell right from wrong."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from harness import roster, wiring
from harness.agents.tools import toolbox
from harness.cli.console import clean, messages, output, print_json
from harness.cli.entry import PASSED, USAGE, json_option, root_option, settings_for
from harness.cli.mint_templates import template_reports
from harness.cli.run import execute
from harness.domain.grading import JUDGE, OF_THE_SESSION, Grading
from harness.domain.ids import BatchId
from harness.domain.record import RunRecord
from harness.domain.scenario import Scenario
from harness.domain.spec import AgentRef
from harness.errors import BadFile, UsageError, nearest
from harness.load.agents import FOLDER as AGENTS
from harness.load.agents import load_agent
from harness.load.prices import FILE as PRICES
from harness.load.prices import load_prices
from harness.load.scenarios import (
    Report,
    find_scenarios,
    find_suites,
    load_scenario,
    validate_scenario,
)
from harness.load.scripts import load_script
from harness.load.template_files import TEMPLATES, files_below
from harness.plan import Selection, plan
from harness.report.words import plural
from harness.settings import Settings


@dataclass(frozen=True, slots=True)
class Proof:
    """What running a scenario showed: nothing wrong, or what is."""

    batch: BatchId
    problems: tuple[str, ...]
    wrong_refused: int
    left_out: tuple[str, ...]
    """Checks that nothing was shown of."""


@click.command()
@click.argument("suite", required=False)
@click.argument("scenario", required=False)
@click.option("--all", "everything", is_flag=True, help="Every scenario of every suite.")
@click.option("--prove", is_flag=True,
              help="Run each: untouched must fail, the solution must score 1.0, each required check"
              " must change its mind, each wrong solution must fail.")  # fmt: skip
@json_option
@root_option
def validate(
    *,
    suite: str | None,
    scenario: str | None,
    everything: bool,
    prove: bool,
    as_json: bool,
    root: Path | None,
) -> int:
    """Check scenarios and, without a SUITE, templates, agents and prices: all problems at once.

    \b
    Examples:
      bench validate bug-fix
      bench validate --prove --all
    """  # noqa: D301  # click wants its \b
    settings = settings_for(root)
    wanted = _wanted(settings, suite, scenario, everything=everything)
    templates = [] if suite else _templates(settings)
    others = [] if suite else list(_other_files(settings))
    kinds = wiring.evaluator_kinds()
    documents = []
    for suite_name, name in wanted:
        report = validate_scenario(settings.root, suite_name, name, kinds)
        if not report.errors:
            loaded = load_scenario(settings.root, suite_name, name, kinds=kinds)
            report = replace(report, errors=tuple(_beyond_the_schema(loaded)))
        proof = None
        if prove and not report.errors:
            if not as_json:
                messages().print(Text(f"proving {suite_name}/{name}"))
            proof = prove_scenario(
                settings, load_scenario(settings.root, suite_name, name, kinds=kinds), quiet=as_json
            )
        documents.append(_document(report, proof))
        if not as_json:
            _print(report, proof)
    if as_json:
        print_json({"scenarios": documents, "templates": templates, "others": others})
    else:
        for document in (*templates, *others):
            _print_template(document)
    return PASSED if all(d["ok"] for d in (*documents, *templates, *others)) else USAGE


def _templates(settings: Settings) -> list[dict[str, Any]]:
    """Every template of the project: whether it loads, and whether its words can be composed."""
    return template_reports(settings, files_below(settings.root / TEMPLATES))


def _other_files(settings: Settings) -> Iterator[dict[str, Any]]:
    """Agents of the project's own, and its prices."""
    agents = sorted((settings.root / AGENTS).glob("*.yaml"))
    found: list[tuple[Path, Callable[[Path], object]]] = [(path, load_agent) for path in agents]
    prices = settings.root / PRICES
    if prices.exists():
        found.append((prices, load_prices))
    for path, load in found:
        errors: tuple[str, ...] = ()
        try:
            load(path)
        except BadFile as error:
            errors = error.problems
        name = str(path.relative_to(settings.root))
        yield {"path": name, "ok": not errors, "errors": list(errors), "warnings": []}


def _beyond_the_schema(scenario: Scenario) -> Iterator[str]:
    """Tests that are not there, evaluators that are none, scripts that could not be played."""
    yield from _broken_evaluators(scenario)
    for check in scenario.checks:
        for place in check.tests:
            if not (scenario.fixture / place).exists():
                yield f"check {check.name!r}: the fixture has no {place!r}"
    for path in sorted((scenario.folder / "scripts").glob("*.yaml")):
        try:
            script = load_script(path, scenario.folder)
        except BadFile as error:
            yield str(error)
            continue
        tools = toolbox()
        for call in (call for play in script.plays for call in play.calls):
            if call.tool not in tools:
                yield f"{path}: no tool {call.tool!r}; {nearest(call.tool, tools)}"
            elif problem := tools[call.tool].refuses(call.arguments):
                yield f"{path}: {call.tool}: {problem}"


def _broken_evaluators(scenario: Scenario) -> Iterator[str]:
    evaluators = wiring.Evaluators()
    for kind in dict.fromkeys(check.kind for check in scenario.checks):
        try:
            evaluators[kind]
        except UsageError as error:
            yield str(error)


def _wanted(
    settings: Settings, suite: str | None, scenario: str | None, *, everything: bool
) -> list[tuple[str, str]]:
    if suite and everything:
        raise UsageError("give a suite or --all, not both")
    if scenario and suite:
        return [(suite, scenario)]
    suites = [suite] if suite else find_suites(settings.root)
    return [(s, name) for s in suites for name in find_scenarios(settings.root, s)]


NOT_PROVED = OF_THE_SESSION | {JUDGE}
"""Checks that say nothing of a solution that nobody worked out, or that cost money."""


def prove_scenario(settings: Settings, scenario: Scenario, *, quiet: bool) -> Proof:
    """Run the scenario with nothing done, with its solution and with each wrong solution."""
    wrong = sorted(p.name for p in (scenario.folder / "wrong").glob("*") if p.is_dir())
    agents = [AgentRef("echo"), AgentRef("oracle"), *(AgentRef("oracle", name) for name in wrong)]
    grading = Grading(skip=not_proved(scenario))
    specs = plan(Selection((scenario,), scenario.tiers[:1], tuple(agents), grading=grading))
    batch = BatchId(f"prove_{datetime.now(UTC):%Y%m%d%H%M%S}_{secrets.token_hex(3)}")
    runs = execute(settings, [roster.identify(spec) for spec in specs], batch, refs={}, quiet=quiet)
    return Proof(batch, tuple(_problems(runs)), len(wrong), grading.skip)


def not_proved(scenario: Scenario) -> tuple[str, ...]:
    """The checks that are left out, and those that wait for one of them."""
    out: set[str] = set()
    # a chain is no longer than there are checks
    for _ in scenario.checks:
        out |= {
            check.name
            for check in scenario.checks
            if check.kind in NOT_PROVED or any(gate in out for gate, _ in check.after)
        }
    return tuple(check.name for check in scenario.checks if check.name in out)


def _problems(runs: Sequence[RunRecord]) -> list[str]:
    untouched, solved, *wrong = runs
    problems = [
        f"{run.cell.who} faulted in {run.fault.stage}: {run.fault.message}"
        for run in runs
        if run.fault
    ]
    if problems:
        return problems
    if untouched.passed:
        problems.append(f"the untouched fixture passes with {untouched.total_score}")
    if solved.total_score != 1:
        low = ", ".join(f"{c.name} {c.score} {c.reason}" for c in solved.checks if c.score != 1)
        problems.append(f"the solution scores {solved.total_score}, not 1.0: {low}")
    problems += [
        f"check {c.name!r} could not run on the solution: {c.reason}"
        for c in solved.checks
        if c.score is None
    ]
    for before, after in zip(untouched.checks, solved.checks, strict=True):
        refuses = [c for run in wrong for c in run.checks if c.name == after.name and not c.reached]
        if after.required and before.score == after.score and not refuses:
            problems.append(
                f"required check {after.name!r} scores {after.score} with and without the solution"
                " and refuses no wrong one: make it optional, or let it see what is asked for"
            )
    problems += [
        f"the wrong solution {run.cell.agent.partition(':')[2]!r} passes with {run.total_score}"
        for run in wrong
        if run.passed
    ]
    return problems


def _document(report: Report, proof: Proof | None) -> dict[str, object]:
    document: dict[str, object] = {
        "suite": report.suite,
        "scenario": report.scenario,
        "ok": not report.errors and not (proof and proof.problems),
        "errors": [*report.errors, *(proof.problems if proof else ())],
        "warnings": list(report.warnings),
    }
    if proof:
        document["proof"] = {
            "batch_id": proof.batch,
            "wrong_solutions": proof.wrong_refused,
            "not_proved": proof.left_out,
        }
    return document


def _print(report: Report, proof: Proof | None) -> None:
    problems = [*report.errors, *(proof.problems if proof else ())]
    proved = ""
    if proof and not problems:
        proved = f"  proved: {plural(proof.wrong_refused, 'wrong solution')} refused"
        if proof.left_out:
            proved += f"; not proved: {', '.join(proof.left_out)}"
    _print_verdict(f"{report.suite}/{report.scenario}{proved}", problems, report.warnings)


def _print_template(document: dict[str, Any]) -> None:
    _print_verdict(document["path"], document["errors"], document["warnings"])


def _print_verdict(what: str, errors: Sequence[str], warnings: Sequence[str]) -> None:
    console = output()
    console.print("[red]✗[/]" if errors else "[green]✓[/]", Text(clean(what)))
    is_piped = not console.is_terminal
    for line in errors:
        console.print(Text(f"    error: {clean(line)}"), soft_wrap=is_piped)
    for line in warnings:
        console.print(Text(f"    warning: {clean(line)}", style="dim"), soft_wrap=is_piped)
