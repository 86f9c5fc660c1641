"""Cached, streamed conversations of several turns, worked out by hand.

The prices are those of the library's table on the days that are named; they are history, and do
not change with a newer table. USD for a million tokens:

    model                    day         input  output  cache read  cache write  … for an hour
    claude-haiku-4-5         2025-11-01   1.00    5.00       0.100         1.25           2.00
    gpt-5                    2025-11-01   1.25   10.00       0.125
    gpt-5.6-luna             2026-07-01   1.00    6.00       0.100         1.25
    gpt-5.6-luna             2026-08-01   0.20    1.20       0.020         0.25

Costs in the comments are millionths of a dollar.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import pytest

from harness.domain.model import Api, ModelRef, Usage
from harness.gateway.prices import Prices
from tests.gateway.streams import chat, messages, metered, responses

NOVEMBER = datetime(2025, 11, 1, 12, tzinfo=UTC)
JULY = datetime(2026, 7, 1, 12, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, 12, tzinfo=UTC)


class Turn(NamedTuple):
    """An answer, and what it comes to."""

    stream: bytes
    usage: Usage
    cost_usd: float
    at: datetime = NOVEMBER


def anthropic_usage(**usage: int) -> dict[str, Any]:
    return {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, **usage}


HAIKU = (
    Turn(
        messages(
            anthropic_usage(input_tokens=12, cache_creation_input_tokens=2000, output_tokens=3),
            {"output_tokens": 150},
        ),
        Usage(12, 150, 0, 2000),
        # 12 * 1 + 2000 * 1.25 + 150 * 5 = 12 + 2500 + 750 = 3262
        0.003262,
    ),
    Turn(
        messages(
            anthropic_usage(
                input_tokens=8,
                cache_creation_input_tokens=300,
                cache_read_input_tokens=2000,
                output_tokens=1,
            ),
            # the end repeats what the start said: it is not added
            anthropic_usage(
                input_tokens=8,
                cache_creation_input_tokens=300,
                cache_read_input_tokens=2000,
                output_tokens=90,
            ),
        ),
        Usage(8, 90, 2000, 300),
        # 8 * 1 + 2000 * 0.1 + 300 * 1.25 + 90 * 5 = 8 + 200 + 375 + 450 = 1033
        0.001033,
    ),
    Turn(
        messages(
            anthropic_usage(
                input_tokens=5,
                cache_creation_input_tokens=400,
                cache_read_input_tokens=2300,
                output_tokens=1,
            )
            | {
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 100,
                    "ephemeral_1h_input_tokens": 300,
                }
            },
            {"output_tokens": 60, "output_tokens_details": {"thinking_tokens": 40}},
        ),
        Usage(5, 60, 2300, 400, 40),
        # 5 * 1 + 2300 * 0.1 + 100 * 1.25 + 300 * 2 + 60 * 5 = 5 + 230 + 125 + 600 + 300 = 1260
        0.001260,
    ),
)


def chat_usage(prompt: int, cached: int, completion: int, reasoning: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


GPT = (
    Turn(
        chat(chat_usage(1500, 0, 200, 128)),
        Usage(1500, 200, 0, 0, 128),
        # 1500 * 1.25 + 200 * 10 = 1875 + 2000 = 3875; the 128 are among the 200
        0.003875,
    ),
    Turn(
        chat(chat_usage(1800, 1408, 64, 0)),
        Usage(392, 64, 1408),
        # 392 * 1.25 + 1408 * 0.125 + 64 * 10 = 490 + 176 + 640 = 1306
        0.001306,
    ),
    Turn(
        chat(chat_usage(1900, 1792, 10, 0)),
        Usage(108, 10, 1792),
        # 108 * 1.25 + 1792 * 0.125 + 10 * 10 = 135 + 224 + 100 = 459
        0.000459,
    ),
)


def responses_usage(total: int, cached: int, written: int, output: int) -> dict[str, Any]:
    return {
        "input_tokens": total,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": output // 2},
        "total_tokens": total + output,
    }


LUNA = (
    Turn(
        responses(responses_usage(3000, 0, 2800, 500)),
        Usage(200, 500, 0, 2800, 250),
        # 200 * 1 + 2800 * 1.25 + 500 * 6 = 200 + 3500 + 3000 = 6700
        0.006700,
        JULY,
    ),
    Turn(
        responses(responses_usage(3600, 2800, 700, 120)),
        Usage(100, 120, 2800, 700, 60),
        # 100 * 1 + 2800 * 0.1 + 700 * 1.25 + 120 * 6 = 100 + 280 + 875 + 720 = 1975
        0.001975,
        JULY,
    ),
    Turn(
        responses(responses_usage(3700, 3500, 0, 30)),
        Usage(200, 30, 3500, 0, 15),
        # 200 * 0.2 + 3500 * 0.02 + 30 * 1.2 = 40 + 70 + 36 = 146
        0.000146,
        AUGUST,
    ),
)


@pytest.mark.parametrize(
    ("api", "model", "turns", "usage", "cost_usd"),
    [
        pytest.param(
            Api.MESSAGES,
            ModelRef("anthropic", "claude-haiku-4-5"),
            HAIKU,
            # 12 + 8 + 5, 150 + 90 + 60, 2000 + 2300, 2000 + 300 + 400
            Usage(25, 300, 4300, 2700, 40),
            # 3262 + 1033 + 1260 = 5555
            0.005555,
            id="messages",
        ),
        pytest.param(
            Api.CHAT,
            ModelRef("openai", "gpt-5"),
            GPT,
            # 1500 + 392 + 108, 200 + 64 + 10, 1408 + 1792
            Usage(2000, 274, 3200, 0, 128),
            # 3875 + 1306 + 459 = 5640
            0.005640,
            id="chat",
        ),
        pytest.param(
            Api.RESPONSES,
            ModelRef("openai", "gpt-5.6-luna"),
            LUNA,
            # 200 + 100 + 200, 500 + 120 + 30, 2800 + 3500, 2800 + 700
            Usage(500, 650, 6300, 3500, 325),
            # 6700 + 1975 + 146 = 8821
            0.008821,
            id="responses",
        ),
    ],
)
def test_a_conversation_comes_to_what_a_hand_works_out(
    api: Api, model: ModelRef, turns: Sequence[Turn], usage: Usage, cost_usd: float
) -> None:
    prices = Prices({})
    found = [metered(api, turn.stream) for turn in turns]
    assert [each.usage for each in found] == [turn.usage for turn in turns]
    assert reduce(add, (each.usage or Usage() for each in found)) == usage
    costs = [
        prices.cost_usd(model, each.usage or Usage(), turn.at, each.terms)
        for each, turn in zip(found, turns, strict=True)
    ]
    assert costs == pytest.approx([turn.cost_usd for turn in turns], abs=1e-12)
    assert sum(cost or 0 for cost in costs) == pytest.approx(cost_usd, abs=1e-12)
