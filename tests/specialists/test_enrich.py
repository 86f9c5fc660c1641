from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.domain.digests import text_digest
from harness.domain.model import ModelRef, ModelSettings
from harness.errors import Interrupted, StoreFault, UsageError
from harness.llm.base import NO_DEADLINE, ContextTooLong, Message, Stop, ToolSpec, Turn, User
from harness.load.enriched import author_of, enriched_folder, home_of
from harness.specialists.asking import Vocabulary, question, read_reply
from harness.specialists.enrich import Asking, Enriched, Status, enrich, open_work
from harness.specialists.fetch import NotRead
from harness.specialists.reading import Text
from harness.specialists.writing import replace_text, write_enriched
from harness.testing.judge import FakeSeat
from tests.cli.enriching import CODE, a_project, answer, drawn

WORDS = Vocabulary(("migration",), ("React",), ("ui",))
NOW = datetime(2025, 1, 18, 12, 0, tzinfo=UTC)


@dataclass(slots=True)
class Model:
    """A chat that gives turns in their order, the last again and again, and keeps what it heard."""

    turns: Sequence[Turn | BaseException]
    heard: list[str] = field(default_factory=list)

    def send(
        self,
        system: str | None,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        *,
        timeout_s: float = NO_DEADLINE,
    ) -> Turn:
        del system, tools, timeout_s
        last = messages[-1]
        assert isinstance(last, User)
        self.heard.append(last.text)
        turn = self.turns[min(len(self.heard), len(self.turns)) - 1]
        if isinstance(turn, Turn):
            return turn
        raise turn


@dataclass(slots=True)
class Seats:
    """One model for everybody who asks."""

    model: Model
    models: tuple[ModelRef, ...] = ()

    @contextmanager
    def seat(self, _model: ModelRef, _settings: ModelSettings) -> Iterator[FakeSeat]:
        yield FakeSeat(self.model)

    def cut(self) -> None:
        pass


def said(**changes: object) -> Turn:
    return Turn(json.dumps(answer(**changes)))


def read(location: str) -> Text:
    return Text(f"The words of {location}.", text_digest(location))


def asking(model: Model, **changes: Any) -> Asking:  # noqa: ANN401  # an Asking's own fields
    ref = ModelRef("openai", "some-model")
    return Asking(
        model=ref, seats=Seats(model), now=lambda: NOW, timeout_s=1, concurrency=1, **changes
    )


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return a_project(tmp_path, "https://a.example")


def run(template: Path, *turns: Turn | BaseException) -> tuple[Enriched, Model]:
    model = Model(turns)
    done = enrich(open_work(template), read, asking(model), lambda _outcome: None)
    return done, model


def test_an_answer_is_taken_in_the_templates_own_spelling() -> None:
    reply = read_reply(json.dumps(answer(relevant_tags=["UI", "ui"])), WORDS, "")
    assert reply.answer
    assert reply.answer["relevant_tags"] == ["ui"]


def test_code_that_is_not_in_the_document_is_left_out() -> None:
    patterns = ["const  open\n= useDialog()", "rm -rf /"]
    reply = read_reply(json.dumps(answer(code_patterns=patterns)), WORDS, f"x {CODE} y")
    assert reply.answer
    assert reply.answer["code_patterns"] == patterns[:1]
    assert "1 of its code patterns" in reply.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not one JSON object"),
        ("Here it is: {}", "not one JSON object"),
        ("[1]", "not one JSON object"),
        ('{"summary": NaN}', "not one JSON object"),
        ('{"summary": 1, "summary": 2}', "not one JSON object"),
        ("[" * 100_000, "not one JSON object"),
        ("{}", "'summary' is missing"),
        (json.dumps(answer(use_cases=["x" * 301])), "/use_cases/0"),
        (json.dumps(answer(relevant_tags=["uii"])), "did you mean 'ui'?"),
    ],
)
def test_an_answer_that_cannot_be_used_says_what_is_wrong(text: str, said: str) -> None:
    assert said in read_reply(text, WORDS, "").problems[0]


def test_an_answer_may_stand_in_a_fence_and_nothing_unseen_is_kept() -> None:
    text = json.dumps(answer(summary="one\u200b\ntwo\u202e"))
    reply = read_reply(f"```json\n{text}\n```", WORDS, "")
    assert reply.answer
    assert reply.answer["summary"] == "one<U+200B>\ntwo<U+202E>"


def test_a_long_document_is_cut_and_says_so(template: Path) -> None:
    work = open_work(template)
    asked = question(work.template, {}, "a line of words\n" * 100_000, 0.5)
    assert len(asked) < 60_000
    assert "<cut: the text has 1600000 characters>" in asked


def test_an_answer_is_mended_twice_and_not_oftener(template: Path) -> None:
    done, model = run(template, Turn("no"), Turn(""), Turn("no"), said())
    assert [each.status for each in done.outcomes] == [Status.FAILED, Status.ENRICHED]
    assert len(model.heard) == 4
    assert "not one JSON object" in model.heard[1]


def test_a_refusal_is_not_argued_with(template: Path) -> None:
    done, model = run(template, Turn(stop=Stop.REFUSED), said())
    assert "refuses" in done.outcomes[0].reason
    assert len(model.heard) == 2


def test_a_document_too_long_for_the_model_is_cut_further(template: Path) -> None:
    done, model = run(template, ContextTooLong("long"), said())
    assert done.count(Status.ENRICHED) == 2
    assert len(model.heard) == 3


def test_what_was_drawn_says_when_and_by_whom(template: Path) -> None:
    done, _ = run(template, said())
    assert done.path
    page = drawn(done.path)[0]
    assert page["enriched_at"] == "2025-01-18T12:00:00Z"
    assert page["model_used"] == "openai:some-model"


def test_nothing_is_written_when_nothing_could_be_drawn(template: Path) -> None:
    done, _ = run(template, Turn("no"))
    assert done.path is None
    assert not (template.parent / "my-specialist").exists()


@pytest.mark.parametrize("end", [Interrupted(), UsageError("no library"), ZeroDivisionError()])
def test_whatever_ends_it_keeps_what_was_answered_and_cuts_the_rest(
    template: Path, end: BaseException
) -> None:
    cut: list[str] = []
    model = Model([said(), end])
    done = enrich(
        open_work(template),
        read,
        asking(model, stop=lambda: cut.append("cut")),
        lambda _outcome: None,
    )
    assert done.ended is end
    assert cut == ["cut"]
    assert done.path
    page, guide = drawn(done.path)
    assert page["source_digest"]
    assert guide is None
    assert [each.status for each in done.outcomes] == [Status.ENRICHED, Status.FAILED]
    assert "before it was answered" in done.outcomes[1].reason


def test_an_interruption_before_the_first_answer_writes_nothing(template: Path) -> None:
    done, _ = run(template, Interrupted())
    assert isinstance(done.ended, Interrupted)
    assert not (template.parent / "my-specialist").exists()


def test_a_new_version_keeps_what_was_drawn_from_unchanged_documents(template: Path) -> None:
    first, _ = run(template, said())
    template.write_text(template.read_text().replace("'1.0.0'", "'1.0.1'"))
    second, model = run(template, Turn("never asked"))
    assert model.heard == []
    assert first.path
    assert second.path == template.parent / "my-specialist/enriched/1.0.1/enriched-001.json5"
    assert drawn(second.path) == drawn(first.path)


def test_a_document_that_cannot_be_read_costs_nothing(template: Path) -> None:
    def unreadable(location: str) -> Text:
        raise NotRead(f"{location} is gone")

    model = Model([said()])
    done = enrich(open_work(template), unreadable, asking(model), lambda _outcome: None)
    assert done.count(Status.FAILED) == 2
    assert model.heard == []
    assert done.use is None


@pytest.mark.parametrize(
    ("file", "folder"),
    [("x.json5", "x/enriched/1.0.0"), ("x/x.jsonc", "x/enriched/1.0.0")],
)
def test_enriched_files_are_found_again_from_both_ends(
    tmp_path: Path, file: str, folder: str
) -> None:
    author = tmp_path / file
    author.parent.mkdir(exist_ok=True)
    author.write_text("{}")
    assert enriched_folder(author, "1.0.0") == tmp_path / folder
    path = write_enriched(enriched_folder(author, "1.0.0"), "{}")
    assert author_of(path) == author
    assert home_of(path) == author.parent == home_of(author)
    assert author_of(author) is None


def test_no_number_is_given_twice(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda n: write_enriched(tmp_path, str(n)), range(24)))
    assert {path.name for path in paths} == {f"enriched-{n:03d}.json5" for n in range(1, 25)}
    assert len(list(tmp_path.iterdir())) == 24
    assert {path.read_text() for path in paths} == {str(n) for n in range(24)}


def test_a_change_that_came_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "a.json5"
    path.write_text("theirs")
    with pytest.raises(UsageError, match="changed meanwhile"):
        replace_text(path, "mine", "mine, changed")
    assert path.read_text() == "theirs"
    with pytest.raises(StoreFault):
        replace_text(tmp_path / "gone.json5", "a", "b")


def test_a_link_to_a_template_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real/a.json5", tmp_path / "a.json5"
    real.write_text("before")
    link.symlink_to(real)
    replace_text(link, "before", "after")
    assert link.is_symlink()
    assert real.read_text() == "after"
