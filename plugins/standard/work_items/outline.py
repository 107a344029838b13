"""The tree of customers, projects and tasks as the list shows it: filtered, searched, counted and cut into pages.

Pure. All of a company's work items are looked at for each page, for that finds Japanese and full-width names the same
way on every database; 10,000 tasks take some 50 ms.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from app.sdk import fold

PAGE_SIZE = 25
"""Projects on a page; a customer without projects takes the place of one."""


class State(StrEnum):
    """The tabs. Every item is either active or finished."""

    ACTIVE = "active"
    FINISHED = "finished"
    """Finished itself, or below something that is."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class TaskNode:
    """A task."""

    id: int
    project_id: int
    code: str
    name: str
    active: bool
    billable: bool


@dataclass(frozen=True, slots=True)
class ProjectNode:
    """A project; ``tasks`` are those that are shown."""

    id: int
    customer_id: int
    code: str
    name: str
    active: bool
    colour: str
    for_everybody: bool
    members: int
    """How many registered users are named in it."""
    tasks: tuple[TaskNode, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomerNode:
    """A customer; ``projects`` are those that are shown."""

    id: int
    code: str
    name: str
    active: bool
    projects: tuple[ProjectNode, ...] = ()


_Node = TypeVar("_Node", CustomerNode, ProjectNode, TaskNode)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are."""

    customers: int = 0
    projects: int = 0
    tasks: int = 0

    @property
    def items(self) -> int:
        """All together."""
        return self.customers + self.projects + self.tasks


@dataclass(frozen=True, slots=True)
class OutlinePage:
    """A page of the tree; a customer whose projects go on over several pages stands on each of them."""

    customers: tuple[CustomerNode, ...]
    number: int
    """From 1."""
    pages: int
    first: int
    """Place of its first project among all that were found, from 1; 0 where nothing was found."""
    last: int
    total: int

    @property
    def tasks(self) -> int:
        """How many tasks are on it."""
        return sum(len(project.tasks) for customer in self.customers for project in customer.projects)


def assemble(
    customers: Iterable[CustomerNode], projects: Iterable[ProjectNode], tasks: Iterable[TaskNode]
) -> tuple[CustomerNode, ...]:
    """The tree, each level by name."""
    tasks_of: dict[int, list[TaskNode]] = defaultdict(list)
    for task in tasks:
        tasks_of[task.project_id].append(task)
    projects_of: dict[int, list[ProjectNode]] = defaultdict(list)
    for project in projects:
        projects_of[project.customer_id].append(replace(project, tasks=tuple(_by_name(tasks_of[project.id]))))
    return tuple(
        replace(customer, projects=tuple(_by_name(projects_of[customer.id]))) for customer in _by_name(customers)
    )


def _by_name(nodes: Iterable[_Node]) -> list[_Node]:
    return sorted(nodes, key=lambda node: (fold(node.name), node.id))


def in_state(outline: Iterable[CustomerNode], state: State) -> tuple[CustomerNode, ...]:
    """What of the tree is in ``state``; above something finished stands what it belongs to, active or not."""
    if state is State.ALL:
        return tuple(outline)
    of_state = _active if state is State.ACTIVE else _finished
    return tuple(kept for customer in outline if (kept := of_state(customer)) is not None)


def _active(customer: CustomerNode) -> CustomerNode | None:
    if not customer.active:
        return None
    projects = (project for project in customer.projects if project.active)
    return replace(customer, projects=tuple(map(_with_active_tasks, projects)))


def _with_active_tasks(project: ProjectNode) -> ProjectNode:
    return replace(project, tasks=tuple(task for task in project.tasks if task.active))


def _finished(customer: CustomerNode) -> CustomerNode | None:
    if not customer.active:
        return customer
    projects = []
    for project in customer.projects:
        tasks = project.tasks if not project.active else tuple(task for task in project.tasks if not task.active)
        if tasks or not project.active:
            projects.append(replace(project, tasks=tasks))
    return replace(customer, projects=tuple(projects)) if projects else None


def count(outline: Iterable[CustomerNode], state: State) -> Counts:
    """How many items are in ``state``, what stands above them for orientation left out."""
    customers = projects = tasks = 0
    for customer in outline:
        customers += _counts(state, is_active=customer.active)
        for project in customer.projects:
            is_active = customer.active and project.active
            projects += _counts(state, is_active=is_active)
            tasks += sum(_counts(state, is_active=is_active and task.active) for task in project.tasks)
    return Counts(customers, projects, tasks)


def _counts(state: State, *, is_active: bool) -> bool:
    return state is State.ALL or is_active == (state is State.ACTIVE)


def search(outline: Iterable[CustomerNode], text: str) -> tuple[CustomerNode, ...]:
    """The items whose codes and names, with those above them, hold every word of ``text``; case and width are equal."""
    words = fold(text).split()
    if not words:
        return tuple(outline)
    return tuple(kept for customer in outline if (kept := _matching_customer(customer, words)) is not None)


def _matching_customer(customer: CustomerNode, words: Sequence[str]) -> CustomerNode | None:
    left = _missing(words, customer)
    if not left:
        return customer
    kept = [found for project in customer.projects if (found := _matching_project(project, left)) is not None]
    return replace(customer, projects=tuple(kept)) if kept else None


def _matching_project(project: ProjectNode, words: Sequence[str]) -> ProjectNode | None:
    left = _missing(words, project)
    if not left:
        return project
    tasks = tuple(task for task in project.tasks if not _missing(left, task))
    return replace(project, tasks=tasks) if tasks else None


def _missing(words: Sequence[str], node: CustomerNode | ProjectNode | TaskNode) -> list[str]:
    """The words that are neither in the code nor in the name."""
    code, name = fold(node.code), fold(node.name)
    return [word for word in words if word not in code and word not in name]


def page(outline: Sequence[CustomerNode], number: int, size: int = PAGE_SIZE) -> OutlinePage:
    """Cut out page ``number``, the nearest that there is; customers stand above their projects on each page."""
    places = [(customer, project) for customer in outline for project in customer.projects or (None,)]
    pages = max(1, -(-len(places) // size))
    number = min(max(number, 1), pages)
    first = (number - 1) * size
    shown: dict[int, tuple[CustomerNode, list[ProjectNode]]] = {}
    for customer, project in places[first : first + size]:
        _, projects = shown.setdefault(customer.id, (customer, []))
        if project is not None:
            projects.append(project)
    customers = tuple(replace(customer, projects=tuple(projects)) for customer, projects in shown.values())
    last = min(first + size, len(places))
    return OutlinePage(customers, number, pages, first + 1 if places else 0, last, len(places))
