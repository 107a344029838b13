"""What tests of several pages need of people, settings and statements."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert

from app.auth.models import UserPermission
from app.editions.setting_changes import change_settings, present_values
from app.extensions import db
from app.sdk import write_transaction
from plugins.standard.access import Role
from plugins.standard.models import ProjectMember
from plugins.standard.tests.company import Company
from tests.conftest import add_person, log_in

MANAGER = "k.hasegawa"


def grant(office: Company, user_id: int, permission: str) -> None:
    """Give somebody a permission without asking anybody."""
    with office.app.app_context(), write_transaction() as session:
        session.execute(insert(UserPermission).values(user_id=user_id, permission=permission))


def manager(office: Company, role: Role, *projects: str) -> FlaskClient:
    """A browser of somebody who looks after projects of the member."""
    user_id = add_person(office.app, MANAGER, name="Ken Hasegawa")
    grant(office, user_id, "standard.manager")
    with office.app.app_context(), write_transaction() as session:
        for project in projects:
            row = {"project_id": office.projects[project], "user_id": user_id, "role": role.value}
            session.execute(insert(ProjectMember).values(**row))
    client = office.app.test_client()
    log_in(client, MANAGER)
    return client


def set_option(office: Company, name: str, value: object) -> None:
    """Change a setting of the edition."""
    with office.app.app_context():
        seen = present_values("standard")
        change_settings("standard", {**seen, name: value}, seen=seen, actor="h.kitamura")


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    with app.app_context():
        engines = list(db.engines.values())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
