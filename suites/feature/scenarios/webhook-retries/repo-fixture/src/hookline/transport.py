"""How a request reaches a receiver."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


class TransportError(Exception):
    """No answer came: refused, reset, timed out."""


@dataclass(frozen=True)
class Request:
    """One POST."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """What the receiver said; header names as it wrote them."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport(Protocol):
    """Sends one request and raises TransportError when no answer came."""

    def send(self, request: Request) -> Response: ...


class UrlTransport:
    """The network, by way of urllib."""

    def __init__(self, timeout_s: float = 30.0) -> None:
        self._timeout_s = timeout_s

    def send(self, request: Request) -> Response:
        http = urllib.request.Request(
            request.url, data=request.body, headers=dict(request.headers), method="POST"
        )
        try:
            with urllib.request.urlopen(http, timeout=self._timeout_s) as answer:
                return Response(answer.status, dict(answer.headers.items()))
        except urllib.error.HTTPError as error:
            return Response(error.code, dict(error.headers.items()))
        except OSError as error:
            raise TransportError(str(error)) from error


class ScriptedTransport:
    """Answers from a script: URL -> list of answers, the last one is repeated."""

    def __init__(
        self, script: Mapping[str, Sequence[Mapping[str, Any]]], record: Path | None = None
    ) -> None:
        self._script = {url: list(answers) for url, answers in script.items()}
        self._record = record

    def send(self, request: Request) -> Response:
        if self._record is not None:
            line = {
                "url": request.url,
                "headers": dict(request.headers),
                "body": request.body.decode(),
            }
            with self._record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        answers = self._script.get(request.url)
        if not answers:
            raise TransportError(f"the script has no answer for {request.url}")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if "error" in answer:
            raise TransportError(str(answer["error"]))
        return Response(int(answer["status"]), dict(answer.get("headers", {})))
