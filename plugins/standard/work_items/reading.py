"""Customers, projects and tasks as they are: the outline, one of them with what is above and below it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Select, func, select

from app.sdk import Refusal, fold, read_connection, users
from plugins.standard.models import (
    Customer,
    Entry,
    Project,
    ProjectMember,
    RunningTimer,
    Task,
)
from plugins.standard.work_items import rules
from plugins.standard.work_items.outline import CustomerNode, ProjectNode, TaskNode, assemble
from plugins.standard.work_items.palette import colour_for
from plugins.standard.work_items.rules import (
    CustomerDetails,
    Details,
    Kind,
    ProjectDetails,
    TaskDetails,
)

Item = Customer | Project | Task
TABLES: Mapping[Kind, type[Item]] = MappingProxyType(
    {Kind.CUSTOMER: Customer, Kind.PROJECT: Project, Kind.TASK: Task},
)


@dataclass(frozen=True, slots=True)
class Place:
    """A customer or project that something belongs to."""

    id: int
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class ItemView:
    """A customer, project or task, with what stands above and below it."""

    kind: Kind
    id: int
    details: Details
    active: bool
    above: tuple[Place, ...]
    """Its customer, and of a task its project too, from the top."""
    active_projects: int
    """Below it; those of finished ones are not counted."""
    active_tasks: int
    """Below it, or itself."""
    projects: int
    tasks: int
    """Below it, finished ones included; of a task, itself."""
    minutes: int
    """All hours that are recorded on it, in minutes."""
    timers: int
    """How many timers run on it now."""
    members: int
    """How many registered users are named in it, where it is a project."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.details.name

    @property
    def is_recordable(self) -> bool:
        """Whether neither it nor anything above it is finished."""
        return self.active and all(place.active for place in self.above)


def read_outline() -> tuple[CustomerNode, ...]:
    """The whole tree, in four statements."""
    registered = (
        select(ProjectMember.project_id, func.count())
        .join(users, users.c.id == ProjectMember.user_id)
        .where(users.c.deleted_at.is_(None))
        .group_by(ProjectMember.project_id)
    )
    customers = select(Customer.id, Customer.code, Customer.name, Customer.active)
    projects = select(
        Project.id,
        Project.customer_id,
        Project.code,
        Project.name,
        Project.active,
        Project.colour,
        Project.for_everybody,
    )
    tasks = select(Task.id, Task.project_id, Task.code, Task.name, Task.active, Task.billable)
    with read_connection() as connection:
        members = {row[0]: row[1] for row in connection.execute(registered)}
        return assemble(
            [CustomerNode(*row) for row in connection.execute(customers)],
            [ProjectNode(*row, members=members.get(row.id, 0)) for row in connection.execute(projects)],
            [TaskNode(*row) for row in connection.execute(tasks)],
        )


def read_item(kind: Kind, item_id: int) -> ItemView:
    """One customer, project or task.

    Raises:
        Refusal: ``work_item_unknown``.
    """
    with read_connection() as connection:
        return view_of(connection, kind, item_id)


def place_of(kind: Kind, item_id: int) -> Place:
    """A customer or project by name.

    Raises:
        Refusal: ``work_item_unknown``.
    """
    table = TABLES[kind].__table__
    with read_connection() as connection:
        row = connection.execute(select(table.c.id, table.c.name, table.c.active).where(table.c.id == item_id))
        found = row.one_or_none()
    if found is None:
        raise Refusal(rules.UNKNOWN)
    return Place(*found)


def active_customers() -> tuple[Place, ...]:
    """The customers that projects can be added to, by name."""
    with read_connection() as connection:
        query = select(Customer.id, Customer.name, Customer.active).where(Customer.active)
        places = [Place(*row) for row in connection.execute(query)]
    return tuple(sorted(places, key=lambda place: (fold(place.name), place.id)))


def next_colour() -> str:
    """The colour that a new project is offered."""
    with read_connection() as connection:
        return colour_for(connection.execute(select(func.count()).select_from(Project)).scalar_one())


def view_of(connection: Connection, kind: Kind, item_id: int) -> ItemView:
    """The same as the transaction of ``connection`` sees it."""
    table = TABLES[kind].__table__
    row = connection.execute(select(table).where(table.c.id == item_id)).one_or_none()
    if row is None:
        raise Refusal(rules.UNKNOWN)
    below = select(Task.id, Task.active, Project.active.label("project_active"), Project.id.label("project_id"))
    below = below.select_from(Project).outerjoin(Task, Task.project_id == Project.id).where(_within(kind, item_id))
    rows = connection.execute(below).all()
    projects = {each.project_id: each.project_active for each in rows} if kind is not Kind.TASK else {}
    tasks = [each for each in rows if each.id is not None]
    members = select(func.count()).select_from(ProjectMember).join(users, users.c.id == ProjectMember.user_id)
    members = members.where(ProjectMember.project_id == item_id, users.c.deleted_at.is_(None))
    return ItemView(
        kind=kind,
        id=item_id,
        details=details_of(kind, row._asdict()),
        active=row.active,
        above=_above(connection, kind, row),
        active_projects=sum(projects.values()),
        active_tasks=sum(each.active and each.project_active for each in tasks),
        projects=len(projects),
        tasks=len(tasks),
        minutes=_minutes(connection, kind, item_id),
        timers=connection.execute(_count_on(RunningTimer, kind, item_id)).scalar_one(),
        members=connection.execute(members).scalar_one() if kind is Kind.PROJECT else 0,
    )


def _above(connection: Connection, kind: Kind, row: Any) -> tuple[Place, ...]:
    if kind is Kind.CUSTOMER:
        return ()
    if kind is Kind.PROJECT:
        customer = select(Customer.id, Customer.name, Customer.active).where(Customer.id == row.customer_id)
        return (Place(*connection.execute(customer).one()),)
    query = (
        select(Customer.id, Customer.name, Customer.active, Project.id, Project.name, Project.active)
        .join(Customer, Project.customer_id == Customer.id)
        .where(Project.id == row.project_id)
    )
    found = connection.execute(query).one()
    return Place(found[0], found[1], found[2]), Place(found[3], found[4], found[5])


def _within(kind: Kind, item_id: int) -> Any:
    """The condition on ``Project`` and ``Task`` of being the item or below it."""
    column = {Kind.CUSTOMER: Project.customer_id, Kind.PROJECT: Project.id, Kind.TASK: Task.id}[kind]
    return column == item_id


def task_ids(kind: Kind, item_id: int) -> Select[int]:
    """Selects the tasks below it, or itself."""
    return select(Task.id).join(Project, Task.project_id == Project.id).where(_within(kind, item_id))


def _minutes(connection: Connection, kind: Kind, item_id: int) -> int:
    query = select(func.coalesce(func.sum(Entry.minutes), 0)).where(Entry.task_id.in_(task_ids(kind, item_id)))
    return int(connection.execute(query).scalar_one())


def _count_on(table: type[RunningTimer], kind: Kind, item_id: int) -> Select[int]:
    return select(func.count()).select_from(table).where(table.task_id.in_(task_ids(kind, item_id)))


def details_of(kind: Kind, row: Mapping[str, Any]) -> Details:
    """The details in a row of the table of ``kind``."""
    if kind is Kind.CUSTOMER:
        return CustomerDetails(row["code"], row["name"])
    if kind is Kind.PROJECT:
        return ProjectDetails(row["customer_id"], row["code"], row["name"], row["colour"], row["for_everybody"])
    return TaskDetails(row["code"], row["name"], row["billable"])
