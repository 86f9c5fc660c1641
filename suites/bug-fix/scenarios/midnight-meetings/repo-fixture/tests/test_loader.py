from datetime import date, time

import pytest

from convene.loader import CalendarError, load
from convene.model import Lead, Repeat

STANDUP = """
[[series]]
id = "standup"
first = 2024-01-08
at = "09:30"
minutes = 15
"""


def test_a_series_is_read():
    calendar = load('zone = "Europe/Lisbon"\n' + STANDUP + 'repeat = {unit = "week", on = ["wed", "mon"]}\n')
    (series,) = calendar.series
    assert (series.id, series.title, series.zone) == ("standup", "standup", "Europe/Lisbon")
    assert (series.first, series.at, series.minutes) == (date(2024, 1, 8), time(9, 30), 15)
    assert series.repeat == Repeat("week", 1, (0, 2))


def test_reminders_and_exceptions_are_read():
    text = STANDUP + "remind = [{days = 1}, {minutes = 10}]\nskip = [2024-01-15]\nuntil = 2024-02-01\n"
    (series,) = load(text).series
    assert series.remind == (Lead(days=1), Lead(minutes=10))
    assert series.skip == {date(2024, 1, 15)}
    assert series.until == date(2024, 2, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("series = 3 3", "not TOML"),
        (STANDUP + 'colour = "red"', "unknown key 'colour'"),
        (STANDUP.replace("minutes = 15", ""), "'minutes' is missing"),
        (STANDUP.replace("15", "0"), "at least a minute"),
        (STANDUP + 'zone = "Mars/Base"', "no time zone 'Mars/Base'"),
        (STANDUP.replace("09:30", "half past"), "is not a time"),
        (STANDUP + 'repeat = {unit = "year"}', "unit is one of"),
        (STANDUP + "remind = [{days = 1, minutes = 2}]", "either days or minutes"),
        (STANDUP + STANDUP, "two series are called 'standup'"),
    ],
)
def test_mistakes_are_named(text, message):
    with pytest.raises(CalendarError, match=message):
        load(text)
