"""What somebody has worked beside what was expected of them, and the days on which nothing was recorded.

One set of rules for the month, the list of people and whatever else speaks of over-time:

- Nothing is expected before the first day on which somebody has recorded hours, nor after their account was deleted.
- A day is in the balance as soon as it is over; today is as soon as it has what is expected of it. So nobody is eight
  hours behind in the morning.
- A day is missing if it is in the balance, something is expected of it, and nothing was recorded.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from plugins.standard.workdays import WorkCalendar


@dataclass(frozen=True, slots=True)
class Presence:
    """From when to when hours are expected of somebody."""

    first: date | None
    """The first day with hours; None where there is none yet."""
    last: date | None = None
    """The day on which the account was deleted; None of those who are registered."""

    def holds(self, day: date) -> bool:
        """Whether anything may be expected of ``day``."""
        return self.first is not None and self.first <= day and (self.last is None or day <= self.last)

    def expected(self, calendar: WorkCalendar, day: date) -> int:
        """Minutes expected of ``day``."""
        return calendar.expected(day) if self.holds(day) else 0


@dataclass(frozen=True, slots=True)
class DayHours:
    """What a day has, and what was expected of it."""

    date: date
    minutes: int
    expected: int
    is_counted: bool
    """Whether it is in the balance."""

    @property
    def balance(self) -> int:
        """Minutes more than expected, or less; none while the day is not in the balance."""
        return self.minutes - self.expected if self.is_counted else 0

    @property
    def is_missing(self) -> bool:
        """Whether nothing was recorded although something was expected."""
        return self.is_counted and self.expected > 0 and self.minutes == 0


@dataclass(frozen=True, slots=True)
class Hours:
    """The same of several days."""

    minutes: int = 0
    """All that is recorded, also on days that are not in the balance yet."""
    expected: int = 0
    """Of all the days."""
    counted_minutes: int = 0
    """Of the days that are in the balance."""
    counted_expected: int = 0
    missing: int = 0
    """How many of the days are missing."""

    @property
    def balance(self) -> int:
        """Minutes more than expected, or less."""
        return self.counted_minutes - self.counted_expected


def is_counted(day: date, minutes: int, expected: int, *, today: date) -> bool:
    """Whether ``day`` is in the balance: it is over, or it is today and has what is expected."""
    return day < today or (day == today and minutes >= expected)


def day_hours(day: date, minutes: int, expected: int, *, today: date) -> DayHours:
    """A day with its ``minutes``, as seen ``today``."""
    return DayHours(day, minutes, expected, is_counted(day, minutes, expected, today=today))


def added_up(days: Iterable[DayHours]) -> Hours:
    """What ``days`` add up to."""
    minutes = expected = counted_minutes = counted_expected = missing = 0
    for day in days:
        minutes += day.minutes
        expected += day.expected
        missing += day.is_missing
        if day.is_counted:
            counted_minutes += day.minutes
            counted_expected += day.expected
    return Hours(minutes, expected, counted_minutes, counted_expected, missing)


@dataclass(frozen=True, slots=True)
class Sums:
    """What the days of somebody add up to, as a database can say without naming each of them."""

    minutes: int = 0
    days: int = 0
    """On how many days there are hours."""
    minutes_before: int = 0
    """Of the days before today."""
    worked_before: int = 0
    """How many of those have hours and are days of which something is expected."""
    minutes_today: int = 0


class Expectation:
    """What is expected of the days of a period, added up beforehand: for the hours of many people.

    ``hours`` says what ``added_up`` says of the days of somebody who is present from a day on and has not left.
    """

    def __init__(self, days: Iterable[tuple[date, int]], *, today: date) -> None:
        """Args: ``days`` with the minutes expected of each, in their order; ``today`` is seen."""
        self._days: list[date] = []
        self._expected, self._working = [0], [0]
        for day, minutes in days:
            self._days.append(day)
            self._expected.append(self._expected[-1] + minutes)
            self._working.append(self._working[-1] + (minutes > 0))
        self._today = bisect_left(self._days, today)
        """How many of the days are before today, which is the next one where it is among them."""
        self._holds_today = self._today < len(self._days) and self._days[self._today] == today

    def hours(self, sums: Sums, first: date | None) -> Hours:
        """The hours of somebody whose first day with hours is ``first``; None expects nothing of them."""
        begin = len(self._days) if first is None else bisect_left(self._days, first)
        until = max(begin, self._today)
        expected_before = self._expected[until] - self._expected[begin]
        counted, counted_expected = sums.minutes_before, expected_before
        if self._holds_today:
            of_today = self._expected[self._today + 1] - self._expected[self._today] if begin <= self._today else 0
            if sums.minutes_today >= of_today:
                counted, counted_expected = counted + sums.minutes_today, counted_expected + of_today
        working = self._working[until] - self._working[begin]
        return Hours(
            sums.minutes,
            self._expected[-1] - self._expected[begin],
            counted,
            counted_expected,
            working - sums.worked_before if first is not None else 0,
        )
