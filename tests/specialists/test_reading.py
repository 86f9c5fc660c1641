from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.specialists import extract
from harness.specialists.extract import NoText, decoded, text_of
from harness.specialists.fetch import NotRead
from harness.specialists.reading import Reader
from tests.specialists.web import ARTICLE, Served, a_web, serving


def a_pdf(words: str) -> bytes:
    """A PDF of one page, as small as one can be."""
    stream = f"BT /F1 12 Tf 20 100 Td ({words}) Tj ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources 5 0 R>>",
        f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>",
    ]
    made, places = "%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj{each}endobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        f"{made}xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(made)}\n%%EOF"
    ).encode()


NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": ["# How to\n", "open it"]},
        {"cell_type": "code", "source": "open_it()", "outputs": [{"text": "a long log"}]},
    ],
    "nbformat": 4,
}


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    home = tmp_path / "templates"
    home.mkdir()
    return Reader(a_web(), home)


def test_the_main_text_of_a_page_is_read_and_nothing_around_it(reader: Reader) -> None:
    with serving({"/": Served(ARTICLE.encode())}) as site:
        text = reader.read(site.url).text
    assert "A dialog asks one question." in text
    assert "const open = useDialog()" in text
    assert "home of everything" not in text
    assert "never seen" not in text


def test_one_text_has_one_digest_whatever_stands_around_it(reader: Reader) -> None:
    other = ARTICLE.replace("home of everything", "other words in the navigation")
    with serving({"/a": Served(ARTICLE.encode()), "/b": Served(other.encode())}) as site:
        first, second = (reader.read(site.url + path) for path in ("/a", "/b"))
    assert first.digest == second.digest


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("book.pdf", "application/pdf"), ("book", "application/octet-stream"), ("b.pdf", "text/html")],
)
def test_a_pdf_is_known_by_what_it_is(reader: Reader, name: str, content_type: str) -> None:
    pytest.importorskip("pypdf")
    with serving({f"/{name}": Served(a_pdf("Open the dialog."), content_type)}) as site:
        assert reader.read(f"{site.url}/{name}").text == "Open the dialog."


def test_a_notebook_is_its_words_and_its_code(reader: Reader) -> None:
    (reader.home / "how.ipynb").write_text(json.dumps(NOTEBOOK))
    assert reader.read("how.ipynb").text == "# How to\nopen it\n\n```\nopen_it()\n```"


@pytest.mark.parametrize("location", ["docs/a.md", "./docs/a.md", "docs/../docs/a.md"])
def test_a_file_is_found_from_the_template(reader: Reader, location: str) -> None:
    (reader.home / "docs").mkdir()
    (reader.home / "docs/a.md").write_text("# Words\r\n\r\n\r\n\r\nhere  \n")
    assert reader.read(location).text == "# Words\n\nhere"
    assert reader.read(f"file://{reader.home}/docs/a.md").text == "# Words\n\nhere"


def test_a_file_elsewhere_is_read_only_where_that_is_allowed(
    reader: Reader, tmp_path: Path
) -> None:
    (tmp_path / "outside.md").write_text("words")
    (reader.home / "link.md").symlink_to(tmp_path / "outside.md")
    for location in ("../outside.md", str(tmp_path / "outside.md"), "link.md", "/etc/passwd"):
        with pytest.raises(NotRead, match="outside of"):
            reader.read(location)
    allowed = Reader(reader.web, reader.home, (tmp_path,))
    assert allowed.read("../outside.md").text == "words"


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("missing.md", "No such file"),
        (".", "no plain file|Is a directory"),
        ("pipe", "no plain file"),
        (".env", "hidden"),
        ("sub/.git/config", "hidden"),
        ("binary", "neither a page nor"),
        ("empty.md", "no text"),
        ("ssh://a/b", "none of http"),
        ("file://elsewhere/a.md", "another machine"),
        ("a\0b", "null|cannot be read"),
        ("broken.pdf", "the PDF cannot be read"),
        ("broken.ipynb", "the notebook cannot be read"),
    ],
)
def test_what_is_no_document_is_refused(reader: Reader, location: str, said: str) -> None:
    os.mkfifo(reader.home / "pipe")
    (reader.home / "sub/.git").mkdir(parents=True)
    for name, data in {
        ".env": b"KEY=1", "sub/.git/config": b"x", "binary": b"\0\1\2", "empty.md": b" \n",
        "broken.pdf": b"%PDF-1.7 and no more", "broken.ipynb": b"{",
    }.items():  # fmt: skip
        (reader.home / name).write_bytes(data)
    with pytest.raises(NotRead, match=said):
        reader.read(location)


def test_a_picture_is_no_document(reader: Reader) -> None:
    with (
        serving({"/a": Served(b"\x89PNG", "image/png")}) as site,
        pytest.raises(NotRead, match="image/png"),
    ):
        reader.read(f"{site.url}/a")


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("naïve".encode(), "iso-8859-1", "naïve"),
        ("naïve".encode("latin-1"), "utf-8", "naïve"),
        ("naïve".encode("latin-1"), "no-such-charset", "naïve"),
        ("naïve".encode("latin-1"), "zlib", "naïve"),
        ("naïve".encode("utf-16"), "", "naïve"),
        ("\ufeffnaïve".encode(), "", "naïve"),
        ("日本".encode("shift_jis"), "Shift_JIS", "日本"),
        (b'<meta charset="shift_jis">' + "日本".encode("shift_jis"), "utf-8",
         '<meta charset="shift_jis">日本'),
        (b"\xff\x81 broken", "utf-8", "ÿ\ufffd broken"),
    ],
)  # fmt: skip
def test_a_wrong_charset_loses_no_text(data: bytes, charset: str, text: str) -> None:
    assert decoded(data, charset) == text


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 100_000 + "a few words" + "</div>" * 100_000,
        "<a " + "x=1 " * 100_000 + ">words",
        "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;'>]><p>&c; words</p>",
        "<p>" + "&#0;&#xD800;&#x110000; words" + "\0" * 100,
        "<script>" + "words",
        "<![CDATA[" * 1000 + "words",
    ],
    ids=["deep", "attributes", "entities", "references", "open script", "cdata"],
)
def test_a_hostile_page_is_text_or_none_and_never_our_end(reader: Reader, page: str) -> None:
    with serving({"/": Served(page.encode())}) as site:
        reader = Reader(a_web(page_bytes=2_000_000), reader.home)
        try:
            text = reader.read(site.url).text
        except NotRead as error:
            text = f"no words: {error}"
    assert "words" in text
    assert "<script" not in text


def test_a_document_cannot_leave_anything_but_text(reader: Reader) -> None:
    (reader.home / "a.txt").write_bytes(b"ab\x1b[31m\xed\xa0\x80")
    assert reader.read("a.txt").text.startswith("ab")


def test_a_page_of_few_words_is_still_read() -> None:
    pytest.importorskip("trafilatura")
    assert text_of("html", b"<p>short</p><script>no()</script>") == "short"
    with pytest.raises(NoText):
        text_of("html", b"<script>no()</script>")


@pytest.mark.parametrize(
    ("stub", "kind", "said"),
    [
        ("import sys; sys.stderr.write('pypdf'); sys.exit(4)", UsageError, r"mintmark\[enrich\]"),
        ("import os; os.kill(os.getpid(), 9)", NotRead, "too much memory or time"),
        ("import sys; sys.stderr.write('odd'); sys.exit(3)", NotRead, "^odd$"),
        ("import os; print(sorted(os.environ), end='')", None, "OPENAI"),
    ],
    ids=["library", "killed", "no text", "keys"],
)
def test_a_reader_that_breaks_down_is_told_apart_and_gets_no_keys(
    reader: Reader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stub: str,
    kind: type[Exception] | None,
    said: str,
) -> None:
    (tmp_path / "stub.py").write_text(stub)
    (reader.home / "a.md").write_text("words")
    monkeypatch.setattr(extract, "__file__", str(tmp_path / "stub.py"))
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    if kind is None:
        assert said not in reader.read("a.md").text
    else:
        with pytest.raises(kind, match=said):
            reader.read("a.md")


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(ImportError, match="pypdf"):
        text_of("pdf", b"%PDF-")
