"""Bars of hours, laid out in whole pixels. Pure; ``templates/standard/_chart_table.html`` draws them as a table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

HEIGHT = 120
"""Pixels from the lowest line of the chart to the highest."""
_HOUR = 60
_NICE = (1, 2, 4, 6, 8, 10, 12, 16, 20, 24, 30, 40, 60, 80)


@dataclass(frozen=True, slots=True)
class Column:
    """A bar: what is recorded, and behind it what was expected."""

    label: str
    """What stands below it in one line, such as the weekday."""
    label_below: str
    """And in a second one."""
    title: str
    """The same in full, for whoever listens."""
    url: str
    """Where it leads; empty for nowhere."""
    minutes: int
    expected: int
    note: str = ""
    """What stands in place of what was expected, such as the name of a holiday."""
    is_strong: bool = False
    day: date | None = None
    """The day that it is of, where it is of one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A column with the heights of its two bars in pixels."""

    column: Column
    recorded: int
    expected: int


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """Columns side by side over the same scale."""

    bars: tuple[Bar, ...]
    top: int
    """Minutes at the highest line; half of them at the one in the middle."""


def column_chart(columns: Iterable[Column]) -> ColumnChart:
    """Lay out ``columns`` below the smallest round number of hours that holds them all."""
    all_of_them = tuple(columns)
    top = scale(max((max(column.minutes, column.expected) for column in all_of_them), default=0))
    bars = tuple(Bar(column, _pixels(column.minutes, top), _pixels(column.expected, top)) for column in all_of_them)
    return ColumnChart(bars, top)


def scale(minutes: int) -> int:
    """The smallest round number of hours that holds ``minutes``, in minutes; whole hours at its half from two on."""
    unit = _HOUR
    while True:
        for nice in _NICE:
            if minutes <= nice * unit:
                return nice * unit
        unit *= 100


def _pixels(minutes: int, top: int) -> int:
    """Rounded, and at least one pixel of what is there at all."""
    return max(1, (minutes * HEIGHT * 2 + top) // (2 * top)) if minutes else 0
