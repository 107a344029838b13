"""Which hours somebody sees: one rule for sheets, and for whatever adds hours up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select, update

from app.auth.identity import Identity
from app.sdk import Refusal, now, read_connection, write_transaction
from plugins.standard.access import NO_SUCH_PERSON, NOT_YOURS, Role, open_sheet, reads_others, visible_hours
from plugins.standard.entries import CellChange, Writer, save_cells
from plugins.standard.models import Entry, Project, ProjectMember, Task
from plugins.standard.permissions import EVERYBODY, MANAGER
from plugins.standard.tests.company import THURSDAY, Company
from tests.conftest import add_person

READER, COLLEAGUE = "k.hasegawa", "y.mori"


@pytest.fixture
def reader(company: Company) -> Identity:
    """Somebody with hours on ``drawing``, beside a colleague with hours on ``drawing`` and ``of others``."""
    with write_transaction() as session:
        session.execute(update(Project).values(for_everybody=True))
    reader_id, colleague_id = (add_person(company.app, login) for login in (READER, COLLEAGUE))
    for user_id, login, names in (
        (reader_id, READER, ("drawing",)),
        (colleague_id, COLLEAGUE, ("drawing", "of others")),
    ):
        changes = [CellChange(company.tasks[name], THURSDAY, 60, "", 0) for name in names]
        save_cells(Writer(user_id, login, by=login), changes)
    return Identity(reader_id, READER, "Ken Hasegawa", None, None, None, "auto", frozenset(), 0, now(), None, token="")


def with_permissions(reader: Identity, *permissions: str) -> Identity:
    return replace(reader, permissions=frozenset(permissions))


def look_after(company: Company, reader: Identity, role: Role, project: str) -> None:
    row = {"project_id": company.projects[project], "user_id": reader.user_id, "role": role.value}
    with write_transaction() as session:
        session.execute(insert(ProjectMember).values(**row))


def seen(company: Company, reader: Identity) -> set[tuple[bool, str]]:
    """Of the hours that the reader sees: whether they are the reader's, and on which task."""
    named = {task: name for name, task in company.tasks.items()}
    with read_connection() as connection:
        rows = connection.execute(select(Entry.user_id, Entry.task_id).where(visible_hours(reader)))
        return {(row.user_id == reader.user_id, named[row.task_id]) for row in rows}


def colleague(connection: Connection, reader: Identity) -> int:
    return connection.execute(select(Entry.user_id).where(Entry.user_id != reader.user_id).limit(1)).scalar_one()


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refusal) as refusal:
        yield
    assert refusal.value.code == code


OWN = {(True, "drawing")}
ALL = OWN | {(False, "drawing"), (False, "of others")}


def test_everybody_sees_their_own_hours_and_no_others(company: Company, reader: Identity) -> None:
    look_after(company, reader, Role.READER, "press")  # which takes the permission as well
    assert seen(company, reader) == OWN
    assert not reads_others(reader)


@pytest.mark.parametrize("role", [Role.READER, Role.CORRECTOR])
def test_a_manager_sees_the_hours_of_the_projects_they_look_after(
    company: Company, reader: Identity, role: Role
) -> None:
    manager = with_permissions(reader, MANAGER.name)
    assert seen(company, manager) == OWN
    look_after(company, manager, role, "others")
    assert seen(company, manager) == OWN | {(False, "of others")}
    assert reads_others(manager)


def test_a_manager_who_is_a_member_alone_sees_no_others(company: Company, reader: Identity) -> None:
    look_after(company, reader, Role.MEMBER, "others")
    assert seen(company, with_permissions(reader, MANAGER.name)) == OWN


@pytest.mark.parametrize("permission", [EVERYBODY.name, "system_administrator"])
def test_who_may_read_everybodys_hours_sees_all_there_are(company: Company, reader: Identity, permission: str) -> None:
    assert seen(company, with_permissions(reader, permission)) == ALL
    assert reads_others(with_permissions(reader, permission))


def test_everybodys_hours_are_read_and_not_corrected(company: Company, reader: Identity) -> None:
    look_after(company, reader, Role.CORRECTOR, "press")
    with read_connection() as connection:
        person = colleague(connection, reader)
        sheet = open_sheet(connection, with_permissions(reader, EVERYBODY.name), person)
        assert (sheet.readable, sheet.correctable) == (None, frozenset())
        both = open_sheet(connection, with_permissions(reader, EVERYBODY.name, MANAGER.name), person)
        assert (both.readable, both.correctable) == (None, {company.projects["press"]})
        with refused(NO_SUCH_PERSON.code):
            open_sheet(connection, with_permissions(reader, EVERYBODY.name), 999_999)


def test_a_sheet_shows_what_the_rule_says(company: Company, reader: Identity) -> None:
    """The projects of a sheet, and the condition on entries: what is said twice is the same."""
    look_after(company, reader, Role.READER, "others")
    for permissions in ((), (MANAGER.name,), (EVERYBODY.name,), (MANAGER.name, EVERYBODY.name)):
        holder = with_permissions(reader, *permissions)
        with read_connection() as connection:
            person = colleague(connection, reader)
            by_rule = select(Task.project_id).join(Entry).where(visible_hours(holder), Entry.user_id == person)
            projects = set(connection.execute(by_rule).scalars())
            if not projects:
                with refused(NOT_YOURS.code):
                    open_sheet(connection, holder, person)
                continue
            sheet = open_sheet(connection, holder, person)
            assert projects == (set(company.projects.values()) if sheet.readable is None else sheet.readable)


def test_an_administrator_reads_a_members_week_and_saves_nothing_in_it(
    office: Company, admin_client: FlaskClient
) -> None:
    with office.app.app_context():
        save_cells(office.writer, [CellChange(office.tasks["drawing"], THURSDAY, 95, "Gear", 0)])
    page = admin_client.get("/timesheet/", query_string={"week": "2026-W48", "person": office.writer.user_id}).text
    assert "You see all hours, and may not change them." in page
    assert "1:35" in page
    assert 'value="save"' not in page
