"""Imports work items from CSV, all or nothing, and exports them in the same columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.sdk import AuditEvent, fold, read_connection, record_audit, users
from plugins.standard.access import Role
from plugins.standard.models import Customer, Project, ProjectMember, Task
from plugins.standard.work_items.csv_file import COLUMNS, Table
from plugins.standard.work_items.import_plan import (
    EVERYBODY,
    NO,
    SAMPLE,
    YES,
    Known,
    Person,
    Plan,
    PlannedItem,
    logins_of,
    make_plan,
)
from plugins.standard.work_items.outline import CustomerNode, ProjectNode, TaskNode
from plugins.standard.work_items.reading import Item
from plugins.standard.work_items.rules import CustomerDetails, Kind, ProjectDetails, TaskDetails
from plugins.standard.work_items.service import (
    find_item,
    new_item,
    put_details,
    record_added,
    work_item_transaction,
)

_AT_ONCE = 1_000
"""How many logins one statement looks for; engines have their limits."""


class PlanChanged(Exception):  # noqa: N818 - not an error: what was shown is out of date
    """What the import would do now is not what was confirmed; nothing was written."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.digest)
        self.plan = plan


# Importing ------------------------------------------------------------------------------------------------------------


def plan_import(table: Table) -> Plan:
    """What importing ``table`` would do now; writes nothing."""
    with read_connection() as connection:
        return _plan(connection, table)


def import_table(table: Table, *, confirmed: str | None) -> Plan:
    """Import ``table`` as long as nothing is wrong with it; returns what was done.

    Args:
        table: the rows.
        confirmed: digest of the plan that was confirmed; None takes whatever there is to do.

    Raises:
        PlanChanged: there are errors, or it would do something else than was confirmed; nothing was written.
    """
    with work_item_transaction() as session:
        plan = _plan(session.connection(), table)
        if plan.errors or confirmed not in (None, plan.digest):
            raise PlanChanged(plan)
        if plan.items:
            _write(session, plan)
    return plan


def _plan(connection: Connection, table: Table) -> Plan:
    return make_plan(table.rows, _known(connection), _people(connection, logins_of(table.rows)))


def _known(connection: Connection) -> Iterator[Known]:
    members: dict[int, set[int]] = {}
    for project_id, user_id in connection.execute(select(ProjectMember.project_id, ProjectMember.user_id)):
        members.setdefault(project_id, set()).add(user_id)
    customers = select(Customer.id, Customer.active, Customer.code, Customer.name)
    for item_id, active, code, name in connection.execute(customers):
        yield Known(Kind.CUSTOMER, item_id, None, CustomerDetails(code, name), active)
    projects = select(
        Project.id,
        Project.active,
        Project.customer_id,
        Project.code,
        Project.name,
        Project.colour,
        Project.for_everybody,
    )
    for item_id, active, customer_id, code, name, colour, for_everybody in connection.execute(projects):
        details = ProjectDetails(customer_id, code, name, colour, for_everybody)
        yield Known(Kind.PROJECT, item_id, customer_id, details, active, frozenset(members.get(item_id, ())))
    tasks = select(Task.id, Task.active, Task.project_id, Task.code, Task.name, Task.billable)
    for item_id, active, project_id, code, name, billable in connection.execute(tasks):
        yield Known(Kind.TASK, item_id, project_id, TaskDetails(code, name, billable), active)


def _people(connection: Connection, logins: Iterable[str]) -> Mapping[str, Person]:
    """Registered users by the folded forms of their logins, as far as they are among ``logins`` in some spelling."""
    keys = sorted({fold(login) for login in logins})
    people: dict[str, Person] = {}
    for first in range(0, len(keys), _AT_ONCE):
        query = select(users.c.login_key, users.c.id, users.c.login).where(
            users.c.deleted_at.is_(None), users.c.login_key.in_(keys[first : first + _AT_ONCE])
        )
        people.update((key, Person(user_id, login)) for key, user_id, login in connection.execute(query))
    return people


def _write(session: Session, plan: Plan) -> None:
    ids: dict[int, int] = {}
    for kind in Kind:
        added = [(item, _new(item, ids)) for item in plan.added if item.kind is kind]
        session.add_all(row for _, row in added)
        session.flush()
        ids.update((item.key, row.id) for item, row in added)
        for item, row in added:
            record_added(session, _with_customer(item, row))
        for item in plan.changed:
            if item.kind is kind:
                _change(session, item)
    for item in plan.items:
        _name_members(session, item, ids)
    counts = {"rows": plan.rows, "added": len(plan.added), "changed": len(plan.changed)}
    record_audit(session, AuditEvent("work_item.import", after=counts))


def _new(item: PlannedItem, ids: Mapping[int, int]) -> Item:
    parent_id = item.parent_id
    if parent_id is None and item.parent_key is not None:
        parent_id = ids[item.parent_key]
    row = new_item(item.details, parent_id)
    if isinstance(row, Project) and parent_id is not None:
        row.customer_id = parent_id
    return row


def _with_customer(item: PlannedItem, row: Item) -> CustomerDetails | ProjectDetails | TaskDetails:
    if isinstance(item.details, ProjectDetails) and isinstance(row, Project):
        return ProjectDetails(row.customer_id, row.code, row.name, row.colour, row.for_everybody)
    return item.details


def _change(session: Session, item: PlannedItem) -> None:
    if item.id is not None and item.before is not None and item.before != item.details:
        put_details(session, find_item(session, item.kind, item.id), item.before, item.details)


def _name_members(session: Session, item: PlannedItem, ids: Mapping[int, int]) -> None:
    if not item.new_members:
        return
    project_id = item.id if item.id is not None else ids[item.key]
    for person in item.new_members:
        session.add(ProjectMember(project_id=project_id, user_id=person.id, role=Role.MEMBER.value))
    after = {person.login: Role.MEMBER.value for person in item.new_members}
    record_audit(session, AuditEvent("work_item.members", target=item.details.name, after=after))


# Exporting ------------------------------------------------------------------------------------------------------------


def export_rows(outline: Sequence[CustomerNode]) -> Iterator[Sequence[str]]:
    """The tree as rows of ``COLUMNS``; what has nothing below it has a row of its own."""
    return _rows(outline, _logins())  # read now: the rows are sent when the request is over


def _rows(outline: Sequence[CustomerNode], members: Mapping[int, Sequence[str]]) -> Iterator[Sequence[str]]:
    for customer in outline:
        if not customer.projects:
            yield _cells(customer, None, None, "")
        for project in customer.projects:
            named = " ".join((*((EVERYBODY,) if project.for_everybody else ()), *members.get(project.id, ())))
            for task in project.tasks or (None,):
                yield _cells(customer, project, task, named)


def sample_rows() -> Iterator[Sequence[str]]:
    """Some rows to begin with."""
    return ([row.get(column, "") for column in COLUMNS] for row in SAMPLE)


def _cells(customer: CustomerNode, project: ProjectNode | None, task: TaskNode | None, members: str) -> Sequence[str]:
    billable = "" if task is None else YES if task.billable else NO
    above = (customer.name, customer.code)
    middle = (project.name, project.code) if project is not None else ("", "")
    below = (task.name, task.code) if task is not None else ("", "")
    return *above, *middle, *below, billable, members


def _logins() -> Mapping[int, Sequence[str]]:
    query = (
        select(ProjectMember.project_id, users.c.login)
        .join(users, users.c.id == ProjectMember.user_id)
        .where(users.c.deleted_at.is_(None))
    )
    logins: dict[int, list[str]] = {}
    with read_connection() as connection:
        for project_id, login in connection.execute(query):
            logins.setdefault(project_id, []).append(login)
    return {project_id: sorted(named, key=fold) for project_id, named in logins.items()}
