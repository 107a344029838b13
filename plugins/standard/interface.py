"""What other editions may use of Standard: its tasks, hours and timer. Whatever else they need comes from ``app.sdk``.

A module that builds on Standard imports this file alone of it.
"""

from sqlalchemy.orm import Session

from app.sdk import current_user, time_zone, today
from plugins.standard.access import own_sheet
from plugins.standard.api.models import TaskOut, WeekOut
from plugins.standard.balance import DayHours
from plugins.standard.dashboard.service import read_lacking
from plugins.standard.entries import (
    EMPTY,
    CellChange,
    CellsChangedMeanwhile,
    CellsRefused,
    CellValue,
    Writer,
    present_cells,
    save_cells_in,
)
from plugins.standard.timer.remote import Worked, record_all, record_work, start_at, stop_at
from plugins.standard.timer.rules import merged_memo
from plugins.standard.timer.service import Running, running_timer
from plugins.standard.timesheet.asked import present_times
from plugins.standard.timesheet.service import OfferedTask, SheetOfWeek, offered_tasks, read_sheet
from plugins.standard.timesheet.typed import plain_memo
from plugins.standard.week import week_of

__all__ = [
    "EMPTY",
    "CellChange",
    "CellValue",
    "CellsChangedMeanwhile",
    "CellsRefused",
    "DayHours",
    "OfferedTask",
    "Running",
    "SheetOfWeek",
    "TaskOut",
    "WeekOut",
    "Worked",
    "Writer",
    "lock_hours",
    "merged_memo",
    "own_lacking_days",
    "own_tasks",
    "own_week",
    "plain_memo",
    "present_cells",
    "record_all",
    "record_work",
    "running_timer",
    "save_cells_in",
    "start_at",
    "stop_at",
]

MOST_TASKS = 1_000


def own_week() -> SheetOfWeek:
    """The present week of whoever asks: its hours, what is expected of its days, and which of them are closed."""
    times = present_times()
    week = week_of(times.today, today=times.today, start=times.start)
    return read_sheet(current_user(), None, week, times)


def own_tasks() -> tuple[OfferedTask, ...]:
    """The tasks on which whoever asks may record hours, favourites and recent ones first; at most ``MOST_TASKS``."""
    return offered_tasks(own_sheet(current_user()), today(), limit=MOST_TASKS)


def own_lacking_days() -> tuple[DayHours, ...]:
    """The days of the last four weeks on which whoever asks has less than expected, the latest first."""
    return read_lacking(current_user(), present_times(), time_zone())


def lock_hours(session: Session, writer: Writer) -> None:
    """Let nobody else write this person's hours or close days until the transaction ends."""
    save_cells_in(session, writer, ())
