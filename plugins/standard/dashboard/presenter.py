"""How the dashboard shows a week."""

from collections.abc import Callable
from datetime import date

from app.sdk import format_date, gettext, url_for
from plugins.standard.dashboard.chart import Column, ColumnChart, column_chart
from plugins.standard.duration import show_duration
from plugins.standard.timesheet.grid import GridDay
from plugins.standard.week import Week


def week_chart(days: tuple[GridDay, ...], week: Week, shown: Callable[[date], str]) -> ColumnChart:
    """The days of a week as columns that lead to their place on the sheet.

    Args:
        days: as they are.
        week: theirs.
        shown: a day in words.
    """
    return column_chart(_column(day, week, shown) for day in days)


def _column(day: GridDay, week: Week, shown: Callable[[date], str]) -> Column:
    return Column(
        label=format_date(day.date, "EEE"),
        label_below=str(day.date.day),
        title=shown(day.date),
        url=url_for("standard_timesheet.week", week=week.code, at=day.date.isoformat()),
        minutes=day.minutes,
        expected=day.expected,
        note=_note(day),
        is_strong=day.is_today,
        day=day.date,
    )


def _note(day: GridDay) -> str:
    if day.holiday:
        return gettext("holiday")
    if not day.expected:
        return ""
    return gettext("of %(expected)s", expected=show_duration(day.expected))
