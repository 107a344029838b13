"""Months at the corners of the calendar, and what a month expects, has and lacks."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.standard.balance import Presence, added_up, day_hours
from plugins.standard.month.calendar import Facts, MonthCalendar, build_calendar
from plugins.standard.months import Month, month_of, read_month
from plugins.standard.week import WeekStart, day_of, week_of
from plugins.standard.workdays import WorkCalendar

WORK = WorkCalendar(daily_minutes=480, working_days=frozenset(range(5)), country="JP")
TODAY = date(2026, 11, 26)
NOVEMBER = Month(2026, 11)
AT_LEISURE = settings(deadline=None)
"""The first look at holidays imports them, which takes a while on a busy machine."""
LONG_AGO = Presence(date(2020, 4, 1))


def facts(
    presence: Presence = LONG_AGO,
    *,
    closed_through: date | None = None,
    start: WeekStart = WeekStart.MONDAY,
    today: date = TODAY,
) -> Facts:
    return Facts(presence, closed_through, WORK, start, today)


def november(minutes: Mapping[int, int], what: Facts | None = None) -> MonthCalendar:
    return build_calendar(NOVEMBER, {date(2026, 11, day): of_it for day, of_it in minutes.items()}, what or facts())


# Months -------------------------------------------------------------------------------------------------------------


@given(st.dates())
def test_every_day_is_in_the_month_that_its_code_leads_to(day: date) -> None:
    month = month_of(day)
    assert day in month.days
    assert read_month(month.code) == month
    assert month.days[-1] == month.last
    assert all(later - earlier == timedelta(days=1) for earlier, later in zip(month.days, month.days[1:], strict=False))


@given(st.dates())
def test_the_next_month_begins_where_a_month_ends(day: date) -> None:
    month = month_of(day)
    if month.next is None:
        assert month.last == date.max
    else:
        assert month.next.first == month.last + timedelta(days=1)
        assert month.next.previous == month


def test_the_calendar_has_two_ends() -> None:
    assert Month(1, 1).previous is None
    assert Month(9999, 12).next is None


@pytest.mark.parametrize(
    "code", ["", "2026", "2026-13", "2026-00", "0000-01", "2026-1", "２０２６-11", "2026-11-01", "x"]
)
def test_what_is_no_month_is_none(code: str) -> None:
    assert read_month(code) is None


# Days and weeks -----------------------------------------------------------------------------------------------------


@AT_LEISURE
@given(st.dates(), st.sampled_from(WeekStart), st.dates())
def test_each_day_stands_once_and_below_its_weekday(day: date, start: WeekStart, today: date) -> None:
    month = month_of(day)
    calendar = build_calendar(month, {}, facts(start=start, today=today))
    assert tuple(shown.date for shown in calendar.days) == month.days
    for week in calendar.weeks:
        assert len(week.days) == 7
        for place, shown in enumerate(week.days):
            assert shown is None or shown.date.weekday() == (start + place) % 7


@AT_LEISURE
@given(st.dates(date(1, 2, 1), date(9999, 11, 30)), st.sampled_from(WeekStart))
def test_a_week_leads_to_the_sheet_that_holds_its_days(day: date, start: WeekStart) -> None:
    for week in build_calendar(month_of(day), {}, facts(start=start)).weeks:
        thursday = day_of(week.code or "")
        assert thursday is not None
        sheet = week_of(thursday, today=TODAY, start=start)
        assert {shown.date for shown in week.days if shown is not None} <= {shown.date for shown in sheet.days}


@AT_LEISURE
@given(
    st.dictionaries(st.integers(1, 30), st.integers(0, 1440)),
    st.dates(date(2026, 10, 20), date(2026, 12, 10)),
    st.dates(date(2026, 10, 20), date(2026, 12, 10)),
)
def test_weeks_add_up_to_the_month_and_the_balance_to_its_parts(
    minutes: dict[int, int], today: date, first: date
) -> None:
    calendar = november(minutes, facts(Presence(first), today=today))
    hours = calendar.hours
    assert hours == added_up(day.hours for week in calendar.weeks for day in week.days if day is not None)
    for part in ("minutes", "expected", "counted_minutes", "counted_expected", "missing", "balance"):
        assert getattr(hours, part) == sum(getattr(week.hours, part) for week in calendar.weeks)
    assert hours.minutes == sum(minutes.values())
    assert hours.balance == sum(day.hours.balance for day in calendar.days)
    assert hours.counted_expected <= hours.expected


@AT_LEISURE
@given(st.dictionaries(st.integers(1, 30), st.integers(0, 1440)), st.dates(date(2026, 10, 20), date(2026, 12, 10)))
def test_the_days_of_the_balance_come_first_and_end_before_tomorrow(minutes: dict[int, int], today: date) -> None:
    calendar = november(minutes, facts(today=today))
    counted = [day.hours.is_counted for day in calendar.days]
    assert counted == sorted(counted, reverse=True)
    assert calendar.counted_through is None or calendar.counted_through <= today
    assert calendar.is_over == all(counted)


# What is expected, and what lacks -----------------------------------------------------------------------------------


def test_a_month_expects_its_working_days_without_holidays() -> None:
    calendar = november({})
    assert calendar.hours.expected == 19 * 480, "21 working days, less Culture Day and Labour Thanksgiving Day"
    assert [day.date.day for day in calendar.days if day.holiday] == [3, 23]


def test_a_day_without_hours_is_missing_and_one_with_fewer_is_short() -> None:
    calendar = november(dict.fromkeys(range(1, 25), 480) | {17: 0, 18: 465})
    assert [(day.date.day, day.hours.is_missing, day.is_short) for day in calendar.lacking if day.date.day < 25] == [
        (17, True, False),
        (18, False, True),
    ]
    assert calendar.hours.missing == 2, "the 17th, and the 25th, which is over"


def test_hours_on_a_holiday_or_a_weekend_are_over_time() -> None:
    calendar = november({3: 60, 7: 30})
    by_day = {day.date.day: day.hours.balance for day in calendar.days}
    assert (by_day[3], by_day[7], by_day[4]) == (60, 30, -480)


@pytest.mark.parametrize(("minutes", "balance"), [(0, 0), (479, 0), (480, 0), (500, 20)])
def test_today_joins_the_balance_once_it_has_what_is_expected(minutes: int, balance: int) -> None:
    day = day_hours(TODAY, minutes, 480, today=TODAY)
    assert (day.is_counted, day.balance, day.is_missing) == (minutes >= 480, balance, False)


def test_nothing_is_expected_of_tomorrow_yet_and_its_hours_count_as_recorded() -> None:
    calendar = november({27: 480})
    assert calendar.hours.minutes == 480
    assert calendar.hours.counted_minutes == 0


def test_nothing_is_expected_before_the_first_entry_nor_after_the_account_ended() -> None:
    calendar = november({16: 480}, facts(Presence(date(2026, 11, 16), date(2026, 11, 18))))
    assert [day.date.day for day in calendar.days if day.hours.expected] == [16, 17, 18]
    assert calendar.hours.missing == 2
    assert [day.is_present for day in calendar.days].count(True) == 3


def test_nothing_is_expected_of_somebody_who_has_no_hours_at_all() -> None:
    calendar = november({}, facts(Presence(None)))
    assert (calendar.hours.expected, calendar.hours.missing, calendar.hours.balance) == (0, 0, 0)


def test_days_are_closed_up_to_the_closing_date() -> None:
    calendar = november({}, facts(closed_through=date(2026, 11, 4)))
    assert [day.date.day for day in calendar.days if day.is_closed] == [1, 2, 3, 4]
