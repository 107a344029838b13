"""The hours of a large company in seconds: ``python -m benchmarks.seed_hours --people 1000 --years 5``.

It fills the installation that the settings name, which has to be set up and to have no work items; so take one that is
there for that. Everything is inserted by the database itself, with indexes and foreign keys out of the way, which are
made again in the same transaction. A person has four entries a day, of tasks that change every quarter; one day of a
hundred is missing. The same numbers always make the same hours, counted back from today: what is recorded in the last
weeks does not depend on how many years there are before.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Engine,
    Insert,
    Integer,
    MetaData,
    String,
    Table,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    text,
)

from app import clock, create_app
from app.auth.models import User
from app.database import WRITES
from app.extensions import db
from benchmarks.seeding import add_users, analyze
from plugins.standard.access import Role
from plugins.standard.models import Customer, Entry, Project, ProjectMember, Task
from plugins.standard.work_items.palette import colour_for

CUSTOMERS, PROJECTS, TASKS_OF_PROJECT = 20, 100, 5
GROUPS = 20
"""People and projects are in so many groups; somebody is a member of the projects of their own."""
ENTRIES_OF_DAY = 4
DAYS_OF_YEAR = 365.25
_QUARTER = 65  # working days
_MISSING_EVERY = 97
_SATURDAY = 5
_TABLE = Entry.__tablename__

_temporary = MetaData()
_days = Table("seed_days", _temporary, Column("n", Integer, primary_key=True), Column("day", Date))
_people = Table(
    "seed_people",
    _temporary,
    Column("n", Integer, primary_key=True),
    Column("user_id", Integer),
    Column("login", String(64)),
)
_tasks = Table("seed_tasks", _temporary, Column("n", Integer, primary_key=True), Column("task_id", Integer))
_slots = Table("seed_slots", _temporary, Column("n", Integer, primary_key=True))
for _table in _temporary.tables.values():
    _table._prefixes = ["TEMPORARY"]  # noqa: SLF001 - what the argument ``prefixes`` of each would set


@dataclass(frozen=True, slots=True)
class Seeded:
    """What has been made."""

    people: int
    entries: int
    first: date
    seconds: float


def seed(engine: Engine, days: int, until: date) -> Seeded:
    """Give every registered user hours on the working days of ``days`` days through ``until``.

    Raises:
        ValueError: there are work items already.
    """
    begun = time.perf_counter()
    first = until - timedelta(days=days - 1)
    with _seeding(engine) as connection:
        if connection.execute(select(exists(select(Customer.id)))).scalar_one():
            raise ValueError("there are work items already")
        people = _add_temporary(connection, first, until)
        with _without_indexes(connection):
            connection.execute(_insert(clock.now()))
        entries = connection.execute(select(func.count()).select_from(Entry)).scalar_one()
        _temporary.drop_all(connection)
    analyze(engine)
    return Seeded(people, entries, first, time.perf_counter() - begun)


@contextmanager
def _seeding(engine: Engine) -> Iterator[Connection]:
    """A write transaction on a connection of its own, which is closed afterwards with what is set on it."""
    with engine.connect() as connection:
        connection.execution_options(**{WRITES: True})
        connection.detach()
        is_sqlite = connection.dialect.name == "sqlite"
        raw = connection.connection.driver_connection
        if is_sqlite and raw is not None:
            raw.execute("PRAGMA foreign_keys = OFF")
            raw.execute("PRAGMA cache_size = -500000")  # kilobytes
            raw.execute("PRAGMA temp_store = MEMORY")
        with connection.begin():
            if not is_sqlite:
                connection.execute(text("SET LOCAL maintenance_work_mem = '500MB'"))
                connection.execute(text("SET LOCAL work_mem = '500MB'"))
            yield connection


def _add_temporary(connection: Connection, first: date, until: date) -> int:
    """Add work items and members, and the tables that entries are made of; returns how many people there are."""
    _temporary.create_all(connection)
    days = [until - timedelta(days=number) for number in range((until - first).days + 1)]
    worked = [day for day in days if day.weekday() < _SATURDAY]
    connection.execute(insert(_days), [{"n": number, "day": day} for number, day in enumerate(worked)])
    connection.execute(insert(_slots), [{"n": number} for number in range(ENTRIES_OF_DAY)])
    registered = select(User.id, User.login).where(User.deleted_at.is_(None)).order_by(User.id)
    found = connection.execute(registered).all()
    people = [{"n": number, "user_id": row.id, "login": row.login} for number, row in enumerate(found)]
    connection.execute(insert(_people), people)
    projects, tasks = _add_work_items(connection)
    connection.execute(insert(_tasks), [{"n": number, "task_id": task} for number, task in enumerate(tasks)])
    members = [
        {"project_id": project, "user_id": row.id, "role": Role.MEMBER.value}
        for number, row in enumerate(found)
        for project in projects[number % GROUPS :: GROUPS]
    ]
    connection.execute(insert(ProjectMember), members)
    return len(people)


def _add_work_items(connection: Connection) -> tuple[Sequence[int], Sequence[int]]:
    """Returns the ids of the projects, and those of all their tasks, in their order."""
    names = [f"Customer {number:02}" for number in range(CUSTOMERS)]
    connection.execute(insert(Customer), [{"code": name[-2:], "name": name, "active": True} for name in names])
    customers = connection.execute(select(Customer.id).order_by(Customer.id)).scalars().all()
    rows = [
        {
            "customer_id": customers[number % CUSTOMERS],
            "code": f"P-{number:03}",
            "name": f"Project {number:03}",
            "colour": colour_for(number),
            "active": True,
            "for_everybody": False,
        }
        for number in range(PROJECTS)
    ]
    connection.execute(insert(Project), rows)
    projects = connection.execute(select(Project.id).order_by(Project.id)).scalars().all()
    tasks = [
        {
            "project_id": project,
            "code": f"T-{number:03}-{task}",
            "name": f"Task {task} of project {number:03}",
            "active": True,
            "billable": task > 0,
        }
        for number, project in enumerate(projects)
        for task in range(TASKS_OF_PROJECT)
    ]
    connection.execute(insert(Task), tasks)
    return projects, connection.execute(select(Task.id).order_by(Task.id)).scalars().all()


def _insert(at: datetime) -> Insert:
    """The entries of everybody, day by day, as they come to be in life; the last day first is number 0."""
    n, day, slot = _people.c.n, _days.c.n, _slots.c.n
    quarter = day // _QUARTER
    project = n % GROUPS + GROUPS * ((quarter + slot) % (PROJECTS // GROUPS))
    task = project * TASKS_OF_PROJECT + (n + quarter + slot) % TASKS_OF_PROJECT
    memo = case(((n + day + slot) % 4 == 0, literal("Drawing 図面 ") + cast(day % 100, String)), else_=literal(""))
    version = int(at.timestamp() * 1_000_000)
    rows = (
        select(
            _people.c.user_id,
            _days.c.day,
            _tasks.c.task_id,
            60 + 15 * ((n + day + 3 * slot) % 9),
            memo,
            literal(version, Entry.__table__.c.version.type),
            literal(at, Entry.__table__.c.changed_at.type),
            _people.c.login,
        )
        .select_from(_days)
        .join(_people, (n * 31 + day * 17) % _MISSING_EVERY != 0)
        .join(_slots, literal(1) == literal(1))
        .join(_tasks, _tasks.c.n == task)
        .order_by(day.desc(), n)
    )
    columns = ["user_id", "day", "task_id", "minutes", "memo", "version", "changed_at", "changed_by"]
    return insert(Entry).from_select(columns, rows)


@contextmanager
def _without_indexes(connection: Connection) -> Iterator[None]:
    """Take the indexes of the entries away, and on PostgreSQL their constraints; and make the same again."""
    made = _on_sqlite(connection) if connection.dialect.name == "sqlite" else _on_postgresql(connection)
    for drop, _ in made:
        connection.exec_driver_sql(drop)
    yield
    for _, make in reversed(made):
        connection.exec_driver_sql(make)


def _on_sqlite(connection: Connection) -> list[tuple[str, str]]:
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    return [(f'DROP INDEX "{name}"', sql) for name, sql in connection.exec_driver_sql(query, (_TABLE,))]


def _on_postgresql(connection: Connection) -> list[tuple[str, str]]:
    constraints = connection.exec_driver_sql(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('f', 'u')",
        (_TABLE,),
    ).all()
    indexes = connection.exec_driver_sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND schemaname = current_schema()"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass)",
        (_TABLE, _TABLE),
    ).all()
    return [
        *(
            (f'ALTER TABLE {_TABLE} DROP CONSTRAINT "{name}"', f'ALTER TABLE {_TABLE} ADD CONSTRAINT "{name}" {made}')
            for name, made in constraints
        ),
        *((f'DROP INDEX "{name}"', made) for name, made in indexes),
    ]


def main() -> int:
    """Fill the installation that the settings name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed_hours", description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=1_000, help="how many users to add; a key with seats for them")
    parser.add_argument("--years", type=float, default=5.0, help="for how many years they have recorded hours")
    given = parser.parse_args()
    with create_app().app_context():
        with db.engine.connect() as connection:
            if not connection.execute(select(func.count()).select_from(User)).scalar_one():
                parser.error("set the installation up first: it has no system administrator")
            if connection.execute(select(exists(select(Customer.id)))).scalar_one():
                parser.error("there are work items already; take an installation of its own")
        add_users(db.engine, given.people, searchable=True)
        made = seed(db.engine, ceil(given.years * DAYS_OF_YEAR), clock.now().date())
    sys.stdout.write(
        f"{made.entries:,} entries of {made.people:,} people since {made.first}, in {made.seconds:.1f} s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
