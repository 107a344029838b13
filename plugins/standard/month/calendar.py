"""A month as a calendar of weeks: what each day, each week and the month have, and what was expected of them.

Pure: what has been read comes in, the calendar comes out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from plugins.standard.balance import DayHours, Hours, Presence, added_up, day_hours
from plugins.standard.months import Month
from plugins.standard.week import WeekStart, week_code
from plugins.standard.workdays import WorkCalendar

_DAYS = 7
_THURSDAY = 3  # of date.weekday()


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day of the month."""

    hours: DayHours
    is_today: bool
    is_closed: bool
    is_rest: bool
    """Whether nothing is expected of it by the calendar."""
    is_present: bool
    """Whether hours are expected of the person at all: not before their first day, nor after their account ended."""
    holiday: str | None

    @property
    def date(self) -> date:
        """Which day it is."""
        return self.hours.date

    @property
    def is_short(self) -> bool:
        """Whether it has hours, and less than expected."""
        return self.hours.balance < 0 and not self.hours.is_missing


@dataclass(frozen=True, slots=True)
class MonthWeek:
    """The days of a week that are in the month."""

    number: int
    code: str | None
    """The week as addresses name it; None where it leaves the calendar."""
    days: tuple[MonthDay | None, ...]
    """Seven, from the first day of the week; None on those of another month."""
    hours: Hours


@dataclass(frozen=True, slots=True)
class MonthCalendar:
    """All of it."""

    month: Month
    weeks: tuple[MonthWeek, ...]
    hours: Hours

    @property
    def days(self) -> tuple[MonthDay, ...]:
        """The days of the month."""
        return tuple(day for week in self.weeks for day in week.days if day is not None)

    @property
    def counted_through(self) -> date | None:
        """The last day that is in the balance; None where there is none yet."""
        return max((day.date for day in self.days if day.hours.is_counted), default=None)

    @property
    def is_over(self) -> bool:
        """Whether all of it is in the balance."""
        return self.counted_through == self.month.last

    @property
    def lacking(self) -> tuple[MonthDay, ...]:
        """The days that have less than expected, missing ones included."""
        return tuple(day for day in self.days if day.hours.balance < 0)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a calendar is made of besides the hours."""

    presence: Presence
    closed_through: date | None
    """The last closed day; None where nothing is closed."""
    calendar: WorkCalendar
    start: WeekStart
    today: date


def build_calendar(month: Month, minutes: Mapping[date, int], facts: Facts) -> MonthCalendar:
    """Lay out ``month``.

    Args:
        month: which one.
        minutes: what is recorded on the days that have hours.
        facts: what is expected of the days, and which of them are closed.
    """
    days = tuple(_day(day, minutes.get(day, 0), facts) for day in month.days)
    weeks = tuple(_week(row, facts.start) for row in _rows(days, (month.first.weekday() - facts.start) % _DAYS))
    return MonthCalendar(month, weeks, added_up(day.hours for day in days))


def _day(day: date, minutes: int, facts: Facts) -> MonthDay:
    return MonthDay(
        hours=day_hours(day, minutes, facts.presence.expected(facts.calendar, day), today=facts.today),
        is_today=day == facts.today,
        is_closed=facts.closed_through is not None and day <= facts.closed_through,
        is_rest=not facts.calendar.is_working_day(day),
        is_present=facts.presence.holds(day),
        holiday=facts.calendar.holiday(day),
    )


def _rows(days: tuple[MonthDay, ...], before: int) -> Iterator[tuple[MonthDay | None, ...]]:
    cells = (*(None,) * before, *days)
    for first in range(0, len(cells), _DAYS):
        row = cells[first : first + _DAYS]
        yield (*row, *(None,) * (_DAYS - len(row)))


def _week(row: tuple[MonthDay | None, ...], start: WeekStart) -> MonthWeek:
    place, day = next((place, day) for place, day in enumerate(row) if day is not None)
    first = day.date.toordinal() - place
    # Whatever day weeks begin on, the Thursday of the calendar's first and last week is a date.
    thursday = date.fromordinal(first + (_THURSDAY - start) % _DAYS)
    is_whole = date.min.toordinal() <= first and first + _DAYS - 1 <= date.max.toordinal()
    hours = added_up(day.hours for day in row if day is not None)
    return MonthWeek(thursday.isocalendar().week, week_code(thursday) if is_whole else None, row, hours)
