"""Weeks, which begin on the day that the setting says and are numbered as ISO 8601 numbers the Thursday in them.

So a week has one number whether it begins on Saturday, Sunday or Monday, and week 1 holds the year's first Thursday.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

_CODE = re.compile(r"(\d{4})-W(\d{2})")
_THURSDAY = 3  # of date.weekday()
_SATURDAY = 5
ONE_WEEK = timedelta(weeks=1)


class WeekStart(IntEnum):
    """The first day of the week, as ``date.weekday()`` numbers it."""

    MONDAY = 0
    SATURDAY = 5
    SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a week, as seen today."""

    date: date
    is_today: bool
    is_weekend: bool


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days; ``previous`` and ``next`` are None at the ends of the calendar."""

    year: int
    """The year that the week belongs to, which in early January and late December may not be its days' year."""
    number: int
    days: tuple[Day, ...]
    code: str
    """The week as it stands in addresses, such as ``2026-W48``."""
    previous: str | None
    next: str | None

    @property
    def first(self) -> date:
        """Its first day."""
        return self.days[0].date

    @property
    def last(self) -> date:
        """Its last day."""
        return self.days[-1].date

    @property
    def thursday(self) -> date:
        """The Thursday in it, which names it whatever day weeks begin on."""
        return next(day.date for day in self.days if day.date.weekday() == _THURSDAY)

    @property
    def holds_today(self) -> bool:
        """Whether today is one of its days."""
        return any(day.is_today for day in self.days)


def day_of(code: str) -> date | None:
    """The Thursday of the week ``code``; None where there is no such week."""
    match = _CODE.fullmatch(code)
    if match is None or not code.isascii():
        return None
    try:
        return date.fromisocalendar(int(match[1]), int(match[2]), _THURSDAY + 1)
    except ValueError:
        return None


def week_of(day: date, *, today: date, start: WeekStart = WeekStart.MONDAY) -> Week:
    """The week that ``day`` belongs to; a week that would leave the calendar gives way to that of ``today``."""
    try:
        first = day - timedelta(days=(day.weekday() - start) % 7)
        dates = [first + timedelta(days=number) for number in range(7)]
    except OverflowError:
        return week_of(today, today=today, start=start)
    thursday = dates[(_THURSDAY - start) % 7]
    year, number, _ = thursday.isocalendar()
    days = tuple(Day(date, is_today=date == today, is_weekend=date.weekday() >= _SATURDAY) for date in dates)
    previous, following = (_code_or_none(first, distance, start) for distance in (-ONE_WEEK, ONE_WEEK))
    return Week(year, number, days, week_code(thursday), previous, following)


def week_code(thursday: date) -> str:
    """The code of the week that holds ``thursday`` (ISO 8601, 5.4)."""
    year, number, _ = thursday.isocalendar()
    return f"{year:04}-W{number:02}"


def _code_or_none(first: date, distance: timedelta, start: WeekStart) -> str | None:
    try:
        neighbour = first + distance
        _ = neighbour + timedelta(days=6)  # its last day has to be a date too
    except OverflowError:
        return None
    return week_code(neighbour + timedelta(days=(_THURSDAY - start) % 7))
