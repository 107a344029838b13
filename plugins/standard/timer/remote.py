"""The timer as a device without a connection tells of it later: what was pressed when, in the transaction of its sync.

The server's timer may have gone on meanwhile, in the browser or on another device. What was pressed later counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.sdk import Identity, Refusal, now
from plugins.standard.models import RunningTimer
from plugins.standard.timer.recording import Piece, minutes_by_day, record_parts, record_pieces
from plugins.standard.timer.rules import (
    ENDS_BEFORE_START,
    IN_THE_FUTURE,
    LONGEST,
    TOO_LONG_AGO,
    cut_into_days,
)
from plugins.standard.timer.service import (
    Running,
    locked_timer,
    mark_of,
    recordable_task,
    require_memo_fits,
)

CLOCKS_DIFFER = timedelta(minutes=2)
"""How far ahead of the server's clock a device's may be; what lies further ahead is refused."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What somebody says to have worked on a task."""

    task_id: int
    started_at: datetime
    memo: str


def start_at(session: Session, reader: Identity, work: Worked, zone: ZoneInfo) -> str | None:
    """Start the reader's timer at an instant that has passed, and stop one that ran on another task until then.

    Returns:
        The mark of the timer that runs because of it, which is the one that ran on this very task already. None where
        a timer runs that was started later: it goes on, and this one is recorded as it is stopped (``record_work``).

    Raises:
        Refusal: ``task_not_recordable``, ``memo_too_long``, ``timer_in_future``, ``timer_too_long_ago``.
        CellsRefused: what is recorded of the other one is refused.
    """
    started_at = _passed(work.started_at)
    require_memo_fits(work.memo)
    writer, running = locked_timer(session, reader)
    if running is not None and running.started_at > started_at:
        recordable_task(session, reader.user_id, work.task_id)
        return None
    if running is not None and running.task.id == work.task_id:
        return running.mark
    recordable_task(session, reader.user_id, work.task_id)
    if running is not None:
        parts = cut_into_days(running.started_at, started_at, zone)
        record_parts(session, writer, running.task.id, running.memo, parts)
        _end(session, reader)
    values = {"user_id": reader.user_id, "task_id": work.task_id, "memo": work.memo, "started_at": started_at}
    session.execute(insert(RunningTimer).values(values))
    return mark_of(work.task_id, started_at)


def stop_at(
    session: Session, reader: Identity, mark: str, stopped_at: datetime, zone: ZoneInfo, *, memo: str
) -> dict[date, int] | None:
    """Stop the timer ``mark`` at an instant that has passed.

    Args:
        session: of ``write_transaction``.
        reader: whose timer it is.
        mark: what ``start_at`` has returned.
        stopped_at: when.
        zone: the reader's.
        memo: what the device knows of it by now; empty leaves that of the timer.

    Returns:
        The minutes of each day that were recorded; None where that timer does not run any more.

    Raises:
        Refusal: as ``record_work``.
        CellsRefused: likewise.
    """
    _, running = locked_timer(session, reader)
    if running is None or running.mark != mark:
        return None
    work = Worked(running.task.id, running.started_at, memo or running.memo)
    _end(session, reader)
    return record_work(session, reader, work, stopped_at, zone)


def record_work(
    session: Session, reader: Identity, work: Worked, stopped_at: datetime, zone: ZoneInfo
) -> dict[date, int]:
    """Record work of which the server knew nothing while it went on; up to where a later timer was started.

    Returns:
        The minutes of each day.

    Raises:
        Refusal: ``memo_too_long``, ``timer_in_future``, ``timer_ends_before_start``, ``timer_too_long_ago``.
        CellsRefused: what ``save_cells`` refuses, or ``timer_overlaps``.
    """
    require_memo_fits(work.memo)
    started_at, ended_at = _passed(work.started_at), _passed(stopped_at)
    if ended_at < started_at:
        raise Refusal(ENDS_BEFORE_START)
    writer, running = locked_timer(session, reader)
    parts = cut_into_days(started_at, _until(running, started_at, ended_at), zone)
    record_parts(session, writer, work.task_id, work.memo, parts)
    return minutes_by_day(parts)


def record_all(
    session: Session, reader: Identity, works: Sequence[tuple[Worked, datetime]], zone: ZoneInfo
) -> list[tuple[str, dict[date, int]]] | None:
    """Record timers that were started and stopped one after the other, each with when it was stopped.

    It comes to the same as ``start_at`` and ``stop_at`` for each of them, with as many statements as for one.

    Returns:
        For each the mark that its timer had, and the minutes of each day; None where a timer runs on the server, which
        the first of them may stop.

    Raises:
        Refusal: as ``start_at`` and ``record_work``.
        CellsRefused: likewise.
    """
    writer, running = locked_timer(session, reader)
    if running is not None:
        return None
    for task_id in {work.task_id for work, _ in works}:
        recordable_task(session, reader.user_id, task_id)
    pieces, marks = [], []
    for work, stopped_at in works:
        require_memo_fits(work.memo)
        started_at, ended_at = _passed(work.started_at), _passed(stopped_at)
        if ended_at < started_at:
            raise Refusal(ENDS_BEFORE_START)
        pieces.append(Piece(work.task_id, work.memo, cut_into_days(started_at, ended_at, zone)))
        marks.append(mark_of(work.task_id, started_at))
    record_pieces(session, writer, pieces)
    return [(mark, minutes_by_day(piece.parts)) for mark, piece in zip(marks, pieces, strict=True)]


def _until(running: Running | None, started_at: datetime, ended_at: datetime) -> datetime:
    is_within = running is not None and started_at <= running.started_at < ended_at
    return running.started_at if running is not None and is_within else ended_at


def _end(session: Session, reader: Identity) -> None:
    session.execute(delete(RunningTimer).where(RunningTimer.user_id == reader.user_id))


def _passed(instant: datetime) -> datetime:
    """``instant``, or the present where clocks differ a little.

    Raises:
        Refusal: ``timer_in_future``, ``timer_too_long_ago``.
    """
    present = now()
    if instant > present + CLOCKS_DIFFER:
        raise Refusal(IN_THE_FUTURE)
    if present - instant > LONGEST:
        raise Refusal(TOO_LONG_AGO, days=LONGEST.days)
    return min(instant, present)
