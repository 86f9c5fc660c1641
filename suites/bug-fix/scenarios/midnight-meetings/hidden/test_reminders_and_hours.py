"""Rules 9 and 10: reminders and working hours."""

from __future__ import annotations

from grading import cases

from asking import WEEKLY, ask, ask_one_of, period, series


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
