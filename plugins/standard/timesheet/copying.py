"""What of last week's sheet goes on this week's, and what is left out and why. Pure.

Nothing is overwritten, so that copying twice is the same as copying once. Memos are not copied: they say what was done
on one day.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from plugins.standard.duration import DAY
from plugins.standard.entries import CellChange
from plugins.standard.timesheet.grid import GridRow, WeekGrid
from plugins.standard.week import ONE_WEEK


@dataclass(slots=True)
class CopyPlan:
    """What is copied, and what is not."""

    rows: list[GridRow] = field(default_factory=list)
    """Last week's rows that this week does not have."""
    changes: list[CellChange] = field(default_factory=list)
    """Cells that are filled."""
    left_out_tasks: list[str] = field(default_factory=list)
    """Names of tasks on which no hours can be recorded any more."""
    on_closed_days: int = 0
    """How many cells were left out since their day is closed."""
    on_holidays: int = 0
    """How many were since their day is a public holiday this week."""
    on_full_days: int = 0
    """How many were since their day would have more than 24 hours."""
    already_filled: int = 0
    """How many cells of this week hold something already, which stays."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is copied."""
        return not self.rows and not self.changes


def plan_copy(last: WeekGrid, this: WeekGrid, *, with_hours: bool) -> CopyPlan:
    """Decide what goes from ``last`` on ``this``, the sheets of two weeks in a row of one person."""
    plan = CopyPlan()
    there = {row.task.id for row in this.rows}
    days = {day.date: day for day in this.days}
    totals = Counter({day.date: day.minutes for day in this.days})
    cells = this.cells
    for row in last.rows:
        if row.lock is not None:
            plan.left_out_tasks.append(row.task.name)
            continue
        if row.task.id not in there:
            plan.rows.append(row)
        for cell in row.cells if with_hours else ():
            if not cell.value.minutes:
                continue
            place = row.task.id, _a_week_later(cell.day)
            day = days[place[1]]
            if day.is_closed:
                plan.on_closed_days += 1
            elif place in cells and cells[place].value.minutes:
                plan.already_filled += 1
            elif day.holiday is not None:
                plan.on_holidays += 1
            elif totals[day.date] + cell.value.minutes > DAY:
                plan.on_full_days += 1
            else:
                totals[day.date] += cell.value.minutes
                plan.changes.append(CellChange(*place, cell.value.minutes, "", 0))
    return plan


def _a_week_later(day: date) -> date:
    return day + ONE_WEEK
