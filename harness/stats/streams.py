"""Random numbers that anybody can make again, in any language, from a seed that is written down."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

SEED = 20261121
"""Any number would do as long as it is the same one every time."""
_WORD, _LONG = 2**32 - 1, 2**64 - 1
_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
_POOL = 4


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes without end: block k is SHA-256 of the key followed by k in 8 bytes, big end first."""

    key: bytes

    def take(self, size: int) -> bytes:
        """The first `size` bytes."""
        blocks = range(-(-size // 32))
        sha256, key = hashlib.sha256, self.key
        return b"".join(sha256(key + k.to_bytes(8, "big")).digest() for k in blocks)[:size]

    def indices(self, count: int, below: int) -> list[int]:
        """So many numbers from 0 up to `below`, one from every 4 bytes."""
        words = struct.unpack(f">{count}I", self.take(4 * count))
        return [word * below >> 32 for word in words]


def sha256_stream(label: str, seed: int = SEED) -> Stream:
    """The stream of a purpose and a seed."""
    return Stream(hashlib.sha256(f"{label}\n{seed}".encode()).digest())


def pcg64_indices(seed: int, count: int, below: int) -> list[int]:
    """The same from numpy's raw PCG64 stream, for whoever checks with numpy."""
    raw = _pcg64(seed)
    return [(next(raw) >> 32) * below >> 32 for _ in range(count)]


def _pcg64(seed: int) -> Iterator[int]:
    a, b, c, d = _seeded(seed)
    increment = ((c << 64 | d) << 1 | 1) & (2**128 - 1)
    state = _stepped(increment + (a << 64 | b), increment)
    while True:
        state = _stepped(state, increment)
        mixed, turn = (state >> 64 ^ state) & _LONG, state >> 122
        yield (mixed >> turn | mixed << (64 - turn)) & _LONG


def _stepped(state: int, increment: int) -> int:
    return (state * _MULTIPLIER + increment) & (2**128 - 1)


def _seeded(seed: int) -> tuple[int, int, int, int]:
    """Four words of 64 bits, as numpy's SeedSequence makes them of a whole number."""
    if seed < 0:
        raise ValueError(f"a seed is not below 0: {seed}")
    entropy = [seed >> shift & _WORD for shift in range(0, max(seed.bit_length(), 1), 32)]
    constant = 0x43B0D7E5

    def hashed(value: int) -> int:
        nonlocal constant
        value ^= constant
        constant = constant * 0x931E8875 & _WORD
        value = value * constant & _WORD
        return value ^ value >> 16

    def mixed(x: int, y: int) -> int:
        value = (0xCA01F9DD * x - 0x4973F715 * y) & _WORD
        return value ^ value >> 16

    pool = [hashed(word) for word in (entropy + [0] * _POOL)[:_POOL]]
    for source in range(_POOL):
        for place in range(_POOL):
            if source != place:
                pool[place] = mixed(pool[place], hashed(pool[source]))
    for word in entropy[_POOL:]:
        pool = [mixed(old, hashed(word)) for old in pool]
    words, constant = [], 0x8B51F9DD
    for n in range(2 * _POOL):
        value = pool[n % _POOL] ^ constant
        constant = constant * 0x58F38DED & _WORD
        value = value * constant & _WORD
        words.append(value ^ value >> 16)
    a, b, c, d = (low | high << 32 for low, high in zip(words[::2], words[1::2], strict=True))
    return a, b, c, d
