from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from harness.domain.record import Cell, Control, RunRecord, SpecialistRef
from harness.domain.session import Session
from harness.store.codec import MISREAD, cell_key, decode, encode, timestamp
from harness.testing.store import NOON, a_cell, a_record


def test_a_full_record_comes_back_exactly(full_record: RunRecord) -> None:
    assert decode(RunRecord, encode(full_record)) == full_record


def test_a_record_of_bare_defaults_comes_back_exactly() -> None:
    bare = replace(a_record(), session=None, checks=(), total_score=None)
    assert decode(RunRecord, encode(bare)) == bare


def test_every_value_comes_back_as_the_type_it_was(full_record: RunRecord) -> None:
    back = decode(RunRecord, encode(full_record))
    assert repr(back) == repr(full_record)


def test_a_control_comes_back_exactly(full_record: RunRecord) -> None:
    control = Control(full_record.spec_digest, full_record.commands, full_record.checks)
    assert decode(Control, encode(control)) == control


def test_every_field_of_a_record_is_in_its_document(full_record: RunRecord) -> None:
    assert set(json.loads(encode(full_record))) == {field.name for field in fields(RunRecord)}


def test_a_document_is_plain_ascii(full_record: RunRecord) -> None:
    assert encode(full_record).isascii()


def test_a_field_that_was_added_since_takes_its_default(full_record: RunRecord) -> None:
    document = json.loads(encode(full_record))
    del document["stages_s"]
    del document["maker"]
    del document["session"]["detail"]
    session = full_record.session
    assert isinstance(session, Session)
    expected = replace(full_record, stages_s=(), maker=None, session=replace(session, detail=""))
    assert decode(RunRecord, json.dumps(document)) == expected


def test_a_field_that_is_gone_is_passed_over(full_record: RunRecord) -> None:
    document = json.loads(encode(full_record)) | {"mood": {"good": [1]}}
    assert decode(RunRecord, json.dumps(document)) == full_record


@pytest.mark.parametrize("missing", ["id", "cell", "started_at"])
def test_a_document_without_a_needed_field_is_misread(missing: str) -> None:
    document = json.loads(encode(a_record()))
    del document[missing]
    with pytest.raises(MISREAD):
        decode(RunRecord, json.dumps(document))


@pytest.mark.parametrize(
    "change",
    [{"checks": 3}, {"fault": {"cause": "the weather"}}, {"started_at": "noon"}, {"session": "x"}],
    ids=str,
)
def test_a_document_of_another_shape_is_misread(change: dict[str, Any]) -> None:
    with pytest.raises(MISREAD):
        decode(RunRecord, json.dumps(json.loads(encode(a_record())) | change))


def test_times_are_kept_in_utc() -> None:
    local = datetime(2024, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(local) == "2024-01-01T12:00:00.000000+00:00"


def test_timestamps_sort_as_times_do() -> None:
    times = [NOON + timedelta(microseconds=n) for n in (0, 1, 10, 999_999, 1_000_000)]
    assert sorted(map(timestamp, times)) == list(map(timestamp, times))


def test_a_time_without_a_zone_is_our_bug() -> None:
    with pytest.raises(ValueError, match="time zone"):
        encode(replace(a_record(), started_at=datetime(2024, 1, 1)))  # noqa: DTZ001


def test_a_score_that_is_no_number_is_our_bug() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(replace(a_record(), total_score=float("nan")))


@dataclass(frozen=True)
class _Undecided:
    value: int | str


def test_a_field_of_several_types_is_refused_rather_than_guessed() -> None:
    with pytest.raises(TypeError, match="several types"):
        encode(_Undecided(1))


def test_the_key_of_a_cell_does_not_change_when_cells_gain_a_field() -> None:
    assert cell_key(a_cell()) == '{"agent":"echo","scenario":"slots","suite":"core","tier":"L1"}'


def test_different_cells_have_different_keys() -> None:
    ref = SpecialistRef("n", "1", a_record().spec_digest)
    cells = [
        a_cell(),
        a_cell(tier="L2"),
        replace(a_cell(), model="m"),
        replace(a_cell(), specialist=ref),
        replace(a_cell(), specialist=replace(ref, version="2")),
    ]
    assert len({cell_key(cell) for cell in cells}) == len(cells)


def test_a_key_is_a_document_of_its_cell() -> None:
    cell = replace(a_cell(), specialist=SpecialistRef("n", "1", a_record().spec_digest))
    assert decode(Cell, cell_key(cell)) == cell
