"""A model provider made of a script: a real HTTP server that speaks three protocols.

script = by_turn(Says("I look.", calls=(Call("list_directory"),)), Says("Done."))
with ProviderDouble(script, key="sk-double") as double:
    client = anthropic.Anthropic(base_url=double.url, api_key="sk-double")
"""

from harness.testing.provider.script import (
    Answer,
    Call,
    Cuts,
    Fails,
    Garbage,
    Hangs,
    Says,
    Script,
    Stop,
    TooLong,
    by_turn,
    plays,
)
from harness.testing.provider.seen import Seen
from harness.testing.provider.server import KEY, ProviderDouble

__all__ = [
    "KEY",
    "Answer",
    "Call",
    "Cuts",
    "Fails",
    "Garbage",
    "Hangs",
    "ProviderDouble",
    "Says",
    "Script",
    "Seen",
    "Stop",
    "TooLong",
    "by_turn",
    "plays",
]
