"""The rows of exports, read as they are sent: neither memory nor a connection is held meanwhile.

Each batch is a statement of its own, in the order of days, tasks and people. What others write in the meantime is in
the export or not, and no entry is in it twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import func, select, tuple_

from app.sdk import Identity, csv_lines, gettext, read_connection
from plugins.standard.duration import show_duration
from plugins.standard.models import Entry
from plugins.standard.reports.periods import Days, Unit, day_of_ordinal, month_of_ordinal, whole
from plugins.standard.reports.progress import RowCount
from plugins.standard.reports.query import TITLES, Dimension, ReportQuery
from plugins.standard.reports.service import EntryRow, Name, entry_rows, read_names
from plugins.standard.reports.sql import all_grouped, conditions
from plugins.standard.reports.xlsx import Cell, Duration, workbook
from plugins.standard.week import WeekStart, week_code

ROWS_OF_TABLE = 100_000
"""A table of groups has at most so many rows; single entries have no limit."""
_BATCH = 5_000
_IDS_AT_ONCE = 5_000
_THURSDAY = 3


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export."""

    title: str
    width: int
    """In characters, where columns have one."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is exported: its columns, and its rows as they come."""

    columns: tuple[Column, ...]
    rows: Iterator[tuple[Cell, ...]]

    def counted(self, count: RowCount) -> "Table":
        """The same table, whose rows are counted as they are read."""
        return replace(self, rows=count.counted(self.rows))

    def csv(self) -> Iterator[bytes]:
        """As CSV in UTF-8, in parts."""
        head = [column.title for column in self.columns]
        return (part.encode() for part in csv_lines(head, ([_text(cell) for cell in row] for row in self.rows)))

    def xlsx(self, title: str) -> Iterator[bytes]:
        """As a workbook of Excel, in parts."""
        head = [column.title for column in self.columns]
        return workbook(title, head, self.rows, [column.width for column in self.columns])


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return show_duration(cell.minutes) if isinstance(cell, Duration) else str(cell)


def count_entries(reader: Identity, query: ReportQuery) -> int:
    """How many single entries there are to export."""
    with read_connection() as connection:
        where = conditions(reader, query)
        return connection.execute(select(func.count()).select_from(Entry).where(*where)).scalar_one()


def entries_table(reader: Identity, query: ReportQuery) -> Table:
    """The single entries of ``query``."""
    columns = (
        Column(gettext("Day"), 11),
        Column(gettext("Login"), 14),
        Column(gettext("Person"), 22),
        Column(gettext("Customer"), 28),
        Column(gettext("Project"), 28),
        Column(gettext("Code"), 10),
        Column(gettext("Task"), 28),
        Column(gettext("Billable"), 9),
        Column(gettext("Memo"), 40),
        Column(gettext("Hours"), 9),
        Column(gettext("Minutes"), 9),
    )
    return Table(columns, _entry_cells(reader, query))


def _entry_cells(reader: Identity, query: ReportQuery) -> Iterator[tuple[Cell, ...]]:
    yes, no = gettext("yes"), gettext("no")
    for row in _entries(reader, query):
        billable = yes if row.billable else no
        work = row.customer, row.project, row.code, row.task
        yield row.day, row.login, row.name, *work, billable, row.memo, Duration(row.minutes), row.minutes


def _entries(reader: Identity, query: ReportQuery) -> Iterator[EntryRow]:
    place = tuple_(Entry.day, Entry.task_id, Entry.user_id)
    beyond: EntryRow | None = None
    while True:
        # The days that are through are left out, since SQLite enters the index by its first column alone.
        rest = query if beyond is None else query.of_days(Days(beyond.day, query.days.last))
        with read_connection() as connection:
            statement = entry_rows(conditions(reader, rest)).limit(_BATCH)
            if beyond is not None:
                statement = statement.where(place > (beyond.day, beyond.task_id, beyond.user_id))
            batch = [EntryRow(*row) for row in connection.execute(statement)]
        yield from batch
        if len(batch) < _BATCH:
            return
        beyond = batch[-1]


def groups_table(reader: Identity, query: ReportQuery, start: WeekStart) -> Table | None:
    """The table of the groups of ``query``, all of its pages; None where it has too many rows."""
    with read_connection() as connection:
        statement = all_grouped(reader, query, start).limit(ROWS_OF_TABLE + 1)
        rows = [
            (int(row.first), int(row.second), int(row.minutes), int(row.billable))
            for row in connection.execute(statement)
        ]
        if len(rows) > ROWS_OF_TABLE:
            return None
        names: list[dict[int, Name]] = []
        for level, dimension in enumerate(query.dimensions):
            ids = sorted({row[level] for row in rows})
            named: dict[int, Name] = {}
            for begin in range(0, len(ids), _IDS_AT_ONCE):
                named |= read_names(connection, dimension, ids[begin : begin + _IDS_AT_ONCE])
            names.append(named)
    columns = [column for dimension in query.dimensions for column in _group_columns(dimension)]
    columns += [
        Column(gettext("Billable"), 11),
        Column(gettext("Not billable"), 13),
        Column(gettext("Total"), 11),
        Column(gettext("Minutes"), 11),
    ]

    def cells() -> Iterator[tuple[Cell, ...]]:
        for *keys, minutes, billable in rows:
            levels = zip(query.dimensions, keys, names, strict=False)
            named = [cell for dimension, key, known in levels for cell in _group_cells(dimension, key, known, start)]
            yield *named, Duration(billable), Duration(minutes - billable), Duration(minutes), minutes

    return Table(tuple(columns), cells())


def _group_columns(dimension: Dimension) -> tuple[Column, ...]:
    title = Column(gettext(TITLES[dimension]), 11 if dimension.unit else 28)
    details = {
        Dimension.CUSTOMER: Column(gettext("Code"), 10),
        Dimension.PROJECT: Column(gettext("Customer"), 28),
        Dimension.TASK: Column(gettext("Project"), 28),
        Dimension.PERSON: Column(gettext("Login"), 14),
    }
    return (title,) if dimension.unit is not None else (title, details[dimension])


def _group_cells(dimension: Dimension, key: int, names: dict[int, Name], start: WeekStart) -> tuple[Cell, ...]:
    if dimension is Dimension.MONTH:
        return (month_of_ordinal(key).code,)
    if dimension is Dimension.DAY:
        return (day_of_ordinal(key),)
    if dimension is Dimension.WEEK:
        return (_week_cell(key, start),)
    name = names.get(key)
    return ("", "") if name is None else (name.text, name.detail)


def _week_cell(key: int, start: WeekStart) -> str:
    """The code of a week, which its Thursday names; at either end of the calendar of the day that is there."""
    week = whole(Unit.WEEK, day_of_ordinal(key), start)
    days = [day_of_ordinal(number) for number in range(week.first.toordinal(), week.last.toordinal() + 1)]
    return week_code(next((day for day in days if day.weekday() == _THURSDAY), days[0]))
