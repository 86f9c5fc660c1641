from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness import roster
from harness.agents.base import Agent
from harness.cli.purses import purses_of
from harness.domain.ids import BatchId
from harness.domain.model import Budget, ModelRef, ModelUse, Usage, parse_model
from harness.domain.provider import PROVIDERS
from harness.domain.session import Ending, Session
from harness.domain.spec import RunSpec
from harness.errors import UsageError
from harness.settings import Settings
from harness.testing.builders import FakeAgent, Fakes
from harness.testing.store import a_record
from tests.cli.conftest import Cli
from tests.store.places import change, store_of

RUN = ("run", "sample", "greet")


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for provider in PROVIDERS.values():
        monkeypatch.delenv(provider.key_variable, raising=False)
    monkeypatch.setenv("BENCH_KEYS", str(tmp_path / "keys.env"))


@pytest.fixture
def _answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents that have a model, and a key for it, and ask it nothing."""
    make = roster.make_agent

    def silent(spec: RunSpec) -> Agent:
        return FakeAgent(simulated=False, needs=make(spec).needs)

    monkeypatch.setattr(roster, "make_agent", silent)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-some-key-that-is-long")


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("some-model", ModelRef("openai", "some-model")),
        ("openrouter:vendor/some-model:free", ModelRef("openrouter", "vendor/some-model:free")),
        ("m@http://localhost:8000/v1", ModelRef("openai", "m", "http://localhost:8000/v1")),
        ("vendor/m@4bit", ModelRef("openai", "vendor/m@4bit")),
    ],
)
def test_a_model_is_read_as_it_is_typed(text: str, model: ModelRef) -> None:
    assert parse_model(text, "openai", PROVIDERS) == model


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("m@localhost:8000", "@http://localhost:8000/v1"),
        ("m@localhost:8000/v1", "@http://localhost:8000/v1"),
        ("openai:vendor/m@10.0.0.1", "@http://10.0.0.1/v1"),
        ("m@[::1]:8000", "@http://[::1]:8000/v1"),
        ("m@gpu.example.org/v1", "@http://gpu.example.org/v1"),
        ("m@box:8000", "@http://box:8000/v1"),
        ("m@ftp://x", "@http://x/v1"),
    ],
)
def test_an_endpoint_without_http_is_no_part_of_a_models_name(text: str, better: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"write {better}")):
        parse_model(text, "openai", PROVIDERS)


@pytest.mark.parametrize("text", ["m@20240620", "m@default", "vendor/m@v1.5", "m@q4_k_m", "a@b@c"])
def test_an_at_may_be_part_of_a_models_name(text: str) -> None:
    assert parse_model(text, "openai", PROVIDERS) == ModelRef("openai", text)


@pytest.mark.parametrize("option", ["--max-cost", "--max-batch-cost", "--temperature"])
@pytest.mark.parametrize("number", ["nan", "inf"])
def test_what_is_no_number_limits_nothing(cli: Cli, fakes: Fakes, option: str, number: str) -> None:
    result = cli(*RUN, option, number)
    assert (result.exit_code, fakes.store.batches()) == (2, ())
    assert number in result.stderr


def test_a_misspelt_provider_is_named_with_the_nearest(cli: Cli) -> None:
    result = cli(*RUN, "--user", "anthropc:foo")
    assert result.exit_code == 2
    assert "no provider 'anthropc'; did you mean 'anthropic'?" in result.stderr


def test_an_agent_without_a_model_names_what_it_does_not_take(cli: Cli) -> None:
    result = cli(*RUN, "--agent", "echo", "--temperature", "0.5")
    assert result.exit_code == 2
    assert "takes no temperature; leave 0.5 out" in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        "",
        "openai:",
        "m@https://",
        "m@http://user:key@host/v1",
        "m@http://host:99999/v1",
        "m@http://host:port/v1",
        "m@http://:80/v1",
    ],
)
def test_what_names_no_model_or_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_model(text, "openai", PROVIDERS)


@pytest.mark.parametrize("agent", ["anthropic", "openai", "openrouter", "claude-code", "codex"])
def test_a_missing_key_names_its_variable_and_the_file_it_may_stand_in(
    cli: Cli, fakes: Fakes, agent: str, tmp_path: Path
) -> None:
    result = cli(*RUN, "--agent", agent, "--model", "some-model")
    assert result.exit_code == 2
    assert "_API_KEY" in result.stderr
    assert str(tmp_path / "keys.env") in result.stderr
    assert fakes.store.batches() == ()


@pytest.mark.parametrize("agent", ["openai", "claude-code", "codex"])
def test_an_agent_that_needs_a_model_says_so(cli: Cli, fakes: Fakes, agent: str) -> None:
    result = cli(*RUN, "--agent", agent)
    assert result.exit_code == 2
    assert "--model" in result.stderr
    assert fakes.store.batches() == ()


def test_two_models_for_one_agent_are_refused(cli: Cli, fakes: Fakes) -> None:
    result = cli(*RUN, "--agent", "anthropic:one", "--model", "another")
    assert (result.exit_code, fakes.store.batches()) == (2, ())
    assert "'one'" in result.stderr
    assert "'another'" in result.stderr


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--seed", "1"), "seed"),
        (("--temperature", "1.5"), "temperature"),
        (("--reasoning-effort", "hihg"), "high"),
    ],
)
def test_a_setting_that_a_provider_does_not_take_is_refused_before_anything_runs(
    cli: Cli, fakes: Fakes, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], word: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-some-key-that-is-long")
    result = cli(*RUN, "--agent", "anthropic:some-model", *options)
    assert result.exit_code == 2
    assert word in result.stderr
    assert fakes.store.batches() == ()


@pytest.mark.parametrize("option", ["--max-cost", "--max-tokens", "--max-turns"])
def test_a_limit_of_nothing_is_refused(cli: Cli, fakes: Fakes, option: str) -> None:
    result = cli(*RUN, option, "0")
    assert (result.exit_code, fakes.store.batches()) == (2, ())
    assert f"{option} is 0" in result.stderr


@pytest.mark.usefixtures("_answering")
@pytest.mark.parametrize(
    ("options", "code"),
    [((), 0), (("--strict-prices",), 2), (("--max-cost", "1"), 2), (("--max-batch-cost", "1"), 2)],
)
def test_an_unknown_price_is_said_and_refused_where_it_has_to_be_known(
    cli: Cli, fakes: Fakes, options: tuple[str, ...], code: int
) -> None:
    result = cli(*RUN, "--agent", "openai:a-model-of-nobody", *options)
    assert "openai:a-model-of-nobody" in result.stderr
    assert "price" in result.stderr
    assert (result.exit_code == 2) is (code == 2)
    assert bool(fakes.store.batches()) is (code == 0)


def test_a_broken_cassette_is_refused_before_anything_runs(
    cli: Cli, fakes: Fakes, tmp_path: Path
) -> None:
    path = tmp_path / "broken.cassette"
    path.write_bytes(b"nonsense")
    result = cli(*RUN, "--agent", "openai:m", "--cassette", str(path))
    assert (result.exit_code, fakes.store.batches()) == (2, ())
    assert str(path) in result.stderr


@pytest.mark.usefixtures("_answering")
def test_the_default_budget_has_an_end(cli: Cli, fakes: Fakes) -> None:
    cli(*RUN, "--agent", "openai:a-model-of-nobody")
    assert fakes.store.runs()[0].budget == Budget(requests=500, turns=100)


def test_what_a_batch_took_is_known_without_reading_its_documents(tmp_path: Path) -> None:
    use = ModelUse(Usage(70, 30), None, least_usd=0.25)
    session = Session(Ending.FINISHED, 1.0, model_use=use)
    place, settings = tmp_path / "runs.db", Settings(tmp_path, store=str(tmp_path / "runs.db"))
    with store_of(settings) as store:
        store.save(replace(a_record(), session=session))
    change(str(place), "UPDATE runs SET document = 'nothing of it is looked at'")
    budget = Budget(usd=1.0)
    purse = purses_of(settings, BatchId("b"), budget, Budget())[BatchId("b")]
    assert (purse.budget, purse.usd, purse.tokens) == (budget, 0.25, 100)
