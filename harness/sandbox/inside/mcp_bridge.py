"""Servers of the Model Context Protocol in a sandbox, as programs and as the harness ask for them.

    mcp_bridge.py filter SERVER            a server on standard streams with only allowed tools
    mcp_bridge.py look                     what the servers offer; they end again
    mcp_bridge.py start SOCKET             what they offer; they stay, behind a hub
    mcp_bridge.py call SOCKET TIMEOUT_S    one call through the hub

SERVER is JSON: {"name", "argv", "env", "url", "allow"}. `look` and `start` read
{"servers": [SERVER, …], "timeout_s"} from stdin, `call` reads
{"server", "tool", "arguments", "timeout_s", "limit"}.
"""

from __future__ import annotations

import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import mcp_call

MYPY = False
if MYPY:
    from collections.abc import Sequence

ENDED = 143


def main(words: Sequence[str]) -> int:
    """Do what the first word says."""
    signal.signal(signal.SIGTERM, _end)
    stdin = sys.stdin.buffer
    if words[:1] == ["call"]:
        return mcp_call.call(words[1], stdin.read(), float(words[2]))

    import mcp_filter  # noqa: PLC0415  # 30 ms that no call has to wait for
    import mcp_hub  # noqa: PLC0415  # the same

    if words[:1] == ["filter"]:
        return mcp_filter.serve(json.loads(words[1]), stdin)
    if words[:1] in (["look"], ["start"]):
        told = json.loads(stdin.read().decode("utf-8"))
        return mcp_hub.look(told) if words[0] == "look" else mcp_hub.start(told, words[1])
    sys.stderr.write(str(__doc__))
    return 2


def _end(_number: int, _frame: object) -> None:
    """Leave through every `finally`: programs that were started here must not stay."""
    sys.exit(ENDED)


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except SystemExit:
        code = ENDED
    sys.stderr.flush()
    # threads may still wait for a server or for stdin: nobody waits for them
    os._exit(code)
