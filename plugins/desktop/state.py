"""What a device is shown: the person, the day, the week, the timer, and until when the application works."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from app.sdk import (
    ApiModel,
    Identity,
    current_user,
    license_summary,
    locale_code,
    read_connection,
    time_zone,
    today,
    url_for,
)
from plugins.desktop.models import Operation
from plugins.standard.interface import (
    Running,
    TaskOut,
    WeekOut,
    own_lacking_days,
    own_tasks,
    own_week,
    running_timer,
)


class Person(ApiModel):
    """Whose device it is."""

    login: str
    name: str
    language: str
    """Of the texts in answers, such as ``en_GB`` or ``ja``."""
    time_zone: str


class Installation(ApiModel):
    """Where hours go, and until when the desktop application works."""

    web_url: str
    maintenance_expires: datetime | None
    """The first instant at which the desktop application works no more; null where no date ends it."""
    license_expires: datetime | None
    """The same of the web application."""


class LackingDay(ApiModel):
    """A day with less than expected."""

    day: date
    minutes: int
    target_minutes: int


class Timer(ApiModel):
    """The timer that runs on the server."""

    task_id: int
    started_at: datetime
    memo: str
    start_id: UUID | None
    """The operation of a device that has started it; null where it was started in the browser."""


class State(ApiModel):
    """All of it; the same as long as nothing happens, so that a device asks whether it has changed."""

    person: Person
    installation: Installation
    today: date
    week: WeekOut
    """The present week."""
    lacking: list[LackingDay]
    """Days of the last weeks that have less than expected and can be filled in, the oldest first."""
    closed_through: date | None
    timer: Timer | None
    tasks: list[TaskOut]
    """Those on which hours can be recorded."""


def read_state() -> State:
    """What the device of whoever asks is shown at this request."""
    user, sheet = current_user(), own_week()
    return State(
        person=Person(login=user.login, name=user.name, language=locale_code(), time_zone=str(time_zone())),
        installation=_installation(),
        today=today(),
        week=WeekOut.of(sheet.grid),
        lacking=_lacking(),
        closed_through=sheet.rules.closed_through,
        timer=_timer(user, running_timer(user)),
        tasks=[TaskOut.of(offered) for offered in own_tasks()],
    )


def _installation() -> Installation:
    summary = license_summary()
    return Installation(
        web_url=url_for("desktop.index", _external=True),
        maintenance_expires=summary.desktop.until,
        license_expires=summary.web.until,
    )


def _lacking() -> list[LackingDay]:
    days = reversed(own_lacking_days())
    return [LackingDay(day=day.date, minutes=day.minutes, target_minutes=day.expected) for day in days]


def _timer(user: Identity, running: Running | None) -> Timer | None:
    if running is None:
        return None
    query = select(Operation.operation_id).where(Operation.user_id == user.user_id, Operation.timer == running.mark)
    with read_connection() as connection:
        start_id = connection.execute(query.order_by(Operation.at.desc()).limit(1)).scalar_one_or_none()
    return Timer(task_id=running.task.id, started_at=running.started_at, memo=running.memo, start_id=start_id)
