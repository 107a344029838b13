"""Whose hours somebody may read or correct, and which tasks somebody may record hours on."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, or_, select, true

from app.sdk import N_, Identity, Reason, Refusal, users
from plugins.standard.models import Customer, Entry, Project, ProjectMember, Task
from plugins.standard.permissions import EVERYBODY, MANAGER

NOT_YOURS = Reason(
    "sheet_not_yours",
    N_("These hours are not yours to see."),
    N_("Ask an administrator to name you reader or corrector of the person's projects."),
    status=403,
)
READ_ONLY = Reason(
    "sheet_read_only",
    N_("You may read these hours and not change them."),
    N_("Ask an administrator to name you corrector of the project."),
    status=403,
)
NO_SUCH_PERSON = Reason(
    "person_unknown",
    N_("There is no such person."),
    N_("Choose somebody from the list."),
    status=404,
)


class Role(StrEnum):
    """What somebody is in a project."""

    MEMBER = "member"
    """Records hours on it."""
    READER = "reader"
    """Does, and reads the hours of all others on it."""
    CORRECTOR = "corrector"
    """Does, and corrects them too."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Somebody's hours, as one reader may see them."""

    user_id: int
    login: str
    name: str
    is_own: bool
    is_deleted: bool
    readable: frozenset[int] | None
    """Ids of the projects whose hours are shown; None shows all of them."""
    correctable: frozenset[int] | None
    """Ids of the projects whose hours may be changed; None allows all that the person may record on."""


def own_sheet(reader: Identity) -> Sheet:
    """One's own sheet, all of which may be seen; costs no statement."""
    return Sheet(
        reader.user_id,
        reader.login,
        reader.name,
        is_own=True,
        is_deleted=False,
        readable=None,
        correctable=None,
    )


def open_sheet(connection: Connection, reader: Identity, user_id: int | None) -> Sheet:
    """The sheet of ``user_id`` as ``reader`` may see it; None is the reader's own.

    Others' are seen by whoever may read the hours of everybody, and by whoever holds the permission Manager and is
    reader or corrector of projects; of those projects alone, and only a corrector of them changes anything.

    Raises:
        Refusal: ``person_unknown`` or ``sheet_not_yours``.
    """
    if user_id is None or user_id == reader.user_id:
        return own_sheet(reader)
    if not reads_others(reader):
        raise Refusal(NOT_YOURS)
    rows = connection.execute(
        select(users.c.login, users.c.name, users.c.deleted_at, ProjectMember.project_id, ProjectMember.role)
        .select_from(users)
        .outerjoin(ProjectMember, _looks_after(reader))
        .where(users.c.id == user_id)
    ).all()
    if not rows:
        raise Refusal(NO_SUCH_PERSON)
    person = rows[0]
    is_manager = reader.holds(MANAGER.name)
    roles = {row.project_id: Role(row.role) for row in rows if is_manager and row.project_id is not None}
    reads_all = reader.holds(EVERYBODY.name)
    if not roles and not reads_all:
        raise Refusal(NOT_YOURS)
    return Sheet(
        user_id,
        person.login,
        person.name,
        is_own=False,
        is_deleted=person.deleted_at is not None,
        readable=None if reads_all else frozenset(roles),
        correctable=frozenset(project for project, role in roles.items() if role is Role.CORRECTOR),
    )


def reads_others(reader: Identity) -> bool:
    """Whether there may be hours of others that ``reader`` sees; asks nothing of the database."""
    return reader.holds(EVERYBODY.name) or reader.holds(MANAGER.name)


def visible_hours(reader: Identity) -> ColumnElement[bool]:
    """The condition on ``Entry`` that ``reader`` may see it; the one rule for whatever adds hours up.

    Their own; those of everybody on the projects that they look after; with the permission for it, all there are.
    """
    if reader.holds(EVERYBODY.name):
        return true()
    own = Entry.user_id == reader.user_id
    if not reader.holds(MANAGER.name):
        return own
    return or_(own, Entry.task_id.in_(select(Task.id).where(Task.project_id.in_(projects_looked_after(reader)))))


def projects_looked_after(reader: Identity) -> Select[int]:
    """Ids of the projects that ``reader``, who holds Manager, is reader or corrector of."""
    return select(ProjectMember.project_id).where(_looks_after(reader))


def visible_tasks(reader: Identity) -> ColumnElement[bool]:
    """The condition on ``Task`` that ``reader`` may know of hours on it: what filters offer them.

    It holds for every task of the entries that ``visible_hours`` shows, and for those on which there could be some.
    """
    if reader.holds(EVERYBODY.name):
        return true()
    own = Task.id.in_(select(Entry.task_id).where(Entry.user_id == reader.user_id))
    if not reader.holds(MANAGER.name):
        return own
    return or_(own, Task.project_id.in_(select(ProjectMember.project_id).where(_looks_after(reader))))


def _looks_after(reader: Identity) -> ColumnElement[bool]:
    """The condition on ``ProjectMember`` that it makes ``reader`` look after the project, if they hold Manager."""
    return and_(ProjectMember.user_id == reader.user_id, ProjectMember.role.in_((Role.READER, Role.CORRECTOR)))


def may_record(user_id: int) -> ColumnElement[bool]:
    """The condition on ``Task``, ``Project`` and ``Customer``, joined, that ``user_id`` may record hours on the task.

    Nothing of it is finished, and the project is for everybody or names the person.
    """
    named = exists().where(ProjectMember.project_id == Project.id, ProjectMember.user_id == user_id)
    return and_(Task.active, Project.active, Customer.active, or_(Project.for_everybody, named))


def recordable_tasks(user_id: int) -> Select[int]:
    """Ids of the tasks on which ``user_id`` may record hours."""
    return (
        select(Task.id)
        .join(Project, Task.project_id == Project.id)
        .join(Customer, Project.customer_id == Customer.id)
        .where(may_record(user_id))
    )
