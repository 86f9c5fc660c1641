"""The text of a template's document: a page of the web, or a file beside the template."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from harness.domain.digests import text_digest
from harness.domain.ids import Digest
from harness.errors import UsageError
from harness.specialists import extract
from harness.specialists.fetch import NotRead, Web, missing

FILE_BYTES = 8 * 1024 * 1024
READING_S = 90.0

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BY_SUFFIX = {
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".ipynb": "notebook",
}
_BY_TYPE = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "application/x-ipynb+json": "notebook",
}
_TEXTS = re.compile(
    r"text/.*|application/(.*\+)?(json5?|ya?ml|xml|toml|javascript|typescript|markdown)"
)
_CHARSET = re.compile(r"[A-Za-z0-9_:.-]{1,40}")
_UNSAID = ("", "application/octet-stream", "binary/octet-stream", "application/unknown")


class Text(NamedTuple):
    """What a document says, and the digest by which it is known again."""

    text: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the documents of one template."""

    web: Web
    home: Path
    """Where the template's paths start."""
    also: Sequence[Path] = ()
    """Other folders whose files may be read."""

    def read(self, location: str) -> Text:
        """The text at a URL or a path; raises NotRead, and UsageError for a missing library."""
        scheme = _SCHEME.match(location)
        if scheme and scheme[1].lower() in {"http", "https"}:
            page = self.web.fetch(location)
            kind, charset = _kind_of(page.content_type, urlsplit(page.url).path, page.body)
            data = page.body
        else:
            data = self._file(location)
            kind, charset = _kind_of("", location, data)
        text = _extracted(kind, data, charset)
        return Text(text, text_digest(text))

    def _file(self, location: str) -> bytes:
        scheme = _SCHEME.match(location)
        if scheme and scheme[1].lower() != "file":
            raise NotRead(f"{location!r}: {scheme[1]!r} is none of http, https and file")
        parts = urlsplit(location) if scheme else None
        if parts and parts.netloc not in {"", "localhost"}:
            raise NotRead(f"{location!r} is on another machine")
        try:
            path = (self.home / (unquote(parts.path) if parts else location)).resolve()
            return self._contained(path, location)
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or error
            raise NotRead(f"{location!r} cannot be read: {said}") from error

    def _contained(self, path: Path, location: str) -> bytes:
        """A regular file in one of the folders, links followed before it is looked where it is."""
        roots = [root.resolve() for root in (self.home, *self.also)]
        around = [root for root in roots if path.is_relative_to(root)]
        if not around:
            raise NotRead(
                f"{location!r} is outside of {self.home}, the template's folder;"
                " --allow-folder names another whose files may be read"
            )
        if all(_is_hidden(path.relative_to(root)) for root in around):
            raise NotRead(f"{location!r} is a hidden file")
        # never waits for a pipe's other end
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise NotRead(f"{location!r} is no plain file")
            data = file.read(FILE_BYTES + 1)
        if len(data) > FILE_BYTES:
            raise NotRead(f"{location!r} is larger than {FILE_BYTES:,} bytes")
        return data


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _kind_of(content_type: str, name: str, data: bytes) -> tuple[str, str]:
    """html, pdf, notebook or text, and the charset that was said."""
    header = Message()
    header["Content-Type"] = content_type or "application/octet-stream"
    declared, charset = header.get_content_type(), _charset(header)
    suffix = _BY_SUFFIX.get(Path(name).suffix.lower())
    if data.startswith(b"%PDF-"):
        return "pdf", ""
    if suffix == "notebook":
        return "notebook", charset
    if declared in _BY_TYPE:
        return _BY_TYPE[declared], charset
    if content_type and declared not in _UNSAID:
        if not _TEXTS.fullmatch(declared):
            raise NotRead(f"it is {declared}: neither a page nor PDF, notebook or text")
        return "text", charset
    if suffix:
        return suffix, charset
    if b"\0" in data[:8192] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotRead("it is neither a page nor PDF, notebook or text")
    start = data[:512].lstrip().lower()
    return ("html" if start.startswith((b"<!doctype html", b"<html")) else "text"), charset


def _charset(header: Message) -> str:
    """What was said, where it may be a charset's name: a header is a stranger's too."""
    try:
        said = header.get_content_charset() or ""
    except (ValueError, TypeError):
        # the library trips over parameters in pieces that do not fit together
        return ""
    return said if _CHARSET.fullmatch(said) else ""


def _extracted(kind: str, data: bytes, charset: str) -> str:
    """The text, read in a process that may break down."""
    # -P: modules beside the file must not stand in for libraries
    command = [sys.executable, "-P", extract.__file__, kind, charset]
    try:
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            timeout=READING_S,
            env={"PYTHONUTF8": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotRead(f"it could not be read in {READING_S:g} seconds") from error
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == extract.MISSING:
        raise UsageError(missing(said))
    if done.returncode == extract.UNREADABLE:
        raise NotRead(said[:300])
    if done.returncode:
        raise NotRead("it could not be read: it takes too much memory or time")
    return done.stdout.decode()
