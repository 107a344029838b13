"""The hours of many people in a period, with what was expected of each: the list of people, and what closing leaves."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import aliased

from app.sdk import Identity, users
from plugins.standard.access import projects_looked_after, visible_hours
from plugins.standard.balance import Expectation, Hours, Presence, Sums, added_up, day_hours
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
    """The hours of everybody who belongs in the list, in three statements, in no order; one more where some left.

    Those are the registered users, and whoever has hours in the period. Of a reader who looks after some projects, they
    are the registered users that those name, and whoever has hours on them; not the reader, who sees all of their own.

    Args:
        connection: to read with.
        period: the days.
        seen: which hours, and as of when.
        only: a further condition on ``users``.
    """
    expected = tuple((day, seen.calendar.expected(day)) for day in period)
    sums = _sums(connection, period, seen, expected)
    rows = connection.execute(_people(period, seen, only)).all()
    some_left = any(row.deleted_at is not None for row in rows)
    minutes = _minutes_of_deleted(connection, period, seen) if some_left else {}
    expectation = Expectation(expected, today=seen.today)
    query = select(Closing.closed_through).where(Closing.scope == EVERYBODY)
    everybody = connection.execute(query).scalar_one_or_none()
    people = []
    for row in rows:
        first = None if seen.reader is not None else row.first
        own = sums.get(row.id, Sums())
        if row.deleted_at is None:
            hours = expectation.hours(own, first)
        else:
            presence = Presence(first, row.deleted_at.astimezone(seen.zone).date())
            hours = added_up(
                day_hours(day, minutes[row.id].get(day, 0), of_day if presence.holds(day) else 0, today=seen.today)
                for day, of_day in expected
            )
        has_own = row.scope is not None
        closed = row.closed_through if has_own else everybody
        is_deleted = row.deleted_at is not None
        people.append(PersonHours(row.id, row.login, row.name, is_deleted, closed, has_own, hours, own.days))
    return tuple(people)


def _days_of_people(period: Period, seen: Seen) -> AnySelect:
    """The minutes of each person on each day."""
    query = (
        select(Entry.user_id, Entry.day, func.sum(Entry.minutes).label("minutes"))
        .where(Entry.day.between(period.first, period.last))
        .group_by(Entry.user_id, Entry.day)
    )
    return query if seen.reader is None else query.where(visible_hours(seen.reader))


def _sums(connection: Connection, period: Period, seen: Seen, expected: Iterable[tuple[date, int]]) -> dict[int, Sums]:
    """What each person has in the period, added up by the database: of ten thousand people it is a row each."""
    days = _days_of_people(period, seen).subquery("days")
    working = [day for day, minutes in expected if minutes and day < seen.today]
    query = select(
        days.c.user_id,
        func.sum(days.c.minutes).label("minutes"),
        func.count().label("days"),
        func.sum(case((days.c.day < seen.today, days.c.minutes), else_=0)).label("before"),
        func.sum(case((days.c.day.in_(working), 1), else_=0)).label("worked"),
        func.sum(case((days.c.day == seen.today, days.c.minutes), else_=0)).label("today"),
    ).group_by(days.c.user_id)
    return {
        row.user_id: Sums(int(row.minutes), row.days, int(row.before), int(row.worked), int(row.today))
        for row in connection.execute(query)
    }


def _minutes_of_deleted(connection: Connection, period: Period, seen: Seen) -> dict[int, dict[date, int]]:
    """The minutes of each day of those who left, who may even have hours of days after that."""
    minutes: dict[int, dict[date, int]] = defaultdict(dict)
    deleted = select(users.c.id).where(users.c.deleted_at.is_not(None))
    for user_id, day, of_day in connection.execute(_days_of_people(period, seen).where(Entry.user_id.in_(deleted))):
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
