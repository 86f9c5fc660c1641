"""Bytes of a document into its text; run as a file of its own, because the bytes are a stranger's.

`python -P extract.py KIND CHARSET <bytes >text`, where KIND is html, pdf, notebook or text. What
takes too much memory or time ends this process and no other. Exit code 3: the document holds no
text that can be read, 4: a library is missing; standard error says what.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser

MEMORY_BYTES = 2 * 1024**3
CPU_S = 60
MOST_PAGES = 400
MOST_CHARS = 4_000_000

UNREADABLE, MISSING = 3, 4

_META = re.compile(
    rb"""<meta[^>]{0,400}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.IGNORECASE
)
_UNSEEN = frozenset({"script", "style", "noscript", "template", "title"})
_BLANK_LINES = re.compile(r"\n{3,}")
_UNKEPT = re.compile(r"[^\S\n]+$", re.MULTILINE)


class NoText(Exception):
    """There is nothing to read in it."""


def text_of(kind: str, data: bytes, charset: str = "") -> str:
    """The text of a document; raises NoText."""
    text = _READERS[kind](data, charset)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    text = _BLANK_LINES.sub("\n\n", _UNKEPT.sub("", text)).strip()
    if not text:
        raise NoText("there is no text in it")
    return text[:MOST_CHARS]


def decoded(data: bytes, charset: str = "") -> str:
    """Text by what the bytes are, then by what was said of them; no byte is ever refused.

    Bytes that are valid UTF-8 are hardly ever anything else, whatever a header says.
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.removeprefix(codecs.BOM_UTF8).decode(name, "replace")
    said = _META.search(data[:2048])
    for name in ("utf-8", charset, said[1].decode("ascii") if said else ""):
        with contextlib.suppress(LookupError, UnicodeError, ValueError):
            if name and codecs.lookup(name)._is_text_encoding:  # noqa: SLF001  # as the codec's own
                return data.decode(name)
    return data.decode("cp1252", "replace")


def _of_html(data: bytes, charset: str) -> str:
    from trafilatura import extract, html2txt  # noqa: PLC0415  # slow to load, and an extra

    page = decoded(data, charset)
    found = extract(
        page, output_format="markdown", include_comments=False, include_tables=True, fast=True
    )
    return str(found or html2txt(page) or "") or _all_words(page)


def _all_words(page: str) -> str:
    """For pages so short, or so broken, that nobody could say what is main in them."""
    words = _Words()
    words.feed(page)
    words.close()
    return "\n".join(words.found)


class _Words(HTMLParser):
    """Everything that a reader would see."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self._inside += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag in _UNSEEN and self._inside > 0

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._inside:
            self.found.append(data.strip())


def _of_pdf(data: bytes, charset: str) -> str:
    del charset
    from pypdf import PdfReader  # noqa: PLC0415  # as above

    try:
        reader = PdfReader(io.BytesIO(data))
        is_locked = reader.is_encrypted and not reader.decrypt("")
        pages = [] if is_locked else list(reader.pages[:MOST_PAGES])
        texts = [page.extract_text() for page in pages]
    except Exception as error:  # a broken PDF breaks its reader in any way
        raise NoText(f"the PDF cannot be read: {error}") from error
    if is_locked:
        raise NoText("the PDF is locked with a password")
    return "\n\n".join(texts)


def _of_notebook(data: bytes, charset: str) -> str:
    try:
        book = json.loads(decoded(data, charset))
    except (ValueError, RecursionError) as error:
        raise NoText(f"the notebook cannot be read: {error}") from error
    return "\n\n".join(_cells(book))


def _cells(book: object) -> Iterator[str]:
    """Words as they are and code in fences; what code printed is no documentation."""
    if not isinstance(book, dict):
        raise NoText("the notebook is no JSON object")
    sheets = book.get("worksheets") if isinstance(book.get("worksheets"), list) else [book]
    for sheet in sheets or ():
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        for cell in cells if isinstance(cells, list) else ():
            if not isinstance(cell, dict):
                continue
            source = cell.get("source", cell.get("input", ""))
            text = "".join(map(str, source)) if isinstance(source, list) else str(source)
            if text.strip():
                yield f"```\n{text}\n```" if cell.get("cell_type") == "code" else text


_READERS: Mapping[str, Callable[[bytes, str], str]] = {
    "html": _of_html,
    "pdf": _of_pdf,
    "notebook": _of_notebook,
    "text": decoded,
}


def _limit() -> None:
    # not every system knows these limits
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  # not on every system

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(kind: str, charset: str) -> int:
    """From standard input to standard output."""
    _limit()
    logging.disable()  # what libraries say of a document is not what it says
    try:
        text = text_of(kind, sys.stdin.buffer.read(), charset)
    except ImportError as error:
        sys.stderr.write(error.name or str(error))
        return MISSING
    except (NoText, MemoryError, RecursionError) as error:
        sys.stderr.write(str(error) or "it takes too much memory to read")
        return UNREADABLE
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
