"""The real SDKs, pointed at a double."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import anthropic
import openai
import pytest

from harness.testing.provider import KEY, Answer, ProviderDouble, Script, plays
from tests.provider.asking import Start, Talk, plain_client


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(*answers: Answer, script: Script | None = None, key: str = KEY) -> Talk:
            double = stack.enter_context(ProviderDouble(script or plays(*answers)))
            return Talk(
                double,
                stack.enter_context(
                    anthropic.Anthropic(
                        base_url=double.url,
                        api_key=key,
                        max_retries=0,
                        http_client=plain_client(),
                    )
                ),
                stack.enter_context(
                    openai.OpenAI(
                        base_url=f"{double.url}/v1",
                        api_key=key,
                        max_retries=0,
                        http_client=plain_client(),
                    )
                ),
            )

        yield begin
