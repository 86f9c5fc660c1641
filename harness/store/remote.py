"""Artefacts wherever fsspec reaches: an S3-compatible store for runs of many machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from harness.domain.artifact import Artifact
from harness.domain.digests import bytes_digest
from harness.errors import StoreFault, UsageError
from harness.store.artifacts import pack, place, unpack


@dataclass(frozen=True, slots=True)
class RemoteArtifacts:
    """`<root>/artifacts/ab/cdef…`, packed as in a folder: one can be copied into the other.

    An object appears whole or not at all, so there is nothing unfinished to sweep. It is sent
    even if it is there: to ask first takes longer, and this mends a damaged one.
    """

    files: Any
    """An fsspec file system."""
    root: str

    @classmethod
    def open(cls, url: str) -> Self:
        """What lies below that URL; its keys and its endpoint come from the environment."""
        scheme = url.partition("://")[0]
        try:
            from fsspec.core import url_to_fs  # noqa: PLC0415  # only where an extra brought it

            files, root = url_to_fs(url, use_listings_cache=False)
        except ImportError as error:
            raise UsageError(
                f"artefacts in {scheme}:// need a library ({error}): pip install 'mintmark[s3]'"
                " for s3://, else the one that fsspec names for it"
            ) from error
        except ValueError as error:
            raise UsageError(
                f"artefacts cannot be kept in {scheme}://: {error}; name a folder or"
                " s3://BUCKET/PREFIX"
            ) from error
        return cls(files, root.rstrip("/"))

    def put(self, name: str, data: bytes) -> Artifact:
        """Keep `data`; the same bytes are kept once."""
        artifact = Artifact(name, bytes_digest(data), len(data))
        path = self._path(artifact)
        with self._faults("keep", path, "see that its bucket is there"):
            self.files.pipe_file(path, pack(data))
        return artifact

    def get(self, artifact: Artifact) -> bytes:
        """What was kept; raises StoreFault when it is gone or no longer what it was."""
        path = self._path(artifact)
        with self._faults("read", path, "it is gone; restore it from a copy, or repeat the run"):
            packed: bytes = self.files.cat_file(path)
        return unpack(packed, artifact, self._shown(path))

    def _path(self, artifact: Artifact) -> str:
        return f"{self.root}/{place(artifact)}"

    def _shown(self, path: str) -> str:
        shown: str = self.files.unstrip_protocol(path)
        return shown

    @contextmanager
    def _faults(self, doing: str, path: str, absent: str) -> Iterator[None]:
        what = f"could not {doing} the artefact {self._shown(path)}"
        try:
            yield
        except FileNotFoundError as error:
            raise StoreFault(f"{what}: {absent}") from error
        except PermissionError as error:
            raise StoreFault(
                f"{what}: {error}; see that the keys in the environment are right and may do this"
            ) from error
        # every back end of fsspec has exceptions of its own; all of them are the world's
        except Exception as error:
            raise StoreFault(
                f"{what}: {type(error).__name__}: {error}; see that the store can be reached and"
                " that the environment names its endpoint and keys, then resume"
            ) from error
