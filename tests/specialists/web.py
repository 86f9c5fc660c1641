"""A web of one server on this machine, which only tests let the product reach."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.specialists.addresses import Address, addresses_of, is_public
from harness.specialists.fetch import Web, World

ARTICLE = """\
<!doctype html><html><head><title>Dialogs</title></head><body>
<nav><a href="/">home of everything</a></nav>
<main><h1>Dialogs</h1><p>A dialog asks one question. It has a title, and buttons below it.</p>
<pre><code>const open = useDialog()</code></pre>
<p>Use it for short questions only, never for long forms that have to be scrolled.</p></main>
<script>alert("never seen")</script></body></html>
"""


@dataclass(slots=True)
class Served:
    """An answer of the server."""

    body: bytes = b""
    content_type: str | None = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: threading.Event | None = None
    """The body comes a byte at a time for as long as this is not set."""
    cut: int = 0
    """So many bytes fewer than were promised."""


Pages = dict[str, Served | list[Served]]
"""By path; of a list each answer is given once, the last again and again."""


@dataclass(slots=True)
class Site:
    """The server, what it serves and what it was asked."""

    port: int
    pages: Pages
    scheme: str = "http"
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            served = site.pages.get(self.path, Served(b"nothing here", status=404))
            if isinstance(served, list):
                served = served.pop(0) if len(served) > 1 else served[0]
            _send(self, served)

        def handle(self) -> None:
            # whoever does not like the certificate goes at once
            with suppress(OSError):
                super().handle()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _send(handler: BaseHTTPRequestHandler, served: Served) -> None:
    handler.send_response(served.status)
    if served.content_type is not None:
        handler.send_header("Content-Type", served.content_type)
    for name, value in served.headers.items():
        handler.send_header(name, value)
    if served.drip is None:
        handler.send_header("Content-Length", str(len(served.body) + served.cut))
    handler.end_headers()
    try:
        handler.wfile.write(served.body)
        while served.drip is not None and not served.drip.wait(0.01):
            handler.wfile.write(b"x")
            handler.wfile.flush()
    except OSError:
        # who asked has gone
        return


@contextmanager
def serving(pages: Pages, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve on a free port of this machine."""
    site = Site(0, pages, "https" if tls else "http")

    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(site)) as server:
        site.port = server.server_address[1]
        if tls:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def loopback_too(address: Address) -> bool:
    """What tests allow beyond the product."""
    return address.is_loopback or is_public(address)


@dataclass(slots=True)
class Names:
    """A resolver: names that were written down, and digits as the system reads them."""

    known: Mapping[str, str | list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int) -> tuple[Address, ...]:
        self.asked.append(host)
        if host not in self.known:
            return addresses_of(host, port)
        found = self.known[host]
        return tuple(ip_address(each) for each in ([found] if isinstance(found, str) else found))


def a_web(
    names: Names | None = None,
    allowed: Callable[[Address], bool] = loopback_too,
    timeout_s: float = 5.0,
    page_bytes: int = 100_000,
    pauses: list[float] | None = None,
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
) -> Web:
    """A web in which this machine may be reached."""
    pause = (pauses if pauses is not None else []).append
    return Web(
        timeout_s,
        World(names or Names(), allowed, tls, pause, page_bytes),
    )


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for a name, and the certificate to trust for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "trusted.pem", folder / "key.pem"
    trusted.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    return context, trusted
