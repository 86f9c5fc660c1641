"""Rules 1 to 5: when a meeting starts and ends, and what comes first."""

from __future__ import annotations

from grading import cases

from asking import (
    DAILY,
    WEEKLY,
    agenda,
    all_starts,
    ask,
    ask_one_of,
    by_date,
    period,
    series,
    starts,
)

# zone, first, time, from, to, zone of the reader, starts as the reader sees them
KEPT = [
    ("Europe/Berlin", "2024-03-04", "09:00", "2024-03-25", "2024-04-08", "Europe/Berlin",
     ["2024-03-25T09:00+01:00", "2024-04-01T09:00+02:00", "2024-04-08T09:00+02:00"]),
    ("Europe/Berlin", "2024-03-04", "09:00", "2024-10-21", "2024-10-28", "America/Phoenix",
     ["2024-10-21T00:00-07:00", "2024-10-28T01:00-07:00"]),
    ("America/New_York", "2023-12-07", "18:00", "2024-03-07", "2024-03-15", "Asia/Kolkata",
     ["2024-03-08T04:30+05:30", "2024-03-15T03:30+05:30"]),
    ("Australia/Sydney", "2024-01-02", "08:30", "2024-04-02", "2024-04-09", "Australia/Sydney",
     ["2024-04-02T08:30+11:00", "2024-04-09T08:30+10:00"]),
    ("Australia/Lord_Howe", "2024-01-02", "08:30", "2024-04-02", "2024-04-09", "Asia/Kathmandu",
     ["2024-04-02T03:15+05:45", "2024-04-09T03:45+05:45"]),
    ("Australia/Adelaide", "2024-06-03", "07:15", "2024-09-30", "2024-10-07", "UTC",
     ["2024-10-06T20:45+00:00"]),
    ("America/St_Johns", "2024-01-05", "13:00", "2024-11-01", "2024-11-08", "UTC",
     ["2024-11-01T15:30+00:00", "2024-11-08T16:30+00:00"]),
]


@cases(KEPT)
def test_a_series_keeps_its_wall_clock_time(case: tuple) -> None:
    def question(zone: str, first: str, at: str, begin: str, end: str, reader: str, _: list) -> list:
        return [series("s", zone, first, at, 30, WEEKLY), period("agenda", begin, end, reader)]

    assert all_starts(ask_one_of(KEPT, case, question)) == case[-1]


# zone, first of a daily series, time, date, start and end of 30 minutes
MISSING = [
    ("Europe/Berlin", "02:30", "2024-03-31", "2024-03-31T03:30+02:00", "2024-03-31T04:00+02:00"),
    ("Europe/Berlin", "02:00", "2024-03-31", "2024-03-31T03:00+02:00", "2024-03-31T03:30+02:00"),
    ("America/New_York", "02:15", "2024-03-10", "2024-03-10T03:15-04:00", "2024-03-10T03:45-04:00"),
    ("Australia/Lord_Howe", "02:10", "2024-10-06", "2024-10-06T02:40+11:00", "2024-10-06T03:10+11:00"),
    ("America/Santiago", "00:20", "2024-09-08", "2024-09-08T01:20-03:00", "2024-09-08T01:50-03:00"),
]


@cases(MISSING)
def test_a_time_that_does_not_exist_becomes_later_by_the_jump(case: tuple) -> None:
    def question(zone: str, at: str, day: str, *_: str) -> list:
        return [series("s", zone, "2024-02-01", at, 30, DAILY), period("agenda", day, day, zone)]

    day, start, end = case[2:]
    assert by_date(ask_one_of(MISSING, case, question)) == {day: [f"s {start} {end}"]}


def test_a_jump_moves_no_other_date() -> None:
    calendar = series("s", "Europe/Berlin", "2024-03-31", "02:30", 30, DAILY)
    assert starts(calendar, "2024-03-30", "2024-04-02", "Europe/Berlin") == [
        "2024-03-31T03:30+02:00",
        "2024-04-01T02:30+02:00",
        "2024-04-02T02:30+02:00",
    ]


TWICE = [
    ("Europe/Berlin", "02:30", "2024-10-27", "2024-10-27T02:30+02:00"),
    ("America/New_York", "01:00", "2024-11-03", "2024-11-03T01:00-04:00"),
    ("Australia/Lord_Howe", "01:45", "2024-04-07", "2024-04-07T01:45+11:00"),
    ("Atlantic/Azores", "00:00", "2024-10-27", "2024-10-27T00:00+00:00"),
    ("Asia/Beirut", "23:30", "2024-10-26", "2024-10-26T23:30+03:00"),
]


@cases(TWICE)
def test_a_time_that_occurs_twice_is_the_first_and_once(case: tuple) -> None:
    def question(zone: str, at: str, day: str, _: str) -> list:
        return [series("s", zone, "2024-01-01", at, 20, DAILY), period("agenda", day, day, zone)]

    assert all_starts(ask_one_of(TWICE, case, question)) == [case[-1]]


# zone, time, minutes, date, start and end
LENGTHS = [
    ("America/New_York", "01:30", 90, "2024-03-10", "2024-03-10T01:30-05:00 2024-03-10T04:00-04:00"),
    ("America/New_York", "00:30", 120, "2024-11-03", "2024-11-03T00:30-04:00 2024-11-03T01:30-05:00"),
    ("America/New_York", "01:15", 60, "2024-11-03", "2024-11-03T01:15-04:00 2024-11-03T01:15-05:00"),
    ("Australia/Lord_Howe", "01:30", 60, "2024-10-06", "2024-10-06T01:30+10:30 2024-10-06T03:00+11:00"),
    ("Europe/Berlin", "02:30", 90, "2024-03-31", "2024-03-31T03:30+02:00 2024-03-31T05:00+02:00"),
    ("Europe/London", "23:30", 180, "2024-10-26", "2024-10-26T23:30+01:00 2024-10-27T01:30+00:00"),
]


@cases(LENGTHS)
def test_a_length_is_time_that_passes(case: tuple) -> None:
    def question(zone: str, at: str, minutes: int, day: str, _: str) -> list:
        calendar = series("s", zone, "2024-01-01", at, minutes, DAILY)
        return [calendar, period("agenda", day, day, zone)]

    lines = by_date(ask_one_of(LENGTHS, case, question))[case[3]]
    assert [line for line in lines if not line.endswith("cont")] == [f"s {case[-1]}"]


NIGHT = (
    series("early", "America/New_York", "2024-11-03", "01:50", 15)
    + series("late", "UTC", "2024-11-03", "06:10", 15)
    + series("hour", "America/New_York", "2024-11-03", "01:15", 60)
    + series("dawn", "America/New_York", "2024-11-03", "02:00", 30)
)


def test_the_agenda_is_in_the_order_in_which_things_happen() -> None:
    assert agenda(NIGHT, "2024-11-03", "2024-11-03", "America/New_York") == {
        "2024-11-03": [
            "hour 2024-11-03T01:15-04:00 2024-11-03T01:15-05:00",
            "early 2024-11-03T01:50-04:00 2024-11-03T01:05-05:00",
            "late 2024-11-03T01:10-05:00 2024-11-03T01:25-05:00",
            "dawn 2024-11-03T02:00-05:00 2024-11-03T02:30-05:00",
        ]
    }


@cases(["America/New_York", "UTC"])
def test_meetings_clash_when_they_happen_together(case: str) -> None:
    day = "2024-11-03"
    pairs = ask(NIGHT, "clashes", "--from", day, "--to", day, "--zone", case)
    assert [[one["series"] for one in pair] for pair in pairs] == [["hour", "early"], ["hour", "late"]]


def test_meetings_of_one_zone_on_both_sides_of_a_jump_do_not_clash() -> None:
    calendar = series("one", "Europe/Berlin", "2024-03-31", "01:30", 30) + series(
        "two", "Europe/Berlin", "2024-03-31", "03:00", 30
    )
    words = ("--from", "2024-03-31", "--to", "2024-03-31", "--zone", "Europe/Berlin")
    assert ask(calendar, "clashes", *words) == []
    longer = calendar.replace("minutes = 30", "minutes = 31", 1)
    assert len(ask(longer, "clashes", *words)) == 1
