"""Filling an empty installation with the company of the demo data: all of it in one transaction, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, exists, insert, or_, select, update
from sqlalchemy.orm import Session

from app.sdk import (
    N_,
    AuditEvent,
    NewUser,
    Reason,
    Refusal,
    actor_here,
    adding_users,
    now,
    put_setting,
    read_connection,
    record_audit,
    time_zone,
)
from plugins.standard.access import Role
from plugins.standard.closing_days import EVERYBODY
from plugins.standard.demo import company
from plugins.standard.demo.hours import TIMER_RUNS, PersonHours, closed_through, hours_of
from plugins.standard.entries import CellChange, Writer, save_cells_in
from plugins.standard.models import Closing, Customer, Entry, Favourite, RunningTimer, SheetRow, Span
from plugins.standard.settings import COUNTRY, work_calendar
from plugins.standard.week import week_of
from plugins.standard.work_items.members import put_in
from plugins.standard.work_items.rules import CustomerDetails, Kind, ProjectDetails, TaskDetails
from plugins.standard.work_items.service import add_in, lock_work_items, set_active_in

_CORRECTIONS, _CORRECTED_BY = 3, 15
NOT_EMPTY = Reason(
    "demo_not_empty",
    N_("This installation has work items already, and nothing is put among them."),
    N_("Take an empty installation for the demo data: another folder in TIMETRACKER_INSTANCE_PATH, or a new database."),
    status=409,
)


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids of what has been added: people by login, projects and tasks by code."""

    people: Mapping[str, int]
    projects: Mapping[str, int]
    tasks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Filled:
    """What has been made."""

    people: int
    """Who are registered now; one more has left."""
    customers: int
    projects: int
    tasks: int
    entries: int
    first: date
    closed_through: date
    country: str
    """Code of the country whose holidays are shown."""


def fill(password: str | None) -> Filled:
    """Fill the installation; ``password`` is that of everybody who is added.

    Raises:
        Refusal: ``demo_not_empty``, and what ``adding_users`` refuses.
    """
    with read_connection() as connection:
        _require_empty(connection)  # before passwords are hashed, which takes most of the time
    at, zone = now(), time_zone()
    country = COUNTRY.value() or company.COUNTRY
    calendar = replace(work_calendar("en"), country=country.upper())
    local = at.astimezone(zone)
    hours = [hours_of(person, calendar, local) for person in company.PEOPLE]
    through = closed_through(local.date())
    with adding_users([_new_user(each, zone) for each in hours], password=password) as (session, people):
        lock_work_items(session)
        _require_empty(session.connection())
        put_setting(session, COUNTRY, country)
        ids = _add_work_items(session, people)
        _add_roles(session, ids)
        entries = sum(_write_hours(session, each, ids, local.date()) for each in hours)
        _correct(session, ids, local.date())
        _finish(session, ids)
        _add_favourites(session, ids)
        _start_timer(session, ids, at)
        _close(session, through, at)
    return Filled(
        people=sum(each.last is None for each in hours),
        customers=len(company.CUSTOMERS),
        projects=len(ids.projects),
        tasks=len(ids.tasks),
        entries=entries,
        first=min(each.first for each in hours),
        closed_through=through,
        country=country,
    )


def _new_user(hours: PersonHours, zone: ZoneInfo) -> NewUser:
    person = hours.person
    joined = datetime.combine(hours.first, time(9), zone)
    left = None if hours.last is None else datetime.combine(hours.last, time(18), zone)
    return NewUser(person.login, person.name, person.email, person.permissions, joined_at=joined, left_at=left)


def _require_empty(connection: Connection) -> None:
    filled = select(or_(exists(select(Customer.id)), exists(select(Entry.id))))
    if connection.execute(filled).scalar_one():
        raise Refusal(NOT_EMPTY)


def _add_work_items(session: Session, people: Mapping[str, int]) -> Ids:
    projects: dict[str, int] = {}
    tasks: dict[str, int] = {}
    for customer in company.CUSTOMERS:
        customer_id = add_in(session, CustomerDetails(customer.code, customer.name))
        for project in customer.projects:
            details = ProjectDetails(customer_id, project.code, project.name, project.colour, project.for_everybody)
            projects[project.code] = add_in(session, details)
            for task in project.tasks:
                task_details = TaskDetails(task.code, task.name, task.billable)
                tasks[task.code] = add_in(session, task_details, parent_id=projects[project.code])
    return Ids(people, projects, tasks)


def _add_roles(session: Session, ids: Ids) -> None:
    for person in company.PEOPLE:
        for project, role in company.roles_of(person).items():
            put_in(session, ids.projects[project], ids.people[person.login], role, seen=None)


def _write_hours(session: Session, hours: PersonHours, ids: Ids, today: date) -> int:
    """Write entries, times and the rows of this week of one person; returns how many entries."""
    login, user_id = hours.person.login, ids.people[hours.person.login]
    changes = [
        CellChange(ids.tasks[entry.task], entry.day, entry.minutes, entry.memo, version=0) for entry in hours.entries
    ]
    written = save_cells_in(session, Writer(user_id, login, by=login), changes, keeps_spans=True)
    spans = [
        {
            "user_id": user_id,
            "day": span.day,
            "task_id": None if span.task is None else ids.tasks[span.task],
            "starts": span.starts,
            "ends": span.ends,
            "minutes": span.ends - span.starts,
        }
        for span in hours.spans
    ]
    if spans:
        session.execute(insert(Span), spans)
    if hours.rows:
        thursday = week_of(today, today=today).thursday
        rows = [{"user_id": user_id, "thursday": thursday, "task_id": ids.tasks[code]} for code in hours.rows]
        session.execute(insert(SheetRow), rows)
    return written


def _correct(session: Session, ids: Ids, today: date) -> None:
    """Let a manager have corrected somebody's last hours before today, in projects that name the manager corrector."""
    roles = next(company.roles_of(person) for person in company.PEOPLE if person.login == company.CORRECTOR)
    projects = {code for code, role in roles.items() if role is Role.CORRECTOR}
    correctable = [ids.tasks[code] for code, project in company.PROJECT_OF.items() if project.code in projects]
    user_id = ids.people[company.CORRECTED]
    query = (
        select(Entry.task_id, Entry.day, Entry.minutes, Entry.memo, Entry.version)
        .where(Entry.user_id == user_id, Entry.day < today, Entry.task_id.in_(correctable))
        .order_by(Entry.day.desc(), Entry.task_id)
        .limit(_CORRECTIONS)
    )
    changes = [
        CellChange(row.task_id, row.day, row.minutes + _CORRECTED_BY, row.memo, row.version)
        for row in session.execute(query)
    ]
    save_cells_in(session, Writer(user_id, company.CORRECTED, by=company.CORRECTOR), changes)


def _finish(session: Session, ids: Ids) -> None:
    for project in company.PROJECTS:
        for task in project.tasks:
            if not task.active:
                set_active_in(session, Kind.TASK, ids.tasks[task.code], active=False)
        if not project.active:
            set_active_in(session, Kind.PROJECT, ids.projects[project.code], active=False)


def _add_favourites(session: Session, ids: Ids) -> None:
    rows: Sequence[Mapping[str, int]] = [
        {"user_id": ids.people[person.login], "task_id": ids.tasks[code]}
        for person in company.PEOPLE
        for code in person.favourites
    ]
    session.execute(insert(Favourite), rows)


def _start_timer(session: Session, ids: Ids, at: datetime) -> None:
    session.add(
        RunningTimer(
            user_id=ids.people[company.WITH_TIMER],
            task_id=ids.tasks[company.TIMED],
            memo=company.TIMER_MEMO,
            started_at=at - timedelta(minutes=TIMER_RUNS),
        )
    )


def _close(session: Session, through: date, at: datetime) -> None:
    by = actor_here()
    everybody = update(Closing).where(Closing.scope == EVERYBODY)
    session.execute(everybody.values(closed_through=through, changed_at=at, changed_by=by))
    after = {"closed_through": through.isoformat()}
    record_audit(session, AuditEvent("closing.close", target=EVERYBODY, before={"closed_through": ""}, after=after))
