"""Merkle trees (RFC 6962): one run can be shown to belong to a batch without showing the others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

LEAF, NODE = b"\0", b"\1"


def root(leaves: Sequence[bytes]) -> str:
    """The digest that stands for all leaves in their order."""
    return _root(leaves).hex()


def inclusion(leaves: Sequence[bytes], index: int) -> tuple[str, ...]:
    """What has to be known, beside the leaf at `index`, to compute the root."""
    return tuple(each.hex() for each in _path(leaves, index))


def includes(leaf: bytes, index: int, size: int, proof: Sequence[str]) -> str | None:
    """The root that a proof leads to; None when it has the wrong length for such a tree."""
    steps = [bytes.fromhex(step) for step in proof]
    found = _climb(_leaf(leaf), index, size, steps)
    return found.hex() if found and not steps else None


def consistency(leaves: Sequence[bytes], before: int) -> tuple[str, ...]:
    """What shows that the tree of the first `before` leaves is the beginning of this one."""
    return tuple(each.hex() for each in _since(leaves, before, whole=True))


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(LEAF + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return _leaf(leaves[0])
    at = _split(len(leaves))
    return _node(_root(leaves[:at]), _root(leaves[at:]))


def _path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    if len(leaves) == 1:
        return []
    at = _split(len(leaves))
    if index < at:
        return [*_path(leaves[:at], index), _root(leaves[at:])]
    return [*_path(leaves[at:], index - at), _root(leaves[:at])]


def _climb(digest: bytes, index: int, size: int, steps: list[bytes]) -> bytes | None:
    """The root above a leaf; takes the steps it uses, the last first."""
    if size == 1:
        return digest
    if not steps:
        return None
    at, beside = _split(size), steps.pop()
    if index < at:
        below = _climb(digest, index, at, steps)
        return below and _node(below, beside)
    below = _climb(digest, index - at, size - at, steps)
    return below and _node(beside, below)


def _since(leaves: Sequence[bytes], before: int, *, whole: bool) -> list[bytes]:
    if before == len(leaves):
        return [] if whole else [_root(leaves)]
    at = _split(len(leaves))
    if before <= at:
        return [*_since(leaves[:at], before, whole=whole), _root(leaves[at:])]
    return [*_since(leaves[at:], before - at, whole=False), _root(leaves[:at])]
