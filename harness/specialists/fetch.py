"""Pages of the web: only from public addresses, only what robots.txt allows, only so much.

A name is looked up once, all its addresses are checked, and the connection goes to one of those
that were checked: a name that means another address a moment later changes nothing. Redirects are
followed here, so that each is checked like the first address. No proxy is used: behind one, nobody
could tell where a name leads.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from harness import __version__
from harness.errors import UsageError
from harness.specialists.addresses import Address, Unresolved, addresses_of, is_public

AGENT = "mintmark"
HEADERS = {
    "User-Agent": f"{AGENT}/{__version__} (enriches templates; obeys robots.txt)",
    "Accept": "text/html, application/pdf, text/markdown, text/plain;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip, identity;q=0.5",
    "Connection": "close",
}
PAGE_BYTES = 8 * 1024 * 1024
ROBOTS_BYTES = 512 * 1024
"""RFC 9309 asks for this much of robots.txt to be read."""
MOST_REDIRECTS = 5
PAUSES = (1.0, 3.0)
"""Before the second and the third try, in seconds."""
LONGEST_PAUSE = 10.0
CHUNK = 65_536

_PASSING = frozenset({429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK, _CLIENT_ERRORS, _SERVER_ERRORS = 200, range(400, 500), range(500, 600)
_PORTS = {"http": 80, "https": 443}


class NotRead(Exception):
    """A document that cannot be had, and why."""


class _NoWay(NotRead):
    """Nothing of a site can be asked for, its robots.txt included."""


class Page(NamedTuple):
    """What was fetched, and from where in the end."""

    url: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class World:
    """What is outside; tests have another."""

    resolve: Callable[[str, int], tuple[Address, ...]] = addresses_of
    allowed: Callable[[Address], bool] = is_public
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    pause: Callable[[float], None] = time.sleep
    page_bytes: int = PAGE_BYTES


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class _Passing(Exception):
    """It may work the next time."""

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


@dataclass(slots=True)
class Web:
    """Fetches pages; several threads may ask at once."""

    timeout_s: float
    """The longest that one answer may take, from the connection to its last byte."""
    world: World = field(default_factory=World)
    stopped: threading.Event = field(default_factory=threading.Event)
    """Once it is set nothing more is asked for; what is under way has its time."""
    _robots: dict[str, _Rules] = field(default_factory=dict)
    _turns: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fetch(self, url: str) -> Page:
        """A page, wherever it has moved to; raises NotRead."""
        seen = _checked(url)
        for _ in range(MOST_REDIRECTS + 1):
            self._ask_leave(seen)
            answer = self._patiently(seen)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                if answer.status != _OK:
                    raise NotRead(f"{seen.geturl()} answered {answer.status}")
                return Page(seen.geturl(), answer.headers.get("content-type", ""), answer.body)
            target = _moved(seen, answer.headers["location"])
            if seen.scheme == "https" and target.scheme == "http":
                raise NotRead(f"{seen.geturl()} leads away from https, to {target.geturl()}")
            seen = target
        raise NotRead(f"{url} is redirected more than {MOST_REDIRECTS} times")

    def _ask_leave(self, url: SplitResult) -> None:
        origin = f"{url.scheme}://{url.netloc}"
        with self._lock:
            turn = self._turns.setdefault(origin, threading.Lock())
        with turn:
            # several documents of a site ask for its rules once, and for no other's
            if origin not in self._robots:
                self._robots[origin] = self._rules(origin)
            rules = self._robots[origin]
        if not rules.allow(url.geturl()):
            raise NotRead(f"{url.geturl()} may not be fetched: {rules.why}")

    def _rules(self, origin: str) -> _Rules:
        url = _checked(f"{origin}/robots.txt")
        try:
            for _ in range(MOST_REDIRECTS + 1):
                answer = self._patiently(url, most=ROBOTS_BYTES, cut=True)
                if answer.status not in _REDIRECTS or "location" not in answer.headers:
                    break
                url = _moved(url, answer.headers["location"])
        except _NoWay:
            raise
        except NotRead as error:
            return _Rules(f"its robots.txt cannot be read ({error})", nothing=True)
        if answer.status == _OK:
            return _Rules(f"{origin}/robots.txt disallows it", answer.body)
        if answer.status in _CLIENT_ERRORS:
            return _Rules("")
        return _Rules(f"{origin}/robots.txt answered {answer.status}", nothing=True)

    def _patiently(
        self, url: SplitResult, most: int | None = None, *, cut: bool = False
    ) -> _Answer:
        most = self.world.page_bytes if most is None else most
        for pause in PAUSES:
            try:
                return self._once(url, most, cut=cut)
            except _Passing as error:
                self.world.pause(min(error.after_s or pause, LONGEST_PAUSE))
        try:
            return self._once(url, most, cut=cut)
        except _Passing as error:
            raise NotRead(f"{url.geturl()}: {error}") from error

    def _once(self, url: SplitResult, most: int, *, cut: bool) -> _Answer:
        if self.stopped.is_set():
            raise NotRead(f"{url.geturl()} was not asked for: the command has ended")
        port = url.port or _PORTS[url.scheme]
        addresses = self._addresses(url.hostname or "", port)
        ends = time.monotonic() + self.timeout_s
        try:
            with (
                self._connected(url, addresses, port) as connection,
                _cut_off(connection.sock, ends - time.monotonic()) as clock,
            ):
                try:
                    if isinstance(connection.sock, ssl.SSLSocket):
                        connection.sock.do_handshake()
                    answer = _exchanged(connection, url, most, cut=cut)
                except (OSError, HTTPException, ValueError):
                    if not clock.is_set():
                        raise
                # a body that was cut off may look like one that has ended
                if clock.is_set():
                    said = f"was not there after {self.timeout_s:g} seconds"
                    raise NotRead(f"{url.geturl()} {said}")
                return answer
        except ssl.SSLError as error:
            raise NotRead(f"{url.geturl()}: {error.reason or error}") from error
        except ValueError as error:
            raise NotRead(f"{url.geturl()} cannot be asked for: {error}") from error
        except (OSError, HTTPException) as error:
            raise _Passing(str(error) or type(error).__name__) from error

    def _addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """All of a name's, each of which may be asked."""
        try:
            found = self.world.resolve(host, port)
        except Unresolved as error:
            raise _NoWay(str(error)) from error
        for address in found:
            if not self.world.allowed(address):
                name = host if host == str(address) else f"{host} is {address}, which"
                raise _NoWay(
                    f"{name} is no public address but a private or reserved one, and is not asked;"
                    " save the page as a file beside the template and name it with `path`"
                )
        return found

    @contextmanager
    def _connected(
        self, url: SplitResult, addresses: tuple[Address, ...], port: int
    ) -> Iterator[HTTPConnection]:
        raw = _first_open(addresses, port, self.timeout_s)
        with closing(raw):
            connection = HTTPConnection(url.hostname or "", port, timeout=self.timeout_s)
            connection.sock = raw
            if url.scheme == "https":
                # the certificate is that of the name, not of the address that was checked
                connection.sock = self.world.tls().wrap_socket(
                    raw, server_hostname=url.hostname, do_handshake_on_connect=False
                )
            with closing(connection):
                yield connection


@dataclass(slots=True)
class _Rules:
    """What a site allows us."""

    why: str
    text: bytes = b""
    nothing: bool = False

    def allow(self, url: str) -> bool:
        if self.nothing or not self.text:
            return not self.nothing
        try:
            from protego import Protego  # noqa: PLC0415  # only where pages are fetched
        except ImportError as error:
            raise UsageError(missing("protego")) from error
        rules = Protego.parse(self.text.decode("utf-8", "replace"))
        return bool(rules.can_fetch(url, AGENT))


def missing(library: str) -> str:
    """What to do about a library that comes with an extra."""
    return f"pages and PDFs need {library}: pip install 'mintmark[enrich]'"


def _checked(url: str) -> SplitResult:
    """A URL that can be asked for, without its fragment."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise NotRead(f"{url!r} is no URL: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise NotRead(f"{url!r} is no address of the web: only http:// and https:// are fetched")
    if parts.username is not None or parts.password is not None:
        raise NotRead(f"the address of {parts.hostname} holds a name or a password; take it out")
    try:
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else None
    except UnicodeError as error:
        raise NotRead(f"{parts.hostname!r} is no host's name") from error
    if host:
        parts = parts._replace(netloc=host if port is None else f"{host}:{port}")
    return parts._replace(fragment="")


def _moved(url: SplitResult, location: str) -> SplitResult:
    """Where a redirect leads."""
    try:
        target = urljoin(url.geturl(), location)
    except ValueError as error:
        raise NotRead(f"{url.geturl()} leads to {location!r}, which is no URL: {error}") from error
    return _checked(target)


def _first_open(addresses: tuple[Address, ...], port: int, timeout_s: float) -> socket.socket:
    failed: OSError = OSError("there is no address")
    ends = time.monotonic() + timeout_s
    for address in addresses:
        left = ends - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((str(address), port), left)
        except OSError as error:
            failed = error
    raise failed


@contextmanager
def _cut_off(sock: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """End a connection after so long, however busily its other end drips bytes."""
    passed = threading.Event()

    def end() -> None:
        passed.set()
        # of the plain socket: a TLS one would forget its state under the reader
        try:
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            return

    timer = threading.Timer(max(seconds, 0), end)
    timer.start()
    try:
        yield passed
    finally:
        timer.cancel()
        timer.join()


def _exchanged(connection: HTTPConnection, url: SplitResult, most: int, *, cut: bool) -> _Answer:
    path = quote(url.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = f"?{quote(url.query, safe='/%:@!$&()*+,;=~-._?')}" if url.query else ""
    host = url.netloc
    connection.request("GET", path + query, headers={**HEADERS, "Host": host})
    response = connection.getresponse()
    if response.status in _PASSING:
        raise _Passing(f"it answered {response.status}", _after(response.headers["Retry-After"]))
    headers = {name.lower(): value for name, value in response.getheaders()}
    if response.status in _REDIRECTS:
        return _Answer(response.status, headers, b"")
    body = _body(response, headers, most)
    if len(body) > most and not cut:
        raise NotRead(f"{url.geturl()} is larger than {most:,} bytes")
    return _Answer(response.status, headers, body[:most])


def _body(response: HTTPResponse, headers: dict[str, str], most: int) -> bytes:
    """At most one byte more than `most`, unpacked as it comes."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", "", "gzip", "x-gzip"}:
        raise NotRead(f"it came packed as {coding!r}, which was not asked for")
    unpack = zlib.decompressobj(wbits=31) if "gzip" in coding else None
    body = bytearray()
    while len(body) <= most and (data := response.read1(CHUNK)):
        try:
            body += unpack.decompress(data, most + 1 - len(body)) if unpack else data
        except zlib.error as error:
            raise NotRead(f"it came packed and cannot be unpacked: {error}") from error
    if response.length and len(body) <= most:
        raise HTTPException(f"it broke off {response.length:,} bytes before its end")
    return bytes(body)


def _after(value: str | None) -> float | None:
    return float(value) if value and value.isascii() and value.isdecimal() else None
