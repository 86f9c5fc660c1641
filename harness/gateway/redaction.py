"""Taking keys out of what is kept: known ones in every spelling, unknown ones by their looks."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

MARKER = "[redacted]"

LEAST_SECRET = 8
"""A shorter key is none: local servers are given `EMPTY` or `ollama`, which are words too."""

_DIGIT = re.compile(rb"[0-9]")
_LOOKS = (
    (
        b"sk-",
        re.compile(
            rb"sk-(?:ant-|proj-|or-v1-|svcacct-|admin-)[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{40,}"
        ),
        MARKER.encode(),
    ),
    # a digit, because `Bearer authentication-is-required` is prose
    (
        b"earer",
        re.compile(rb"([Bb]earer(?:[ +]|%20))([A-Za-z0-9._~+/=-]{20,})"),
        # looked for here: a look-ahead would read a long text again from every `Bearer+` in it
        lambda found: found[1] + (MARKER.encode() if _DIGIT.search(found[2]) else found[2]),
    ),
)


class Redactor:
    """Replaces given secrets, and whatever looks like a provider's key, by one marker."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {
            form for secret in secrets if len(secret) >= LEAST_SECRET for form in _forms(secret)
        }
        # the longest first: what is left of a key must not hide from a longer form of it
        self._forms = sorted(forms, key=lambda form: (-len(form), form))

    def clean(self, data: bytes) -> bytes:
        """The data without keys; the same bytes when there are none."""
        for form in self._forms:
            if form in data:
                data = data.replace(form, MARKER.encode())
        for sign, looks, replacement in _LOOKS:
            if sign in data:
                data = looks.sub(replacement, data)
        return data

    def clean_text(self, text: str) -> str:
        """The same for text; half of a surrogate pair, which no file holds, becomes `?`."""
        return self.clean(text.encode("utf-8", "replace")).decode()


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode("utf-8", "surrogatepass")
    yield raw
    yield from _json_forms(secret)
    for safe in ("/", ""):
        quoted = quote(raw, safe=safe)
        yield quoted.encode()
        yield re.sub("%..", lambda found: found[0].lower(), quoted).encode()
    yield "".join(f"%{byte:02X}" for byte in raw).encode()
    yield "".join(f"%{byte:02x}" for byte in raw).encode()
    yield from _base64_forms(raw)


def _json_forms(secret: str) -> Iterator[bytes]:
    plain = "".join(f"\\{char}" if char in '"\\' else char for char in secret)
    escaped = "".join(
        char if char.isascii() else "".join(f"\\u{unit:04x}" for unit in _utf16(char))
        for char in plain
    )
    for form in (plain, escaped):
        yield form.encode("utf-8", "surrogatepass")
        yield form.replace("/", "\\/").encode("utf-8", "surrogatepass")
        # JSON inside JSON: a command's output that quotes a file of settings
        yield form.replace("\\", "\\\\").replace('"', '\\"').encode("utf-8", "surrogatepass")
    units = [unit for char in secret for unit in _utf16(char)]
    yield "".join(f"\\u{unit:04x}" for unit in units).encode()
    yield "".join(f"\\u{unit:04X}" for unit in units).encode()


def _utf16(char: str) -> list[int]:
    raw = char.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]


def _base64_forms(raw: bytes) -> Iterator[bytes]:
    """The letters that only the secret decides, wherever it stands in what was encoded."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw)
        first = -(-before * 8 // 6)
        last = (before + len(raw)) * 8 // 6
        core = encoded[first:last]
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")
        yield core.replace(b"/", b"\\/")
