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


ONCE_MORE = Patience(repeats=1, pause_s=2.0)


def deliver(
    send: Send, message: str, patience: Patience = Patience(), sleep: Sleep = time.sleep
) -> object:
    """What `send` returned; after the last repetition, whatever it raised.

    Every exception is worth a repetition: other teams write the senders and raise what they like.
    """
    return _repeat(lambda: send(message), patience, sleep)


def deliver_first(
    channels: Mapping[str, Send], message: str, sleep: Sleep = time.sleep
) -> str | None:
    """The name of the first channel that took the message, None when none did.

    A channel is asked twice, two seconds apart, before the next one has its turn.
    """
    for name, send in channels.items():
        try:
            _repeat(lambda send=send: send(message), ONCE_MORE, sleep)
        except Exception:  # noqa: BLE001  # any failure moves on to the next channel
            continue
        return name
    return None


def _repeat(action: Callable[[], object], patience: Patience, sleep: Sleep) -> object:
    return retry(
        action,
        attempts=patience.repeats + 1,
        pause=patience.pause_s * 1000,
        on=Exception,
        sleep=sleep,
    )
