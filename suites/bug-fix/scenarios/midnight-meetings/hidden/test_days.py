"""Rules 6 to 8: where days begin and end, and whose dates count."""

from __future__ import annotations

from grading import cases

from asking import DAILY, agenda, ask_one_of, by_date, period, series, starts

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
