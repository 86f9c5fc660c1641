"""`python -m harness.testing.provider`: try an agent without a provider's key."""

from __future__ import annotations

import argparse
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from harness.errors import UsageError
from harness.testing.provider import KEY, ProviderDouble, Says, Script, by_turn
from harness.testing.provider.files import ScriptFile, load_script
from harness.testing.provider.script import ASIDE

USAGE_EXIT = 2
FILE_HELP = """\
FILE.yaml holds one or both of:
  turns:   answers to requests that offer tools, by how far the conversation is; each has
           says, thinking, calls (a list of tool and input) and usage
  asides:  answers to requests that offer none, such as a judge's or a played user's, in the
           order in which they come, the last one again and again; says, thinking and usage
"""


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.testing.provider",
        description="A model provider that plays a script over the protocols of the real ones.",
        epilog=FILE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--script", type=Path, metavar="FILE.yaml", help="what it answers")
    parser.add_argument("--delay", type=float, default=0, metavar="S", help="before each answer")
    parser.add_argument("--key", default=KEY, help=f"the key to ask for; {KEY} by default")
    asked = parser.parse_args()
    try:
        script = _script(asked.script, asked.delay)
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE_EXIT
    try:
        with ProviderDouble(script, key=asked.key, port=asked.port) as double:
            sys.stdout.write(f"{double.url}  key {asked.key}\n")
            sys.stdout.flush()
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
    except OSError as error:
        sys.stderr.write(f"cannot listen on port {asked.port}: {error.strerror}\n")
        return USAGE_EXIT
    return 0


def _script(path: Path | None, delay_s: float) -> Script:
    says = Says("There is no script: see --script.")
    file = load_script(path) if path else ScriptFile((says,), (says,))
    turns, asides = (
        [replace(each, delay_s=delay_s) for each in part]
        for part in (file.turns, file.asides or (ASIDE,))
    )
    return by_turn(*turns, aside=tuple(asides))


if __name__ == "__main__":
    sys.exit(main())
