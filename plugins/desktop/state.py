"""What a device is shown: the person, the day, the week, the timer, and until when the application works."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from app.sdk import Identity, current_user, license_summary, locale_code, read_connection, time_zone, today, url_for
from plugins.desktop.models import Operation
from plugins.standard.interface import OfferedTask, Running, SheetOfWeek, own_tasks, own_week, running_timer


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Person(_Part):
    """Whose device it is."""

    login: str
    name: str
    language: str
    """Of the texts in answers, such as ``en_GB`` or ``ja``."""
    time_zone: str


class Installation(_Part):
    """Where hours go, and until when the desktop application works."""

    web_url: str
    maintenance_expires: datetime | None
    """The first instant at which the desktop application works no more; null where no date ends it."""
    license_expires: datetime | None
    """The same of the web application."""


class Day(_Part):
    """A day of the week."""

    day: date
    minutes: int
    target_minutes: int
    closed: bool
    holiday: str | None


class Week(_Part):
    """The present week."""

    start: date
    end: date
    minutes: int
    target_minutes: int
    days: list[Day]


class Timer(_Part):
    """The timer that runs on the server."""

    task_id: int
    started_at: datetime
    memo: str
    start_id: UUID | None
    """The operation of a device that has started it; null where it was started in the browser."""


class Task(_Part):
    """A task on which hours can be recorded."""

    id: int
    code: str
    name: str
    project: str
    customer: str
    colour: str
    recent: bool
    favourite: bool


class Entry(_Part):
    """The hours of a task on a day of the present week."""

    task_id: int
    day: date
    minutes: int
    memo: str
    version: int


class State(_Part):
    """All of it; the same as long as nothing happens, so that a device asks whether it has changed."""

    person: Person
    installation: Installation
    today: date
    week: Week
    closed_through: date | None
    timer: Timer | None
    tasks: list[Task]
    entries: list[Entry]


def read_state() -> State:
    """What the device of whoever asks is shown at this request."""
    user, sheet, running = current_user(), own_week(), running_timer(current_user())
    return State(
        person=Person(login=user.login, name=user.name, language=locale_code(), time_zone=str(time_zone())),
        installation=_installation(),
        today=today(),
        week=_week(sheet),
        closed_through=sheet.rules.closed_through,
        timer=_timer(user, running),
        tasks=[_task(offered) for offered in own_tasks()],
        entries=_entries(sheet),
    )


def _installation() -> Installation:
    summary = license_summary()
    return Installation(
        web_url=url_for("desktop.index", _external=True),
        maintenance_expires=summary.desktop.until,
        license_expires=summary.web.until,
    )


def _week(sheet: SheetOfWeek) -> Week:
    grid = sheet.grid
    days = [
        Day(
            day=day.date,
            minutes=day.minutes,
            target_minutes=day.expected,
            closed=day.is_closed,
            holiday=day.holiday,
        )
        for day in grid.days
    ]
    expected = sum(day.expected for day in grid.days)
    return Week(start=grid.week.first, end=grid.week.last, minutes=grid.minutes, target_minutes=expected, days=days)


def _timer(user: Identity, running: Running | None) -> Timer | None:
    if running is None:
        return None
    query = select(Operation.operation_id).where(Operation.user_id == user.user_id, Operation.timer == running.mark)
    with read_connection() as connection:
        start_id = connection.execute(query.order_by(Operation.at.desc()).limit(1)).scalar_one_or_none()
    return Timer(task_id=running.task.id, started_at=running.started_at, memo=running.memo, start_id=start_id)


def _task(offered: OfferedTask) -> Task:
    return Task(
        id=offered.id,
        code=offered.code,
        name=offered.name,
        project=offered.project,
        customer=offered.customer,
        colour=offered.colour,
        recent=offered.is_recent,
        favourite=offered.is_favourite,
    )


def _entries(sheet: SheetOfWeek) -> list[Entry]:
    return [
        Entry(
            task_id=cell.task_id,
            day=cell.day,
            minutes=cell.value.minutes,
            memo=cell.value.memo,
            version=cell.value.version,
        )
        for row in sheet.grid.rows
        for cell in row.cells
        if cell.value.version
    ]
