"""Weeks with each first day, and at the corners of the calendar."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.standard.week import WeekStart, day_of, week_of


def test_a_week_begins_on_monday_and_marks_today() -> None:
    week = week_of(date(2026, 11, 29), today=date(2026, 11, 26))
    assert [day.date.day for day in week.days] == [23, 24, 25, 26, 27, 28, 29]
    assert [day.is_today for day in week.days] == [False, False, False, True, False, False, False]
    assert [day.is_weekend for day in week.days] == [False] * 5 + [True] * 2
    assert (week.year, week.number, week.previous, week.next) == (2026, 48, "2026-W47", "2026-W49")
    assert week.holds_today


@pytest.mark.parametrize(
    ("day", "year", "number"),
    [
        (date(2021, 1, 3), 2020, 53),
        (date(2024, 12, 30), 2025, 1),
        (date(2026, 12, 31), 2026, 53),
        (date(2027, 1, 1), 2026, 53),
    ],
)
def test_a_week_at_the_turn_of_the_year_belongs_to_the_year_of_its_thursday(day: date, year: int, number: int) -> None:
    week = week_of(day, today=date(2026, 11, 26))
    assert (week.year, week.number) == (year, number)
    assert not week.holds_today


def test_a_code_leads_to_its_week() -> None:
    assert day_of("2026-W48") == date(2026, 11, 26)
    assert week_of(date(2026, 11, 29), today=date(2026, 11, 29)).code == "2026-W48"


@pytest.mark.parametrize(
    ("start", "first", "code"),
    [
        (WeekStart.MONDAY, date(2026, 11, 23), "2026-W48"),
        (WeekStart.SUNDAY, date(2026, 11, 22), "2026-W48"),
        (WeekStart.SATURDAY, date(2026, 11, 21), "2026-W48"),
    ],
)
def test_a_week_has_one_number_whichever_day_it_begins_on(start: WeekStart, first: date, code: str) -> None:
    week = week_of(date(2026, 11, 26), today=date(2026, 11, 26), start=start)
    assert (week.first, week.code) == (first, code)


@given(st.dates(date(2, 1, 1), date(9998, 12, 31)), st.sampled_from(WeekStart))
def test_every_day_is_in_one_week_that_its_code_leads_back_to(day: date, start: WeekStart) -> None:
    week = week_of(day, today=date(2026, 11, 26), start=start)
    assert week.first <= day <= week.last
    assert week.first.weekday() == start
    found = day_of(week.code)
    assert found is not None
    assert week_of(found, today=date(2026, 11, 26), start=start) == week
    assert week.previous is not None
    assert week_of(day_of(week.previous) or day, today=date(2026, 11, 26), start=start).next == week.code


@pytest.mark.parametrize(
    "code",
    [
        "",
        "2026",
        "2026-W",
        "2026-W00",
        "2026-W54",
        "2025-W53",
        "0000-W01",
        "2026-48",
        "2026-W48 ",
        "2026-W48\n",
        "\uff12026-W48",
    ],
)
def test_a_code_without_a_week_leads_nowhere(code: str) -> None:
    assert day_of(code) is None


def test_the_first_and_the_last_week_of_the_calendar_have_one_neighbour() -> None:
    today = date(2026, 11, 26)
    first = week_of(date.min, today=today)
    assert (first.previous, first.next) == (None, "0001-W02")
    assert week_of(date(9999, 12, 20), today=today).next is None
    assert week_of(date.max, today=today).holds_today
