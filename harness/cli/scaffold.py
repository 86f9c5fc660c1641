"""`bench new suite|scenario|evaluator|matrix`: the beginning of something that works."""

from __future__ import annotations

import re
from pathlib import Path

import click

from harness import wiring
from harness.cli.entry import PASSED, root_option, settings_for
from harness.cli.scaffold_evaluator import package_of, script_of
from harness.cli.scaffold_matrix import matrix_of
from harness.domain.scenario import TIERS
from harness.errors import UsageError, nearest
from harness.load.scenarios import find_suites

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def _wrong(last_line: str) -> str:
    return f'''"""Greetings."""


def greet(name):
    """Greet somebody by name."""
    {last_line}
'''


SCENARIO_FILES = {
    "scenario.yaml": """\
# Every field: docs/formats.md
name: "Greet by name"
description: "greet() ignores the name it is given."
image:
  name: debian:bookworm-slim
  packages: [git, python3]
threshold: 0.9
validation_commands:
  - {name: build, run: "python3 -m compileall -q src"}
evaluators:
  - {name: test, weight: 0.8, required: true, level: B}
  - {name: build, weight: 0.1}
  - {name: oracle, weight: 0.1}
""",
    "oracle-answers.json": """\
{
  "answers": {"which punctuation ends the greeting": "An exclamation mark."},
  "expected": [
    {"name": "the name is used", "file": "src/greeting.py", "matches": "def greet.name"}
  ]
}
""",
    "repo-fixture/README.md": """\
# Greeting

`greet(name)` greets somebody by name: `Hello, Ada!`
""",
    "repo-fixture/src/greeting.py": '''\
"""Greetings."""


def greet(who):
    """Greet somebody by name."""
    return "Hello!"
''',
    "hidden/test_greeting.py": """\
from grading import call


def test_the_name_is_in_the_greeting():
    assert call("greeting:greet", "Ada") == "Hello, Ada!"


def test_the_name_is_spelt_as_it_was_given():
    assert call("greeting:greet", "bell hooks") == "Hello, bell hooks!"
""",
    "solution/src/greeting.py": '''\
"""Greetings."""


def greet(name):
    """Greet somebody by name."""
    return f"Hello, {name}!"
''',
    "wrong/fixed-name/WHY.md": "Greets Ada whoever is there: passes the README's example only.\n",
    "wrong/fixed-name/src/greeting.py": _wrong('return "Hello, Ada!"'),
    "wrong/no-stop/WHY.md": "Leaves the exclamation mark away.\n",
    "wrong/no-stop/src/greeting.py": _wrong('return f"Hello, {name}"'),
    "wrong/loud-name/WHY.md": "Changes the spelling of the name.\n",
    "wrong/loud-name/src/greeting.py": _wrong('return f"Hello, {name.title()}!"'),
}

PROMPTS = {
    "L0": "The greeting is broken.\n",
    "L1": "greet('Ada') returns 'Hello!'; the README promises the name in it. Please fix it.\n",
    "L2": "In src/greeting.py make greet(name) return 'Hello, <name>!'. Change nothing else.\n",
    "L3": "Callers move from the fixed greeting to greet(name); follow the README's contract.\n",
    "Lx": "The greeting is broken; I am sure that the README is wrong, but keep to it anyway.\n",
}


@click.group()
def new() -> None:
    """Begin a new suite, scenario, evaluator or matrix.

    \b
    Examples:
      bench new suite web-apps
      bench new scenario web-apps login-form
      bench new evaluator no-todo --script --suite web-apps
      bench new matrix web-apps
    """  # noqa: D301  # click wants its \b


@new.command("suite")
@click.argument("name")
@root_option
def new_suite(*, name: str, root: Path | None) -> int:
    """Make the folders of a suite."""
    folder = settings_for(root).root / "suites" / _checked(name)
    if folder.exists():
        raise UsageError(f"suite {name!r} exists: {folder}")
    for part in ("scenarios", "prompts"):
        (folder / part).mkdir(parents=True)
        (folder / part / ".gitkeep").touch()
    click.echo(f"made {folder}\nnext: bench new scenario {name} my-scenario")
    return PASSED


@new.command("scenario")
@click.argument("suite")
@click.argument("name")
@root_option
def new_scenario(*, suite: str, name: str, root: Path | None) -> int:
    """Write a small scenario that works, to be changed into yours."""
    base = settings_for(root).root
    _must_be_a_suite(base, suite)
    folder = base / "suites" / suite / "scenarios" / _checked(name)
    prompts = base / "suites" / suite / "prompts" / name
    for taken in (folder, prompts):
        if taken.exists():
            raise UsageError(f"scenario {name!r} exists: {taken}")
    for path, text in SCENARIO_FILES.items():
        _write(folder / path, text)
    for tier, label in TIERS.items():
        _write(prompts / f"{tier}-{label.lower()}.md", PROMPTS[tier])
    click.echo(
        f"made {folder}\nand  {prompts}\n"
        f"next: bench validate --prove {suite} {name}, then change them into yours"
    )
    return PASSED


@new.command("evaluator")
@click.argument("name")
@click.option("--script", is_flag=True, help="A script of a suite, in place of a package.")
@click.option("--suite", help="The suite that gets the script.")
@root_option
def new_evaluator(*, name: str, script: bool, suite: str | None, root: Path | None) -> int:
    """Write an evaluator that works, to be changed into yours.

    \b
    Examples:
      bench new evaluator no-todo
      bench new evaluator no-todo --script --suite web-apps
    """  # noqa: D301  # click wants its \b
    base = settings_for(root).root
    if script != bool(suite):
        raise UsageError("a script belongs to a suite: give both --script and --suite SUITE")
    if suite:
        return _new_script(base, suite, _checked(name))
    if name in wiring.evaluator_kinds():
        raise UsageError(f"there is an evaluator {name!r} already")
    folder = base / f"mintmark-{_checked(name)}"
    if folder.exists():
        raise UsageError(f"{folder} exists")
    for path, text in package_of(name).items():
        _write(folder / path, text)
    click.echo(
        f"made {folder}\n"
        f"next: pip install -e {folder.name}, then in a scenario.yaml under `evaluators`:\n"
        f"  - {{name: {name}, weight: 1}}"
    )
    return PASSED


@new.command("matrix")
@click.argument("suite")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write [matrix.yaml of the project].",
)
@root_option
def new_matrix(*, suite: str, output: Path | None, root: Path | None) -> int:
    """Write a matrix of a suite that runs as it is, with all that it could say."""
    base = settings_for(root).root
    _must_be_a_suite(base, suite)
    path = output or base / "matrix.yaml"
    if path.exists():
        raise UsageError(f"{path} exists; name another with --output FILE")
    _write(path, matrix_of(suite))
    click.echo(f"made {path}\nnext: bench plan --matrix {path}")
    return PASSED


def _new_script(base: Path, suite: str, name: str) -> int:
    _must_be_a_suite(base, suite)
    path = base / "suites" / suite / "checks" / f"{name}.py"
    if path.exists():
        raise UsageError(f"{path} exists")
    _write(path, script_of(name))
    path.chmod(0o755)
    run = f"suite:checks/{path.name}"
    click.echo(
        f"made {path}\n"
        "next: in a scenario.yaml of the suite, under `evaluators`:\n"
        f'  - {{name: {name}, uses: script, weight: 1, options: {{run: "{run}"}}}}'
    )
    return PASSED


def _must_be_a_suite(base: Path, suite: str) -> None:
    if suite not in find_suites(base):
        raise UsageError(f"no suite {suite!r}; {nearest(suite, find_suites(base))}")


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for this: lower-case letters and digits, joined by '-'"
        )
    return name


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
