"""How both commands start and how they end."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from harness import __version__
from harness.errors import EnvironmentFault, Interrupted, UsageError, nearest
from harness.interrupts import INTERRUPTS

if TYPE_CHECKING:
    from harness.settings import Settings

PASSED, NOT_PASSED, USAGE, WORLD, BUG, INTERRUPTED = 0, 1, 2, 3, 70, 130


class LazyGroup(click.Group):
    """Commands named by `module:attribute` and imported when they are called, not for `--help`."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401  # click's own arguments pass through
        lazy: Mapping[str, tuple[str, str]],
        default: str | None = None,
        aliases: Mapping[str, str] | None = None,
        **kwargs: Any,  # noqa: ANN401  # click's own arguments pass through
    ) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy
        self._default = default
        self._aliases = aliases or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order they were given."""
        del ctx
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in self._lazy:
            return None
        module, _, attribute = self._lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What does not begin with a command's name is meant for the default command."""
        own = {"--help", "-h", "--version"}
        if args and args[0] in self._aliases:
            args = [self._aliases[args[0]], *args[1:]]
        if self._default and args and args[0] not in self._lazy and args[0] not in own:
            args = [self._default, *args]
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command for one that does not exist."""
        if args and args[0] not in self._lazy:
            raise UsageError(f"no command {args[0]!r}; {nearest(args[0], self._lazy)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Short helps, without importing what they describe."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._lazy.items()])


def show_version(ctx: click.Context, _: click.Parameter, value: object) -> None:
    """Print the version and stop."""
    if value and not ctx.resilient_parsing:
        click.echo(f"mintmark {__version__}")
        ctx.exit()


version_option = click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=show_version,
    help="Show the version.",
)  # fmt: skip
root_option = click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The project: the folder that holds suites/ [BENCH_ROOT, else the current folder].",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on standard output, nothing else."
)


def settings_for(root: Path | None) -> Settings:
    """What the environment says, read once."""
    from harness.log import configure  # noqa: PLC0415  # start-up
    from harness.settings import Settings  # noqa: PLC0415  # start-up

    settings = Settings.from_env(os.environ, root=root)
    configure(verbose=settings.verbose)
    return settings


def start(group: click.Group) -> NoReturn:
    """Run a command and leave with the exit code that its end stands for."""
    _catch_signals()
    _soften_output()
    sys.exit(exit_code_of(group))


def exit_code_of(  # noqa: PLR0911  # one return for each way to end
    group: click.Group, arguments: list[str] | None = None
) -> int:
    """Run a command; whatever it raises becomes a message and an exit code."""
    try:
        code = group(arguments, standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except UsageError as error:
        return _complain(f"error: {error}", USAGE)
    except EnvironmentFault as error:
        return _complain(f"error: {error}", WORLD)
    except (Interrupted, KeyboardInterrupt, click.Abort) as stop:
        return _complain(str(stop) or "interrupted", INTERRUPTED)
    except BrokenPipeError:
        # whoever read our output has gone (`bench list | head`); Python would complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PASSED
    except OSError as error:
        return _complain(f"error: {error}", WORLD)
    except Exception:  # noqa: BLE001  # our bug: shown whole, with an exit code of its own
        traceback.print_exc()
        return _complain("error: this is a bug in Mintmark; please report the lines above", BUG)
    return code if isinstance(code, int) else PASSED


def _soften_output() -> None:
    """A closed output takes everything, and one of few characters shows what it can."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # until the process ends
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _complain(message: str, code: int) -> int:
    click.echo(message, err=True)
    return code


def _catch_signals() -> None:
    def stop(number: int, _frame: FrameType | None) -> None:
        said = INTERRUPTS.arrived()
        if INTERRUPTS.hopeless:
            # what is left lying about is swept by the next command
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        if said:
            # click would write past the lines that move
            sys.stderr.write(f"{said}\n")

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, stop)
