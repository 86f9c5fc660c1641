"""The `bench` command."""

from __future__ import annotations

from typing import NoReturn

import click

from harness.cli.entry import LazyGroup, start, version_option

COMMANDS = {
    "run": ("harness.cli.run:run", "Run agents on scenarios and store the results (the default)."),
    "plan": ("harness.cli.plan:plan", "Show what a run would be; --power: what it could show."),
    "demo": ("harness.cli.demo:demo", "Play the shipped demonstration and mint its snapshot."),
    "list": ("harness.cli.shows:list_scenarios", "List suites, scenarios and tiers."),
    "show": ("harness.cli.shows:show", "Show one run: scores, tests, diff, transcript."),
    "batches": ("harness.cli.batches:batches", "List batches."),
    "batch": ("harness.cli.batches:batch", "Show one batch with its runs."),
    "watch": ("harness.cli.watch:watch", "Watch a batch that other commands work on."),
    "compare": ("harness.cli.compare:compare", "Compare two batches, or a batch with itself."),
    "resume": ("harness.cli.resume:resume", "Run what a batch still misses."),
    "replay": ("harness.cli.replay:replay", "Repeat a stored run without its model."),
    "cassette": ("harness.cli.replay:cassette", "Write a run's recording to a file."),
    "judge": ("harness.cli.judge:judge", "Judge a stored run with another model or rubric."),
    "grade": ("harness.cli.grade:grade", "Record a person's marks for a stored run."),
    "agreement": ("harness.cli.agreement:agreement", "Compare judges with people and each other."),
    "checkout": ("harness.cli.shows:checkout", "Write a run's final files into a folder."),
    "new": ("harness.cli.scaffold:new", "Begin a new suite, scenario, evaluator or matrix."),
    "validate": ("harness.cli.validate:validate", "Check scenario files; --prove runs them."),
    "clean": ("harness.cli.clean:clean_up", "List what can go from the disks; --yes removes it."),
    "doctor": ("harness.cli.doctor:doctor", "Check this machine; --clean removes leftovers."),
}

ALIASES = {
    "--batches": "batches",
    "--batch-details": "batch",
    "--compare-batches": "compare",
}
"""What ze-benchmarks and its guide call some of them."""

EXAMPLES = """
\b
Examples:
  bench bug-fix lost-updates --tier L1 --agent oracle
  bench bug-fix --all-scenarios --tier L0,L1 --agent echo --iterations 3
  bench run --matrix matrix.yaml --jobs auto
  bench bug-fix look-alike-names --agent scripted:demo --specialist @mintmark/careful-debugger
  bench batch my_batch --json
"""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    default="run",
    aliases=ALIASES,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXAMPLES,
)
@version_option
def bench() -> None:
    """Benchmark coding agents on real repository tasks.

    bench SUITE SCENARIO [OPTIONS] runs an agent in a sandbox, grades its work in a second, fresh
    one, and stores the result under a batch. See `bench run --help`.
    """


def main() -> NoReturn:
    """The console script."""
    start(bench)
