"""What a model takes that chooses a specialist's words, against the budget of the batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.domain.ids import BatchId
from harness.testing.builders import Fakes
from harness.testing.provider import KEY, Answer, ProviderDouble, Says, Seen
from harness.testing.provider.script import SOME_USAGE
from tests.cli.conftest import Cli
from tests.cli.test_wearing import RUN, write

CHOICE = json.dumps({"intent": "Greet.", "task": None, "documents": [1], "values": {}})
COMPOSED = (*RUN, "--compose-with", "anthropic:claude-opus-4-5")
TOKENS = SOME_USAGE.total


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Seen]]:
    seen: list[Seen] = []

    def answer(request: Seen, _number: int) -> Answer:
        seen.append(request)
        return Says(CHOICE)

    with ProviderDouble(answer) as double:
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", double.url)
        yield seen


def test_what_a_choice_took_is_gone_from_the_batch_once_for_all_iterations(
    cli: Cli, project: Path, fakes: Fakes, asked: list[Seen]
) -> None:
    write(project)
    first = cli(*COMPOSED, "--iterations", "2", "--max-batch-tokens", str(TOKENS + 1))
    assert first.exit_code in {0, 1}, first.stderr
    assert len(fakes.store.runs(BatchId("b"))) == 2

    write(project, version="1.1.0")
    second = cli(*COMPOSED, "--max-batch-tokens", str(TOKENS))

    assert second.exit_code == 2
    assert f"batch b: the batch's budget is spent: {TOKENS:,} of {TOKENS:,} tokens" in second.stderr
    assert len(asked) == 1


def test_a_choice_that_the_budget_has_no_room_for_is_not_asked_for(
    cli: Cli, project: Path, fakes: Fakes, asked: list[Seen]
) -> None:
    write(project)
    write(project, "other.json5", name="@org/other")

    result = cli(*COMPOSED, "--specialist", "@org/other", "--max-batch-tokens", "1")

    assert result.exit_code == 2
    assert "chose nothing for @org/other" in result.stderr
    assert f"the batch's budget is spent: {TOKENS:,} of 1 tokens are used" in result.stderr
    assert "--max-batch-tokens" in result.stderr
    assert (len(asked), fakes.store.batches()) == (1, ())


def test_a_batch_that_choices_alone_spent_does_not_begin(
    cli: Cli, project: Path, fakes: Fakes, asked: list[Seen]
) -> None:
    write(project)

    result = cli(*COMPOSED, "--max-batch-tokens", "1")

    assert result.exit_code == 2
    assert "batch b: the batch's budget is spent" in result.stderr
    assert (len(asked), fakes.store.runs()) == (1, ())


def test_a_limit_in_money_needs_the_price_of_who_chooses(
    cli: Cli, project: Path, fakes: Fakes, asked: list[Seen]
) -> None:
    write(project)

    result = cli(*RUN, "--compose-with", "anthropic:of-nobody", "--max-batch-cost", "1")

    assert result.exit_code == 2
    assert "the price of anthropic:of-nobody is not known" in result.stderr
    assert (asked, fakes.store.batches()) == ([], ())
