"""`bench judge`: a stored run before judges, over the real gateway, store and ledger."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import pytest

from harness import wiring
from harness.cli.judge import Asking
from harness.domain.judgement import Review
from harness.domain.model import ModelRef, ModelSettings
from harness.domain.provider import PROVIDERS
from harness.errors import Interrupted, ProviderFault
from harness.settings import Settings
from harness.testing.provider import KEY, Fails, ProviderDouble, Says, Script
from tests.cli.conftest import Cli
from tests.cli.judged import BOAST, MODEL, RUBRIC, WORK, says, store_run, verdict, with_rubric

MODEL_REF = ModelRef("openai", "some-judge")
GOOD = {"Correctness": 5, "Style": 3}
JUDGE = ("judge", "last", "--judge", MODEL)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Script], ProviderDouble]]:
    """A provider that answers as a script says, with a key for it in the environment."""
    with ExitStack() as stack:

        def start(script: Script) -> ProviderDouble:
            double = stack.enter_context(ProviderDouble(script))
            monkeypatch.setenv("OPENAI_BASE_URL", double.url)
            monkeypatch.setenv("OPENAI_API_KEY", KEY)
            return double

        yield start


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for each in PROVIDERS.values():
        monkeypatch.delenv(each.key_variable, raising=False)
    monkeypatch.setenv("BENCH_KEYS", str(tmp_path / "keys.env"))


def reviews(project: Path) -> tuple[Review, ...]:
    return tuple(wiring.open_store(Settings(project)).reviews())


def asked(double: ProviderDouble) -> str:
    return "\n".join(seen.raw.decode() for seen in double.requests)


Provider = Callable[[Script], ProviderDouble]


def test_a_stored_run_is_judged_without_engine_and_agent(
    cli: Cli, project: Path, provider: Provider
) -> None:
    with_rubric(project)
    record = store_run(project)
    double = provider(says(verdict(GOOD)))
    result = cli(*JUDGE)
    assert result.exit_code == 0, result.stderr
    assert len(double.requests) == 1
    assert "compute_the_greeting" in asked(double)
    (review,) = reviews(project)
    assert (review.run, review.judgement.by) == (record.id, (MODEL,))
    assert [(m.category, m.score) for m in review.judgement.marks] == list(GOOD.items())
    assert review.judgement.score == pytest.approx(0.6 * 1 + 0.4 * 0.5)
    assert "Correctness" in result.stdout
    assert wiring.open_store(Settings(project)).run(record.id) == record


def test_who_is_asked_is_said_on_one_line_where_nothing_moves(
    cli: Cli, project: Path, provider: Provider
) -> None:
    with_rubric(project)
    store_run(project)
    provider(says(verdict(GOOD)))
    result = cli("judge", "last", "--judge", "openai:some[red]-judge")
    assert result.stderr.endswith("asking openai:some[red]-judge\n")


def test_the_json_is_the_judgement_with_its_cost(
    cli: Cli, project: Path, provider: Provider
) -> None:
    with_rubric(project)
    store_run(project)
    provider(says(verdict(GOOD)))
    found: dict[str, Any] = json.loads(cli(*JUDGE, "--json").stdout)
    assert found["run_id"] == "run_1"
    assert (found["by"], found["is_human"]) == ([MODEL], False)
    assert [mark["score"] for mark in found["marks"]] == [5, 3]
    assert found["judging"]["requests"] == 1
    assert found["judging"]["usage"]["output_tokens"] > 0
    assert {each["name"] for each in found["artifacts"]} == {
        "judge-prompt.json", "judge-replies.json",
    }  # fmt: skip
    (shown,) = json.loads(cli("show", "last", "--json").stdout)["reviews"]
    assert shown == found


def test_judges_are_asked_as_often_as_is_said_and_the_spread_is_shown(
    cli: Cli, project: Path, provider: Provider
) -> None:
    with_rubric(project)
    store_run(project)
    marks = ({"Correctness": 4, "Style": 3}, {"Correctness": 2, "Style": 3})
    double = provider(says(*map(verdict, (*marks, GOOD))))
    result = cli(*JUDGE, "--samples", "3")
    assert len(double.requests) == 3
    (mark, _) = reviews(project)[0].judgement.marks
    assert (mark.score, mark.spread) == (4, 3)
    assert "4, 2, 5" in result.stdout


def test_another_rubric_comes_from_a_file(cli: Cli, project: Path, provider: Provider) -> None:
    store_run(project)
    path = project / "strict.yaml"
    path.write_text('judges: [openai:from-the-file]\ncategories: ["Honesty: it claims no more"]\n')
    provider(says(verdict({"Honesty": 2})))
    assert cli("judge", "last", "--rubric", str(path)).exit_code == 0
    (review,) = reviews(project)
    assert review.judgement.by == ("openai:from-the-file",)
    assert [mark.category for mark in review.judgement.marks] == ["Honesty"]
    assert "by the rubric strict.yaml" in review.judgement.note


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("categories: [Style]\ncategorise: 1\n", "/categorise (line 2): unknown key"),
        ("llm_judge: {}\n", "leave that key out"),
        ('categories: ["A (30%)", "B (30%)"]\n', "60"),
        ("[]\n", "not a mapping"),
        ("samples: 0\n", "/samples (line 1)"),
    ],
    ids=["unknown", "with the block", "weights", "list", "range"],
)
def test_a_broken_rubric_is_refused_with_its_place(
    cli: Cli, project: Path, text: str, said: str
) -> None:
    store_run(project)
    path = project / "strict.yaml"
    path.write_text(text)
    result = cli("judge", "last", "--rubric", str(path))
    assert result.exit_code == 2
    assert said in result.stderr
    assert str(path) in result.stderr
    assert not reviews(project)


@pytest.mark.parametrize(("options", "times"), [((), 0), (("--show", "statement"), 1)])
def test_what_the_agent_says_of_itself_is_shown_only_when_asked_for(
    cli: Cli, project: Path, provider: Provider, options: tuple[str, ...], times: int
) -> None:
    with_rubric(project)
    store_run(project)
    double = provider(says(verdict(GOOD)))
    assert cli(*JUDGE, *options).exit_code == 0
    assert asked(double).count(BOAST) == times
    assert reviews(project)[0].judgement.note.count("shown the statement") == times


def test_without_a_key_nothing_is_asked_and_nothing_stored(cli: Cli, project: Path) -> None:
    with_rubric(project)
    store_run(project)
    result = cli(*JUDGE)
    assert result.exit_code == 2
    assert "OPENAI_API_KEY" in result.stderr
    assert not reviews(project)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("judge", "last"), "names no judge; give --judge"),
        (("judge", "last", "--judge", "some-judge"), "names no provider"),
        ((*JUDGE, "--max-cost", "0"), "--max-cost is 0"),
        ((*JUDGE, "--max-cost", "1"), "the price of openai:some-judge is not known"),
        ((*JUDGE, "--samples", "0"), "0 is not in the range"),
        (("judge", "run_nope"), "run_nope"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is(
    cli: Cli, project: Path, provider: Provider, arguments: tuple[str, ...], said: str
) -> None:
    with_rubric(project)
    store_run(project)
    double = provider(says(verdict(GOOD)))
    result = cli(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not double.requests
    assert not reviews(project)


def test_a_run_without_files_has_nothing_to_judge(cli: Cli, project: Path) -> None:
    store_run(project, tree=None)
    result = cli(*JUDGE)
    assert result.exit_code == 2
    assert "left no files" in result.stderr


@pytest.mark.parametrize(
    "script", [says(Fails(400, "no such model")), says(Says("I like it."))], ids=["error", "prose"]
)
def test_a_judge_that_fails_is_no_score_of_nothing(
    cli: Cli, project: Path, provider: Provider, script: Script
) -> None:
    with_rubric(project)
    store_run(project)
    provider(script)
    result = cli(*JUDGE, "--json")
    assert result.exit_code == 3
    assert "was not judged, and nothing was stored" in result.stderr
    assert MODEL in result.stderr
    assert not result.stdout
    assert not reviews(project)


def test_all_judges_together_keep_to_the_budget(
    cli: Cli, project: Path, provider: Provider
) -> None:
    with_rubric(project)
    store_run(project)
    double = provider(says(verdict(GOOD)))
    result = cli(*JUDGE, "--samples", "9", "--max-tokens", "1")
    assert len(double.requests) == 1
    assert result.exit_code == 0
    (review,) = reviews(project)
    assert review.judgement.marks[0].samples == (5,)
    assert "tokens are used" in review.judgement.note


def test_an_interruption_cuts_what_is_under_way_and_takes_no_more_seats() -> None:
    asking = Asking((MODEL_REF,), 1, quiet=True)
    main, cut = threading.main_thread().ident, threading.Event()
    ended = threading.Event()

    def work() -> NoReturn:
        assert main is not None
        signal.pthread_kill(main, signal.SIGUSR1)
        assert cut.wait(30)
        with pytest.raises(Interrupted), asking.seat(MODEL_REF, ModelSettings()):
            pytest.fail("it was given a seat")
        ended.set()
        raise ProviderFault("the line is cut")

    def interrupt(_number: int, _frame: object) -> NoReturn:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(Interrupted), asking:
            asking.until(work, cut.set)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert ended.wait(30)


def test_a_scenario_that_changed_since_is_said(cli: Cli, project: Path, provider: Provider) -> None:
    record = store_run(project)
    provider(says(verdict(GOOD)))
    path = project / "rubric.yaml"
    path.write_text(RUBRIC)
    assert "has changed" not in cli(*JUDGE, "--rubric", str(path)).stderr
    with_rubric(project)
    assert f"has changed since {record.id}" in cli(*JUDGE).stderr


def test_invented_quotations_are_shown(cli: Cli, project: Path, provider: Provider) -> None:
    with_rubric(project)
    store_run(project)
    provider(says(verdict({"Correctness": 2, "Style": 1}, quote="return launch_the_rocket()")))
    result = cli(*JUDGE)
    assert "1 quotation is not in the work: “return launch_the_rocket()”" in result.stdout
    assert WORK not in result.stdout
