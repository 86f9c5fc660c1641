"""One run's line: what comes in is checked, then passed on to the provider or played."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from harness.domain.model import Api, ModelUse
from harness.gateway.account import Account, Heard
from harness.gateway.base import REFUSAL, Access, Refusal
from harness.gateway.matching import Miss, Player
from harness.gateway.metering import meter_for
from harness.gateway.passing import Passage, Sending, handed_back, is_plain, is_stream
from harness.gateway.policy import PATHS, Ask, RefusedError, path_below_v1, understand
from harness.gateway.redaction import Redactor
from harness.gateway.targets import Target
from harness.gateway.upstream import Question, UnreachableError, Upstream
from harness.log import log

MAX_BODY_BYTES = 32 * 1024 * 1024
MOST_AT_ONCE = 16
"""Requests of one run; more wait, so that no run has all places at the provider."""
PASSED_ON = ("accept", "content-type", "anthropic-version", "anthropic-beta", "openai-beta")
SETTLE_S = 2.0


class GatewayLine:
    """A Line; `serve` runs in the gateway's loop, everything else wherever it is called."""

    def __init__(  # noqa: PLR0913  # each is a part of its own
        self,
        access: Access,
        account: Account,
        *,
        token: str,
        socket: Path,
        target: Target | None,
        player: Player | None,
        upstream: Upstream,
        in_loop: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self.access = access
        self.token = token
        self.socket = socket
        self._account = account
        self._target = target
        self._player = player
        self._upstream = upstream
        self._in_loop = in_loop
        self._open = True
        self._redactor = Redactor([token, *([target.key] if target and target.key else [])])
        self._places = asyncio.Semaphore(MOST_AT_ONCE)
        self._busy: set[asyncio.Task[None]] = set()

    @property
    def spent(self) -> Refusal | None:
        """BUDGET or TURNS once a request was refused for it."""
        return self._account.spent

    @property
    def spent_why(self) -> str:
        """What was said when that request was refused."""
        return self._account.spent_why

    @property
    def cut_by_batch(self) -> bool:
        """It was not the run's own budget that was spent, but one that it has with others."""
        return self._account.cut_by_batch

    @property
    def fault(self) -> str | None:
        """Why the model cannot be reached, when the last request failed in the world."""
        return self.denied or self._account.fault

    @property
    def denied(self) -> str | None:
        """Why no other line to this model fares better, with what was asked."""
        if not self._account.denied or self._target is None:
            return None
        return f"{self._account.fault}; {self._target.asked(self.access.model)}"

    def use(self) -> ModelUse:
        """What was metered so far."""
        return self._account.use()

    def recording(self) -> bytes:
        """Every exchange so far, without keys."""
        return self._account.recording()

    def settle(self) -> None:
        """Wait until what is under way is booked; what takes longer than a moment is cut off."""
        self._in_loop(self._ended(SETTLE_S))

    async def close(self, fault: str | None = None) -> None:
        """Cut off what is under way; the token is worth nothing from now on."""
        self._open = False
        await self._ended(0)
        self._account.fault = fault or self._account.fault

    async def _ended(self, seconds: float) -> None:
        if busy := set(self._busy):
            _, late = await asyncio.wait(busy, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as an ASGI application."""
        if scope["type"] != "http":
            return
        task = asyncio.create_task(self._answer(Request(scope, receive), Sending(send)))
        self._busy.add(task)
        try:
            await asyncio.wait({task})
        finally:
            self._busy.discard(task)
            task.cancel()

    async def _answer(self, request: Request, sending: Sending) -> None:
        """Answer one request, and if it is to say that this cannot be done."""
        path = path_below_v1(request.scope["path"])
        try:
            response = await self._serve(path, request, sending)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  # told to the client, the log and the books: it is our bug
            log().exception("gateway_failed", line=self.access.name, path=path)
            why = f"the gateway failed: {type(error).__name__}"
            self._account.failed(why)
            response = _error(path, Refusal.PROVIDER, why, HTTPStatus.INTERNAL_SERVER_ERROR)
        if response is not None and not sending.began:
            await response(request.scope, request.receive, sending)

    async def _serve(self, path: str, request: Request, sending: Sending) -> Response | None:
        """The gateway's own answer; None when another one was passed on."""
        body, ask = b"", None
        try:
            self._check_token(request.headers)
            _check_method(request.method)
            if request.method != "POST":
                return self._about(path)
            async with self._places:
                body = await _read(request)
                apis = self._target.apis if self._target else frozenset(Api)
                ask = understand(path, body, self.access.model, apis)
                if self._player is not None:
                    await self._play(ask, self._player, sending)
                else:
                    work = self._forward(ask, request.headers, sending)
                    await _while_there(request.receive, work, sending)
        except RefusedError as error:
            self._account.refused(path, ask.body if ask else body, error)
            return _error(path, error.refusal, str(error), error.status)
        return None

    def _check_token(self, headers: Mapping[str, str]) -> None:
        bearer = headers.get("authorization", "").removeprefix("Bearer ").strip()
        said = headers.get("x-api-key") or bearer
        if not self._open or not hmac.compare_digest(
            said.encode("utf-8", "replace"), self.token.encode()
        ):
            raise RefusedError(Refusal.TOKEN, "this is not the token of this run")

    def _about(self, path: str) -> Response:
        """Questions about the server, which no provider has to answer."""
        model = self.access.model
        one = {"id": model.name, "object": "model", "type": "model", "owned_by": model.provider}
        if path == "models":
            return _json({"object": "list", "data": [one], "has_more": False})
        if path == f"models/{model.name}":
            return _json(one)
        return Response(status_code=HTTPStatus.NOT_FOUND if path else HTTPStatus.OK)

    async def _forward(self, ask: Ask, headers: Mapping[str, str], sending: Sending) -> None:
        """The provider's bytes as they come; booked however it ends."""
        if self._target is None:
            raise RefusedError(Refusal.PROVIDER, "there is no provider behind this line")
        self._account.take(ask)
        said = {name: headers[name] for name in PASSED_ON if name in headers}
        passed = {name: value for name, value in said.items() if is_plain(value)}
        question = Question(
            "POST",
            f"{self._target.url}/{ask.path}",
            {**passed, "accept-encoding": "identity", **self._target.headers(ask.api)},
            ask.body,
        )
        async with AsyncExitStack() as stack:
            try:
                reply = await stack.enter_async_context(
                    self._upstream.ask(self._target.url, question)
                )
            except UnreachableError as error:
                said_why = self._redactor.clean_text(str(error))
                why = f"{self.access.model.provider} does not answer: {said_why}"
                self._account.unreachable(ask, why, error.retries, error.waited_s)
                raise RefusedError(Refusal.PROVIDER, why) from error
            except asyncio.CancelledError:
                self._account.unreachable(ask, None, 0, 0.0)
                raise
            except Exception:
                self._account.give_back(ask)
                raise
            passage = Passage(ask, reply, self._redactor)
            try:
                rest = await passage.run(sending)
            finally:
                # before the client hears that this was all: its next request finds it booked
                self._account.answered(ask, passage.heard())
            if rest is not None:
                await sending.body(rest, more=False)

    async def _play(self, ask: Ask, player: Player, sending: Sending) -> None:
        """The recorded answer to this request."""
        found = player.answer(ask.path, ask.body)
        if isinstance(found, Miss):
            raise RefusedError(Refusal.REPLAY, str(found))
        said = found.body.decode("utf-8", "replace")
        if found.refusal is Refusal.PROVIDER:
            self._account.take(ask)
            self._account.unreachable(ask, said, found.retries, found.waited_s)
        if found.refusal:
            raise RefusedError(found.refusal, said)
        self._account.take(ask)
        ok = found.status < HTTPStatus.MULTIPLE_CHOICES
        streamed = ok and is_stream(dict(found.headers), asked=ask.streamed)
        meter = meter_for(ask.api, streamed=streamed, hide_usage=streamed and ask.hide_usage)
        passed = meter.feed(found.body)
        rest, metered = meter.finish()
        headers = handed_back(dict(found.headers))
        heard = Heard(
            status=found.status,
            headers=headers,
            body=found.body,
            metered=metered,
            first_byte_s=found.first_byte_s,
            first_token_s=found.first_byte_s,
            duration_s=found.duration_s,
            retries=found.retries,
            waited_s=found.waited_s,
            broken=found.broken,
        )
        self._account.answered(ask, heard, found.cost_usd)
        await sending.head(found.status, headers)
        await sending.body(passed + rest, more=found.broken is not None)


async def _while_there(receive: Receive, work: Coroutine[Any, Any, None], sending: Sending) -> None:
    """Work for a client; cut off when it goes away."""
    working = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if sending.ended:
            # a server also says that the client is gone when it has all it wanted
            await asyncio.wait({working})
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.wait({working, gone})
    if working.cancelled():
        raise ClientDisconnect
    working.result()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _check_method(method: str) -> None:
    if method not in {"GET", "HEAD", "POST"}:
        raise RefusedError(Refusal.PATH, f"{method!r:.100} is not served here")


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RefusedError(Refusal.MALFORMED, f"a body has at most {MAX_BODY_BYTES} bytes")
    return bytes(body)


def _error(path: str, refusal: Refusal, message: str, status: int) -> Response:
    """An error as the protocol of the path has it."""
    said: dict[str, object] = {"type": "invalid_request_error", "message": f"gateway: {message}"}
    if PATHS.get(path) is not Api.MESSAGES:
        said |= {"code": f"mintmark_{refusal.value}", "param": None}
    return _json({"type": "error", "error": said}, status, {REFUSAL: refusal.value})


def _json(
    value: object, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(
        json.dumps(value).encode(), status, dict(headers or {}), media_type="application/json"
    )
