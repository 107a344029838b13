"""Reading entries page by page."""

from datetime import date

from sqlalchemy import select, tuple_

from app.sdk import Identity, read_connection
from plugins.standard.closing_days import closed_days
from plugins.standard.entries import Cell, CellValue
from plugins.standard.models import Entry


def entries_between(
    reader: Identity, first: date, last: date, after: Cell | None, limit: int
) -> tuple[list[tuple[Cell, CellValue]], bool]:
    """One's own entries by day and task, and whether there are more of them; one statement, whatever came before.

    Args:
        reader: whose they are.
        first: the first day.
        last: the last day.
        after: the place of the last entry that was read.
        limit: how many at most.
    """
    query = select(Entry.task_id, Entry.day, Entry.minutes, Entry.memo, Entry.version)
    query = query.where(Entry.user_id == reader.user_id, Entry.day.between(first, last))
    if after is not None:
        task_id, day = after
        query = query.where(Entry.day >= day, tuple_(Entry.day, Entry.task_id) > tuple_(day, task_id))
    with read_connection() as connection:
        rows = connection.execute(query.order_by(Entry.day, Entry.task_id).limit(limit + 1)).all()
    found = [((row.task_id, row.day), CellValue(row.minutes, row.memo, row.version)) for row in rows]
    return found[:limit], len(found) > limit


def entry_at(reader: Identity, cell: Cell) -> CellValue | None:
    """What is in one cell of one's own sheet; None where it is empty."""
    task_id, day = cell
    query = select(Entry.minutes, Entry.memo, Entry.version)
    query = query.where(Entry.user_id == reader.user_id, Entry.day == day, Entry.task_id == task_id)
    with read_connection() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else CellValue(row.minutes, row.memo, row.version)


def closed_through(reader: Identity) -> date | None:
    """The last closed day of one's own hours; None where nothing is closed."""
    with read_connection() as connection:
        return closed_days(connection, reader.user_id).through
