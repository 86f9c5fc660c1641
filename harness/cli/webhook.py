"""`--webhook URL`: somebody is told how a batch ended; whether they hear it changes nothing.

An address may hold a secret, as Slack's do: only its host is ever shown. Redirects are not
followed, so that nothing is sent elsewhere.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from ipaddress import ip_address
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, urlsplit

from harness import __version__
from harness.errors import UsageError

PATIENCE_S = 15.0
"""For all tries together: a command that is done does not wait longer."""
SHORT_S = 5.0
"""For somebody who has pressed Ctrl-C."""
TRY_S = 5.0
PAUSES_S = (1.0, 3.0)
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
LOCAL = "localhost"


class NotTold(Exception):
    """The other end did not take it, and why."""

    def __init__(self, why: str, *, passing: bool) -> None:
        super().__init__(why)
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Post:
    """How the world is reached."""

    ca_bundle: Path | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    """By variable, as in an environment."""
    pauses_s: Sequence[float] = PAUSES_S

    def deliver(
        self,
        urls: Sequence[str],
        body: Mapping[str, object],
        warn: Callable[[str], None],
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Send to all at once and wait for no longer than so; who is not reached is named."""
        data = json.dumps(body).encode()
        failed: dict[str, str] = {}
        done: set[str] = set()

        def send(url: str) -> None:
            try:
                self._patiently(url, data)
            except NotTold as error:
                failed[url] = str(error)
            done.add(url)

        # daemons: one that hangs is left behind
        threads = [threading.Thread(target=send, args=(url,), daemon=True) for url in urls]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + patience_s
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        for url in urls:
            why = None if url in done else f"it did not answer within {patience_s:g} s"
            if said := failed.get(url) or why:
                warn(f"the webhook at {host_of(url)} was not told: {said}")

    def _patiently(self, url: str, data: bytes) -> None:
        for pause_s in self.pauses_s:
            try:
                self._once(url, data)
            except NotTold as error:
                if not error.passing:
                    raise
                time.sleep(pause_s)
            else:
                return
        self._once(url, data)

    def _once(self, url: str, data: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310  # checked_url let through http and https alone
            url,
            data,
            {"Content-Type": "application/json", "User-Agent": f"mintmark/{__version__}"},
        )
        try:
            with self._opener(url).open(request, timeout=TRY_S):
                return
        except urllib.error.HTTPError as error:
            with error:
                why = f"it answered {error.code}"
                raise NotTold(why, passing=error.code in PASSING) from None
        except (OSError, HTTPException, ValueError) as error:
            # a library may quote the address, which is nobody's business
            reason = getattr(error, "reason", error)
            said = getattr(reason, "strerror", None) or type(reason).__name__
            raise NotTold(said, passing=not isinstance(error, ValueError)) from None

    def _opener(self, url: str) -> urllib.request.OpenerDirector:
        proxies = {name.lower().removesuffix("_proxy"): p for name, p in self.proxies.items()}
        if is_local(urlsplit(url)):
            proxies = {}
        context = ssl.create_default_context(cafile=self.ca_bundle)
        return urllib.request.build_opener(
            urllib.request.ProxyHandler(proxies),
            urllib.request.HTTPSHandler(context=context),
            _NoRedirect(),
        )


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: object,
        newurl: str,
    ) -> None:
        """None: the answer itself is the error."""


def checked_url(text: str, *, insecure: bool) -> str:
    """An address that may be told; raises UsageError without showing more of it than its host."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError("--webhook: this is no URL; write https://HOST/PATH") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise UsageError("--webhook: this is no URL; write https://HOST/PATH")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"--webhook: the address at {host_of(text)} holds characters that no URL"
                         " has; write them as %XX")  # fmt: skip
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"--webhook: the address at {host_of(text)} holds a name or a password,"
                         " which is not sent; take it out")  # fmt: skip
    if parts.scheme == "http" and not insecure and not is_local(parts):
        raise UsageError(
            f"--webhook: {host_of(text)} would be told in the clear; use https, or say"
            " --insecure-webhook"
        )
    return text


def is_local(url: SplitResult) -> bool:
    """It is this machine's own."""
    host = url.hostname or ""
    if host == LOCAL or host.endswith(f".{LOCAL}"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """The part of an address that may be shown."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def for_chats(text: str) -> str:
    """Words that no chat takes for a command: Slack's own characters, as it wants them escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
