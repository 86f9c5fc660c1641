"""The meter on what the provider double really sends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from harness.domain.model import Api, Usage
from harness.gateway.metering import Metered, meter_for
from harness.testing.provider import KEY, Call, Cuts, ProviderDouble, Says, plays

PATHS = {
    Api.MESSAGES: "/v1/messages",
    Api.CHAT: "/v1/chat/completions",
    Api.RESPONSES: "/v1/responses",
}
USED = Usage(12, 90, 2000, 300, 40)
ANSWER = Says(
    "I look.", calls=(Call("read_file"), Call("search")), thinking="Where is it?", usage=USED
)


def request(api: Api, *, stream: bool) -> dict[str, Any]:
    asks = [{"role": "user", "content": "Mend it."}]
    common: dict[str, Any] = {"model": "some-model", "stream": stream}
    if api is Api.RESPONSES:
        return common | {"input": asks}
    if api is Api.CHAT and stream:
        common["stream_options"] = {"include_usage": True}
    return common | {"messages": asks, "max_tokens": 1000}


@contextmanager
def answer(double: ProviderDouble, api: Api, *, stream: bool) -> Iterator[httpx2.Response]:
    headers = {"x-api-key": KEY, "authorization": f"Bearer {KEY}"}
    with (
        httpx2.Client(base_url=double.url, headers=headers) as client,
        client.stream("POST", PATHS[api], json=request(api, stream=stream)) as response,
    ):
        yield response


def metered(api: Api, response: httpx2.Response, *, stream: bool) -> Metered:
    meter = meter_for(api, streamed=stream, hide_usage=True)
    try:
        for chunk in response.iter_raw():
            meter.feed(chunk)
    except httpx2.TransportError:
        pass
    return meter.finish()[1]


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("api", Api)
def test_the_figures_of_the_script_come_through(api: Api, *, stream: bool) -> None:
    with (
        ProviderDouble(plays(ANSWER)) as double,
        answer(double, api, stream=stream) as response,
    ):
        found = metered(api, response, stream=stream)
    assert found.usage == USED
    assert found.complete
    assert found.model == "some-model"
    assert found.tool_calls == ("read_file", "search")


@pytest.mark.parametrize("api", Api)
def test_a_stream_that_breaks_off_is_not_complete(api: Api) -> None:
    with (
        ProviderDouble(plays(Cuts(ANSWER, after_events=4))) as double,
        answer(double, api, stream=True) as response,
    ):
        found = metered(api, response, stream=True)
    assert not found.complete
    if api is Api.MESSAGES:
        # it says at the start what it has read
        assert found.usage is not None
        assert replace(found.usage, reasoning_tokens=0) == Usage(12, 1, 2000, 300)
    else:
        assert found.usage is None
