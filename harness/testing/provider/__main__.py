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
from harness.testing.provider.files import load_turns

USAGE_EXIT = 2


def main() -> int:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.testing.provider",
        description="A model provider that plays a script over the protocols of the real ones.",
    )
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--script", type=Path, metavar="FILE.yaml", help="its turns")
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
    turns = load_turns(path) if path else (Says("There is no script: see --script."),)
    slow = [replace(says, delay_s=delay_s) for says in turns]
    return by_turn(*slow, aside=slow[-1] if path is None else Says("All right.", delay_s=delay_s))


if __name__ == "__main__":
    sys.exit(main())
