"""Every rule of docs/time.md, asked through the command line."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

from grading import cases, python, run

MANY = '''
import io
import sys
from contextlib import redirect_stderr, redirect_stdout

from convene.cli import main as convene


def main(questions):
    answers = []
    for calendar, words in questions:
        out, sys.stdin = io.StringIO(), io.StringIO(calendar)
        try:
            with redirect_stdout(out), redirect_stderr(io.StringIO()):
                code = convene([words[0], "-", "--json", *words[1:]])
        except BaseException as error:
            code = repr(error)
        answers.append([code, out.getvalue()])
    return answers
'''


@functools.cache
def _answers(questions: str) -> list:
    return python(MANY, json.loads(questions), path=["src"])


def ask_one_of(table: list, case: tuple, question: Callable[..., list]) -> list:
    """The answer to one question; those of a whole table share one worker."""
    code, out = _answers(json.dumps([question(*row) for row in table]))[table.index(case)]
    assert code == 0, code
    return parsed(out)


def ask(calendar: str, *words: str) -> list:
    command = ["python3", "-m", "convene", words[0], "-", "--json", *words[1:]]
    done = run(command, stdin=calendar, env={"PYTHONPATH": "src"})
    assert done.exit_code == 0, done.stderr
    return parsed(done.stdout)


def parsed(text: str) -> list:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    assert isinstance(answer, list), text
    return answer


def period(command: str, first: str, last: str, zone: str) -> list[str]:
    return [command, "--from", first, "--to", last, "--zone", zone]


def series(name: str, zone: str, first: str, at: str, minutes: int, more: str = "") -> str:
    return f"""
[[series]]
id = "{name}"
zone = "{zone}"
first = {first}
at = "{at}"
minutes = {minutes}
{more}
"""


def agenda(calendar: str, first: str, last: str, zone: str) -> dict[str, list[str]]:
    return by_date(ask(calendar, *period("agenda", first, last, zone)))


def by_date(days: list) -> dict[str, list[str]]:
    return {
        day["date"]: [
            f"{item['series']} {item['start']} {item['end']}{' cont' if item['continued'] else ''}"
            for item in day["items"]
        ]
        for day in days
    }


def starts(calendar: str, first: str, last: str, zone: str) -> list[str]:
    return all_starts(ask(calendar, *period("agenda", first, last, zone)))


def all_starts(days: list) -> list[str]:
    return [
        item["start"] for day in days for item in day["items"] if item["continued"] is False
    ]


WEEKLY = 'repeat = { unit = "week" }'
DAILY = 'repeat = { unit = "day" }'


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


# reader, date without midnight, first instant as shown, offset before
NO_MIDNIGHT = [
    ("Africa/Cairo", "2024-04-25", "2024-04-26", "+02:00", "+03:00"),
    ("Asia/Beirut", "2024-03-30", "2024-03-31", "+02:00", "+03:00"),
    ("Atlantic/Azores", "2024-03-30", "2024-03-31", "-01:00", "+00:00"),
    ("America/Havana", "2024-03-09", "2024-03-10", "-05:00", "-04:00"),
    ("America/Santiago", "2024-09-07", "2024-09-08", "-04:00", "-03:00"),
]


@cases(NO_MIDNIGHT)
def test_a_day_may_start_without_a_midnight(case: tuple) -> None:
    zone, before, day, old, new = case
    calendar = (
        series("ends", zone, before, "23:00", 60)
        + series("runs", zone, before, "23:30", 60)
        + series("starts", zone, day, "00:00", 15)
        + series("last", zone, day, "23:15", 45)
    )
    assert agenda(calendar, before, day, zone) == {
        before: [
            f"ends {before}T23:00{old} {day}T01:00{new}",
            f"runs {before}T23:30{old} {day}T01:30{new}",
        ],
        day: [
            f"runs {before}T23:30{old} {day}T01:30{new} cont",
            f"starts {day}T01:00{new} {day}T01:15{new}",
            f"last {day}T23:15{new} {following(day)}T00:00{new}",
        ],
    }
    assert agenda(calendar, day, day, zone)[day] == agenda(calendar, before, day, zone)[day]


def following(day: str) -> str:
    return f"{day[:8]}{int(day[8:]) + 1:02d}" if day[8:] != "31" else f"2024-{int(day[5:7]) + 1:02d}-01"


def test_a_long_day_has_its_last_hour() -> None:
    calendar = series("late", "Europe/Berlin", "2024-10-27", "23:15", 30)
    line = "late 2024-10-27T23:15+01:00 2024-10-27T23:45+01:00"
    expected = {"2024-10-27": [line], "2024-10-28": []}
    assert agenda(calendar, "2024-10-27", "2024-10-28", "Europe/Berlin") == expected
    assert agenda(calendar, "2024-10-27", "2024-10-27", "Europe/Berlin") == {"2024-10-27": [line]}


def test_a_short_day_has_nothing_of_the_next() -> None:
    calendar = series("next", "UTC", "2024-03-31", "22:30", 30)
    line = "next 2024-04-01T00:30+02:00 2024-04-01T01:00+02:00"
    expected = {"2024-03-31": [], "2024-04-01": [line]}
    assert agenda(calendar, "2024-03-31", "2024-04-01", "Europe/Berlin") == expected
    assert agenda(calendar, "2024-03-31", "2024-03-31", "Europe/Berlin") == {"2024-03-31": []}


def test_an_hour_that_is_repeated_at_midnight_belongs_to_its_date() -> None:
    calendar = (
        series("a", "UTC", "2024-10-26", "20:30", 15)
        + series("b", "UTC", "2024-10-26", "21:30", 15)
        + series("c", "UTC", "2024-10-26", "22:00", 15)
    )
    assert agenda(calendar, "2024-10-26", "2024-10-27", "Asia/Beirut") == {
        "2024-10-26": [
            "a 2024-10-26T23:30+03:00 2024-10-26T23:45+03:00",
            "b 2024-10-26T23:30+02:00 2024-10-26T23:45+02:00",
        ],
        "2024-10-27": ["c 2024-10-27T00:00+02:00 2024-10-27T00:15+02:00"],
    }


def test_a_date_that_was_left_out_has_no_meetings() -> None:
    calendar = series("s", "Pacific/Apia", "2011-12-28", "09:00", 60, DAILY) + series(
        "watch", "UTC", "2011-12-30", "06:00", 480
    )
    assert agenda(calendar, "2011-12-29", "2011-12-31", "Pacific/Apia") == {
        "2011-12-29": [
            "s 2011-12-29T09:00-10:00 2011-12-29T10:00-10:00",
            "watch 2011-12-29T20:00-10:00 2011-12-31T04:00+14:00",
        ],
        "2011-12-30": [],
        "2011-12-31": [
            "watch 2011-12-29T20:00-10:00 2011-12-31T04:00+14:00 cont",
            "s 2011-12-31T09:00+14:00 2011-12-31T10:00+14:00",
        ],
    }


def test_dates_of_a_series_are_dates_of_its_zone() -> None:
    more = f"{DAILY}\nuntil = 2024-04-09\nskip = [2024-04-07]"
    calendar = series("s", "Pacific/Auckland", "2024-04-06", "08:00", 30, more)
    assert starts(calendar, "2024-04-03", "2024-04-12", "America/Los_Angeles") == [
        "2024-04-05T12:00-07:00",
        "2024-04-07T13:00-07:00",
        "2024-04-08T13:00-07:00",
    ]


# zone, time, minutes, first and only date, reader, date asked for, the line expected
EDGES = [
    ("America/Los_Angeles", "20:00", 60, "2024-06-09", "UTC", "2024-06-10",
     "s 2024-06-10T03:00+00:00 2024-06-10T04:00+00:00"),
    ("UTC", "23:00", 120, "2024-06-09", "UTC", "2024-06-10",
     "s 2024-06-09T23:00+00:00 2024-06-10T01:00+00:00 cont"),
    ("UTC", "08:00", 10080, "2024-06-03", "UTC", "2024-06-09",
     "s 2024-06-03T08:00+00:00 2024-06-10T08:00+00:00 cont"),
    ("Pacific/Kiritimati", "09:00", 60, "2024-06-11", "Pacific/Honolulu", "2024-06-10",
     "s 2024-06-10T09:00-10:00 2024-06-10T10:00-10:00"),
    ("Pacific/Honolulu", "23:30", 15, "2024-06-09", "Pacific/Kiritimati", "2024-06-10",
     "s 2024-06-10T23:30+14:00 2024-06-10T23:45+14:00"),
    ("Pacific/Pago_Pago", "22:30", 180, "2024-06-08", "Pacific/Kiritimati", "2024-06-10",
     "s 2024-06-09T23:30+14:00 2024-06-10T02:30+14:00 cont"),
]


@cases(EDGES)
def test_nothing_is_missing_at_the_edges(case: tuple) -> None:
    def question(zone: str, at: str, minutes: int, first: str, reader: str, day: str, _: str) -> list:
        return [series("s", zone, first, at, minutes), period("agenda", day, day, reader)]

    assert by_date(ask_one_of(EDGES, case, question)) == {case[-2]: [case[-1]]}


def rings(calendar: str, first: str, last: str, zone: str) -> list[str]:
    return all_rings(ask(calendar, *period("reminders", first, last, zone)))


def all_rings(due: list) -> list[str]:
    return [f"{one['at']} {one['start']}" for one in due]


# zone, first, time, reminder, date asked for, what rings
RINGS = [
    ("Europe/Berlin", "2024-04-01", "09:00", "days = 1", "2024-03-31",
     ["2024-03-31T09:00+02:00 2024-04-01T09:00+02:00"]),
    ("Europe/Berlin", "2024-03-31", "09:00", "days = 1", "2024-03-30",
     ["2024-03-30T09:00+01:00 2024-03-31T09:00+02:00"]),
    ("Europe/Berlin", "2024-10-27", "23:30", "days = 1", "2024-10-26",
     ["2024-10-26T23:30+02:00 2024-10-27T23:30+01:00"]),
    ("Europe/Berlin", "2024-10-28", "00:15", "days = 3", "2024-10-25",
     ["2024-10-25T00:15+02:00 2024-10-28T00:15+01:00"]),
    ("Europe/Berlin", "2024-03-31", "02:30", "days = 1", "2024-03-30",
     ["2024-03-30T02:30+01:00 2024-03-31T03:30+02:00"]),
    ("Europe/Berlin", "2024-04-01", "02:30", "days = 1", "2024-03-31",
     ["2024-03-31T03:30+02:00 2024-04-01T02:30+02:00"]),
    ("Europe/Berlin", "2024-10-28", "02:30", "days = 1", "2024-10-27",
     ["2024-10-27T02:30+02:00 2024-10-28T02:30+01:00"]),
    ("America/New_York", "2024-03-10", "03:10", "minutes = 30", "2024-03-10",
     ["2024-03-10T01:40-05:00 2024-03-10T03:10-04:00"]),
    ("America/New_York", "2024-11-03", "02:00", "minutes = 90", "2024-11-03",
     ["2024-11-03T01:30-04:00 2024-11-03T02:00-05:00"]),
    ("Africa/Cairo", "2024-04-26", "01:10", "minutes = 20", "2024-04-25",
     ["2024-04-25T23:50+02:00 2024-04-26T01:10+03:00"]),
    ("Europe/Berlin", "2024-04-01", "10:00", "minutes = 1440", "2024-03-31",
     ["2024-03-31T10:00+02:00 2024-04-01T10:00+02:00"]),
    ("Europe/Berlin", "2024-03-31", "10:00", "minutes = 1440", "2024-03-30",
     ["2024-03-30T09:00+01:00 2024-03-31T10:00+02:00"]),
]


@cases(RINGS)
def test_a_reminder_rings_when_the_rules_say(case: tuple) -> None:
    def question(zone: str, first: str, at: str, lead: str, day: str, _: list) -> list:
        calendar = series("s", zone, first, at, 30, f"remind = [{{ {lead} }}]")
        return [calendar, period("reminders", day, day, zone)]

    assert all_rings(ask_one_of(RINGS, case, question)) == case[-1]


def test_a_reminder_in_days_follows_a_series_through_the_change() -> None:
    calendar = series("s", "Europe/Berlin", "2024-03-04", "09:00", 30, WEEKLY + "\nremind = [{ days = 2 }]")
    assert rings(calendar, "2024-03-23", "2024-04-06", "UTC") == [
        "2024-03-23T08:00+00:00 2024-03-25T08:00+00:00",
        "2024-03-30T08:00+00:00 2024-04-01T07:00+00:00",
        "2024-04-06T07:00+00:00 2024-04-08T07:00+00:00",
    ]


# zone, date, hours, slots of an empty calendar
NIGHTS = [
    ("Europe/London", "2024-10-26", "22:00-06:00", ["2024-10-26T22:00+01:00 2024-10-27T06:00+00:00 540"]),
    ("Europe/London", "2024-03-30", "22:00-06:00", ["2024-03-30T22:00+00:00 2024-03-31T06:00+01:00 420"]),
    ("Europe/London", "2024-06-01", "22:00-06:00", ["2024-06-01T22:00+01:00 2024-06-02T06:00+01:00 480"]),
    ("America/Santiago", "2024-09-08", "00:00-08:00", ["2024-09-08T01:00-03:00 2024-09-08T08:00-03:00 420"]),
    ("Australia/Lord_Howe", "2024-10-05", "20:00-04:00", ["2024-10-05T20:00+10:30 2024-10-06T04:00+11:00 450"]),
    ("Africa/Cairo", "2024-04-25", "20:00-00:00", ["2024-04-25T20:00+02:00 2024-04-26T01:00+03:00 240"]),
]


def slots(calendar: str, day: str, hours: str, zone: str, *more: str) -> list[str]:
    words = ["free", "--day", day, "--hours", hours, "--zone", zone, *more]
    return all_slots(ask(calendar, *words))


def all_slots(found: list) -> list[str]:
    return [f"{one['start']} {one['end']} {one['minutes']}" for one in found]


@cases(NIGHTS)
def test_working_hours_are_wall_clock_times(case: tuple) -> None:
    def question(zone: str, day: str, hours: str, _: list) -> list:
        return ['zone = "UTC"', ["free", "--day", day, "--hours", hours, "--zone", zone]]

    assert all_slots(ask_one_of(NIGHTS, case, question)) == case[-1]


def test_free_time_is_what_passes_between_meetings() -> None:
    calendar = series("a", "America/New_York", "2024-11-03", "00:30", 60) + series(
        "b", "UTC", "2024-11-03", "06:45", 30
    )
    expected = [
        "2024-11-03T00:00-04:00 2024-11-03T00:30-04:00 30",
        "2024-11-03T01:30-04:00 2024-11-03T01:45-05:00 75",
        "2024-11-03T02:15-05:00 2024-11-03T03:00-05:00 45",
    ]
    words = (calendar, "2024-11-03", "00:00-03:00", "America/New_York")
    assert slots(*words) == expected
    assert slots(*words, "--least", "75") == expected[1:2]
    assert slots(*words, "--least", "76") == []


def test_free_time_skips_what_the_clocks_skip() -> None:
    calendar = series("a", "Europe/Berlin", "2024-03-31", "01:00", 45) + series(
        "b", "Europe/Berlin", "2024-03-31", "03:15", 45
    )
    words = (calendar, "2024-03-31", "01:00-05:00", "Europe/Berlin")
    assert slots(*words) == [
        "2024-03-31T01:45+01:00 2024-03-31T03:15+02:00 30",
        "2024-03-31T04:00+02:00 2024-03-31T05:00+02:00 60",
    ]
    assert slots(*words, "--least", "31") == ["2024-03-31T04:00+02:00 2024-03-31T05:00+02:00 60"]
