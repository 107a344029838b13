"""The days that a report is about, and the days, weeks, months and years that they are cut into.

Pure: what day it is, and on which day weeks begin, is given.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, timedelta
from enum import StrEnum

from plugins.standard.months import Month, month_of
from plugins.standard.week import WeekStart

_ONE_DAY = timedelta(days=1)
_DAYS_OF_WEEK = 7
_MONTHS_OF_QUARTER = 3
_MONTHS_OF_YEAR = 12
_PARTS_AT_MOST = 62


class Unit(StrEnum):
    """What days are added up to along the time."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_PARTS_THAT_FIT = {Unit.DAY: 35, Unit.WEEK: 27, Unit.MONTH: 61}
"""A chart of more columns than these takes the next coarser unit."""


class Preset(StrEnum):
    """A period that moves on with the calendar, so that an address of it stays of use."""

    THIS_WEEK = "this_week"
    LAST_WEEK = "last_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    THIS_QUARTER = "this_quarter"
    LAST_QUARTER = "last_quarter"
    THIS_YEAR = "this_year"
    LAST_YEAR = "last_year"

    @property
    def unit(self) -> Unit:
        """Of which kind it is."""
        return Unit(self.value.partition("_")[2])

    @property
    def is_last(self) -> bool:
        """Whether it is the one before the present one."""
        return self.value.startswith("last_")


@dataclass(frozen=True, slots=True)
class Days:
    """All days from the first through the last."""

    first: date
    last: date

    def __len__(self) -> int:
        """How many days they are."""
        return (self.last - self.first).days + 1

    def within(self, other: "Days") -> "Days":
        """What of them is in ``other``, with which they have at least a day in common."""
        return Days(max(self.first, other.first), min(self.last, other.last))


def days_of(preset: Preset, today: date, start: WeekStart) -> Days:
    """The days of ``preset`` as of ``today``."""
    present = whole(preset.unit, today, start)
    if not preset.is_last:
        return present
    return neighbour(present, start, forward=False) or present


def whole(unit: Unit, day: date, start: WeekStart) -> Days:
    """The whole day, week, month, quarter or year that ``day`` is in; it ends where the calendar does."""
    match unit:
        case Unit.DAY:
            return Days(day, day)
        case Unit.WEEK:
            first = max(1, day.toordinal() - (day.weekday() - start) % _DAYS_OF_WEEK)
            passed = (date.fromordinal(first).weekday() - start) % _DAYS_OF_WEEK
            last = min(date.max.toordinal(), first - passed + _DAYS_OF_WEEK - 1)
            return Days(date.fromordinal(first), date.fromordinal(last))
        case Unit.MONTH:
            return _months(month_of(day), 1)
        case Unit.QUARTER:
            first_month = (day.month - 1) // _MONTHS_OF_QUARTER * _MONTHS_OF_QUARTER + 1
            return _months(Month(day.year, first_month), _MONTHS_OF_QUARTER)
        case Unit.YEAR:
            return _months(Month(day.year, 1), _MONTHS_OF_YEAR)


def _months(month: Month, number: int) -> Days:
    return Days(month.first, Month(month.year, month.number + number - 1).last)


def unit_of(days: Days, start: WeekStart) -> Unit | None:
    """Which whole unit ``days`` are; None where they are none."""
    return next((unit for unit in Unit if whole(unit, days.first, start) == days), None)


def neighbour(days: Days, start: WeekStart, *, forward: bool) -> Days | None:
    """As many days before or after; of a whole week, month, quarter or year the next one. None beyond the calendar."""
    edge = date.max if forward else date.min
    if edge in (days.first, days.last):
        return None
    unit = unit_of(days, start)
    if unit is not None:
        return whole(unit, days.last + _ONE_DAY if forward else days.first - _ONE_DAY, start)
    distance = timedelta(days=len(days) if forward else -len(days))
    try:
        return Days(days.first + distance, days.last + distance)
    except OverflowError:
        return None


def chart_unit(days: Days, wanted: Unit | None = None) -> Unit:
    """Into what ``days`` are cut, so that a chart of them has neither too many columns nor too few.

    It is ``wanted`` where that makes no more than a chart holds at all.
    """
    weeks = len(days) // _DAYS_OF_WEEK
    months = (days.last.year - days.first.year) * _MONTHS_OF_YEAR + days.last.month - days.first.month + 1
    parts = {Unit.DAY: len(days), Unit.WEEK: weeks, Unit.MONTH: months}
    if wanted is not None and parts[wanted] <= _PARTS_AT_MOST:
        return wanted
    return next((unit for unit, number in parts.items() if number <= _PARTS_THAT_FIT[unit]), Unit.YEAR)


def cut(days: Days, unit: Unit, start: WeekStart) -> Iterator[Days]:
    """The units that ``days`` are made of, in their order; those at either end with their days of it alone."""
    first = days.first
    while True:
        part = whole(unit, first, start).within(days)
        yield part
        if part.last >= days.last:
            return
        first = part.last + _ONE_DAY


def day_of_ordinal(ordinal: int) -> date:
    """The day with that number, as ``date.toordinal`` counts; the first of the calendar for what is before it."""
    return date.fromordinal(max(1, ordinal))


def month_of_ordinal(number: int) -> Month:
    """The month with that number: twelve times the year, and the months that have passed of it."""
    year = min(max(number // _MONTHS_OF_YEAR, MINYEAR), MAXYEAR)
    return Month(year, number % _MONTHS_OF_YEAR + 1)
