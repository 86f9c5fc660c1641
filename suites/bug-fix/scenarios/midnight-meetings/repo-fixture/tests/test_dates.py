from datetime import date, time

from convene.dates import dates
from convene.model import Repeat, Series


def falls(first, repeat, earliest, latest, **more):
    series = Series("x", "X", "UTC", first, time(9), 30, repeat, **more)
    return [day.isoformat() for day in dates(series, earliest, latest)]


def test_without_repeat_once():
    first = date(2024, 3, 1)
    assert falls(first, None, date(2024, 1, 1), date(2024, 12, 31)) == ["2024-03-01"]
    assert falls(first, None, date(2024, 3, 2), date(2024, 12, 31)) == []


def test_every_other_day():
    repeat = Repeat("day", 2)
    found = falls(date(2024, 2, 27), repeat, date(2024, 2, 28), date(2024, 3, 4))
    assert found == ["2024-02-29", "2024-03-02", "2024-03-04"]


def test_every_other_week_on_two_days():
    repeat = Repeat("week", 2, (0, 3))
    found = falls(date(2024, 1, 10), repeat, date(2024, 1, 1), date(2024, 2, 9))
    assert found == ["2024-01-11", "2024-01-22", "2024-01-25", "2024-02-05", "2024-02-08"]


def test_months_without_the_date_are_passed_over():
    found = falls(date(2024, 1, 31), Repeat("month"), date(2024, 1, 1), date(2024, 6, 1))
    assert found == ["2024-01-31", "2024-03-31", "2024-05-31"]


def test_second_and_last_weekday_of_the_month():
    span = (date(2024, 1, 1), date(2024, 3, 31))
    assert falls(date(2024, 1, 9), Repeat("month", nth=2), *span) == [
        "2024-01-09",
        "2024-02-13",
        "2024-03-12",
    ]
    assert falls(date(2024, 1, 26), Repeat("month", nth=-1), *span) == [
        "2024-01-26",
        "2024-02-23",
        "2024-03-29",
    ]


def test_until_is_included_and_skipped_dates_are_not():
    found = falls(
        date(2024, 1, 1),
        Repeat("day"),
        date(2024, 1, 1),
        date(2024, 1, 9),
        until=date(2024, 1, 4),
        skip=frozenset({date(2024, 1, 2)}),
    )
    assert found == ["2024-01-01", "2024-01-03", "2024-01-04"]
