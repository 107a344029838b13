"""What somebody has worked beside what was expected of them, and the days on which nothing was recorded.

One set of rules for the month, the list of people and whatever else speaks of over-time:

- Nothing is expected before the first day on which somebody has recorded hours, nor after their account was deleted.
- A day is in the balance as soon as it is over; today is as soon as it has what is expected of it. So nobody is eight
  hours behind in the morning.
- A day is missing if it is in the balance, something is expected of it, and nothing was recorded.
"""

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
