"""The HTTP server of the double: who may ask, what is asked, what is answered."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from harness.domain.model import Api
from harness.testing.provider.answering import Sent, document, failure, response
from harness.testing.provider.listening import Closing, listening
from harness.testing.provider.rules import complaint
from harness.testing.provider.script import Answer, Cuts, Fails, Hangs, Says, Script
from harness.testing.provider.seen import Body, Seen
from harness.testing.provider.wire import Turn

KEY = "sk-double"
HOST = "127.0.0.1"
BACKLOG = 512
COMPLETIONS = {
    "/chat/completions": Api.CHAT,
    "/responses": Api.RESPONSES,
    "/messages": Api.MESSAGES,
}
COUNT = "/messages/count_tokens"
MODELS = "/models"
MODEL_NAMES = ("claude-double", "gpt-double")
MADE = "2026-01-01T00:00:00Z"
MADE_S = 1_767_225_600
BYTES_PER_TOKEN = 4
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class ProviderDouble:
    """Answers completion requests from a script while its `with` block lasts.

    What the script raises is raised again when the block ends. A conversation that the real
    provider would refuse, such as a call without its result, is refused in the provider's words.
    """

    def __init__(
        self,
        script: Script,
        *,
        key: str | None = KEY,
        port: int = 0,
        path: Path | None = None,
    ) -> None:
        """`path` has it listen on a unix socket there; `key=None` lets every key in."""
        self._script = script
        self._key = key
        self._port = port
        self._path = path
        self._requests: list[Seen] = []
        self._completions: list[Seen] = []
        self._lock = threading.Lock()
        self._bug: Exception | None = None
        self._closing = Closing()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self._path:
                listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                listener.bind(str(self._path))
                stack.callback(self._path.unlink, missing_ok=True)
                listener.listen(BACKLOG)
            else:
                address = (HOST, self._port)
                listener = stack.enter_context(socket.create_server(address, backlog=BACKLOG))
                # accepted sockets inherit it; asyncio sets it only where the protocol is named
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._port = listener.getsockname()[1]
            app = Starlette(routes=[Route("/{rest:path}", self._handle, methods=METHODS)])
            stack.enter_context(listening(app, listener, self._closing))
            self._open = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if self._bug and error is None:
            raise self._bug

    def close(self) -> None:
        """Stop listening and break off what is being answered; the block's end does it too."""
        self._open.close()

    @property
    def url(self) -> str:
        """Where it listens, without `/v1`; over a unix socket the name means nothing."""
        return "http://double" if self._path else f"http://{HOST}:{self._port}"

    @property
    def requests(self) -> list[Seen]:
        """Everything that arrived so far, wrong keys and unknown paths included."""
        with self._lock:
            return list(self._requests)

    @property
    def completions(self) -> list[Seen]:
        """The requests that the script answered, by their numbers."""
        with self._lock:
            return list(self._completions)

    async def _handle(self, request: Request) -> Response:
        raw = await request.body()
        path = request.url.path
        ending = _ending(path)
        api = Api.MESSAGES if ending == COUNT else COMPLETIONS.get(ending)
        headers = dict(request.headers)
        body = _parsed(raw, headers.get("content-encoding"))
        seen = Seen(request.method, path, headers, body or {}, api, raw, request.url.query)
        with self._lock:
            self._requests.append(seen)
        speaks = api or (Api.MESSAGES if "anthropic-version" in headers else Api.CHAT)
        return _Reply(await self._answer(seen, speaks, ending, body), self._closing)

    async def _answer(self, seen: Seen, api: Api, ending: str, body: Body | None) -> Sent:
        request_id = f"req_double_{len(self._requests):06}"
        if refused := self._refusal(seen, api, ending, body):
            return failure(refused, api, request_id)
        if ending == MODELS:
            return document(_models(api))
        if ending == COUNT:
            return document({"input_tokens": len(seen.raw) // BYTES_PER_TOKEN})
        return await self._complete(seen, api)

    def _refusal(self, seen: Seen, api: Api, ending: str, body: Body | None) -> Fails | None:
        """Why the script is not even asked."""
        if not self._lets_in(seen, api):
            what = "invalid x-api-key" if api is Api.MESSAGES else "Incorrect API key provided."
            return Fails(401, what)
        if ending == MODELS and seen.method in ("GET", "HEAD"):
            return None
        if seen.api is None or seen.method != "POST":
            return Fails(404, f"Not found: {seen.method} {seen.path}")
        if body is None:
            return Fails(400, "We could not parse the JSON body of your request.")
        wrong = None if ending == COUNT else complaint(seen)
        return Fails(400, wrong) if wrong else None

    def _lets_in(self, seen: Seen, api: Api) -> bool:
        if self._key is None:
            return True
        bearer = seen.headers.get("authorization") == f"Bearer {self._key}"
        return bearer or (api is Api.MESSAGES and seen.headers.get("x-api-key") == self._key)

    async def _complete(self, seen: Seen, api: Api) -> Sent:
        with self._lock:
            number = len(self._completions)
            self._completions.append(seen)
        turn = Turn(seen.body, number, int(time.time()))
        answer = self._ask_script(seen, number)
        says = answer.answer if isinstance(answer, Cuts) else answer
        if isinstance(says, Says):
            await self._closing.pause(says.delay_s)
        if isinstance(answer, Hangs):
            await self._closing.pause(answer.seconds)
            answer = Fails(504, f"nothing came for {answer.seconds:g} s")
        return response(answer, api, turn)

    def _ask_script(self, seen: Seen, number: int) -> Answer:
        try:
            return self._script(seen, number)
        except Exception as bug:  # noqa: BLE001  # raised again when the block ends
            self._bug = self._bug or bug
            return Fails(500, f"the script raised {bug!r}", should_retry=False)


class _Reply(Response):
    """Sends frames as they come, and may leave a response unfinished."""

    def __init__(self, sent: Sent, closing: Closing) -> None:
        length = {} if sent.length is None else {"content-length": str(sent.length)}
        super().__init__(None, sent.status, {**sent.headers, **length}, sent.content_type)
        if sent.length is None:
            del self.headers["content-length"]
        self._sent = sent
        self._closing = closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        for pause_s, data in self._sent.frames:
            if not await self._closing.pause(pause_s):
                return
            await send({"type": "http.response.body", "body": data, "more_body": True})
        if not self._sent.is_cut:
            await send({"type": "http.response.body", "body": b""})


def _ending(path: str) -> str:
    """What a path asks for, whatever the base URL puts before it."""
    known = (COUNT, *COMPLETIONS, MODELS)
    return next((ending for ending in known if path.endswith(ending)), path)


def _parsed(raw: bytes, encoding: str | None) -> Body | None:
    """The JSON object of a request, or None."""
    try:
        body = json.loads(gzip.decompress(raw) if encoding == "gzip" else raw)
    except (ValueError, OSError, EOFError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _models(api: Api) -> Body:
    if api is Api.MESSAGES:
        data = [
            {
                "type": "model",
                "id": name,
                "display_name": name,
                "created_at": MADE,
                "lifecycle": "active",
            }
            for name in MODEL_NAMES
        ]
        return {
            "data": data,
            "has_more": False,
            "first_id": MODEL_NAMES[0],
            "last_id": MODEL_NAMES[-1],
        }
    made = {"object": "model", "created": MADE_S, "owned_by": "double"}
    return {"object": "list", "data": [{"id": name, **made} for name in MODEL_NAMES]}
