"""Reading a report: its table, its days, what its groups are called, and what can be asked for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, case, exists, func, literal, select

from app.sdk import Identity, find_users, fold, read_connection, users
from plugins.standard.access import reads_others, visible_hours, visible_tasks
from plugins.standard.models import Customer, Entry, Project, Task
from plugins.standard.permissions import EVERYBODY
from plugins.standard.reports.periods import Days
from plugins.standard.reports.query import Dimension, Filters, ReportQuery
from plugins.standard.reports.sql import by_day, conditions, grouped
from plugins.standard.week import WeekStart

GROUPS_OF_PAGE = 50
GROUPS_OF_PAGE_WITH_CHILDREN = 10
CHILDREN = 10
"""So many groups are shown within a group; the rest of it stands in one row."""
ENTRIES_OF_PAGE = 50
OFFERED = 500
"""So many choices a filter offers."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Minutes, and how many of them are billable."""

    minutes: int = 0
    billable: int = 0

    @property
    def not_billable(self) -> int:
        """The others."""
        return self.minutes - self.billable

    def __add__(self, other: "Amount") -> "Amount":
        """Both together."""
        return Amount(self.minutes + other.minutes, self.billable + other.billable)

    def __sub__(self, other: "Amount") -> "Amount":
        """What is left of it without the other."""
        return Amount(self.minutes - other.minutes, self.billable - other.billable)


@dataclass(frozen=True, slots=True)
class Name:
    """What a customer, project, task or person is called."""

    text: str
    detail: str = ""
    """What tells it from others of that name: its code, whose it is, the login."""
    colour: str = ""
    is_ended: bool = False
    """Whether it is finished, or of a person, whether they are deleted."""
    login: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A row of the table."""

    key: int
    amount: Amount
    children: tuple["Group", ...] = ()
    """The groups within it that are shown."""
    hidden: int = 0
    """How many groups within it are not."""

    @property
    def others(self) -> Amount:
        """What the groups within it that are not shown add up to."""
        return self.amount - sum((child.amount for child in self.children), Amount())


@dataclass(frozen=True, slots=True)
class Report:
    """A page of a report."""

    query: ReportQuery
    total: Amount
    groups: tuple[Group, ...]
    number: int
    """How many groups of the first level there are on all pages."""
    size: int
    """How many of them a page has."""
    names: Mapping[Dimension, Mapping[int, Name]]

    @property
    def elsewhere(self) -> Amount:
        """What the groups on other pages add up to."""
        return self.total - sum((group.amount for group in self.groups), Amount())

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.number // self.size))


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that a filter offers."""

    id: int
    name: str
    within: str = ""
    """What it belongs to."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer a reader: nothing on which they may not see hours."""

    customers: tuple[Choice, ...]
    projects: tuple[Choice, ...]
    tasks: tuple[Choice, ...]
    """Those of the project that is chosen."""
    people: tuple[tuple[str, str], ...]
    """Logins and names to choose from; others can be typed."""
    has_people: bool
    """Whether the reader sees hours of others at all."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry, with all that it is called."""

    day: date
    user_id: int
    login: str
    name: str
    is_deleted: bool
    customer: str
    project: str
    colour: str
    code: str
    task: str
    billable: bool
    minutes: int
    memo: str
    task_id: int


@dataclass(frozen=True, slots=True)
class Entries:
    """A page of single entries."""

    query: ReportQuery
    total: Amount
    number: int
    rows: tuple[EntryRow, ...]
    size: int = field(default=ENTRIES_OF_PAGE)

    @property
    def elsewhere(self) -> Amount:
        """What the entries on other pages add up to."""
        return self.total - Amount(
            sum(row.minutes for row in self.rows), sum(row.minutes for row in self.rows if row.billable)
        )

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.number // self.size))


def read_report(reader: Identity, query: ReportQuery, start: WeekStart) -> Report:
    """A page of what ``query`` asks for, of the hours that ``reader`` may see.

    A statement for the table, and one for the names of each level.
    """
    size = GROUPS_OF_PAGE if query.then is None else GROUPS_OF_PAGE_WITH_CHILDREN
    with read_connection() as connection:
        statement = grouped(reader, query, start, size=size, children=CHILDREN)
        rows = connection.execute(statement).mappings().all()
        groups = tuple(_groups(rows, has_children=query.then is not None))
        named: dict[Dimension, Mapping[int, Name]] = {}
        for level, dimension in zip(("first", "second"), query.dimensions, strict=False):
            named[dimension] = read_names(connection, dimension, {int(row[level]) for row in rows})
    if not rows:
        return Report(query, Amount(), (), 0, size, named)
    total = Amount(int(rows[0]["total_minutes"]), int(rows[0]["total_billable"]))
    return Report(query, total, groups, int(rows[0]["first_groups"]), size, named)


def _groups(rows: Iterable[RowMapping], *, has_children: bool) -> Iterable[Group]:
    by_first: dict[int, list[RowMapping]] = {}
    for row in rows:
        by_first.setdefault(int(row["first"]), []).append(row)
    for key, members in by_first.items():
        amount = Amount(int(members[0]["first_minutes"]), int(members[0]["first_billable"]))
        children = tuple(
            Group(int(row["second"]), Amount(int(row["minutes"]), int(row["billable"]))) for row in members
        )
        if has_children:
            yield Group(key, amount, children, int(members[0]["second_groups"]) - len(children))
        else:
            yield Group(key, amount)


def read_days(reader: Identity, query: ReportQuery) -> Mapping[date, Amount]:
    """Of each day with hours in the report, what they add up to."""
    with read_connection() as connection:
        rows = connection.execute(by_day(reader, query))
        return {row.day: Amount(int(row.minutes), int(row.billable)) for row in rows}


def read_names(connection: Connection, dimension: Dimension, ids: Collection[int]) -> Mapping[int, Name]:
    """What those customers, projects, tasks or people are called; nothing of parts of the time."""
    if not ids or dimension.unit is not None:
        return {}
    match dimension:
        case Dimension.CUSTOMER:
            query = _columns(Customer.id, Customer.name, Customer.code, literal(""), Customer.active)
        case Dimension.PROJECT:
            query = _columns(Project.id, Project.name, Customer.name, Project.colour, Project.active).join(Customer)
        case Dimension.TASK:
            query = _columns(Task.id, Task.name, Project.name, Project.colour, Task.active).join(Project)
        case _:
            query = _columns(users.c.id, users.c.name, users.c.login, literal(""), users.c.deleted_at.is_(None))
    rows = connection.execute(query.where(query.selected_columns.id.in_(ids)))
    is_person = dimension is Dimension.PERSON
    return {
        row.id: Name(row.name, row.detail, row.colour, not row.active, row.detail if is_person else "") for row in rows
    }


def _columns(key: Any, name: Any, detail: Any, colour: Any, active: Any) -> Select[Any]:
    return select(
        key.label("id"), name.label("name"), detail.label("detail"), colour.label("colour"), active.label("active")
    )


def read_entries(reader: Identity, query: ReportQuery) -> Entries:
    """A page of the single entries, in the order of days, tasks and people. Two statements."""
    with read_connection() as connection:
        where = conditions(reader, query)
        totals = select(
            func.count().label("number"),
            func.sum(Entry.minutes).label("minutes"),
            func.sum(case((Task.billable, Entry.minutes), else_=0)).label("billable"),
        )
        total = connection.execute(totals.select_from(Entry).join(Task, Task.id == Entry.task_id).where(*where)).one()
        page = entry_rows(where).limit(ENTRIES_OF_PAGE).offset((query.page - 1) * ENTRIES_OF_PAGE)
        rows = tuple(EntryRow(*row) for row in connection.execute(page))
    return Entries(query, Amount(int(total.minutes or 0), int(total.billable or 0)), total.number, rows)


def entry_rows(where: Collection[ColumnElement[bool]]) -> Select[Any]:
    """The entries that ``where`` holds for, with what everything is called: the fields of ``EntryRow``."""
    return (
        select(
            Entry.day,
            Entry.user_id,
            users.c.login,
            users.c.name,
            users.c.deleted_at.is_not(None),
            Customer.name,
            Project.name,
            Project.colour,
            Task.code,
            Task.name,
            Task.billable,
            Entry.minutes,
            Entry.memo,
            Entry.task_id,
        )
        .join(Task, Task.id == Entry.task_id)
        .join(Project, Project.id == Task.project_id)
        .join(Customer, Customer.id == Project.customer_id)
        .join(users, users.c.id == Entry.user_id)
        .where(*where)
        .order_by(Entry.day, Entry.task_id, Entry.user_id)
    )


def read_choices(reader: Identity, days: Days, filters: Filters) -> Choices:
    """What the filters offer; what is chosen already is among it, if the reader may see it. Four statements at most."""
    visible = visible_tasks(reader)
    of_project = select(Task.project_id).where(visible)
    projects = (
        select(Project.id, Project.name, Customer.name.label("within"))
        .join(Customer, Customer.id == Project.customer_id)
        .where(Project.id.in_(of_project))
        .order_by(_last_unless(Project.id, filters.project), Customer.name, Project.name, Project.id)
        .limit(OFFERED)
    )
    customers = (
        select(Customer.id, Customer.name, literal("").label("within"))
        .where(Customer.id.in_(select(Project.customer_id).where(Project.id.in_(of_project))))
        .order_by(_last_unless(Customer.id, filters.customer), Customer.name, Customer.id)
        .limit(OFFERED)
    )
    tasks = (
        select(Task.id, Task.name, literal("").label("within"))
        .where(Task.project_id == filters.project, visible)
        .order_by(_last_unless(Task.id, filters.task), Task.name, Task.id)
        .limit(OFFERED)
    )
    if filters.project is None:
        tasks = select(Task.id, Task.name, Project.name.label("within")).join(Project)
        tasks = tasks.where(Task.id == filters.task, visible)
    with read_connection() as connection:
        return Choices(
            customers=_read_choices(connection, customers),
            projects=_read_choices(connection, projects),
            tasks=_read_choices(connection, tasks),
            people=_people(connection, reader, days),
            has_people=reads_others(reader),
        )


def _read_choices(connection: Connection, query: Select[int, str, str]) -> tuple[Choice, ...]:
    """In their order; the one that is chosen comes first of its equals, where the limit might have cut it off."""
    choices = (Choice(row.id, row.name, row.within) for row in connection.execute(query))
    return tuple(sorted(choices, key=lambda choice: (choice.within, choice.name)))


def _last_unless(column: Any, chosen: int | None) -> ColumnElement[int]:
    return case((column == chosen, 0), else_=1)


def _people(connection: Connection, reader: Identity, days: Days) -> tuple[tuple[str, str], ...]:
    """Some whose hours the reader may see, to choose from; any other can be typed."""
    if not reads_others(reader):
        return ()
    if reader.holds(EVERYBODY.name):
        return tuple((user.login, user.name) for user in find_users("", limit=OFFERED))
    seen = select(Entry.user_id).where(visible_hours(reader), Entry.day.between(days.first, days.last)).distinct()
    query = select(users.c.login, users.c.name).where(users.c.id.in_(seen)).order_by(users.c.name).limit(OFFERED)
    return tuple((row.login, row.name) for row in connection.execute(query))


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """Whoever was typed into the filter."""

    id: int
    login: str


def find_person(reader: Identity, typed: str) -> FoundPerson | None:
    """The one person with that login or name whose hours ``reader`` may see; None where there is none."""
    if not typed.isprintable():
        return None  # nobody is called so, and PostgreSQL takes no NUL
    by_login = select(users.c.id, users.c.login).where(users.c.login_key == fold(typed))
    with read_connection() as connection:
        row = connection.execute(by_login).one_or_none()
        if row is not None:
            person = FoundPerson(row.id, row.login)
        else:
            found = find_users(typed, limit=2)
            if len(found) != 1:
                return None
            person = FoundPerson(found[0].user_id, found[0].login)
        if person.id == reader.user_id or reader.holds(EVERYBODY.name):
            return person
        is_seen = exists().where(Entry.user_id == person.id, visible_hours(reader))
        return person if connection.execute(select(is_seen)).scalar_one() else None
