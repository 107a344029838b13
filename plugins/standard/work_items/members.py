"""Who works on a project, and who looks after the hours of those who do; audited."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.sdk import (
    N_,
    AuditEvent,
    FoundUser,
    Reason,
    Refusal,
    find_users,
    fold,
    read_connection,
    record_audit,
    users,
)
from plugins.standard.access import Role
from plugins.standard.models import Project, ProjectMember
from plugins.standard.work_items.rules import UNKNOWN
from plugins.standard.work_items.service import work_item_transaction

FOUND = 20
"""How many people a search offers at once."""
PAGE_SIZE = 50

USER_UNKNOWN = Reason(
    "member_unknown",
    N_("There is no such user any more."),
    N_("Search again."),
    status=409,
)
ROLE_CHANGED = Reason(
    "member_changed_meanwhile",
    N_("Somebody else has changed the role of %(name)s meanwhile, so nothing was saved."),
    N_("Look at it again, and change it if it is still not right."),
    status=409,
)
ROLE_TITLES: Mapping[Role, str] = {
    Role.MEMBER: N_("Member"),
    Role.READER: N_("Reader"),
    Role.CORRECTOR: N_("Corrector"),
}
ROLE_MEANINGS: Mapping[Role, str] = {
    Role.MEMBER: N_("Records hours on the project."),
    Role.READER: N_("Records hours, and reads those of all others on the project."),
    Role.CORRECTOR: N_("Records hours, and reads and corrects those of all others on the project."),
}


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is named in a project."""

    user_id: int
    login: str
    name: str
    role: Role
    is_deleted: bool


def read_members(project_id: int) -> tuple[Member, ...]:
    """Everybody who is named in the project, by name; those who are deleted last."""
    query = (
        select(users.c.id, users.c.login, users.c.name, ProjectMember.role, users.c.deleted_at)
        .join(users, users.c.id == ProjectMember.user_id)
        .where(ProjectMember.project_id == project_id)
    )
    with read_connection() as connection:
        members = [
            Member(user_id, login, name, Role(role), deleted_at is not None)
            for user_id, login, name, role, deleted_at in connection.execute(query)
        ]
    return tuple(sorted(members, key=lambda member: (member.is_deleted, fold(member.name), member.login)))


def people_to_add(search: str, members: tuple[Member, ...]) -> tuple[FoundUser, ...]:
    """Registered users whom ``search`` finds and who are not named yet, the best matches first."""
    named = {member.user_id for member in members}
    found = find_users(search, limit=FOUND + len(named)) if search else ()
    return tuple(user for user in found if user.user_id not in named)[:FOUND]


def put(project_id: int, user_id: int, role: Role, *, seen: Role | None) -> FoundUser:
    """Name somebody, or give somebody who is named another role; returns who it is.

    Args:
        project_id: of the project.
        user_id: of a registered user.
        role: what they are to be.
        seen: what they were when whoever does it decided; None for nobody yet.

    Raises:
        Refusal: ``member_unknown``, ``member_changed_meanwhile`` or ``work_item_unknown``.
    """
    with work_item_transaction() as session:
        return put_in(session, project_id, user_id, role, seen=seen)


def put_in(session: Session, project_id: int, user_id: int, role: Role, *, seen: Role | None) -> FoundUser:
    """The same in a transaction of ``work_item_transaction``."""
    project = _project(session, project_id)
    person = _person(session, user_id)
    row = session.get(ProjectMember, (project_id, user_id))
    present = Role(row.role) if row is not None else None
    if present is role:
        return person
    if present is not seen:
        raise Refusal(ROLE_CHANGED, name=person.name)
    if row is None:
        session.add(ProjectMember(project_id=project_id, user_id=user_id, role=role.value))
    else:
        row.role = role.value
    _record(session, project, person, present, role)
    return person


def take_off(project_id: int, user_id: int) -> tuple[FoundUser, Role] | None:
    """Name somebody no more; returns who it was, and as what; None where they were not named any more.

    Raises:
        Refusal: ``work_item_unknown``.
    """
    with work_item_transaction() as session:
        project = _project(session, project_id)
        row = session.get(ProjectMember, (project_id, user_id))
        if row is None:
            return None
        role = Role(row.role)
        person = _named_person(session, user_id)
        of_row = (ProjectMember.project_id == project_id, ProjectMember.user_id == user_id)
        session.execute(delete(ProjectMember).where(*of_row))
        _record(session, project, person, role, None)
    return person, role


def _project(session: Session, project_id: int) -> Project:
    project = session.get(Project, project_id)
    if project is None:
        raise Refusal(UNKNOWN)
    return project


def _person(session: Session, user_id: int) -> FoundUser:
    query = select(users.c.id, users.c.login, users.c.name).where(users.c.id == user_id, users.c.deleted_at.is_(None))
    row = session.execute(query).one_or_none()
    if row is None:
        raise Refusal(USER_UNKNOWN)
    return FoundUser(*row)


def _named_person(session: Session, user_id: int) -> FoundUser:
    """The user, deleted or not; whoever is named has been one."""
    return FoundUser(
        *session.execute(select(users.c.id, users.c.login, users.c.name).where(users.c.id == user_id)).one()
    )


def _record(session: Session, project: Project, person: FoundUser, before: Role | None, after: Role | None) -> None:
    record_audit(
        session,
        AuditEvent(
            "work_item.members",
            target=project.name,
            before={person.login: before.value if before is not None else ""},
            after={person.login: after.value if after is not None else ""},
        ),
    )
