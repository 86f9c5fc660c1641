"""Measures functions with lizard in a process of its own: source text in, numbers out.

Started as a file. The text is an agent's: whoever starts this sets the deadline.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys

MEMORY_BYTES = 1024 * 1024 * 1024


def main() -> int:
    """A line of JSON for each file, as soon as it is measured: its functions, or null."""
    try:
        import lizard  # type: ignore[import-untyped]  # noqa: PLC0415  # its absence is an answer
    except ImportError:
        return 3
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for name, text in json.load(sys.stdin):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            try:
                found = lizard.analyze_file.analyze_source_code(name, text).function_list
                functions = [
                    (f.name, f.cyclomatic_complexity, f.start_line, f.end_line) for f in found
                ]
            except Exception:  # noqa: BLE001  # a text that breaks the tool has no numbers
                functions = None
        # it says so when it gives up, and returns what it has
        sys.stdout.write(json.dumps(None if said.getvalue() else functions) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
