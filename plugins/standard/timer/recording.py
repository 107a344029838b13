"""Writing what was worked from one instant to another: times of day, and the minutes that they add up to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.sdk import Refusal
from plugins.standard.entries import EMPTY, Cell, CellChange, CellsRefused, Writer, present_cells, save_cells_in
from plugins.standard.models import Span
from plugins.standard.timer.rules import TIMES_TAKEN, Part, merged_memo


@dataclass(frozen=True, slots=True)
class Piece:
    """What was worked on a task without a break, cut into days."""

    task_id: int
    memo: str
    parts: tuple[Part, ...]


def record_parts(session: Session, writer: Writer, task_id: int, memo: str, parts: tuple[Part, ...]) -> None:
    """Add ``parts`` to what was recorded on the task, and ``memo`` to the memos of their days.

    Raises:
        CellsRefused: what ``save_cells`` refuses, or ``timer_overlaps``; the transaction has to end without a commit.
    """
    record_pieces(session, writer, (Piece(task_id, memo, parts),))


def record_pieces(session: Session, writer: Writer, pieces: Sequence[Piece]) -> None:
    """The same of several pieces, one after the other, with as many statements as for one of them.

    Raises:
        CellsRefused: where one of them is refused.
    """
    cells = {(piece.task_id, part.day) for piece in pieces for part in piece.parts}
    present = present_cells(session, writer.user_id, cells)
    changes: dict[Cell, CellChange] = {}
    for piece in pieces:
        for day, added in minutes_by_day(piece.parts).items():
            cell = piece.task_id, day
            value, before = present.get(cell, EMPTY), changes.get(cell)
            minutes, memo = (value.minutes, value.memo) if before is None else (before.minutes, before.memo)
            changes[cell] = CellChange(*cell, minutes + added, merged_memo(memo, piece.memo), value.version)
    save_cells_in(session, writer, tuple(changes.values()), keeps_spans=True)
    _require_times_free(session, writer.user_id, pieces)
    rows = [
        {
            "user_id": writer.user_id,
            "day": part.day,
            "task_id": piece.task_id,
            "starts": part.starts,
            "ends": part.ends,
            "minutes": part.minutes,
        }
        for piece in pieces
        for part in piece.parts
    ]
    if rows:
        session.execute(insert(Span), rows)


def minutes_by_day(parts: Iterable[Part]) -> dict[date, int]:
    """The minutes of each day."""
    minutes: dict[date, int] = {}
    for part in parts:
        minutes[part.day] = minutes.get(part.day, 0) + part.minutes
    return minutes


def _require_times_free(session: Session, user_id: int, pieces: Sequence[Piece]) -> None:
    """Refuse times that a day has already, breaks included: the day could not be saved any more."""
    days = {part.day for piece in pieces for part in piece.parts}
    query = select(Span.day, Span.starts, Span.ends).where(Span.user_id == user_id, Span.day.in_(days))
    taken = [(row.day, row.starts, row.ends) for row in session.execute(query.order_by(Span.starts))]
    refusals = {}
    for piece in pieces:
        for part in piece.parts:
            for day, starts, ends in taken:
                if day == part.day and starts < part.ends and part.starts < ends:
                    refusals[piece.task_id, day] = Refusal(TIMES_TAKEN, starts=_clock(starts), ends=_clock(ends))
        taken.extend((part.day, part.starts, part.ends) for part in piece.parts)
    if refusals:
        raise CellsRefused(refusals)


def _clock(minute: int) -> str:
    """A minute of the day as ``8:05``."""
    return f"{minute // 60}:{minute % 60:02}"
