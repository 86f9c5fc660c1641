from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from harness.domain.judgement import Judgement
from harness.domain.model import ModelRef, ModelSettings, ModelUse, Usage, total_use
from harness.domain.rubric import Rubric
from harness.errors import ProviderFault, UsageError
from harness.judging import JudgeFailed, judge_work, rubric_digest
from harness.llm.base import Chat, ContextTooLong, OutOfBudget, Stop, Turn
from harness.testing.judge import USED, FakeJudges, JudgeDouble
from harness.testing.store import MemoryArtifacts
from tests.judging.works import CATEGORIES, JUDGE, RUBRIC, Says, a_case

OTHER = "openai:second"
THIRD = "openrouter:maker/third"


def reply(*scores: float, quote: str = "return sum(items)") -> str:
    items = [
        {"category": category.name, "reasoning": "r", "quotes": [quote], "score": score}
        for category, score in zip(CATEGORIES, scores, strict=True)
    ]
    return json.dumps({"scores": items})


def panel(chats: Mapping[str, Chat | Exception]) -> FakeJudges:
    def make(model: ModelRef) -> Chat:
        chat = chats[model.label]
        if isinstance(chat, Exception):
            raise chat
        return chat

    return FakeJudges(make)


def judge(rubric: Rubric = RUBRIC, **chats: Chat | Exception) -> Judgement:
    names = {"one": JUDGE, "two": OTHER, "three": THIRD}
    known = {names[key]: chat for key, chat in chats.items()}
    rubric = replace(rubric, judges=tuple(known))
    return judge_work(a_case(), rubric, panel(known), MemoryArtifacts().put)


def test_one_judge_gives_marks_a_score_and_what_it_cost() -> None:
    found = judge(one=Says([reply(5, 2.5)]))
    assert [(mark.category, mark.score) for mark in found.marks] == [
        ("Correctness", 5.0),
        ("Tests & style", 2.5),
    ]
    assert found.score == pytest.approx(0.6 * 1.0 + 0.4 * 0.375)
    assert (found.by, found.is_human, found.disputed, found.note) == ((JUDGE,), False, False, "")
    assert found.rubric == rubric_digest(RUBRIC)
    assert found.use == USED
    assert found.marks[0].quotes == ("return sum(items)",)


def test_the_rubrics_settings_reach_the_judge() -> None:
    judges = panel({JUDGE: JudgeDouble()})
    settings = ModelSettings(temperature=0.1, max_output_tokens=2000)
    judge_work(a_case(), replace(RUBRIC, settings=settings), judges, MemoryArtifacts().put)
    assert judges.seated == [(ModelRef("anthropic", "judge"), settings)]


def test_models_of_the_command_line_take_the_place_of_the_rubrics() -> None:
    judges = FakeJudges(models=(ModelRef("openai", "second"),))
    found = judge_work(a_case(), RUBRIC, judges, MemoryArtifacts().put)
    assert found.by == (OTHER,)


def test_nobody_to_ask_is_no_verdict_and_says_how_to_name_one() -> None:
    with pytest.raises(JudgeFailed, match="--judge provider:model"):
        judge_work(a_case(), replace(RUBRIC, judges=()), FakeJudges(), MemoryArtifacts().put)


def test_an_answer_that_cannot_be_used_is_mended_by_asking_again() -> None:
    chat = Says(["Sure! It is good.", reply(9, 4), reply(4, 4)])
    assert [mark.score for mark in judge(one=chat).marks] == [4.0, 4.0]
    assert [len(heard) for heard in chat.heard] == [1, 3, 5]
    assert "not one JSON object" in chat.asked[1]
    assert "scores[0]: `score`" in chat.asked[2]


def test_every_attempt_is_kept_with_what_was_made_of_it() -> None:
    artifacts = MemoryArtifacts()
    judges = panel({JUDGE: Says(["no", reply(2, 2)])})
    found = judge_work(a_case(), RUBRIC, judges, artifacts.put)
    (heard,) = json.loads(artifacts.get(found.artifacts[1]))[JUDGE]
    first, second = heard["attempts"]
    problems = ["It is not one JSON object alone."]
    assert first == {"text": "no", "stop": "done", "problems": problems}
    assert second["text"] == reply(2, 2)
    assert [verdict["score"] for verdict in second["verdicts"]] == [2, 2]


def test_a_cut_answer_is_asked_for_in_short() -> None:
    chat = Says([Turn(reply(4, 4)[:30], stop=Stop.LENGTH), reply(4, 4)])
    judge(one=chat)
    assert "cut off" in chat.asked[1]


def test_an_empty_answer_is_mended_too() -> None:
    assert judge(one=Says(["", reply(2, 2)])).marks[0].score == 2.0


@pytest.mark.parametrize(
    ("chat", "reason"),
    [
        (Says(["no"] * 3), "asked 3 times; at last: It is not one JSON object"),
        (Says([Turn("I cannot", stop=Stop.REFUSED)]), "it refuses to judge this"),
        (Says([ProviderFault("the provider answered 529")]), "529"),
        (Says([OutOfBudget("200 requests are used", turns=False)]), "200 requests"),
        (Says([ContextTooLong("prompt is too long")] * 3), "prompt is too long"),
        (UsageError("there is no ANTHROPIC_API_KEY"), "no ANTHROPIC_API_KEY"),
    ],
    ids=["no JSON", "refused", "down", "out of budget", "too long", "no key"],
)
def test_a_judge_that_fails_gives_no_verdict_and_never_zero(
    chat: Chat | Exception, reason: str
) -> None:
    with pytest.raises(JudgeFailed) as caught:
        judge(one=chat)
    assert str(caught.value).startswith(f"{JUDGE}: ")
    assert reason in str(caught.value)
    assert [each.name for each in caught.value.artifacts] == [
        "judge-prompt.json",
        "judge-replies.json",
    ]
    assert caught.value.use == (None if isinstance(chat, Exception) else USED)


def test_what_a_provider_cannot_be_told_is_no_verdict() -> None:
    settings = ModelSettings(temperature=1.5)
    with pytest.raises(JudgeFailed, match="it goes from 0 to 1"):
        judge(replace(RUBRIC, settings=settings), one=JudgeDouble())


def test_a_model_that_takes_no_temperature_is_asked_without() -> None:
    chat = Says([ProviderFault("the provider answered 400: `temperature` is deprecated")])
    judges = panel({JUDGE: chat})
    rubric = replace(RUBRIC, settings=ModelSettings(temperature=0.1))
    found = judge_work(a_case(), rubric, judges, MemoryArtifacts().put)
    assert [settings.temperature for _, settings in judges.seated] == [0.1, None]
    assert "takes no temperature" in found.note
    assert found.use == total_use([USED, USED])


def test_another_failure_is_not_the_temperatures() -> None:
    judges = panel({JUDGE: Says([ProviderFault("the provider answered 529")])})
    rubric = replace(RUBRIC, settings=ModelSettings(temperature=0.1))
    with pytest.raises(JudgeFailed):
        judge_work(a_case(), rubric, judges, MemoryArtifacts().put)
    assert len(judges.seated) == 1


def test_when_some_fail_the_rest_counts_and_it_is_said() -> None:
    found = judge(one=ProviderFault("down"), two=Says([reply(2, 2)]))
    assert found.by == (OTHER,)
    assert found.score == 0.25
    assert f"{JUDGE}: down" in found.note


def test_a_sample_that_fails_leaves_the_others() -> None:
    chat = Says([reply(2, 2), Turn("no", stop=Stop.REFUSED), reply(3, 2)])
    found = judge(replace(RUBRIC, samples=3), one=chat)
    assert found.marks[0].samples == (2.0, 3.0)
    assert (found.marks[0].score, found.marks[0].spread) == (2.5, 1.0)
    assert f"{JUDGE}, answer 2 of 3: it refuses" in found.note


def test_answers_that_fail_alike_are_told_together_and_sentences_end_once() -> None:
    def refused() -> Turn:
        return Turn("no", stop=Stop.REFUSED)

    chat = Says([refused(), reply(2, 2), refused(), refused()])
    found = judge(replace(RUBRIC, samples=4), one=chat, two=ProviderFault("down.\nTry later."))
    assert found.note == (
        f"{JUDGE}, answers 1, 3 and 4 of 4: it refuses to judge this; {OTHER}: down. Try later"
    )
    with pytest.raises(JudgeFailed) as caught:
        judge(replace(RUBRIC, samples=2), one=Says([refused(), refused()]))
    assert str(caught.value) == f"{JUDGE}, all 2 answers: it refuses to judge this"


def test_a_provider_that_goes_down_half_way_leaves_what_was_said() -> None:
    chat = Says([reply(2, 2), ProviderFault("gone")])
    found = judge(replace(RUBRIC, samples=3), one=chat)
    assert found.marks[0].samples == (2.0,)
    assert "gone" in found.note


def test_several_judges_are_one_panel_and_their_dispute_is_marked() -> None:
    found = judge(one=Says([reply(5, 3)]), two=Says([reply(2, 3)]), three=Says([reply(4, 3)]))
    assert found.by == (JUDGE, OTHER, THIRD)
    assert [mark.score for mark in found.marks] == [4.0, 3.0]
    assert found.disputed
    assert found.note.startswith("the judges disagree about Correctness")
    assert found.use == ModelUse(
        usage=Usage(input_tokens=2700, output_tokens=300), cost_usd=pytest.approx(0.03), requests=3
    )


def test_a_mark_that_nothing_shows_is_capped_and_it_is_said() -> None:
    found = judge(one=Says([reply(5, 2, quote="return max(items)")]))
    assert [mark.score for mark in found.marks] == [3.0, 2.0]
    assert found.marks[0].unfounded == ("return max(items)",)
    assert "anthropic:judge: marks that count as 3" in found.note
    assert found.note.endswith(": 1")


def test_a_case_that_is_too_long_for_a_model_is_cut_further() -> None:
    work = {f"f{n}.py": "x = 'some line of code'\n" * 300 for n in range(40)}
    chat = Says([ContextTooLong("prompt is too long"), reply(2, 2)])
    case = a_case(work)
    found = judge_work(case, RUBRIC, panel({JUDGE: chat}), MemoryArtifacts().put)
    lengths = [len(message.text) for heard in chat.heard for message in heard]  # type: ignore[union-attr]  # users only
    assert lengths[1] < 0.5 * lengths[0]
    assert "not shown for want of room" in found.note


def test_what_no_judge_was_shown_is_said_once() -> None:
    case = a_case({f"f{n}.py": "x = 'some line of code'\n" * 300 for n in range(40)})
    judges = panel({JUDGE: Says([reply(2, 2)]), OTHER: Says([reply(2, 2)])})
    rubric = replace(RUBRIC, judges=(JUDGE, OTHER))
    found = judge_work(case, rubric, judges, MemoryArtifacts().put)
    assert found.note.count("not shown for want of room") == 1


def test_nothing_changed_is_nothing_done_and_asks_no_model() -> None:
    judges = FakeJudges()
    found = judge_work(a_case({}), RUBRIC, judges, MemoryArtifacts().put)
    assert (found.score, found.by, judges.seated) == (0.0, (), [])
    assert [mark.score for mark in found.marks] == [1.0, 1.0]
    assert "nothing was changed" in found.note


def test_a_statement_is_work_where_the_rubric_asks_for_it() -> None:
    case = replace(a_case({}), statement="The file is called Invoices.")
    rubric = replace(RUBRIC, with_statement=True)
    quote = reply(4, 4, quote="file is called Invoices")
    found = judge_work(case, rubric, panel({JUDGE: Says([quote])}), MemoryArtifacts().put)
    assert found.score == 0.75
    assert judge_work(case, RUBRIC, FakeJudges(), MemoryArtifacts().put).score == 0.0


def test_a_price_that_is_unknown_stays_unknown_in_the_sum() -> None:
    assert total_use([USED, replace(USED, cost_usd=None)]) == replace(
        USED,
        cost_usd=None,
        requests=2,
        usage=Usage(input_tokens=1800, output_tokens=200),
    )
    nothing = ModelUse()
    assert total_use([USED, nothing]) == USED
    assert total_use([]) is None
