"""The file format of recordings: JSON lines that are read back without believing them."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from typing import Any, TypeVar

from harness.domain.model import Usage
from harness.domain.plain_json import no_number
from harness.errors import UsageError
from harness.gateway.base import Refusal
from harness.gateway.exchange import Exchange, Recording

VERSION = 1

UNPACKED_BYTES = 256 * 1024**2
"""A cassette that unpacks to more is refused: a few kilobytes can be made to fill any memory."""
REQUEST_BYTES = 256 * 1024**2
LINES = 5_000_000
MAX_COUNT = 10**12

_LOOK_BACK = 8
"""How far before a request its like is looked for: programs talk about a few things at once."""
_PLACE_BYTES = 8
_MAGIC = b"\x1f\x8b"
_STEP = 1 << 20

_T = TypeVar("_T")


class _Damaged(Exception):
    """What is wrong, to be told with the place."""


def dump(recording: Recording) -> bytes:
    """The recording as UTF-8 JSON lines: a header, the blobs, the exchanges."""
    lines = [_line(_blob(blob)) for blob in recording.blobs]
    lines += [_exchange_line(recording, number) for number in range(len(recording))]
    rest = b"".join(lines)
    header = {
        "mintmark_cassette": VERSION,
        "model": recording.model,
        "blobs": len(recording.blobs),
        "exchanges": len(recording),
        "sha256": hashlib.sha256(rest).hexdigest(),
    }
    return _line(header) + rest


def pack(dumped: bytes) -> bytes:
    """A dump as the file that people hand on; the same bytes for the same dump."""
    return gzip.compress(dumped, compresslevel=9, mtime=0)


def load(data: bytes, *, limit_bytes: int = UNPACKED_BYTES) -> Recording:
    """A dump, packed or not; raises UsageError that says what is wrong with it and where."""
    try:
        return _read(_unpacked(data, limit_bytes), limit_bytes)
    except _Damaged as error:
        raise UsageError(f"this is no usable cassette: {error}") from error


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _blob(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _exchange_line(recording: Recording, number: int) -> bytes:
    exchange, _ = recording.kept[number]
    values = {
        field.name: getattr(exchange, field.name)
        for field in dataclass_fields(Exchange)
        if field.name not in {"request", "body", "usage"}
    }
    usage = asdict(exchange.usage) if exchange.usage else None
    request = _request(recording.kept, number)
    return _line({**values, "usage": usage, "request": request, "body": _blob(exchange.body)})


def _request(kept: Sequence[tuple[Exchange, Sequence[int]]], number: int) -> dict[str, object]:
    """The pieces of a request, as a difference to the most similar of those before it."""
    places = kept[number][1]
    best, head, tail = None, 0, 0
    for other in range(max(0, number - _LOOK_BACK), number):
        before = kept[other][1]
        same_head = _common(before, places, 0)
        same_tail = _common(before[::-1], places[::-1], same_head)
        if same_head + same_tail > head + tail:
            best, head, tail = other, same_head, same_tail
    middle = list(places[head : len(places) - tail])
    return {"like": best, "head": head, "places": middle, "tail": tail}


def _common(one: Sequence[int], other: Sequence[int], taken: int) -> int:
    """How many items the beginnings share, when `taken` at the ends are spoken for."""
    most = min(len(one), len(other)) - taken
    if one[:most] == other[:most]:
        return max(most, 0)
    return next(at for at in range(most) if one[at] != other[at])


def _unpacked(data: bytes, limit_bytes: int) -> bytes:
    if data.startswith(_MAGIC):
        unpacker = zlib.decompressobj(wbits=31)
        try:
            data = _inflate(unpacker, data, limit_bytes)
        except zlib.error as error:
            raise _Damaged(f"the compressed data is damaged: {error}") from error
    if len(data) > limit_bytes:
        raise _Damaged(f"it unpacks to more than {limit_bytes} bytes, which is the most")
    return data


def _inflate(unpacker: zlib._Decompress, data: bytes, limit_bytes: int) -> bytes:
    parts, total = [], 0
    while not unpacker.eof and total <= limit_bytes:
        part = unpacker.decompress(data, _STEP)
        data = unpacker.unconsumed_tail
        if not part and not data and not unpacker.eof:
            raise _Damaged(f"the file is cut: the compressed data ends after {total} bytes of it")
        parts.append(part)
        total += len(part)
    if unpacker.unused_data:
        raise _Damaged(f"{len(unpacker.unused_data)} bytes follow the compressed data")
    return b"".join(parts)


def _read(data: bytes, limit_bytes: int) -> Recording:
    first, _, rest = data.partition(b"\n")
    header = _header(first)
    model = header.take("model", _is_text)
    blob_count, count = header.take("blobs", _is_count), header.take("exchanges", _is_count)
    checksum = header.take("sha256", _is_text)
    header.finish()
    found, expected = data.count(b"\n"), 1 + blob_count + count
    if expected > LINES:
        raise _Damaged(f"line 1: it speaks of {expected} lines, more than {LINES}")
    if found != expected or not data.endswith(b"\n"):
        raise _Damaged(
            f"it has {found} whole lines, its first line speaks of {expected}: it is cut"
        )
    lines = rest.split(b"\n")
    blobs = [_at(number, _as_blob, line) for number, line in enumerate(lines[:blob_count], 2)]
    requests = _Requests(blobs, limit_bytes // _PLACE_BYTES)
    kept = []
    for number, line in enumerate(lines[blob_count:-1], 2 + blob_count):
        kept.append(_at(number, lambda fields: _as_exchange(fields, requests), line))
    if hashlib.sha256(rest).hexdigest() != checksum:
        raise _Damaged("line 1: the checksum is not that of the lines below, which were changed")
    return Recording(model, blobs, kept)


class _Fields:
    """The members of an object, each of which has to be taken and has to be what it should."""

    def __init__(self, line: bytes) -> None:
        try:
            values = json.loads(line, parse_constant=no_number)
        except (ValueError, RecursionError) as error:
            raise _Damaged(f"not JSON: {error!s:.120}") from error
        if not isinstance(values, dict):
            raise _Damaged("not a JSON object")
        self._left: dict[str, Any] = values

    @classmethod
    def of(cls, value: dict[str, object]) -> _Fields:
        """The members of an object within another."""
        fields = cls(b"{}")
        fields._left = value
        return fields

    def take(self, name: str, fits: Callable[[object], bool]) -> Any:  # noqa: ANN401  # `fits` knows
        """One member's value."""
        if name not in self._left:
            raise _Damaged(f"{name!r} is missing")
        value = self._left.pop(name)
        if not fits(value):
            raise _Damaged(f"{name!r} cannot be {value!r:.80}")
        return value

    def finish(self) -> None:
        """Every member has been taken."""
        if self._left:
            raise _Damaged(f"nobody knows what {min(self._left)!r:.80} is")

    def __contains__(self, name: str) -> bool:
        return name in self._left


class _Requests:
    """Puts the pieces of requests together again, and refuses more than anybody recorded."""

    def __init__(self, blobs: Sequence[bytes], most_places: int) -> None:
        self._sizes = [len(blob) for blob in blobs]
        self._known: list[tuple[int, ...]] = []
        self._left = most_places

    def read(self, value: dict[str, object]) -> tuple[int, ...]:
        """The places of the next request's pieces."""
        fields = _Fields.of(value)
        like = fields.take("like", _or_none(_is_count))
        head, tail = fields.take("head", _is_count), fields.take("tail", _is_count)
        middle = fields.take("places", _is_places)
        fields.finish()
        if like is not None and like >= len(self._known):
            raise _Damaged(f"a request is like that of exchange {like}, which comes no earlier")
        before = () if like is None else self._known[like]
        if head + tail > len(before):
            raise _Damaged(f"a request takes {head + tail} pieces of one that has {len(before)}")
        if middle and max(middle) >= len(self._sizes):
            raise _Damaged(f"there is no blob {max(middle)}, the last is {len(self._sizes) - 1}")
        self._left -= head + len(middle) + tail
        if self._left < 0:
            raise _Damaged("the requests consist of more pieces than fit into the limit")
        places = (*before[:head], *middle, *before[len(before) - tail :])
        if sum(self._sizes[place] for place in places) > REQUEST_BYTES:
            raise _Damaged(f"a request is larger than {REQUEST_BYTES} bytes, which is the most")
        self._known.append(places)
        return places


def _header(line: bytes) -> _Fields:
    try:
        header = _Fields(line)
        version = header.take("mintmark_cassette", _is_count)
    except _Damaged as error:
        raise _Damaged("its first line is not that of a Mintmark cassette") from error
    if version != VERSION:
        raise _Damaged(
            f"it is of version {version}, this program reads version {VERSION}; update it"
        )
    return header


def _at(number: int, read: Callable[[_Fields], _T], line: bytes) -> _T:
    try:
        fields = _Fields(line)
        value = read(fields)
        fields.finish()
    except _Damaged as error:
        raise _Damaged(f"line {number}: {error}") from error
    return value


def _as_blob(fields: _Fields) -> bytes:
    if "base64" not in fields:
        text: str = fields.take("text", _is_text)
        return text.encode()
    try:
        return base64.b64decode(fields.take("base64", _is_text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _Damaged(f"'base64' is none: {error}") from error


def _as_exchange(fields: _Fields, requests: _Requests) -> tuple[Exchange, tuple[int, ...]]:
    body = _Fields.of(fields.take("body", _is_object))
    usage = fields.take("usage", _or_none(_is_object))
    places = requests.read(fields.take("request", _is_object))
    refusal = fields.take("refusal", _or_none(_is_refusal))
    exchange = Exchange(
        path=fields.take("path", _is_text),
        request=b"",
        status=fields.take("status", _is_status),
        headers=tuple((name, value) for name, value in fields.take("headers", _is_headers)),
        body=_as_blob(body),
        method=fields.take("method", _is_text),
        first_byte_s=fields.take("first_byte_s", _or_none(_is_amount)),
        duration_s=fields.take("duration_s", _is_amount),
        retries=fields.take("retries", _is_count),
        waited_s=fields.take("waited_s", _is_amount),
        usage=_as_usage(_Fields.of(usage)) if usage is not None else None,
        cost_usd=fields.take("cost_usd", _or_none(_is_amount)),
        refusal=None if refusal is None else Refusal(refusal),
        broken=fields.take("broken", _or_none(_is_text)),
    )
    body.finish()
    return exchange, places


def _as_usage(fields: _Fields) -> Usage:
    usage = Usage(
        **{each.name: fields.take(each.name, _is_count) for each in dataclass_fields(Usage)}
    )
    fields.finish()
    return usage


def _or_none(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or fits(value)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_COUNT


def _is_amount(value: object) -> bool:
    return type(value) in {int, float} and 0 <= value <= MAX_COUNT  # type: ignore[operator]  # a number


def _is_status(value: object) -> bool:
    return type(value) is int and 100 <= value <= 599  # noqa: PLR2004  # what HTTP allows


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_places(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_count, value))


def _is_headers(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == len(("name", "value")) and all(map(_is_text, pair))
        for pair in value
    )


def _is_refusal(value: object) -> bool:
    return isinstance(value, str) and value in list(Refusal)
