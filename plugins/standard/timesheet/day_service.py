"""Reading and writing the times of a day, and with them the minutes of its entries."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from sqlalchemy import Connection, and_, delete, insert, or_, select

from app.sdk import Identity, Refusal, read_connection, write_transaction
from plugins.standard.access import READ_ONLY, Sheet, open_sheet, recordable_tasks
from plugins.standard.entries import DAY_CLOSED, EMPTY, CellChange, CellValue, Writer, save_cells_in
from plugins.standard.models import Customer, Entry, Project, Span, Task
from plugins.standard.timesheet.grid import SheetRules, TaskOfSheet
from plugins.standard.timesheet.service import rules_of, task_columns, task_of
from plugins.standard.timesheet.spans import TimedSpan

CHOICES = 200
"""How many tasks the lists of a day offer; others are put on the sheet of the week first, and are offered then."""


@dataclass(frozen=True, slots=True)
class DaySheet:
    """Somebody's day."""

    sheet: Sheet
    rules: SheetRules
    day: date
    spans: tuple[TimedSpan, ...]
    """In the order of their times, breaks included."""
    entries: dict[int, CellValue]
    """What the sheet has on the day, by the id of the task."""
    tasks: dict[int, TaskOfSheet]
    """The tasks of both."""

    @property
    def is_editable(self) -> bool:
        """Whether its times can be changed: by the person alone, on a day that is not closed."""
        return self.sheet.is_own and not self.rules.is_closed(self.day)

    def is_kept(self, span: TimedSpan) -> bool:
        """Whether ``span`` cannot be changed, since no hours can be recorded on its task any more."""
        return span.task_id is not None and self.rules.lock_of(self.tasks[span.task_id]) is not None

    @property
    def mark(self) -> str:
        """Digits that are others as soon as anything of the day has changed."""
        entries = sorted((task, value.minutes, value.version) for task, value in self.entries.items())
        return sha256(repr((self.spans, entries)).encode()).hexdigest()[:16]


class DayChangedMeanwhile(Exception):  # noqa: N818 - not an error: what the page shows is out of date
    """The day has changed since it was shown; nothing was written."""


def read_day_sheet(reader: Identity, user_id: int | None, day: date) -> DaySheet:
    """A day as ``reader`` may see it; None is the reader's own.

    Raises:
        Refusal: ``person_unknown`` or ``sheet_not_yours``.
    """
    with read_connection() as connection:
        return _read(connection, open_sheet(connection, reader, user_id), day)


def _read(connection: Connection, sheet: Sheet, day: date) -> DaySheet:
    readable = Project.id.is_not(None) if sheet.readable is None else Project.id.in_(sheet.readable)
    columns = task_columns(sheet.user_id)
    spans = connection.execute(
        select(*columns, Span.starts, Span.ends, Span.minutes, Span.task_id)
        .select_from(Span)
        .outerjoin(Task, Task.id == Span.task_id)
        .outerjoin(Project, Task.project_id == Project.id)
        .outerjoin(Customer, Project.customer_id == Customer.id)
        .where(Span.user_id == sheet.user_id, Span.day == day, or_(Span.task_id.is_(None), readable))
        .order_by(Span.starts, Span.ends, Span.id)
    ).all()
    entries = connection.execute(
        select(*columns, Entry.minutes, Entry.memo, Entry.version, Entry.changed_by)
        .select_from(Entry)
        .join(Task, Task.id == Entry.task_id)
        .join(Project, Task.project_id == Project.id)
        .join(Customer, Project.customer_id == Customer.id)
        .where(Entry.user_id == sheet.user_id, Entry.day == day, readable)
        .order_by(Customer.name, Project.name, Task.code, Task.id)
    ).all()
    return DaySheet(
        sheet,
        rules_of(connection, sheet),
        day,
        tuple(TimedSpan(row.starts, row.ends, row.task_id, row.minutes) for row in spans),
        {row.id: CellValue(row.minutes, row.memo, row.version, row.changed_by) for row in entries},
        {row.id: task_of(row) for row in (*spans, *entries) if row.id is not None},
    )


def choosable_tasks(sheet: Sheet, on_sheet: Sequence[int]) -> tuple[TaskOfSheet, ...]:
    """The tasks that times can be given to, those of ``on_sheet`` first."""
    query = (
        select(*task_columns(sheet.user_id))
        .join(Project, Task.project_id == Project.id)
        .join(Customer, Project.customer_id == Customer.id)
        .where(Task.id.in_(recordable_tasks(sheet.user_id)))
        .order_by(Task.id.in_(on_sheet).desc(), Customer.name, Project.name, Task.code, Task.name, Task.id)
        .limit(CHOICES)
    )
    with read_connection() as connection:
        return tuple(task_of(row) for row in connection.execute(query))


def save_day(reader: Identity, day: date, spans: Sequence[TimedSpan], seen: str) -> int:
    """Give one's own day these times instead of those that it has; returns how many entries are different now.

    The minutes of each task whose times change become what its times add up to; a task that loses all its times loses
    its hours of the day. Times of tasks on which no hours can be recorded any more stay.

    Args:
        reader: whose day it is.
        day: a local date.
        spans: all of its times that can be changed.
        seen: ``DaySheet.mark`` of what was shown.

    Raises:
        Refusal: ``day_closed``.
        CellsRefused: what ``save_cells`` refuses.
        DayChangedMeanwhile: it is another day by now.
    """
    with write_transaction() as session:
        connection = session.connection()
        sheet = open_sheet(connection, reader, None)
        writer = Writer(sheet.user_id, sheet.login, by=reader.login)
        save_cells_in(session, writer, ())  # locks the person's hours
        present = _read(connection, sheet, day)
        if present.rules.is_closed(day):
            raise Refusal(DAY_CLOSED)
        if not present.is_editable:
            raise Refusal(READ_ONLY)
        if present.mark != seen:
            raise DayChangedMeanwhile
        changed = save_cells_in(session, writer, _changes(present, spans), keeps_spans=True)
        kept = {span.task_id for span in present.spans if present.is_kept(span)}
        mine = and_(Span.user_id == sheet.user_id, Span.day == day)
        session.execute(delete(Span).where(mine, or_(Span.task_id.is_(None), Span.task_id.not_in(kept))))
        rows = [
            {
                "user_id": sheet.user_id,
                "day": day,
                "task_id": span.task_id,
                "starts": span.starts,
                "ends": span.ends,
                "minutes": span.minutes,
            }
            for span in spans
        ]
        if rows:
            session.execute(insert(Span), rows)
        return changed


def _changes(present: DaySheet, spans: Sequence[TimedSpan]) -> list[CellChange]:
    before = Counter(span for span in present.spans if not present.is_kept(span))
    after = Counter(spans)
    tasks = {span.task_id for span in (before - after) + (after - before) if span.task_id is not None}
    minutes = Counter[int]()
    for span in spans:
        if span.task_id is not None:
            minutes[span.task_id] += span.minutes
    return [
        CellChange(task, present.day, minutes[task], value.memo, value.version)
        for task in sorted(tasks)
        for value in (present.entries.get(task, EMPTY),)
    ]
