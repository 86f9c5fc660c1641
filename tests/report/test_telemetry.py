from __future__ import annotations

from dataclasses import replace

import pytest

from harness.domain.model import ModelUse, Usage
from harness.domain.record import RunRecord, TreeRef
from harness.domain.session import Entry, Question, Reported, Role, Session, ToolCount
from harness.report.stats import totals
from harness.report.telemetry import calls_of, telemetry, total
from harness.report.words import plural
from tests.report.records import a_run, a_session

USAGE = Usage(12_345, 2_345, 100_000, 4_000, 1_200)
USE = ModelUse(USAGE, 0.1234, 12, 11, 1, 2, 4, 3, 4.25, 0.84)


def lines(session: Session | None, **changes: object) -> dict[str, str]:
    return {line.subject: line.said for line in telemetry(a_run(1.0, session=session, **changes))}


def metered(**changes: object) -> Session:
    made = replace(a_session(cost_usd=0.1234), usage=USAGE, model_use=USE)
    return replace(made, **changes)  # type: ignore[arg-type]  # a session's own fields


def test_tokens_are_told_by_kind_with_reasoning_inside_the_output() -> None:
    assert lines(metered())["Tokens"] == (
        "12,345 input, 100,000 cached, 4,000 cache writes, 2,345 output (1,200 reasoning)"
    )


def test_kinds_of_tokens_that_did_not_occur_are_not_named() -> None:
    assert lines(metered(usage=Usage(5, 7)))["Tokens"] == "5 input, 7 output"


def test_an_unknown_price_is_said_in_words_and_never_zero() -> None:
    unmetered = "unknown: 4 answers did not say what they used"
    assert lines(metered(cost_usd=None))["Cost"] == unmetered
    for least_usd, said in ((0.0, "unknown price"), (0.5, "unknown price, at least $0.5000")):
        use = ModelUse(least_usd=least_usd)
        assert lines(metered(cost_usd=None, model_use=use))["Cost"] == said


def test_a_simulated_run_has_no_price_to_know() -> None:
    assert lines(a_session(cost_usd=None), simulated=True)["Cost"] == "–"


def test_requests_say_what_went_wrong_and_how_long_it_waited() -> None:
    assert lines(metered())["Requests"] == (
        "12 in 11 turns, 1 failed, 2 refused, 4 unmetered, 3 retries, waited 4.2s,"
        " first token after 0.84s"
    )


def test_requests_without_trouble_are_short() -> None:
    assert lines(metered(model_use=ModelUse(requests=1, turns=1)))["Requests"] == "1 in 1 turn"


def test_tools_are_counted_by_name_with_their_errors() -> None:
    calls = (ToolCount("read_file", 6), ToolCount("run_command", 8, errors=2))
    assert lines(metered(calls=calls))["Tool calls"] == (
        "14, 2 failed: read_file 6, run_command 8 (2 failed)"
    )


def test_a_session_stored_before_calls_were_counted_is_counted_from_its_transcript() -> None:
    said = (
        Entry(Role.TOOL_CALL, "{}", 1.0, tool="a"),
        Entry(Role.TOOL_RESULT, "", 1.0, tool="a", is_error=True),
    )
    assert calls_of(metered(calls=(), transcript=said)) == (ToolCount("a", 1, errors=1),)


@pytest.mark.parametrize(
    ("reported", "said"),
    [
        (Reported(USAGE, 0.12339, 11), None),
        (Reported(cost_usd=0.11), "tool-loop itself says: $0.1100"),
        (Reported(Usage(1, 2), None, 3), "tool-loop itself says: 1 input, 2 output, 3 turns"),
        (Reported(), None),
    ],
    ids=["the same", "cost", "tokens and turns", "nothing"],
)
def test_what_a_program_says_of_itself_is_shown_where_it_differs(
    reported: Reported, said: str | None
) -> None:
    assert lines(metered(reported=reported)).get("Reported") == said


def test_stages_are_told_in_their_order_those_that_repeat_together() -> None:
    stages = (("plan", 0.001), ("rebuild", 1.0), ("work", 2.5), ("rebuild", 0.5))
    assert lines(metered(), stages_s=stages)["Stages"] == "rebuild 1.5s, work 2.5s"


def test_questions_and_changes_are_counted_in_whole_words() -> None:
    asked = metered(questions=(Question("a?", "yes", "a"), Question("b?", "no idea", None)))
    said = lines(asked, tree=TreeRef("b", "c", 1, 20, 3))
    assert said["Questions"] == "2, 1 answered"
    assert said["Changes"] == "1 file, +20 -3"


def test_a_run_without_a_session_has_no_telemetry() -> None:
    assert lines(None) == {}


def test_what_several_runs_used_is_added_and_what_is_unknown_is_counted() -> None:
    runs: list[RunRecord] = [
        a_run(1.0, session=metered()),
        a_run(1.0, session=metered(cost_usd=None)),
        a_run(1.0, session=a_session(cost_usd=None), simulated=True),
        a_run(1.0, session=None),
    ]
    used = totals(runs)
    assert used.usage == USAGE + USAGE
    assert (used.cost_usd, used.unpriced) == (0.1234, 1)
    assert total(used).endswith("(2,400 reasoning), $0.1234, 1 session of unknown price")


def test_runs_without_a_model_used_nothing_worth_a_word() -> None:
    assert total(totals([a_run(1.0, session=a_session(cost_usd=None), simulated=True)])) == ""


def test_one_is_not_plural() -> None:
    assert [plural(n, "file") for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
    assert plural(2, "try", "tries") == "2 tries"
