"""The week as a grid: rows by project, what is in each cell, what may be changed, and what it all adds up to.

Pure: what has been read comes in, the grid comes out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby

from plugins.standard.entries import EMPTY, Cell, CellValue
from plugins.standard.week import Day, Week
from plugins.standard.workdays import WorkCalendar


class Lock(StrEnum):
    """Why a row or a cell cannot be changed."""

    CLOSED = "closed"
    """The day is closed."""
    FINISHED = "finished"
    """The task, its project or its customer is finished."""
    NOT_MEMBER = "not_member"
    """The person is no member of the project any more."""
    READ_ONLY = "read_only"
    """Whoever looks at the sheet may not correct hours of the project."""


@dataclass(frozen=True, slots=True)
class TaskOfSheet:
    """A task as a sheet shows it."""

    id: int
    code: str
    name: str
    project_id: int
    project: str
    customer: str
    colour: str
    is_finished: bool
    is_recordable: bool
    """Whether the person may record hours on it; nothing finished is."""
    is_favourite: bool


@dataclass(frozen=True, slots=True)
class GridCell:
    """A task on a day."""

    task_id: int
    day: date
    value: CellValue
    lock: Lock | None
    """Why it cannot be changed; None where it can."""

    @property
    def place(self) -> Cell:
        """Where it is in the sheet."""
        return self.task_id, self.day


@dataclass(frozen=True, slots=True)
class GridRow:
    """A task over the days of the week."""

    task: TaskOfSheet
    cells: tuple[GridCell, ...]
    lock: Lock | None
    """Why nothing in the row can be changed whatever the day; None where it can."""

    @property
    def minutes(self) -> int:
        """What the row adds up to."""
        return sum(cell.value.minutes for cell in self.cells)

    @property
    def is_empty(self) -> bool:
        """Whether there are no hours in it, so that it can be taken off the sheet."""
        return all(cell.value.version == 0 for cell in self.cells)


@dataclass(frozen=True, slots=True)
class GridGroup:
    """The rows of one project."""

    project_id: int
    project: str
    customer: str
    colour: str
    rows: tuple[GridRow, ...]


@dataclass(frozen=True, slots=True)
class GridDay:
    """A day with what it adds up to."""

    date: date
    is_today: bool
    is_closed: bool
    is_rest: bool
    """Whether nothing is expected of it."""
    holiday: str | None
    expected: int
    """Minutes expected of it."""
    minutes: int
    is_past: bool

    @property
    def is_lacking(self) -> bool:
        """Whether it is past and has less than what is expected."""
        return self.is_past and self.minutes < self.expected


@dataclass(frozen=True, slots=True)
class WeekGrid:
    """The sheet of one week."""

    week: Week
    days: tuple[GridDay, ...]
    groups: tuple[GridGroup, ...]

    @property
    def rows(self) -> tuple[GridRow, ...]:
        """All rows, in the order in which they are shown."""
        return tuple(row for group in self.groups for row in group.rows)

    @property
    def minutes(self) -> int:
        """What the week adds up to."""
        return sum(day.minutes for day in self.days)

    @property
    def expected(self) -> int:
        """Minutes expected of the week."""
        return sum(day.expected for day in self.days)

    @property
    def cells(self) -> dict[Cell, GridCell]:
        """Every cell by its place."""
        return {cell.place: cell for row in self.rows for cell in row.cells}

    @property
    def recorded(self) -> list[GridCell]:
        """The cells with hours, by day and task."""
        cells = (cell for row in self.rows for cell in row.cells if cell.value.minutes)
        return sorted(cells, key=lambda cell: (cell.day, cell.task_id))


@dataclass(frozen=True, slots=True)
class SheetRules:
    """What of a sheet may be changed by whoever looks at it."""

    closed_through: date | None
    """The last closed day; None where nothing is closed."""
    is_read_only: bool = False
    correctable: frozenset[int] | None = None
    """Ids of the projects whose hours may be changed; None for all."""

    def is_closed(self, day: date) -> bool:
        """Whether ``day`` is closed."""
        return self.closed_through is not None and day <= self.closed_through

    def lock_of(self, task: TaskOfSheet) -> Lock | None:
        """Why the hours of ``task`` cannot be changed on any day; None where they can."""
        if self.is_read_only or (self.correctable is not None and task.project_id not in self.correctable):
            return Lock.READ_ONLY
        if task.is_finished:
            return Lock.FINISHED
        return None if task.is_recordable else Lock.NOT_MEMBER


def build_grid(
    week: Week,
    tasks: Iterable[TaskOfSheet],
    values: Mapping[Cell, CellValue],
    rules: SheetRules,
    calendar: WorkCalendar,
    *,
    today: date,
) -> WeekGrid:
    """Lay out a week.

    Args:
        week: its days.
        tasks: those that have a row, in any order.
        values: what is in the cells that are not empty.
        rules: what may be changed.
        calendar: what is expected of each day.
        today: days before it lack what they have not.
    """
    ordered = sorted(tasks, key=_order)
    groups = tuple(
        _group(week, list(of_project), values, rules)
        for _, of_project in groupby(ordered, key=lambda task: task.project_id)
    )
    totals = {day.date: 0 for day in week.days}
    for group in groups:
        for row in group.rows:
            for cell in row.cells:
                totals[cell.day] += cell.value.minutes
    days = tuple(grid_day(day, totals[day.date], rules, calendar, today=today) for day in week.days)
    return WeekGrid(week, days, groups)


def grid_day(day: Day, minutes: int, rules: SheetRules, calendar: WorkCalendar, *, today: date) -> GridDay:
    """A day that has ``minutes``, with what is expected of it."""
    return GridDay(
        date=day.date,
        is_today=day.is_today,
        is_closed=rules.is_closed(day.date),
        is_rest=not calendar.is_working_day(day.date),
        holiday=calendar.holiday(day.date),
        expected=calendar.expected(day.date),
        minutes=minutes,
        is_past=day.date < today,
    )


def _order(task: TaskOfSheet) -> tuple[str, str, int, str, str, int]:
    """Projects by customer and name, the tasks of one by code and name."""
    return task.customer.casefold(), task.project.casefold(), task.project_id, task.code, task.name.casefold(), task.id


def _group(week: Week, tasks: list[TaskOfSheet], values: Mapping[Cell, CellValue], rules: SheetRules) -> GridGroup:
    first = tasks[0]
    rows = tuple(_row(week, task, values, rules) for task in tasks)
    return GridGroup(first.project_id, first.project, first.customer, first.colour, rows)


def _row(week: Week, task: TaskOfSheet, values: Mapping[Cell, CellValue], rules: SheetRules) -> GridRow:
    lock = rules.lock_of(task)
    cells = tuple(
        GridCell(
            task.id,
            day.date,
            values.get((task.id, day.date), EMPTY),
            Lock.CLOSED if rules.is_closed(day.date) else lock,
        )
        for day in week.days
    )
    return GridRow(task, cells, lock)
