"""Adding, changing, finishing and deleting customers, projects and tasks, audited.

Whatever changes work items, or who works on them, happens one after another: rules span rows (a code is given once),
and what has no hours when it is looked at must have none when it is deleted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from app.sdk import AuditEvent, Refusal, fold, record_audit, write_transaction
from plugins.standard.closing_days import EVERYBODY
from plugins.standard.duration import show_duration
from plugins.standard.models import (
    Closing,
    Customer,
    Favourite,
    Project,
    ProjectMember,
    SheetRow,
    Span,
    Task,
)
from plugins.standard.work_items import rules
from plugins.standard.work_items.reading import TABLES, Item, ItemView, details_of, task_ids, view_of
from plugins.standard.work_items.rules import (
    CustomerDetails,
    Details,
    Kind,
    ProjectDetails,
    TaskDetails,
    check,
    differing,
    merged,
    values_of,
)


@contextmanager
def work_item_transaction() -> Iterator[Session]:
    """A write transaction in which nobody else changes work items or writes hours.

    On SQLite there is one writer anyway. On PostgreSQL it locks the row that whoever writes hours shares (see
    ``closing_days.lock_closed_days``), so hours wait for it, for some milliseconds.
    """
    with write_transaction() as session:
        lock_work_items(session)
        yield session


def lock_work_items(session: Session) -> None:
    """Make the write transaction of ``session`` one in which nobody else changes work items or writes hours."""
    session.execute(select(Closing.scope).where(Closing.scope == EVERYBODY).with_for_update())


def add(details: Details, *, parent_id: int | None = None) -> int:
    """Add a customer, a project, or a task of the project ``parent_id``; returns its id.

    Raises:
        Refusal: ``work_item_name_invalid``, ``…_code_invalid``, ``…_colour_invalid``, ``…_name_taken``,
            ``…_code_taken``, ``…_parent_finished`` or ``…_unknown``.
    """
    check(details)
    with work_item_transaction() as session:
        return add_in(session, details, parent_id=parent_id)


def add_in(session: Session, details: Details, *, parent_id: int | None = None) -> int:
    """The same in a transaction of ``work_item_transaction``; ``details`` are checked."""
    parent = _parent_of(details, parent_id)
    _require_open_parent(session, parent)
    _require_free(session, details, parent[1])
    item = new_item(details, parent_id)
    session.add(item)
    session.flush()
    record_added(session, details)
    return item.id


def record_added(session: Session, details: Details) -> None:
    """Keep in the audit log that something with these details was added."""
    record_audit(session, AuditEvent("work_item.add", target=details.name, after=_audited(session, details)))


def new_item(details: Details, parent_id: int | None) -> Item:
    """A row that is not in the database yet; ``parent_id`` is the project of a task."""
    if isinstance(details, CustomerDetails):
        return Customer(active=True, **values_of(details))
    if isinstance(details, ProjectDetails):
        return Project(active=True, **values_of(details))
    return Task(active=True, project_id=parent_id, **values_of(details))


def change(kind: Kind, item_id: int, wanted: Details, *, seen: Details) -> bool:
    """Change what is different between ``seen`` and ``wanted``; returns whether anything has changed.

    Two managers who change different things of one item both get what they want.

    Raises:
        ChangedMeanwhile: something is neither as it was seen nor as it is wanted.
        Refusal: as ``add``.
    """
    check(wanted)
    with work_item_transaction() as session:
        item = find_item(session, kind, item_id)
        present = _present(kind, item)
        chosen: Details = merged(seen, wanted, present)  # type: ignore[type-var]  # all three are of one kind
        return write_change(session, kind, item, chosen)


def write_change(session: Session, kind: Kind, item: Item, chosen: Details) -> bool:
    """Put ``chosen`` on ``item`` where it differs; returns whether it does."""
    present = _present(kind, item)
    names = differing(present, chosen)
    if not names:
        return False
    parent = _parent_of(chosen, item.project_id if isinstance(item, Task) else None)
    if "customer_id" in names:
        _require_open_parent(session, parent)
    _require_free(session, chosen, parent[1], but=item.id, only=names)
    put_details(session, item, present, chosen)
    return True


def put_details(session: Session, item: Item, present: Details, chosen: Details) -> None:
    """Write what is different, and keep it in the audit log; nothing is checked any more."""
    before, after = _audited(session, present), _audited(session, chosen)
    for name in differing(present, chosen):
        setattr(item, name, values_of(chosen)[name])
    session.flush()
    changed = [name for name in after if before[name] != after[name]]
    event = AuditEvent(
        "work_item.change",
        target=present.name,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    record_audit(session, event)


def finish(kind: Kind, item_id: int) -> bool:
    """Take no new hours on it and what is below it; returns whether it was active."""
    return _set_active(kind, item_id, active=False)


def reopen(kind: Kind, item_id: int) -> bool:
    """Take hours again, unless something else is finished above or below; returns whether it was finished."""
    return _set_active(kind, item_id, active=True)


def _set_active(kind: Kind, item_id: int, *, active: bool) -> bool:
    with work_item_transaction() as session:
        return set_active_in(session, kind, item_id, active=active)


def set_active_in(session: Session, kind: Kind, item_id: int, *, active: bool) -> bool:
    """Finish or reopen it in a transaction of ``work_item_transaction``; returns whether that was a change."""
    item = find_item(session, kind, item_id)
    if item.active == active:
        return False
    item.active = active
    action = "work_item.reopen" if active else "work_item.finish"
    record_audit(session, AuditEvent(action, target=item.name, after={"kind": kind.value}))
    return True


def remove(kind: Kind, item_id: int) -> ItemView:
    """Delete it with all that is below it, as long as nothing of it has hours; returns what it was.

    Raises:
        Refusal: ``work_item_has_hours``, ``work_item_timer_runs`` or ``work_item_unknown``.
    """
    with work_item_transaction() as session:
        view = view_of(session.connection(), kind, item_id)
        refusal = deletion_refusal(view)
        if refusal is not None:
            raise refusal
        before = {"kind": kind.value, **_audited(session, view.details), "projects": view.projects, "tasks": view.tasks}
        _delete_rows(session, kind, item_id)
        record_audit(session, AuditEvent("work_item.delete", target=view.name, before=before))
    return view


def deletion_refusal(view: ItemView) -> Refusal | None:
    """Why it cannot be deleted; None where it can."""
    if view.minutes:
        return Refusal(rules.HAS_HOURS, hours=show_duration(view.minutes))
    return Refusal(rules.TIMER_RUNS) if view.timers else None


def _delete_rows(session: Session, kind: Kind, item_id: int) -> None:
    of_tasks = list(session.execute(task_ids(kind, item_id)).scalars())
    for table in (Span, SheetRow, Favourite):
        session.execute(delete(table).where(table.task_id.in_(of_tasks)))
    session.execute(delete(Task).where(Task.id.in_(of_tasks)))
    if kind is Kind.TASK:
        return
    project = Project.customer_id if kind is Kind.CUSTOMER else Project.id
    project_ids = list(session.execute(select(Project.id).where(project == item_id)).scalars())
    session.execute(delete(ProjectMember).where(ProjectMember.project_id.in_(project_ids)))
    session.execute(delete(Project).where(Project.id.in_(project_ids)))
    if kind is Kind.CUSTOMER:
        session.execute(delete(Customer).where(Customer.id == item_id))


def find_item(session: Session, kind: Kind, item_id: int) -> Item:
    """The row with this id.

    Raises:
        Refusal: ``work_item_unknown``.
    """
    item = session.get(TABLES[kind], item_id)
    if not isinstance(item, Item):
        raise Refusal(rules.UNKNOWN)
    return item


def _present(kind: Kind, item: Item) -> Details:
    return details_of(kind, {column.name: getattr(item, column.name) for column in item.__table__.columns})


def _parent_of(details: Details, project_id: int | None) -> tuple[Kind | None, int | None]:
    if isinstance(details, ProjectDetails):
        return Kind.CUSTOMER, details.customer_id
    return (Kind.PROJECT, project_id) if isinstance(details, TaskDetails) else (None, None)


def _require_open_parent(session: Session, parent: tuple[Kind | None, int | None]) -> None:
    kind, parent_id = parent
    if kind is None or parent_id is None:
        return
    view = find_item(session, kind, parent_id)
    above = session.get(Customer, view.customer_id) if isinstance(view, Project) else None
    for place in (above, view):
        if place is not None and not place.active:
            raise Refusal(rules.PARENT_FINISHED, name=place.name)


def _require_free(
    session: Session,
    details: Details,
    parent_id: int | None,
    *,
    but: int | None = None,
    only: tuple[str, ...] = ("code", "name", "customer_id"),
) -> None:
    """Refuse a name that a sibling has, or a code that any other item of the level has.

    Both are compared folded, which no database does as we do: they are read and compared here.
    """
    table, siblings = _level(details, parent_id)
    if "name" in only or "customer_id" in only:
        key = fold(details.name)
        for item_id, name in session.execute(siblings):
            if item_id != but and fold(name) == key:
                raise Refusal(rules.NAME_TAKEN, field="name", name=name)
    if "code" in only and details.code:
        key = fold(details.code)
        query = select(table.id, table.code, table.name).where(table.code != "")
        for item_id, code, name in session.execute(query):
            if item_id != but and fold(code) == key:
                raise Refusal(rules.CODE_TAKEN, field="code", name=name)


def _level(details: Details, parent_id: int | None) -> tuple[type[Item], Select[*tuple[int, str]]]:
    if isinstance(details, CustomerDetails):
        return Customer, select(Customer.id, Customer.name)
    if isinstance(details, ProjectDetails):
        return Project, select(Project.id, Project.name).where(Project.customer_id == parent_id)
    return Task, select(Task.id, Task.name).where(Task.project_id == parent_id)


def _audited(session: Session, details: Details) -> dict[str, Any]:
    """What the audit log keeps: the customer by name, for its id says nothing to whoever reads it."""
    values = dict(values_of(details))
    if isinstance(details, ProjectDetails):
        customer = session.get(Customer, values.pop("customer_id"))
        values = {"customer": customer.name if customer is not None else "", **values}
    return values
