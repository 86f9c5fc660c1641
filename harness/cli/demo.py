"""`bench demo`: three baseline runs, three with a specialist, one snapshot; all of it played."""

from __future__ import annotations

from pathlib import Path

import click

from harness import roster, wiring
from harness.cli.console import output
from harness.cli.entry import PASSED, WORLD, root_option, settings_for
from harness.cli.result import report
from harness.cli.run import execute, new_batch
from harness.cli.wearing import remembered_outfits
from harness.domain.spec import AgentRef
from harness.load.scenarios import load_scenario
from harness.plan import Selection, plan

SUITE, SCENARIO, TIER = "bug-fix", "look-alike-names", "L1"
SPECIALIST = "@mintmark/careful-debugger"
ITERATIONS = 3


@click.command()
@root_option
def demo(*, root: Path | None) -> int:
    """Play the shipped demonstration and mint its snapshot.

    The agent is a script: no model takes part, and the scores say nothing about any model. What is
    real is everything else: sandboxes, grading, store, statistics, snapshot.
    """
    from harness.cli.mint import mint_snapshot  # noqa: PLC0415  # pulls in minting

    settings = settings_for(root)
    console = output()
    runs_each = f"{ITERATIONS} runs as baseline and {ITERATIONS} with {SPECIALIST}"
    console.print(f"[bold]Demonstration[/]: {SUITE}/{SCENARIO} {TIER}, {runs_each}.")
    console.print("[yellow]The agent plays a script. No model takes part.[/]\n")
    scenario = load_scenario(settings.root, SUITE, SCENARIO, kinds=wiring.evaluator_kinds())
    outfit = wiring.find_specialist(settings, SPECIALIST)
    specs = plan(
        Selection((scenario,), (TIER,), (AgentRef("scripted", "demo"),), (None, outfit), ITERATIONS)
    )
    batch = new_batch(None)
    refs = remembered_outfits(settings, [outfit])
    runs = execute(settings, [roster.identify(s) for s in specs], batch, refs=refs, quiet=False)
    report(settings, batch, runs, as_json=False)
    if any(run.fault for run in runs):
        return WORLD
    mint_snapshot(settings, SPECIALIST, (batch,), settings.root / "snapshots", quiet=False)
    console.print("\nNow try, after [bold]source .venv/bin/activate[/]:")
    console.print("  bench show last          scores; --diff, --tests, --transcript")
    console.print("  bench list               every suite and scenario")
    return PASSED
