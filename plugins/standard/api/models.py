"""What programs send and are answered."""

from datetime import date as Date  # noqa: N812 - a field is called so
from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, Field

from app.sdk import PLAIN_NUMBER, ApiModel, Day, Id, PlainText
from plugins.standard.entries import MEMO_LIMIT, Cell, CellValue
from plugins.standard.models import MINUTES_OF_A_DAY
from plugins.standard.timer.service import Running
from plugins.standard.timesheet.grid import GridDay, WeekGrid
from plugins.standard.timesheet.service import OfferedTask, TaskPlace

PAGE = 100


class TaskOut(ApiModel):
    """A task that hours can be recorded on."""

    id: int
    code: str
    name: str
    project: str
    customer: str
    colour: str
    """Of its project, by name, such as ``blue``."""
    favourite: bool
    recent: bool

    @classmethod
    def of(cls, task: OfferedTask) -> Self:
        """The task as it is offered."""
        return cls(
            id=task.id,
            code=task.code,
            name=task.name,
            project=task.project,
            customer=task.customer,
            colour=task.colour,
            favourite=task.is_favourite,
            recent=task.is_recent,
        )


class TaskPage(ApiModel):
    """Tasks: favourites and recent ones first."""

    tasks: list[TaskOut]
    next_cursor: str | None
    """To be sent as ``cursor`` for those that follow; null at the end."""


def _names_a_place(cursor: str) -> str:
    if cursor:
        Date.fromisoformat(cursor.split(".")[1])
    return cursor


class TaskQuery(ApiModel):
    """Which tasks."""

    q: PlainText = Field("", max_length=200)
    """Words that code, name, project or customer hold."""
    cursor: Annotated[str, AfterValidator(_names_a_place)] = Field(
        "", pattern=r"^([0-2]\.[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,18})?$"
    )

    @property
    def after(self) -> TaskPlace | None:
        """Where the page before has ended."""
        if not self.cursor:
            return None
        rank, day, task_id = self.cursor.split(".")
        return TaskPlace(int(rank), Date.fromisoformat(day), int(task_id))


class EntryOut(ApiModel):
    """The minutes of one day on one task."""

    day: Date
    task_id: int
    minutes: int
    memo: str
    version: int
    """The ETag of this entry, between quotes."""

    @classmethod
    def of(cls, cell: Cell, value: CellValue) -> Self:
        """What is in a cell."""
        task_id, day = cell
        return cls(day=day, task_id=task_id, minutes=value.minutes, memo=value.memo, version=value.version)


class EntryPage(ApiModel):
    """Entries by day and task."""

    entries: list[EntryOut]
    next_cursor: str | None
    """To be sent as ``cursor`` for those that follow; null at the end."""


def _names_a_day(cursor: str) -> str:
    if cursor:
        Date.fromisoformat(cursor.partition(".")[0])
    return cursor


class EntryQuery(ApiModel):
    """Which entries."""

    from_: Day = Field(alias="from")
    to: Day
    cursor: Annotated[str, AfterValidator(_names_a_day)] = Field(
        "", pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,18})?$"
    )
    limit: Annotated[int, Field(ge=1, le=PAGE), PLAIN_NUMBER] = PAGE


class EntryPath(ApiModel):
    """Which entry."""

    day: Day
    task_id: Id


class EntryIn(ApiModel):
    """What an entry is to become."""

    minutes: int = Field(ge=1, le=MINUTES_OF_A_DAY)
    memo: PlainText = Field("", max_length=MEMO_LIMIT)


class TimerOut(ApiModel):
    """The timer that runs."""

    task_id: int
    started_at: datetime
    memo: str
    minutes: int
    version: str
    """Its ETag, between quotes."""

    @classmethod
    def of(cls, running: Running) -> Self:
        """The timer as it runs."""
        return cls(
            task_id=running.task.id,
            started_at=running.started_at,
            memo=running.memo,
            minutes=running.minutes,
            version=running.version,
        )


class TimerNow(ApiModel):
    """The timer, or null where none runs."""

    timer: TimerOut | None


class TimerIn(ApiModel):
    """What to start, or to switch to."""

    task_id: Id
    memo: PlainText = Field("", max_length=MEMO_LIMIT)


class StoppedDay(ApiModel):
    """What was recorded on one day."""

    day: Date
    minutes: int


class TimerStopped(ApiModel):
    """What was recorded of a timer that was stopped."""

    task_id: int
    minutes: int
    days: list[StoppedDay]


class WeekPath(ApiModel):
    """Which week: ``2026-W48``, or its Thursday."""

    week: str = Field(pattern=r"^(\d{4}-W\d{2}|\d{4}-\d{2}-\d{2})$", examples=["2026-W48"])


class DayOut(ApiModel):
    """A day of a week."""

    day: Date
    minutes: int
    target_minutes: int
    closed: bool
    holiday: str | None

    @classmethod
    def of(cls, day: GridDay) -> Self:
        """The day as the sheet has it."""
        return cls(
            day=day.date, minutes=day.minutes, target_minutes=day.expected, closed=day.is_closed, holiday=day.holiday
        )


class WeekOut(ApiModel):
    """A week with its days and entries."""

    week: str
    start: Date
    end: Date
    minutes: int
    target_minutes: int
    days: list[DayOut]
    entries: list[EntryOut]
    """By day and task."""

    @classmethod
    def of(cls, grid: WeekGrid) -> Self:
        """The week as the sheet has it."""
        return cls(
            week=grid.week.code,
            start=grid.week.first,
            end=grid.week.last,
            minutes=grid.minutes,
            target_minutes=grid.expected,
            days=[DayOut.of(day) for day in grid.days],
            entries=[EntryOut.of(cell.place, cell.value) for cell in grid.recorded],
        )


class ClosingOut(ApiModel):
    """Up to which day one's hours are closed."""

    closed_through: Date | None
