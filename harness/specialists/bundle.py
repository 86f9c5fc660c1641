"""A bundle: the stored records and all that they point at, as one file that a verifier can read.

A tar with nothing in it that differs between two machines: names sorted, no times, no owners.
`records.jsonl` holds the records in the order of the snapshot, `objects/<digest>` their outputs.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.domain.artifact import Artifact
from harness.domain.digests import bytes_digest
from harness.domain.ids import Digest
from harness.domain.record import RunRecord
from harness.store.base import Artifacts
from harness.store.codec import MISREAD, decode, encode

RECORDS, OBJECTS = "records.jsonl", "objects/"

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Bundle:
    """Records as they were stored, and outputs by digest."""

    records: tuple[bytes, ...]
    objects: Mapping[Digest, bytes]

    @classmethod
    def of(cls, records: Sequence[RunRecord], artifacts: Artifacts) -> Bundle:
        """All of some runs; raises StoreFault where an output is gone."""
        named = {each.digest: each for record in records for each in artifacts_of(record)}
        objects = {digest: artifacts.get(each) for digest, each in sorted(named.items())}
        return cls(tuple(map(_line, records)), objects)

    def packed(self) -> bytes:
        """The file."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for digest, data in self.objects.items():
                _add(tar, OBJECTS + digest, data)
            _add(tar, RECORDS, b"".join(line + b"\n" for line in self.records))
        return out.getvalue()


def unpack(data: bytes) -> Bundle:
    """A bundle's content; raises ValueError for a file that is none."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for member in tar:
                # a sparse file may say that it is larger than all memory
                plain = member.isreg() and not member.issparse()
                file = tar.extractfile(member) if plain else None
                if file is None or member.name in files:
                    raise ValueError(f"{member.name!r} is no plain file, or is there twice")
                files[member.name] = file.read()
    except (tarfile.TarError, EOFError, OverflowError) as error:
        raise ValueError(f"not a tar: {error}") from error
    lines = files.pop(RECORDS, b"").splitlines()
    objects = {Digest(name.removeprefix(OBJECTS)): content for name, content in files.items()}
    return Bundle(tuple(lines), objects)


def record_digest(record: RunRecord) -> Digest:
    """Of the record as it is stored, every field of it."""
    return bytes_digest(_line(record))


def read_record(line: bytes) -> RunRecord:
    """A record of a bundle; raises ValueError for a line that is none."""
    try:
        return decode(RunRecord, line.decode())
    except MISREAD as error:
        raise ValueError(f"not a record: {error}") from error


def artifacts_of(record: RunRecord) -> tuple[Artifact, ...]:
    """Every output that a record points at, wherever in it."""
    return tuple(_artifacts(json.loads(encode(record))))


def _artifacts(value: object) -> Iterator[Artifact]:
    if isinstance(value, dict):
        if value.keys() == {"name", "digest", "size_bytes"} and _DIGEST.fullmatch(value["digest"]):
            yield Artifact(value["name"], Digest(value["digest"]), value["size_bytes"])
        else:
            for item in value.values():
                yield from _artifacts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _artifacts(item)


def _line(record: RunRecord) -> bytes:
    return encode(record).encode()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
