"""Reading the list of people."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, union

from app.sdk import Identity, read_connection
from plugins.standard.access import Role, projects_looked_after, reads_others
from plugins.standard.models import Entry, Project, ProjectMember, Task
from plugins.standard.people.listing import ListedPerson, PeoplePage, Query, page_of
from plugins.standard.people_hours import Period, Seen, hours_of_people
from plugins.standard.permissions import EVERYBODY, MANAGER


@dataclass(frozen=True, slots=True)
class LookedAfter:
    """A project that the reader looks after."""

    id: int
    name: str
    may_correct: bool


@dataclass(frozen=True, slots=True)
class People:
    """The list as one reader may see it."""

    page: PeoplePage
    projects: tuple[LookedAfter, ...]
    """Those that the reader looks after, by name."""
    is_partial: bool
    """Whether only hours of those projects are seen, so that nothing can be said of a balance."""
    has_anybody: bool
    """Whether there is anybody at all, whatever is searched for."""


def read_people(reader: Identity, period: Period, query: Query, seen: Seen) -> People:
    """The people whose hours ``reader`` may read, nobody for most; in five statements however many there are."""
    if not reads_others(reader):
        return People(page_of((), query, is_partial=True), (), is_partial=True, has_anybody=False)
    is_partial = not reader.holds(EVERYBODY.name)
    with read_connection() as connection:
        projects = _looked_after(connection, reader) if reader.holds(MANAGER.name) else ()
        corrected = _with_part_in(connection, period, [each.id for each in projects if each.may_correct])
        people = hours_of_people(
            connection, period, Seen(seen.calendar, seen.today, seen.zone, reader if is_partial else None)
        )
    listed = [ListedPerson(each, each.user_id in corrected and not each.is_deleted) for each in people]
    return People(page_of(listed, query, is_partial=is_partial), projects, is_partial, has_anybody=bool(listed))


def _looked_after(connection: Connection, reader: Identity) -> tuple[LookedAfter, ...]:
    query = (
        select(Project.id, Project.name, ProjectMember.role)
        .join(ProjectMember, ProjectMember.project_id == Project.id)
        .where(ProjectMember.user_id == reader.user_id, Project.id.in_(projects_looked_after(reader)))
        .order_by(Project.name, Project.id)
    )
    return tuple(LookedAfter(row.id, row.name, row.role == Role.CORRECTOR) for row in connection.execute(query))


def _with_part_in(connection: Connection, period: Period, projects: list[int]) -> frozenset[int]:
    """Ids of those who are named in one of ``projects`` or have hours on it in the period."""
    if not projects:
        return frozenset()
    tasks = select(Task.id).where(Task.project_id.in_(projects))
    with_hours = select(Entry.user_id).where(Entry.day.between(period.first, period.last), Entry.task_id.in_(tasks))
    named = select(ProjectMember.user_id).where(ProjectMember.project_id.in_(projects))
    return frozenset(connection.execute(union(with_hours, named)).scalars())
