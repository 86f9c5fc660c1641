"""What judges and people say of stored runs: added to them, never taken away."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from harness.domain.artifact import Artifact
from harness.domain.digests import text_digest
from harness.domain.ids import RunId
from harness.domain.judgement import Judgement, Mark, Review
from harness.domain.model import ModelUse, Usage
from harness.errors import StoreFault, UsageError
from harness.store.base import Store
from harness.store.migrations import MIGRATIONS, migrate
from harness.store.sqlite import SqliteStore
from harness.testing.store import NOON, a_record, a_review
from tests.store.conftest import NASTY

RUN = RunId("run_1")


def a_full_review() -> Review:
    mark = Mark(NASTY, 0.3, 3.5, 1.0, (3.0, 4.0), NASTY, (NASTY,), (NASTY, ""))
    judgement = Judgement(
        by=("anthropic:a", "openai:b"),
        is_human=False,
        rubric=text_digest("rubric"),
        score=1 / 3,
        marks=(mark,),
        disputed=True,
        note=NASTY,
        use=ModelUse(Usage(1, 2, 3, 4, 5), 1e-9, 2),
        artifacts=(Artifact("prompt.txt", text_digest("prompt"), 6),),
    )
    return Review(RUN, NOON, judgement)


def test_a_judgement_comes_back_as_it_was_stored(store: Store) -> None:
    store.save(a_record())
    store.save_review(a_full_review())
    assert store.reviews(RUN) == (a_full_review(),)


def test_a_judgement_changes_nothing_in_the_run(store: Store) -> None:
    store.save(a_record())
    store.save_review(a_review(scores=(1, 1)))
    assert store.run(RUN) == a_record()


def test_a_second_judgement_by_the_same_person_stands_beside_the_first(store: Store) -> None:
    store.save(a_record())
    first, second = a_review(), a_review(scores=(1, 1))
    for review in (first, second, second):
        store.save_review(review)
    assert store.reviews(RUN) == (first, second, second)


def test_judgements_are_listed_in_the_order_they_were_made(store: Store) -> None:
    for run in ("run_1", "run_2"):
        store.save(a_record(run))
    late, early = a_review("run_1", minute=2), a_review("run_2", minute=1)
    for review in (late, early):
        store.save_review(review)
    assert store.reviews() == (early, late)
    assert store.reviews(RunId("run_2")) == (early,)
    assert store.reviews(RunId("run_3")) == ()


def test_a_run_that_is_not_stored_cannot_be_judged(store: Store) -> None:
    store.save(a_record("run_20240102_def"))
    with pytest.raises(UsageError, match="did you mean 'run_20240102_def'"):
        store.save_review(a_review("rum_20240102_def"))
    assert store.reviews() == ()


def test_threads_that_judge_a_run_at_once_lose_nothing(store: Store) -> None:
    store.save(a_record())
    reviews = [a_review(by=f"person-{n}") for n in range(20)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store.save_review, reviews))
    assert {r.judgement.by for r in store.reviews()} == {r.judgement.by for r in reviews}


def test_a_score_that_is_no_number_is_our_bug(store: Store) -> None:
    store.save(a_record())
    review = a_review()
    broken = replace(review, judgement=replace(review.judgement, score=float("nan")))
    with pytest.raises(ValueError, match="JSON"):
        store.save_review(broken)
    assert store.reviews() == ()


def test_a_database_from_before_there_were_judgements_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "bench.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as db:
        migrate(db, str(path), MIGRATIONS[:1])
    engine.dispose()
    with SqliteStore.open(path) as store:
        store.save(a_record())
        store.save_review(a_review())
        assert store.reviews() == (a_review(),)


def test_queries_find_who_judged_and_how(tmp_path: Path) -> None:
    path = tmp_path / "bench.db"
    with SqliteStore.open(path) as store:
        store.save(a_record())
        store.save_review(a_full_review())
    db = sqlite3.connect(path)
    try:
        columns = "run, position, made_by, is_human, score"
        found = db.execute(f"SELECT {columns} FROM reviews").fetchall()  # noqa: S608  # constants
        assert found == [("run_1", 1, "anthropic:a, openai:b", 0, 1 / 3)]
        db.execute("UPDATE reviews SET document = '[]'")
        db.commit()
    finally:
        db.close()
    with (
        SqliteStore.open(path) as store,
        pytest.raises(StoreFault, match=r"judgement of run 'run_1' in .* cannot be read"),
    ):
        store.reviews()
