from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from harness.domain.price import Price
from harness.errors import BadFile
from harness.load.prices import FILE, load_prices

ROOT = Path(__file__).resolve().parents[2]

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(text: str) -> Path:
        path = tmp_path / FILE
        path.write_text(text, encoding="utf-8")
        return path

    return put


def problems(path: Path) -> tuple[str, ...]:
    with pytest.raises(BadFile) as caught:
        load_prices(path)
    assert caught.value.path == path
    return caught.value.problems


def test_prices_are_read_as_they_are_written(write: Write) -> None:
    path = write(
        """{
          // from the contract
          "openai:my-model": {input: 1.1, output: 10, cached: 0.125, cache_write: null},
          "openai:qwen3@http://localhost:8000/v1": {input: 0, output: 0, note: "our machine"},
          "anthropic:claude-x": {input: 3, output: 15, cache_write: 3.75, cache_write_1h: 6},
        }"""
    )
    assert load_prices(path) == {
        "openai:my-model": Price(Decimal("1.1"), Decimal(10), Decimal("0.125")),
        "openai:qwen3@http://localhost:8000/v1": Price(Decimal(0), Decimal(0), note="our machine"),
        "anthropic:claude-x": Price(
            Decimal(3),
            Decimal(15),
            cache_write_usd=Decimal("3.75"),
            cache_write_1h_usd=Decimal(6),
        ),
    }


def test_the_example_of_the_page_loads(write: Write) -> None:
    page = (ROOT / "docs" / "prices.md").read_text(encoding="utf-8")
    example = page.partition("```json5\n")[2].partition("```")[0]
    assert len(load_prices(write(example))) == 3


def test_every_field_of_a_price_is_on_the_page() -> None:
    page = (ROOT / "docs" / "prices.md").read_text(encoding="utf-8")
    schema = json.loads((ROOT / "harness/load/schemas/prices.schema.json").read_text("utf-8"))
    assert {f for f in schema["$defs"]["price"]["properties"] if f"`{f}`" not in page} == set()


def test_a_file_without_models_changes_nothing(write: Write) -> None:
    assert load_prices(write("{}")) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "/: [] is not a mapping"),
        ("{", "/: line 1"),
        ('{"openai:m": 5}', "/openai:m (line 1): 5 is not a mapping"),
        ('{"openai:m": {input: 1}}', "/openai:m (line 1): 'output' is missing"),
        (
            '{"openai:m": {input: 1, output: 2, cache_writes: 3}}',
            "unknown key 'cache_writes'; did you mean 'cache_write'?",
        ),
        (
            '{"openai:m": {input: -1, output: 2}}',
            "/openai:m/input (line 1): -1 is out of range; it must be at least 0",
        ),
        ('{"openai:m": {input: 1, output: Infinity}}', "inf is not a finite number"),
        ('{"openai:m": {input: NaN, output: 1}}', "nan is not a finite number"),
        ('{"openai:m": {input: "1", output: 1}}', "'1' is not a number"),
        ('{"openai:m": {input: true, output: 1}}', "True is not a number"),
        ('{"openai:m": {input: null, output: 1}}', "/openai:m/input (line 1): "),
        ('{"openai:m": {input: 1, output: 1, cached: -1}}', "-1 is out of range"),
        ('{"opneai:m": {input: 1, output: 1}}', "no provider 'opneai'; did you mean 'openai'?"),
        ('{"gpt-5": {input: 1, output: 1}}', "'gpt-5' is no model; write provider:name"),
        ('{"openai:": {input: 1, output: 1}}', "'openai:' is no model"),
        ('{"openai:m": {input: 1, output: 1}, "openai:m": {}}', "stands here and again on line 1"),
    ],
)
def test_a_price_file_that_cannot_be_used_is_refused(write: Write, text: str, said: str) -> None:
    found = problems(write(text))
    assert any(said in problem for problem in found), found


def test_every_problem_of_a_price_file_is_named_at_once(write: Write) -> None:
    found = problems(
        write('{\n"opneai:m": {input: -1, output: 1},\n"openai:m": {outptu: 1, output: 1}}')
    )
    assert len(found) == 4
    lines = [problem.partition(")")[0].rpartition(" ")[2] for problem in found]
    assert lines == ["2", "2", "3", "3"]


def test_a_price_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path / FILE) == ("cannot be read: No such file or directory",)
