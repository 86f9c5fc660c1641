"""Delivers messages to the outside, where things fail for a while."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from saltern_retry import retry

Send = Callable[[str], object]
Sleep = Callable[[float], object]


@dataclass(frozen=True)
class Patience:
    """How often a failed delivery is repeated, and how long to wait before each repetition."""

    repeats: int = 3
    pause_s: float = 0.5


def deliver(
    send: Send, message: str, patience: Patience = Patience(), sleep: Sleep = time.sleep
) -> object:
    """What `send` returned; after the last repetition, whatever it raised.

    Every exception is worth a repetition: other teams write the senders and raise what they like.
    """
    return retry(lambda: send(message), patience.repeats, patience.pause_s, sleep=sleep)


def deliver_first(
    channels: Mapping[str, Send], message: str, sleep: Sleep = time.sleep
) -> str | None:
    """The name of the first channel that took the message, None when none did.

    A channel is asked twice, two seconds apart, before the next one has its turn.
    """
    for name, send in channels.items():
        try:
            retry(lambda send=send: send(message), 1, 2.0, sleep=sleep)
        except Exception:  # noqa: BLE001  # any failure moves on to the next channel
            continue
        return name
    return None
