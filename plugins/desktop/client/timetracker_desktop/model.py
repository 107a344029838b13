"""What the server says about one person: the answer of ``/api/v1/desktop/state``, read strictly into frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from timetracker_desktop import reading


@dataclass(frozen=True, slots=True)
class Person:
    """Who records hours here."""

    login: str
    name: str
    language: str
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        """The zone that days are counted in; UTC where this computer does not know it."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Installation:
    """The server, and until when this application may be used with it."""

    web_url: str
    maintenance_expires: date | None
    """The last day on which it may be used."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day with what is recorded and what is expected."""

    day: date
    minutes: int
    target_minutes: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Week:
    """The week of today."""

    start: date
    end: date
    minutes: int
    target_minutes: int
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer that runs."""

    task_id: int
    started_at: datetime
    memo: str
    start_id: str | None
    """The operation that started it; None where it was started on the web."""


@dataclass(frozen=True, slots=True)
class Task:
    """What hours can be recorded on."""

    id: int
    code: str
    name: str
    project: str
    customer: str
    colour: str
    recent: bool
    favourite: bool

    @property
    def place(self) -> str:
        """Code and project, as the second line of a list has it."""
        return " · ".join(part for part in (self.code, self.project) if part)


@dataclass(frozen=True, slots=True)
class Entry:
    """The hours of a task on a day; ``version`` is 0 where there are none."""

    task_id: int
    day: date
    minutes: int
    memo: str
    version: int

    @property
    def cell(self) -> tuple[int, date]:
        """Which entry it is."""
        return self.task_id, self.day


@dataclass(frozen=True, slots=True)
class State:
    """All of it."""

    person: Person
    installation: Installation
    today: date
    week: Week
    closed_through: date | None
    timer: Timer | None
    tasks: tuple[Task, ...]
    entries: tuple[Entry, ...]
    lacking: tuple[Day, ...]
    """Days before today that have less than expected and are not closed, oldest first."""

    def task(self, task_id: int) -> Task | None:
        """The task of that number, if the person has it."""
        return next((task for task in self.tasks if task.id == task_id), None)


def read_state(source: Mapping[str, Any]) -> State:
    """Read an answer of the server.

    Raises:
        reading.ReadingError: it is not what the protocol says.
    """
    person, installation = reading.part(source, "person"), reading.part(source, "installation")
    return State(
        person=Person(
            reading.text(person, "login"),
            reading.text_or(person, "name"),
            reading.text_or(person, "language"),
            reading.text_or(person, "time_zone", "UTC"),
        ),
        installation=Installation(
            reading.text_or(installation, "web_url"),
            reading.last_day_or_none(installation, "maintenance_expires"),
        ),
        today=reading.day(source, "today"),
        week=_read_week(reading.part(source, "week")),
        closed_through=reading.day_or_none(source, "closed_through"),
        timer=None if source.get("timer") is None else _read_timer(reading.part(source, "timer")),
        tasks=tuple(_read_task(task) for task in reading.parts(source, "tasks")),
        entries=tuple(read_entry(entry) for entry in reading.parts(reading.part(source, "week"), "entries")),
        lacking=tuple(_read_day(day) for day in reading.parts(source, "lacking")),
    )


def read_entry(source: Mapping[str, Any]) -> Entry:
    """Read one cell."""
    return Entry(
        reading.whole(source, "task_id"),
        reading.day(source, "day"),
        reading.whole(source, "minutes"),
        reading.text_or(source, "memo"),
        reading.whole(source, "version"),
    )


def _read_week(source: Mapping[str, Any]) -> Week:
    return Week(
        reading.day(source, "start"),
        reading.day(source, "end"),
        reading.whole(source, "minutes"),
        reading.whole(source, "target_minutes"),
        tuple(_read_day(day) for day in reading.parts(source, "days")),
    )


def _read_day(source: Mapping[str, Any]) -> Day:
    return Day(
        reading.day(source, "day"),
        reading.whole(source, "minutes"),
        reading.whole(source, "target_minutes"),
        reading.flag(source, "closed"),
    )


def _read_timer(source: Mapping[str, Any]) -> Timer:
    return Timer(
        reading.whole(source, "task_id"),
        reading.instant(source, "started_at"),
        reading.text_or(source, "memo"),
        reading.text_or(source, "start_id") or None,
    )


def _read_task(source: Mapping[str, Any]) -> Task:
    return Task(
        reading.whole(source, "id"),
        reading.text_or(source, "code"),
        reading.text(source, "name"),
        reading.text_or(source, "project"),
        reading.text_or(source, "customer"),
        reading.text_or(source, "colour"),
        reading.flag(source, "recent"),
        reading.flag(source, "favourite"),
    )
