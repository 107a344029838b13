"""Starting, switching, changing, stopping and discarding the one timer that somebody has."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from flask import g
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from app.sdk import Identity, Refusal, now, read_connection, write_transaction
from plugins.standard.access import recordable_tasks
from plugins.standard.entries import (
    MEMO_LIMIT,
    MEMO_TOO_LONG,
    TASK_NOT_YOURS,
    Writer,
    save_cells_in,
)
from plugins.standard.models import Customer, Project, RunningTimer, Task
from plugins.standard.timer.recording import minutes_by_day, record_parts
from plugins.standard.timer.rules import (
    ENDS_BEFORE_START,
    LONGEST,
    RUNS_FOR_LONG,
    TIMER_GONE,
    TOO_LONG_AGO,
    Part,
    cut_into_days,
    elapsed_minutes,
    is_forgotten,
    whole_minute,
)
from plugins.standard.timesheet.grid import TaskOfSheet
from plugins.standard.timesheet.service import task_columns, task_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def mark_of(task_id: int, started_at: datetime) -> str:
    """The mark of a timer; see ``Running.mark``."""
    return f"{task_id}.{(started_at - _EPOCH) // _MICROSECOND}"


@dataclass(frozen=True, slots=True)
class Running:
    """A timer that runs."""

    task: TaskOfSheet
    memo: str
    started_at: datetime

    @property
    def mark(self) -> str:
        """Which timer it is, for the forms of pages that show it: another one as soon as task or start are others."""
        return mark_of(self.task.id, self.started_at)

    @property
    def version(self) -> str:
        """For programs: the mark, and another one as well when its memo is another one."""
        return f"{self.mark}.{crc32(self.memo.encode()):08x}"

    @property
    def minutes(self) -> int:
        """What it is worth at this request."""
        return elapsed_minutes(self.started_at, now())

    @property
    def seconds(self) -> int:
        """The same to the second, for the script that shows it going on."""
        return max(0, int((now() - self.started_at) // timedelta(seconds=1)))

    @property
    def is_forgotten(self) -> bool:
        """Whether it has been running for so long that somebody has to say when it ended."""
        return is_forgotten(self.started_at, now())


@dataclass(frozen=True, slots=True)
class Stopped:
    """A timer that was stopped, and what was recorded of it."""

    task: TaskOfSheet
    parts: tuple[Part, ...]

    @property
    def minutes(self) -> int:
        """All that was recorded; nothing of less than a minute."""
        return sum(part.minutes for part in self.parts)

    @property
    def days(self) -> dict[date, int]:
        """The minutes of each day."""
        return minutes_by_day(self.parts)


@dataclass(frozen=True, slots=True)
class Started:
    """What became of starting a timer."""

    task: TaskOfSheet
    stopped: Stopped | None
    """The one that ran on another task until then."""
    ran_already: bool
    """Whether it was running on this very task, and goes on."""


@dataclass(frozen=True, slots=True)
class Details:
    """What a running timer can be changed to."""

    task_id: int
    started_at: datetime
    memo: str


def running_timer(reader: Identity) -> Running | None:
    """The reader's timer at this request; one statement a request, however many parts of the page ask."""
    if "standard_running_timer" not in g:
        with read_connection() as connection:
            g.standard_running_timer = _running(connection, reader.user_id)
    running: Running | None = g.standard_running_timer
    return running


def _tasks(user_id: Any, *more: Any) -> Any:
    """Tasks as ``user_id`` sees them."""
    query = select(*task_columns(user_id), *more).select_from(Task)
    return query.join(Project, Task.project_id == Project.id).join(Customer, Project.customer_id == Customer.id)


_READER: Any = bindparam("reader")
_RUNNING = (
    _tasks(_READER, RunningTimer.memo, RunningTimer.started_at)
    .join(RunningTimer, RunningTimer.task_id == Task.id)
    .where(RunningTimer.user_id == _READER)
)
"""Made once: every page asks it."""


def _running(connection: Connection, user_id: int) -> Running | None:
    row = connection.execute(_RUNNING, {"reader": user_id}).one_or_none()
    return None if row is None else Running(task_of(row), row.memo, row.started_at)


# Writing ------------------------------------------------------------------------------------------------------------


def start_timer(reader: Identity, task_id: int, memo: str, zone: ZoneInfo, *, seen: str | None = None) -> Started:
    """Start the reader's timer on a task; one that runs on another task is stopped and recorded, in one transaction.

    Started once more on the task that it runs on, it goes on, with the memo where there is one.

    Args:
        reader: whose it is.
        task_id: what it is started on.
        memo: its memo.
        zone: the reader's.
        seen: ``Running.version`` of the one that whoever starts it has seen, empty where none ran; None where it is
            started whatever runs.

    Raises:
        Refusal: ``task_not_recordable``, ``memo_too_long``, ``timer_forgotten``; ``timer_gone`` where another one runs
            than the one that was seen.
        CellsRefused: what is recorded of the other one is refused; it goes on, and this one is not started.
    """
    require_memo_fits(memo)
    with write_transaction() as session:
        writer, running = locked_timer(session, reader)
        if seen is not None and seen != (running.version if running is not None else ""):
            raise Refusal(TIMER_GONE)
        if running is not None and running.task.id == task_id:
            if memo:
                session.execute(_of(update(RunningTimer), reader).values(memo=memo))
            return Started(running.task, None, ran_already=True)
        task = recordable_task(session, reader.user_id, task_id)
        stopped = None
        if running is not None:
            if running.is_forgotten:
                raise Refusal(RUNS_FOR_LONG)
            stopped = _stop(session, writer, running, cut_into_days(running.started_at, now(), zone))
        values = {"user_id": reader.user_id, "task_id": task_id, "memo": memo, "started_at": now()}
        session.execute(insert(RunningTimer).values(values))
        return Started(task, stopped, ran_already=False)


def stop_timer(reader: Identity, seen: str, zone: ZoneInfo, *, ended_at: datetime | None = None) -> Stopped:
    """Stop the reader's timer, and record what it is worth.

    Args:
        reader: whose it is.
        seen: ``Running.mark`` of the one that the page showed, or ``Running.version`` of that which a program has seen.
        zone: the reader's.
        ended_at: the minute at which it ended; None for now. It counts from the minute in which it was started then,
            since that is what whoever types it reads.

    Raises:
        Refusal: ``timer_gone``, ``timer_forgotten``, ``timer_ends_before_start``, ``timer_too_long_ago``.
        CellsRefused: what ``save_cells`` refuses, or ``timer_overlaps``; the timer goes on.
    """
    with write_transaction() as session:
        writer, running = _seen(session, reader, seen)
        if ended_at is None:
            if running.is_forgotten:
                raise Refusal(RUNS_FOR_LONG)
            return _stop(session, writer, running, cut_into_days(running.started_at, now(), zone))
        begin = whole_minute(running.started_at)
        if ended_at <= begin:
            raise Refusal(ENDS_BEFORE_START, field="time")
        if ended_at - begin > LONGEST:
            raise Refusal(TOO_LONG_AGO, field="day", days=LONGEST.days)
        return _stop(session, writer, running, cut_into_days(begin, ended_at, zone))


def change_timer(reader: Identity, seen: str, details: Details) -> None:
    """Change task, start or memo of the reader's timer, which goes on; nothing is recorded.

    Raises:
        Refusal: ``timer_gone``, ``memo_too_long``, or ``task_not_recordable`` of another task than the one it has.
    """
    require_memo_fits(details.memo)
    with write_transaction() as session:
        _, running = _seen(session, reader, seen)
        if details.task_id != running.task.id:
            recordable_task(session, reader.user_id, details.task_id)
        # The seconds stay where the minute does, so that saving a memo does not make it longer.
        is_same_start = details.started_at == whole_minute(running.started_at)
        values = {
            "task_id": details.task_id,
            "memo": details.memo,
            "started_at": running.started_at if is_same_start else details.started_at,
        }
        session.execute(_of(update(RunningTimer), reader).values(values))


def discard_timer(reader: Identity, seen: str) -> Running:
    """End the reader's timer and record nothing.

    Raises:
        Refusal: ``timer_gone``.
    """
    with write_transaction() as session:
        _, running = _seen(session, reader, seen)
        session.execute(_of(delete(RunningTimer), reader))
        return running


def locked_timer(session: Session, reader: Identity) -> tuple[Writer, Running | None]:
    """The person's hours, locked, and the timer."""
    writer = Writer(reader.user_id, reader.login, by=reader.login)
    save_cells_in(session, writer, ())
    return writer, _running(session.connection(), reader.user_id)


def _seen(session: Session, reader: Identity, seen: str) -> tuple[Writer, Running]:
    writer, running = locked_timer(session, reader)
    if running is None or seen not in (running.mark, running.version):
        raise Refusal(TIMER_GONE)
    return writer, running


def _of(statement: Any, reader: Identity) -> Any:
    return statement.where(RunningTimer.user_id == reader.user_id)


def require_memo_fits(memo: str) -> None:
    """Refuse a memo that no entry takes; raises Refusal ``memo_too_long``."""
    if len(memo) > MEMO_LIMIT:
        raise Refusal(MEMO_TOO_LONG, field="memo", length=len(memo), limit=MEMO_LIMIT)


def recordable_task(session: Session, user_id: int, task_id: int) -> TaskOfSheet:
    """The task, where ``user_id`` may record hours on it; raises Refusal ``task_not_recordable``."""
    query = _tasks(user_id).where(Task.id == task_id, Task.id.in_(recordable_tasks(user_id)))
    row: Row[*tuple[Any, ...]] | None = session.execute(query).one_or_none()
    if row is None:
        raise Refusal(TASK_NOT_YOURS, field="task")
    return task_of(row)


def _stop(session: Session, writer: Writer, running: Running, parts: tuple[Part, ...]) -> Stopped:
    """End the timer and record ``parts``; whatever is refused ends the whole transaction."""
    record_parts(session, writer, running.task.id, running.memo, parts)
    session.execute(delete(RunningTimer).where(RunningTimer.user_id == writer.user_id))
    return Stopped(running.task, parts)
