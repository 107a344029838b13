"""The hours of many people in a period, with what was expected of each: the list of people, and what closing leaves."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from app.sdk import Identity, users
from plugins.standard.access import projects_looked_after, visible_hours
from plugins.standard.balance import Hours, Presence, added_up, day_hours
from plugins.standard.closing_days import EVERYBODY
from plugins.standard.models import Closing, Entry, ProjectMember
from plugins.standard.timesheet.service import AnySelect
from plugins.standard.workdays import WorkCalendar

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` through ``last``."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        """Its days."""
        return (self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1))


@dataclass(frozen=True, slots=True)
class Seen:
    """From where the hours are looked at."""

    calendar: WorkCalendar
    today: date
    zone: ZoneInfo
    """Turns the end of an account into a day."""
    reader: Identity | None = None
    """Who looks after some projects, and sees their hours alone; None sees all, and only then it can be said what was
    expected."""


@dataclass(frozen=True, slots=True)
class PersonHours:
    """What one person has in the period."""

    user_id: int
    login: str
    name: str
    is_deleted: bool
    closed_through: date | None
    """The last day that is closed for the person; None where nothing is."""
    has_own_closing: bool
    """Whether that is a day of their own."""
    hours: Hours
    days: int
    """On how many days there are hours."""


def hours_of_people(
    connection: Connection, period: Period, seen: Seen, only: ColumnElement[bool] | None = None
) -> tuple[PersonHours, ...]:
    """The hours of everybody who belongs in the list, in three statements, in no order.

    Those are the registered users, and whoever has hours in the period. Of a reader who looks after some projects, they
    are the registered users that those name, and whoever has hours on them; not the reader, who sees all of their own.

    Args:
        connection: to read with.
        period: the days.
        seen: which hours, and as of when.
        only: a further condition on ``users``.
    """
    minutes = _minutes(connection, period, seen)
    query = select(Closing.closed_through).where(Closing.scope == EVERYBODY)
    everybody = connection.execute(query).scalar_one_or_none()
    expected = tuple((day, seen.calendar.expected(day)) for day in period)
    people = []
    for row in connection.execute(_people(period, seen, only)):
        own = minutes[row.id]
        ended = None if row.deleted_at is None else row.deleted_at.astimezone(seen.zone).date()
        presence = Presence(None if seen.reader is not None else row.first, ended)
        hours = added_up(
            day_hours(day, own.get(day, 0), minutes_of_day if presence.holds(day) else 0, today=seen.today)
            for day, minutes_of_day in expected
        )
        has_own = row.scope is not None
        closed = row.closed_through if has_own else everybody
        people.append(PersonHours(row.id, row.login, row.name, ended is not None, closed, has_own, hours, len(own)))
    return tuple(people)


def _minutes(connection: Connection, period: Period, seen: Seen) -> dict[int, dict[date, int]]:
    query = (
        select(Entry.user_id, Entry.day, func.sum(Entry.minutes).label("minutes"))
        .where(Entry.day.between(period.first, period.last))
        .group_by(Entry.user_id, Entry.day)
    )
    if seen.reader is not None:
        query = query.where(visible_hours(seen.reader))
    minutes: dict[int, dict[date, int]] = defaultdict(dict)
    for user_id, day, of_day in connection.execute(query):
        minutes[user_id][day] = int(of_day)
    return minutes


def _people(period: Period, seen: Seen, only: ColumnElement[bool] | None) -> AnySelect:
    first = select(func.min(Entry.day)).where(Entry.user_id == users.c.id).scalar_subquery()
    has_hours = exists().where(Entry.user_id == users.c.id, Entry.day.between(period.first, period.last))
    belongs: ColumnElement[bool] = users.c.deleted_at.is_(None)
    others: ColumnElement[bool] = true()
    if seen.reader is not None:
        has_hours = has_hours.where(visible_hours(seen.reader))
        looked_after = projects_looked_after(seen.reader)
        member = aliased(ProjectMember)
        named = exists().where(member.user_id == users.c.id, member.project_id.in_(looked_after))
        belongs = and_(belongs, named)
        others = users.c.id != seen.reader.user_id
    query = (
        select(users.c.id, users.c.login, users.c.name, users.c.deleted_at, first.label("first"))
        .add_columns(Closing.scope, Closing.closed_through)
        .select_from(users)
        .outerjoin(Closing, Closing.user_id == users.c.id)
        .where(or_(belongs, has_hours), others)
    )
    return query if only is None else query.where(only)
