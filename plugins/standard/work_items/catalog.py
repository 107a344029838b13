"""What other parts of the edition read of work items: tasks with all that stands above them.

Every function costs one statement, and reads on the connection that its caller hands it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, not_, select

from app.sdk import fold
from plugins.standard.access import may_record
from plugins.standard.models import Customer, Project, Task

OFFERED = 50
"""How many tasks are offered at once where nobody asks for another number."""


@dataclass(frozen=True, slots=True)
class CatalogTask:
    """A task, with its project and customer."""

    task_id: int
    code: str
    name: str
    is_billable: bool
    project_id: int
    project_code: str
    project_name: str
    colour: str
    """One of ``palette.COLOURS``; ``standard-colours.css`` has a class ``standard-colour--`` and that name for it."""
    customer_id: int
    customer_code: str
    customer_name: str
    is_finished: bool
    """Whether the task, its project or its customer is finished."""

    @property
    def place(self) -> tuple[str, str, str, int]:
        """Where it stands in a list: by customer, project and name, whatever their case and width."""
        return fold(self.customer_name), fold(self.project_name), fold(self.name), self.task_id


def tasks_by_ids(connection: Connection, task_ids: Collection[int]) -> Mapping[int, CatalogTask]:
    """The tasks with these ids, finished ones included, by id; an id that there is no task of is left out."""
    if not task_ids:
        return {}
    return {task.task_id: task for task in _read(connection, _TASKS.where(Task.id.in_(set(task_ids))))}


def recordable_for(
    connection: Connection, user_id: int, search: str = "", *, limit: int | None = OFFERED
) -> tuple[CatalogTask, ...]:
    """The tasks on which ``user_id`` may record hours, by customer, project and name.

    Args:
        connection: to read on.
        user_id: of the person.
        search: words that all have to stand in codes or names of task, project or customer; case and width make no
            difference.
        limit: how many at most; None for all.
    """
    words = fold(search).split()
    found = [task for task in _read(connection, _TASKS.where(may_record(user_id))) if _holds(task, words)]
    return tuple(sorted(found, key=lambda task: task.place)[:limit])


def _holds(task: CatalogTask, words: Iterable[str]) -> bool:
    text = fold_all(task.code, task.name, task.project_code, task.project_name, task.customer_code, task.customer_name)
    return all(word in text for word in words)


def fold_all(*texts: str) -> str:
    """The folded forms of ``texts``, one a line, so that no word is found across two of them."""
    return "\n".join(map(fold, texts))


_TASKS: Select[*tuple[Any, ...]] = (
    select(
        Task.id,
        Task.code,
        Task.name,
        Task.billable,
        Project.id,
        Project.code,
        Project.name,
        Project.colour,
        Customer.id,
        Customer.code,
        Customer.name,
        not_(and_(Task.active, Project.active, Customer.active)),
    )
    .join(Project, Task.project_id == Project.id)
    .join(Customer, Project.customer_id == Customer.id)
)


def _read(connection: Connection, query: Select[*tuple[Any, ...]]) -> Iterable[CatalogTask]:
    return map(_task, connection.execute(query))


def _task(row: Row[*tuple[Any, ...]]) -> CatalogTask:
    return CatalogTask(*row)
