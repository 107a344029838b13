"""Writing what was worked from one instant to another: times of day, and the minutes that they add up to."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.sdk import Refusal
from plugins.standard.entries import EMPTY, CellChange, CellsRefused, CellValue, Writer, save_cells_in
from plugins.standard.models import Entry, Span
from plugins.standard.timer.rules import TIMES_TAKEN, Part, merged_memo


def record_parts(session: Session, writer: Writer, task_id: int, memo: str, parts: tuple[Part, ...]) -> None:
    """Add ``parts`` to what was recorded on the task, and ``memo`` to the memos of their days.

    Raises:
        CellsRefused: what ``save_cells`` refuses, or ``timer_overlaps``; the transaction has to end without a commit.
    """
    minutes = minutes_by_day(parts)
    present = present_values(session, writer.user_id, task_id, minutes)
    changes = [
        CellChange(task_id, day, value.minutes + added, merged_memo(value.memo, memo), value.version)
        for day, added in minutes.items()
        for value in (present.get(day, EMPTY),)
    ]
    save_cells_in(session, writer, changes, keeps_spans=True)
    _require_times_free(session, writer.user_id, task_id, parts)
    rows = [
        {
            "user_id": writer.user_id,
            "day": part.day,
            "task_id": task_id,
            "starts": part.starts,
            "ends": part.ends,
            "minutes": part.minutes,
        }
        for part in parts
    ]
    if rows:
        session.execute(insert(Span), rows)


def minutes_by_day(parts: Iterable[Part]) -> dict[date, int]:
    """The minutes of each day."""
    minutes: dict[date, int] = {}
    for part in parts:
        minutes[part.day] = minutes.get(part.day, 0) + part.minutes
    return minutes


def present_values(session: Session, user_id: int, task_id: int, days: Collection[date]) -> dict[date, CellValue]:
    """What is in the cells of a task on these days; empty ones are left out."""
    query = select(Entry.day, Entry.minutes, Entry.memo, Entry.version)
    query = query.where(Entry.user_id == user_id, Entry.task_id == task_id, Entry.day.in_(days))
    return {row.day: CellValue(row.minutes, row.memo, row.version) for row in session.execute(query)}


def _require_times_free(session: Session, user_id: int, task_id: int, parts: Sequence[Part]) -> None:
    """Refuse times that a day has already, breaks included: the day could not be saved any more."""
    query = select(Span.day, Span.starts, Span.ends).where(Span.user_id == user_id)
    taken = session.execute(query.where(Span.day.in_({part.day for part in parts})).order_by(Span.starts)).all()
    refusals = {
        (task_id, part.day): Refusal(
            TIMES_TAKEN,
            starts=f"{span.starts // 60}:{span.starts % 60:02}",
            ends=f"{span.ends // 60}:{span.ends % 60:02}",
        )
        for part in parts
        for span in taken
        if span.day == part.day and span.starts < part.ends and part.starts < span.ends
    }
    if refusals:
        raise CellsRefused(refusals)
