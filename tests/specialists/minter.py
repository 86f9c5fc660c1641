"""Another process: writes numbered snapshots as fast as it can."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.specialists.numbering import write_numbered


def main(folder: str, name: str, count: int) -> None:
    print("ready", flush=True)  # noqa: T201  # the test waits for it
    sys.stdin.readline()
    for n in range(count):
        written = write_numbered(Path(folder), f"// {name} {n}\n" + "x" * 10_000 + "\n// end\n")
        print(written.number, flush=True)  # noqa: T201  # the test reads it


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
