"""The one way in for hours: whatever writes minutes, sheet, timer, import or sync, goes through ``save_cells``.

All of what is saved together is written, or nothing of it. What is refused is named cell by cell.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.sdk import N_, AuditEvent, Reason, Refusal, now, record_audit, users, write_transaction
from plugins.standard.access import recordable_tasks
from plugins.standard.closing_days import lock_closed_days
from plugins.standard.duration import DAY, DAY_TOO_LONG, show_duration
from plugins.standard.models import Customer, Entry, Project, Span, Task

Cell = tuple[int, date]
"""Whose place in a sheet it is: the id of the task, and the day."""
MEMO_LIMIT = 1000

DAY_CLOSED = Reason(
    "day_closed",
    N_("This day is closed."),
    N_("Ask an administrator to open it again."),
    status=409,
)
TASK_NOT_YOURS = Reason(
    "task_not_recordable",
    N_("No hours can be recorded on this task: it is finished, or you are no member of its project."),
    N_("Choose another task, or ask whoever manages the project."),
    status=409,
)
MEMO_TOO_LONG = Reason(
    "memo_too_long",
    N_("The memo has %(length)s characters, and %(limit)s is the most."),
    N_("Shorten it."),
)


@dataclass(frozen=True, slots=True)
class CellValue:
    """What is in a cell; ``version`` is 0 where it is empty."""

    minutes: int
    memo: str
    version: int
    changed_by: str = ""


EMPTY = CellValue(0, "", 0)


@dataclass(frozen=True, slots=True)
class CellChange:
    """What a cell is to become; no minutes empty it, memo and times of day included."""

    task_id: int
    day: date
    minutes: int
    memo: str
    version: int
    """The version that whoever changes it has seen; 0 for an empty cell."""

    @property
    def cell(self) -> Cell:
        """Its place in the sheet."""
        return self.task_id, self.day


class CellsChangedMeanwhile(Exception):  # noqa: N818 - not an error: what the page shows is out of date
    """Cells have changed since they were shown; nothing was written."""

    def __init__(self, present: Mapping[Cell, CellValue]) -> None:
        super().__init__(len(present))
        self.present = present
        """What is in those cells now."""


class CellsRefused(Exception):  # noqa: N818 - a refusal of several cells at once
    """Cells cannot become what was asked for; nothing was written."""

    def __init__(self, refusals: Mapping[Cell, Refusal]) -> None:
        super().__init__(", ".join(sorted({refusal.code for refusal in refusals.values()})))
        self.refusals = refusals


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes whose hours."""

    user_id: int
    """Of the person whose hours they are."""
    login: str
    """Login of that person."""
    by: str
    """Login of whoever writes them; another login than the person's makes it a correction, which is audited."""


def save_cells(writer: Writer, changes: Collection[CellChange]) -> int:
    """Write all of ``changes`` in a transaction of their own; returns how many cells are different now.

    Raises:
        CellsRefused: with ``day_closed``, ``task_not_recordable``, ``duration_over_a_day`` or ``memo_too_long``.
        CellsChangedMeanwhile: some have another version than the one that was seen.
    """
    with write_transaction() as session:
        return save_cells_in(session, writer, changes)


def save_cells_in(
    session: Session, writer: Writer, changes: Collection[CellChange], *, keeps_spans: bool = False
) -> int:
    """The same as a part of the transaction of ``session``.

    Args:
        session: of ``write_transaction``.
        writer: who writes whose hours.
        changes: at most one for each cell.
        keeps_spans: whoever writes the times of day as well says so; else those of a cell that changes are gone, since
            they would no longer add up to it.
    """
    closed = lock_closed_days(session, writer.user_id)
    _lock_person(session, writer.user_id)
    present = present_cells(session, writer.user_id, [change.cell for change in changes])
    different = [change for change in changes if _differs(change, present.get(change.cell, EMPTY))]
    refusals = {change.cell: Refusal(DAY_CLOSED) for change in different if closed.holds(change.day)}
    refusals |= _memo_refusals(different)
    refusals |= _task_refusals(session, writer.user_id, different)
    if refusals:
        raise CellsRefused(refusals)
    outdated = {
        change.cell: present.get(change.cell, EMPTY)
        for change in different
        if change.version != present.get(change.cell, EMPTY).version
    }
    if outdated:
        raise CellsChangedMeanwhile(outdated)
    _require_days_hold_it(session, writer.user_id, different, present)
    at = now()
    for change in different:
        if change.cell in present:
            _rewrite(session, writer, change, present[change.cell], at)
        if not keeps_spans:
            session.execute(delete(Span).where(_of(Span, writer.user_id, change)))
    _fill(session, writer, [change for change in different if change.cell not in present], at)
    if writer.by != writer.login and different:
        _audit_correction(session, writer, different, present)
    return len(different)


def _differs(change: CellChange, present: CellValue) -> bool:
    if change.minutes == 0:
        return present.version != 0
    return (change.minutes, change.memo) != (present.minutes, present.memo)


def _lock_person(session: Session, user_id: int) -> None:
    """Let nobody else write this person's hours until the transaction ends, so that days are added up one by one."""
    session.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))


def present_cells(session: Session, user_id: int, cells: Collection[Cell]) -> dict[Cell, CellValue]:
    """What is in ``cells``, and maybe in others of these tasks and days, as the transaction sees it; none is empty."""
    days, tasks = {day for _, day in cells}, {task_id for task_id, _ in cells}
    rows = session.execute(
        select(Entry.task_id, Entry.day, Entry.minutes, Entry.memo, Entry.version, Entry.changed_by).where(
            Entry.user_id == user_id, Entry.day.in_(days), Entry.task_id.in_(tasks)
        )
    )
    return {(row.task_id, row.day): CellValue(row.minutes, row.memo, row.version, row.changed_by) for row in rows}


def _memo_refusals(changes: Iterable[CellChange]) -> dict[Cell, Refusal]:
    return {
        change.cell: Refusal(MEMO_TOO_LONG, length=len(change.memo), limit=MEMO_LIMIT)
        for change in changes
        if len(change.memo) > MEMO_LIMIT
    }


def _task_refusals(session: Session, user_id: int, changes: Collection[CellChange]) -> dict[Cell, Refusal]:
    recordable = set(session.execute(recordable_tasks(user_id)).scalars())
    return {change.cell: Refusal(TASK_NOT_YOURS) for change in changes if change.task_id not in recordable}


def _require_days_hold_it(
    session: Session, user_id: int, changes: Collection[CellChange], present: Mapping[Cell, CellValue]
) -> None:
    days = {change.day for change in changes}
    query = select(Entry.day, func.sum(Entry.minutes)).where(Entry.user_id == user_id, Entry.day.in_(days))
    totals = Counter({day: int(minutes) for day, minutes in session.execute(query.group_by(Entry.day))})
    for change in changes:
        totals[change.day] += change.minutes - present.get(change.cell, EMPTY).minutes
    too_long = {day for day, minutes in totals.items() if minutes > DAY}
    refusals = {
        change.cell: Refusal(DAY_TOO_LONG) for change in changes if change.day in too_long and change.minutes > 0
    }
    if refusals:
        raise CellsRefused(refusals)


def _of(table: type[Entry] | type[Span], user_id: int, change: CellChange) -> ColumnElement[bool]:
    return and_(table.user_id == user_id, table.day == change.day, table.task_id == change.task_id)


def _rewrite(session: Session, writer: Writer, change: CellChange, present: CellValue, at: datetime) -> None:
    of_cell = _of(Entry, writer.user_id, change)
    if change.minutes == 0:
        session.execute(delete(Entry).where(of_cell))
        return
    version = max(present.version + 1, _version(at))
    session.execute(update(Entry).where(of_cell).values(version=version, **_values(writer, change, at)))


def _fill(session: Session, writer: Writer, changes: Collection[CellChange], at: datetime) -> None:
    """Write cells that are empty, all of them with one statement."""
    rows = [
        {
            "user_id": writer.user_id,
            "day": change.day,
            "task_id": change.task_id,
            "version": _version(at),
            **_values(writer, change, at),
        }
        for change in changes
    ]
    if rows:
        session.execute(insert(Entry), rows)


def _values(writer: Writer, change: CellChange, at: datetime) -> dict[str, object]:
    return {"minutes": change.minutes, "memo": change.memo, "changed_at": at, "changed_by": writer.by}


def _version(at: datetime) -> int:
    """A version that no earlier entry of the cell has had, also where it was emptied and filled again: microseconds."""
    return int(at.timestamp() * 1_000_000)


def _audit_correction(
    session: Session, writer: Writer, changes: Collection[CellChange], present: Mapping[Cell, CellValue]
) -> None:
    names = _names_of_tasks(session, {change.task_id for change in changes})
    cells = {change.cell: f"{change.day.isoformat()} {names[change.task_id]}" for change in changes}
    before = {cells[change.cell]: show_duration(present.get(change.cell, EMPTY).minutes) for change in changes}
    after = {cells[change.cell]: show_duration(change.minutes) for change in changes}
    record_audit(session, AuditEvent("sheet.correct", target=writer.login, before=before, after=after, actor=writer.by))


def _names_of_tasks(session: Session, task_ids: Collection[int]) -> dict[int, str]:
    """Each with those above it, which no two have alike."""
    query = select(Task.id, Customer.name, Project.name, Task.name).join(Project, Task.project_id == Project.id)
    query = query.join(Customer, Project.customer_id == Customer.id).where(Task.id.in_(task_ids))
    return {task_id: " / ".join(names) for task_id, *names in session.execute(query)}
