"""Reading somebody's month."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from app.sdk import Identity, read_connection, users
from plugins.standard.access import Sheet, open_sheet
from plugins.standard.balance import Presence
from plugins.standard.closing_days import closed_days
from plugins.standard.models import Customer, Entry, Project, Task
from plugins.standard.month.calendar import Facts, MonthCalendar, build_calendar
from plugins.standard.months import Month
from plugins.standard.timesheet.service import Times


@dataclass(frozen=True, slots=True)
class ProjectHours:
    """What a month has on one project."""

    id: int
    name: str
    customer: str
    colour: str
    minutes: int


@dataclass(frozen=True, slots=True)
class MonthOfPerson:
    """Whose month it is, and what is in it."""

    sheet: Sheet
    presence: Presence
    calendar: MonthCalendar
    projects: tuple[ProjectHours, ...]
    """Those with most hours first."""
    closed_through: date | None

    @property
    def is_partial(self) -> bool:
        """Whether the reader sees some projects alone, so that nothing can be said of a balance."""
        return self.sheet.readable is not None


def read_month(reader: Identity, user_id: int | None, month: Month, times: Times, zone: ZoneInfo) -> MonthOfPerson:
    """The month of ``user_id`` as ``reader`` may see it; None is the reader's own.

    Three statements for one's own, one more for others', whatever the history.

    Raises:
        Refusal: ``person_unknown`` or ``sheet_not_yours``.
    """
    with read_connection() as connection:
        sheet = open_sheet(connection, reader, user_id)
        closed = closed_days(connection, sheet.user_id)
        # Whoever sees a part of the hours learns nothing of the rest, not even when it began.
        presence = Presence(None) if sheet.readable is not None else read_presence(connection, sheet.user_id, zone)
        minutes, projects = _hours(connection, sheet, month)
    facts = Facts(presence, closed.through, times.calendar, times.start, times.today)
    return MonthOfPerson(sheet, presence, build_calendar(month, minutes, facts), projects, closed.through)


def read_presence(connection: Connection, user_id: int, zone: ZoneInfo) -> Presence:
    """From when to when hours are expected of somebody; ``zone`` turns the end of an account into a day."""
    first = select(func.min(Entry.day)).where(Entry.user_id == user_id).scalar_subquery()
    row = connection.execute(select(first.label("first"), users.c.deleted_at).where(users.c.id == user_id)).one()
    return Presence(row.first, None if row.deleted_at is None else row.deleted_at.astimezone(zone).date())


def _hours(connection: Connection, sheet: Sheet, month: Month) -> tuple[Counter[date], tuple[ProjectHours, ...]]:
    """The minutes of each day, and of each project: one snapshot, so that both add up to the same."""
    query = (
        select(
            Entry.day,
            Project.id,
            Project.name,
            Project.colour,
            Customer.name.label("customer"),
            func.sum(Entry.minutes).label("minutes"),
        )
        .join(Task, Task.id == Entry.task_id)
        .join(Project, Task.project_id == Project.id)
        .join(Customer, Project.customer_id == Customer.id)
        .where(Entry.user_id == sheet.user_id, Entry.day.between(month.first, month.last))
        .group_by(Entry.day, Project.id, Project.name, Project.colour, Customer.name)
    )
    if sheet.readable is not None:
        query = query.where(Project.id.in_(sheet.readable))
    by_day, by_project = Counter[date](), Counter[int]()
    named: dict[int, tuple[str, str, str]] = {}
    for row in connection.execute(query):
        minutes = int(row.minutes)
        by_day[row.day] += minutes
        by_project[row.id] += minutes
        named[row.id] = (row.name, row.customer, row.colour)
    projects = (ProjectHours(project, *named[project], minutes) for project, minutes in by_project.items())
    return by_day, tuple(sorted(projects, key=lambda project: (-project.minutes, project.name.casefold(), project.id)))
