"""Weeks as ISO 8601 counts them: Monday is the first day, and week 1 holds the year's first Thursday."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

_CODE = re.compile(r"(\d{4})-W(\d{2})")
_SATURDAY = 5  # of date.weekday()
ONE_WEEK = timedelta(weeks=1)


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
    previous: str | None
    next: str | None

    @property
    def holds_today(self) -> bool:
        """Whether today is one of its days."""
        return any(day.is_today for day in self.days)


def week_code(day: date) -> str:
    """The week of ``day`` as it stands in addresses, such as ``2026-W48`` (ISO 8601, 5.4)."""
    year, number, _ = day.isocalendar()
    return f"{year:04}-W{number:02}"


def monday_of(code: str) -> date | None:
    """The Monday of the week ``code``; None where there is no such week."""
    match = _CODE.fullmatch(code)
    if match is None or not code.isascii():
        return None
    try:
        return date.fromisocalendar(int(match[1]), int(match[2]), 1)
    except ValueError:
        return None


def week_of(day: date, *, today: date) -> Week:
    """The week that ``day`` belongs to; a week that would leave the calendar gives way to that of ``today``."""
    monday = day - timedelta(days=day.weekday())
    try:
        dates = [monday + timedelta(days=number) for number in range(7)]
    except OverflowError:
        return week_of(today, today=today)
    year, number, _ = monday.isocalendar()
    days = tuple(Day(date, is_today=date == today, is_weekend=date.weekday() >= _SATURDAY) for date in dates)
    return Week(year, number, days, _code_or_none(monday, -ONE_WEEK), _code_or_none(monday, ONE_WEEK))


def _code_or_none(monday: date, distance: timedelta) -> str | None:
    try:
        neighbour = monday + distance
        _ = neighbour + timedelta(days=6)  # its last day has to be a date too
    except OverflowError:
        return None
    return week_code(neighbour)
