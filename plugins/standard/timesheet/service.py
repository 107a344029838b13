"""Reading and writing the sheet of a week."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    Subquery,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    tuple_,
    union,
)
from sqlalchemy.orm import Session

from app.sdk import N_, Identity, Reason, Refusal, read_connection, write_transaction
from plugins.standard.access import READ_ONLY, Sheet, may_record, open_sheet, recordable_tasks
from plugins.standard.closing_days import closed_days
from plugins.standard.entries import TASK_NOT_YOURS, Cell, CellChange, CellValue, Writer, save_cells_in
from plugins.standard.models import Customer, Entry, Favourite, Project, SheetRow, Task
from plugins.standard.timesheet.copying import CopyPlan, plan_copy
from plugins.standard.timesheet.grid import SheetRules, TaskOfSheet, WeekGrid, build_grid
from plugins.standard.week import ONE_WEEK, Week, WeekStart, week_of
from plugins.standard.workdays import WorkCalendar

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]

RECENT = timedelta(days=60)
"""For how long a task that hours were recorded on is offered as a recent one."""
SUGGESTIONS = 12
"""How many tasks the sheet itself offers to add."""
FOUND_AT_ONCE = 50
"""How many tasks a search shows; a longer list says so."""

ROW_HAS_HOURS = Reason(
    "row_has_hours",
    N_("There are hours in this row."),
    N_("Empty its cells first."),
    status=409,
)


@dataclass(frozen=True, slots=True)
class OfferedTask:
    """A task that can be added to the sheet."""

    id: int
    code: str
    name: str
    project: str
    customer: str
    colour: str
    is_favourite: bool
    is_recent: bool


@dataclass(frozen=True, slots=True)
class OfferedTasks:
    """Tasks to choose from."""

    tasks: tuple[OfferedTask, ...]
    end: "TaskPlace | None"
    """The place of the last one, where there are others after it."""

    @property
    def has_more(self) -> bool:
        """Whether there are more than are shown."""
        return self.end is not None


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """The place of a task among those that are offered; those of the same rank and day go by their names."""

    rank: int
    """0 of favourites, 1 of recent ones, 2 of others."""
    last_day: date
    """On which hours were recorded on it lately; the first of all days where there were none."""
    task_id: int


class Act(StrEnum):
    """What is done with a sheet besides saving what was typed, in the same transaction."""

    SAVE = "save"
    ADD = "add"
    ADD_FAVOURITES = "favourites"
    REMOVE = "remove"
    STAR = "star"
    UNSTAR = "unstar"
    COPY_ROWS = "rows"
    COPY_HOURS = "hours"
    SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Action:
    """One of them, and the task that it is about."""

    act: Act
    task_id: int = 0


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of it."""

    cells: int
    """How many are different now."""
    copied: CopyPlan | None = None


@dataclass(frozen=True, slots=True)
class SheetOfWeek:
    """Whose sheet it is, and what is in it."""

    sheet: Sheet
    grid: WeekGrid
    rules: SheetRules


@dataclass(frozen=True, slots=True)
class Times:
    """How weeks are cut and what is expected of them."""

    start: WeekStart
    calendar: WorkCalendar
    today: date


def read_sheet(reader: Identity, user_id: int | None, week: Week, times: Times) -> SheetOfWeek:
    """The sheet of ``user_id`` in one week as ``reader`` may see it; None is the reader's own.

    Two statements for one's own, one more for others', whatever the history.

    Raises:
        Refusal: ``person_unknown`` or ``sheet_not_yours``.
    """
    with read_connection() as connection:
        sheet = open_sheet(connection, reader, user_id)
        return _read(connection, sheet, week, times)


def rules_of(connection: Connection, sheet: Sheet) -> SheetRules:
    """What of ``sheet`` may be changed; the hours of the deleted stay as they are."""
    closed = closed_days(connection, sheet.user_id)
    is_read_only = sheet.is_deleted or (not sheet.is_own and not sheet.correctable)
    return SheetRules(closed.through, is_read_only, sheet.correctable)


def _read(connection: Connection, sheet: Sheet, week: Week, times: Times) -> SheetOfWeek:
    rules = rules_of(connection, sheet)
    tasks: dict[int, TaskOfSheet] = {}
    values: dict[Cell, CellValue] = {}
    for row in connection.execute(_rows_and_cells(sheet, week)):
        if row.id not in tasks:
            tasks[row.id] = task_of(row)
        if row.day is not None:
            values[row.id, row.day] = CellValue(row.minutes, row.memo, row.version, row.changed_by)
    grid = build_grid(week, tasks.values(), values, rules, times.calendar, today=times.today)
    return SheetOfWeek(sheet, grid, rules)


def task_columns(user_id: int) -> tuple[Any, ...]:
    """The columns of ``TaskOfSheet`` as ``user_id`` sees tasks."""
    starred = exists().where(Favourite.user_id == user_id, Favourite.task_id == Task.id)
    return (
        Task.id,
        Task.code,
        Task.name,
        Task.project_id,
        Project.name.label("project"),
        Project.colour,
        Customer.name.label("customer"),
        and_(Task.active, Project.active, Customer.active).label("is_active"),
        may_record(user_id).label("is_recordable"),
        starred.label("is_favourite"),
    )


def task_of(row: AnyRow) -> TaskOfSheet:
    """The task in a row that has ``task_columns``."""
    return TaskOfSheet(
        row.id,
        row.code,
        row.name,
        row.project_id,
        row.project,
        row.customer,
        row.colour,
        is_finished=not row.is_active,
        is_recordable=bool(row.is_recordable),
        is_favourite=bool(row.is_favourite),
    )


def _rows_and_cells(sheet: Sheet, week: Week) -> AnySelect:
    """The tasks that have hours in the week or were put on its sheet, each with its hours: one snapshot."""
    in_week = and_(Entry.user_id == sheet.user_id, Entry.day.between(week.first, week.last))
    put = select(SheetRow.task_id).where(SheetRow.user_id == sheet.user_id, SheetRow.thursday == week.thursday)
    wanted = union(select(Entry.task_id).where(in_week), put).subquery()
    query = (
        select(*task_columns(sheet.user_id), Entry.day, Entry.minutes, Entry.memo, Entry.version, Entry.changed_by)
        .select_from(wanted)
        .join(Task, Task.id == wanted.c.task_id)
        .join(Project, Task.project_id == Project.id)
        .join(Customer, Project.customer_id == Customer.id)
        .outerjoin(Entry, and_(Entry.task_id == Task.id, in_week))
    )
    return query if sheet.readable is None else query.where(Project.id.in_(sheet.readable))


def suggested_tasks(sheet: Sheet, present: Collection[int], today: date) -> tuple[OfferedTask, ...]:
    """A few tasks to add: favourites, then those that hours were recorded on lately, without those in ``present``.

    Where there are neither, as on a first day, others.
    """
    offered = offered_tasks(sheet, today, limit=SUGGESTIONS + len(present))
    absent = tuple(task for task in offered if task.id not in present)
    near = tuple(task for task in absent if task.is_favourite or task.is_recent)
    return (near or absent)[:SUGGESTIONS]


def offered_tasks(sheet: Sheet, today: date, *, limit: int) -> tuple[OfferedTask, ...]:
    """All tasks that hours may be recorded on, favourites and recent ones first, at most ``limit``."""
    with read_connection() as connection:
        return tuple(_offered_task(row) for row in connection.execute(_offered(sheet, today).limit(limit)))


def find_tasks(
    reader: Identity, user_id: int | None, words: str, today: date, *, after: TaskPlace | None = None
) -> tuple[Sheet, OfferedTasks]:
    """The tasks whose code, name, project or customer hold each of ``words``; favourites and recent ones first.

    Args:
        reader: whoever asks.
        user_id: on whose sheet they are offered; None for one's own.
        words: with space between them.
        today: the reader's.
        after: where those that were read before have ended.

    Raises:
        Refusal: ``person_unknown`` or ``sheet_not_yours``.
    """
    with read_connection() as connection:
        sheet = open_sheet(connection, reader, user_id)
        query = _offered(sheet, today, after)
        for word in words.split():
            columns = (Task.code, Task.name, Project.code, Project.name, Customer.name)
            query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
        rows = connection.execute(query.limit(FOUND_AT_ONCE + 1)).all()
    shown = rows[:FOUND_AT_ONCE]
    end = TaskPlace(shown[-1].rank, shown[-1].last_day, shown[-1].id) if len(rows) > len(shown) else None
    return sheet, OfferedTasks(tuple(_offered_task(row) for row in shown), end)


def _offered(sheet: Sheet, today: date, after: TaskPlace | None = None) -> AnySelect:
    user_id = sheet.user_id
    recent = (
        select(Entry.task_id, func.max(Entry.day).label("last_day"))
        .where(Entry.user_id == user_id, Entry.day >= today - RECENT)
        .group_by(Entry.task_id)
        .subquery()
    )
    starred = and_(Favourite.task_id == Task.id, Favourite.user_id == user_id)
    rank = case((Favourite.task_id.is_not(None), 0), (recent.c.last_day.is_not(None), 1), else_=2)
    last_day = func.coalesce(recent.c.last_day, date.min)  # the engines put what is NULL at different ends
    query = (
        select(
            rank.label("rank"),
            last_day.label("last_day"),
            Task.id,
            Task.code,
            Task.name,
            Project.name.label("project"),
            Customer.name.label("customer"),
            Project.colour,
            Favourite.task_id.is_not(None).label("is_favourite"),
            recent.c.last_day.is_not(None).label("is_recent"),
        )
        .join(Project, Task.project_id == Project.id)
        .join(Customer, Project.customer_id == Customer.id)
        .outerjoin(Favourite, starred)
        .outerjoin(recent, recent.c.task_id == Task.id)
        .where(may_record(user_id))
        .order_by(rank, last_day.desc(), *_NAMES, Task.id)
    )
    if after is not None:
        last = _names_of(after.task_id)
        is_later = tuple_(*_NAMES, Task.id) > tuple_(*last.c, literal(after.task_id))
        same_rank = or_(last_day < after.last_day, and_(last_day == after.last_day, is_later))
        query = query.join(last, true()).where(or_(rank > after.rank, and_(rank == after.rank, same_rank)))
    return query if sheet.correctable is None else query.where(Project.id.in_(sheet.correctable))


_NAMES = (Customer.name, Project.name, Task.code, Task.name)


def _names_of(task_id: int) -> Subquery:
    """By what one task is sorted among others that are worth the same."""
    names = [name.label(f"name_{number}") for number, name in enumerate(_NAMES)]
    query = select(*names).select_from(Task).join(Project, Task.project_id == Project.id)
    return query.join(Customer, Project.customer_id == Customer.id).where(Task.id == task_id).subquery()


def _offered_task(row: AnyRow) -> OfferedTask:
    return OfferedTask(
        row.id,
        row.code,
        row.name,
        row.project,
        row.customer,
        row.colour,
        is_favourite=bool(row.is_favourite),
        is_recent=bool(row.is_recent),
    )


# Writing ------------------------------------------------------------------------------------------------------------


def save_sheet(
    reader: Identity, user_id: int | None, week: Week, times: Times, changes: Collection[CellChange], action: Action
) -> Saved:
    """Save what was typed and do what was asked for with it, all of it or nothing.

    A row that is emptied stays on the sheet until it is removed.

    Raises:
        Refusal: ``person_unknown``, ``sheet_not_yours``, ``sheet_read_only``, ``task_not_recordable`` of the row to be
            added, ``row_has_hours``.
        CellsRefused: what ``save_cells`` refuses.
        CellsChangedMeanwhile: likewise.
    """
    with write_transaction() as session:
        connection = session.connection()
        sheet = open_sheet(connection, reader, user_id)
        _require_correctable(connection, sheet, {change.task_id for change in changes})
        writer = Writer(sheet.user_id, sheet.login, by=reader.login)
        saved = save_cells_in(session, writer, changes)  # locks the person's hours, also where there are no changes
        emptied = {change.task_id for change in changes if change.minutes == 0}
        kept = recordable_tasks(sheet.user_id).where(Task.id.in_(emptied))
        put_rows(session, sheet.user_id, week, session.execute(kept).scalars().all())
        copied = _act(session, sheet, week, times, action, writer)
    return Saved(saved + (len(copied.changes) if copied else 0), copied)


def _require_correctable(connection: Connection, sheet: Sheet, tasks: Collection[int]) -> None:
    """Refuse changes of hours that may only be read."""
    if sheet.is_own:
        return
    if sheet.is_deleted or not sheet.correctable:
        raise Refusal(READ_ONLY)
    query = select(Task.id).where(Task.id.in_(tasks), Task.project_id.in_(sheet.correctable))
    if set(connection.execute(query).scalars()) != set(tasks):
        raise Refusal(READ_ONLY)


def _act(session: Session, sheet: Sheet, week: Week, times: Times, action: Action, writer: Writer) -> CopyPlan | None:
    match action.act:
        case Act.ADD:
            _add_row(session, sheet, week, action.task_id)
        case Act.REMOVE:
            _remove_row(session, sheet, week, action.task_id)
        case Act.ADD_FAVOURITES if sheet.is_own:
            starred = select(Favourite.task_id).where(Favourite.user_id == sheet.user_id)
            recordable = recordable_tasks(sheet.user_id).where(Task.id.in_(starred))
            put_rows(session, sheet.user_id, week, session.execute(recordable).scalars().all())
        case Act.STAR | Act.UNSTAR if sheet.is_own:
            _star(session, sheet.user_id, action)
        case Act.COPY_ROWS | Act.COPY_HOURS if sheet.is_own:
            return _copy_last_week(session, sheet, week, times, writer, with_hours=action.act is Act.COPY_HOURS)
        case _:
            pass
    return None


def put_rows(session: Session, user_id: int, week: Week, tasks: Iterable[int]) -> None:
    """Put ``tasks`` on the sheet of a week; one that is there stays there. The person's hours are locked."""
    wanted = set(tasks)
    if not wanted:
        return
    there = select(SheetRow.task_id).where(SheetRow.user_id == user_id, SheetRow.thursday == week.thursday)
    missing = wanted - set(session.execute(there).scalars())
    if missing:
        rows = [{"user_id": user_id, "thursday": week.thursday, "task_id": task} for task in sorted(missing)]
        session.execute(insert(SheetRow), rows)


def _add_row(session: Session, sheet: Sheet, week: Week, task_id: int) -> None:
    _require_correctable(session.connection(), sheet, {task_id})
    offered = recordable_tasks(sheet.user_id).where(Task.id == task_id)
    if session.execute(offered).scalar_one_or_none() is None:
        raise Refusal(TASK_NOT_YOURS)
    put_rows(session, sheet.user_id, week, (task_id,))


def _remove_row(session: Session, sheet: Sheet, week: Week, task_id: int) -> None:
    _require_correctable(session.connection(), sheet, {task_id})
    hours = select(Entry.id).where(
        Entry.user_id == sheet.user_id, Entry.day.between(week.first, week.last), Entry.task_id == task_id
    )
    if session.execute(hours.limit(1)).scalar_one_or_none() is not None:
        raise Refusal(ROW_HAS_HOURS)
    session.execute(
        delete(SheetRow).where(
            SheetRow.user_id == sheet.user_id, SheetRow.thursday == week.thursday, SheetRow.task_id == task_id
        )
    )


def _star(session: Session, user_id: int, action: Action) -> None:
    """Make a task a favourite, or one no more. The person's hours are locked, so nobody else does it meanwhile."""
    of_task = and_(Favourite.user_id == user_id, Favourite.task_id == action.task_id)
    session.execute(delete(Favourite).where(of_task))
    if action.act is Act.STAR:
        if session.execute(select(Task.id).where(Task.id == action.task_id)).scalar_one_or_none() is None:
            raise Refusal(TASK_NOT_YOURS)
        session.execute(insert(Favourite).values(user_id=user_id, task_id=action.task_id))


def _copy_last_week(
    session: Session, sheet: Sheet, week: Week, times: Times, writer: Writer, *, with_hours: bool
) -> CopyPlan:
    if week.previous is None:  # the first week of the calendar
        return CopyPlan()
    connection = session.connection()
    before = week_of(week.first - ONE_WEEK, today=times.today, start=times.start)
    last = _read(connection, sheet, before, times).grid
    plan = plan_copy(last, _read(connection, sheet, week, times).grid, with_hours=with_hours)
    put_rows(session, sheet.user_id, week, [row.task.id for row in plan.rows])
    save_cells_in(session, writer, plan.changes)
    return plan
