"""What an import would do: rows in, a plan or errors by row out. Pure; planned twice, the same rows change nothing.

A row names a customer, and below it a project and a task where it has them. Each is found by its code, else by its
name; what is found gets the name, code and so on that the row says, and what is not found is added. An empty cell says
nothing. Nothing is deleted, finished or moved, and nobody is taken off a project.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from app.sdk import N_, Reason, Refusal, fold
from plugins.standard.work_items.csv_file import Row
from plugins.standard.work_items.palette import colour_for
from plugins.standard.work_items.rules import (
    CODE_TAKEN,
    PARENT_FINISHED,
    CustomerDetails,
    Details,
    Kind,
    ProjectDetails,
    TaskDetails,
    refusals,
)

EVERYBODY = "*"
"""Among the members of a project: everybody may record hours on it."""
_YES = frozenset({"yes", "y", "true", "1", "x", "はい", "○", "する"})
_NO = frozenset({"no", "n", "false", "0", "いいえ", "×", "しない"})
YES, NO = "yes", "no"
"""What is exported."""

NAME_MISSING = Reason(
    "import_name_missing",
    N_("A name is needed: there is nothing with this code yet."),
    N_("Fill in the name as well."),
)
ABOVE_MISSING = Reason(
    "import_above_missing",
    N_("This belongs to something that the row does not name."),
    N_("Fill in what stands above it: a customer for a project, a project for a task."),
)
ELSEWHERE = Reason(
    "import_code_elsewhere",
    N_("This code belongs to “%(name)s” of another customer or project, and nothing is moved."),
    N_("Write another code."),
)
CONTRADICTION = Reason(
    "import_contradiction",
    N_("Line %(line)s says “%(value)s” of the same."),
    N_("Let both say the same, or leave one empty."),
)
NOT_YES_OR_NO = Reason(
    "import_not_yes_or_no",
    N_("“%(value)s” is neither yes nor no."),
    N_("Write yes or no."),
)
LOGIN_UNKNOWN = Reason(
    "import_login_unknown",
    N_("There is no registered user with the login name “%(login)s”."),
    N_("Add the user first, or correct the login name."),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A customer, project or task that is there."""

    kind: Kind
    id: int
    parent_id: int | None
    details: Details
    active: bool
    members: frozenset[int] = frozenset()
    """Ids of the users who are named in a project."""


@dataclass(frozen=True, slots=True)
class Person:
    """A registered user."""

    id: int
    login: str


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with a row."""

    line: int
    column: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """Something that is to be added or changed."""

    kind: Kind
    line: int
    """The first line that asks for it."""
    key: int
    """Its place among all that the plan knows; another's ``parent_key`` names it."""
    parent_key: int | None
    id: int | None
    """None for a new one."""
    parent_id: int | None
    """None where what it belongs to is new as well."""
    path: tuple[str, ...]
    """Names from the customer down to its own."""
    before: Details | None
    details: Details
    """Of a project, the customer is ``parent_id``, or 0 where that is new."""
    new_members: tuple[Person, ...]

    @property
    def is_new(self) -> bool:
        """Whether it is added; else it is changed."""
        return self.id is None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import does; nothing of it where there are errors."""

    items: tuple[PlannedItem, ...]
    """Customers, then projects, then tasks."""
    errors: tuple[RowError, ...]
    rows: int

    @property
    def added(self) -> tuple[PlannedItem, ...]:
        """What is new."""
        return tuple(item for item in self.items if item.is_new)

    @property
    def changed(self) -> tuple[PlannedItem, ...]:
        """What is there and becomes different."""
        return tuple(item for item in self.items if not item.is_new)

    @property
    def wrong_rows(self) -> int:
        """How many rows have an error, some of them several."""
        return len({error.line for error in self.errors})

    @property
    def digest(self) -> str:
        """The same for plans that do the same, so that what is confirmed is what was shown."""
        return hashlib.sha256(repr(self.items).encode()).hexdigest()[:32]


@dataclass
class _Node:
    """A customer, project or task as it becomes while rows are read."""

    kind: Kind
    key: int
    parent: "_Node | None"
    known: Known | None
    code: str
    name: str
    active: bool
    billable: bool = True
    line: int = 0
    said: dict[str, tuple[int, str]] = field(default_factory=dict)
    """What the file says of it, by column, with the line that says it first."""
    is_for_everybody: bool = False
    """Whether the file says so."""
    members: dict[int, Person] = field(default_factory=dict)
    """Whom the file names."""

    @property
    def place(self) -> tuple[Kind, int | None]:
        """Where names are unique."""
        return self.kind, self.parent.key if self.parent is not None else None


class _Problem(Exception):  # noqa: N818 - ends the reading of one row
    def __init__(self, column: str, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.column = column
        self.refusal = refusal


def make_plan(rows: Sequence[Row], known: Iterable[Known], people: Mapping[str, Person]) -> Plan:
    """What importing ``rows`` would do.

    Args:
        rows: of the file.
        known: all that is there, customers before projects before tasks.
        people: registered users by the folded forms of their logins; those whom the rows name are enough.
    """
    planner = _Planner(known, people)
    for row in rows:
        planner.read(row)
    return Plan(planner.items(), tuple(planner.errors), len(rows))


def logins_of(rows: Iterable[Row]) -> frozenset[str]:
    """The login names that ``rows`` name, as they are written."""
    return frozenset(login for row in rows for login in row.members.split()) - {EVERYBODY}


class _Planner:
    def __init__(self, known: Iterable[Known], people: Mapping[str, Person]) -> None:
        self.errors: list[RowError] = []
        self._people = people
        self._nodes: list[_Node] = []
        self._by_code: dict[tuple[Kind, str], _Node] = {}
        self._by_name: dict[tuple[Kind, int | None, str], _Node] = {}
        ids: dict[tuple[Kind, int], _Node] = {}
        for item in known:
            above = Kind.CUSTOMER if item.kind is Kind.PROJECT else Kind.PROJECT
            parent = ids[above, item.parent_id] if item.parent_id is not None else None
            node = self._add(item.kind, parent, item, item.details.code, item.details.name, active=item.active)
            if isinstance(item.details, TaskDetails):
                node.billable = item.details.billable
            ids[item.kind, item.id] = node

    def _add(
        self, kind: Kind, parent: _Node | None, known: Known | None, code: str, name: str, *, active: bool
    ) -> _Node:
        node = _Node(kind, len(self._nodes), parent, known, code, name, active)
        self._nodes.append(node)
        self._index(node)
        return node

    def _index(self, node: _Node) -> None:
        self._by_name.setdefault((*node.place, fold(node.name)), node)
        if node.code:
            self._by_code.setdefault((node.kind, fold(node.code)), node)

    def _unindex(self, node: _Node) -> None:
        if self._by_name.get(name := (*node.place, fold(node.name))) is node:
            del self._by_name[name]
        if self._by_code.get(code := (node.kind, fold(node.code))) is node:
            del self._by_code[code]

    # One row

    def read(self, row: Row) -> None:
        """Let the row be said; what is wrong with it is kept."""
        try:
            self._read(row)
        except _Problem as problem:
            self.errors.append(RowError(row.line, problem.column, problem.refusal))

    def _read(self, row: Row) -> None:
        customer = self._level(Kind.CUSTOMER, None, row.customer, row.customer_code, row.line)
        has_task = bool(row.task or row.task_code)
        if not (row.project or row.project_code):
            if has_task or row.members:
                raise _Problem("project", Refusal(ABOVE_MISSING))
            return self._no_billable(row)
        project = self._level(Kind.PROJECT, customer, row.project, row.project_code, row.line)
        self._members(project, row)
        if not has_task:
            return self._no_billable(row)
        task = self._level(Kind.TASK, project, row.task, row.task_code, row.line)
        if row.billable:
            is_billable = _yes_or_no(row.billable)
            self._say(task, "billable", YES if is_billable else NO, row.line)
            task.billable = is_billable
        return None

    def _no_billable(self, row: Row) -> None:
        if row.billable:
            raise _Problem("task", Refusal(ABOVE_MISSING))

    def _level(self, kind: Kind, parent: _Node | None, name: str, code: str, line: int) -> _Node:
        node = self._found(kind, parent, name, code)
        if node is None:
            return self._new(kind, parent, name, code, line)
        for column, value, present in (("", name, node.name), ("_code", code, node.code)):
            if value:
                self._say(node, f"{kind.value}{column}", value, line)
            if value and fold(value) != fold(present):
                self._unindex(node)
                node.name, node.code = (node.name, value) if column else (value, node.code)
                self._check(node)
                self._index(node)
                node.line = node.line or line
        return node

    def _found(self, kind: Kind, parent: _Node | None, name: str, code: str) -> _Node | None:
        place = (kind, parent.key if parent is not None else None)
        by_name = self._by_name.get((*place, fold(name))) if name else None
        by_code = self._by_code.get((kind, fold(code))) if code else None
        if by_code is not None and by_code.parent is not parent:
            raise _Problem(f"{kind.value}_code", Refusal(ELSEWHERE, name=by_code.name))
        if by_code is not None and by_name is not None and by_code is not by_name:
            raise _Problem(f"{kind.value}_code", Refusal(CODE_TAKEN, name=by_code.name))
        return by_code or by_name

    def _new(self, kind: Kind, parent: _Node | None, name: str, code: str, line: int) -> _Node:
        if not name:
            reason = NAME_MISSING if code else ABOVE_MISSING
            raise _Problem(kind.value, Refusal(reason))
        above = parent
        while above is not None:
            if not above.active:
                raise _Problem(kind.value, Refusal(PARENT_FINISHED, name=above.name))
            above = above.parent
        self._check(_Node(kind, -1, parent, None, code, name, active=True))
        node = self._add(kind, parent, None, code, name, active=True)
        node.line = line
        self._say(node, kind.value, name, line)
        if code:
            self._say(node, f"{kind.value}_code", code, line)
        return node

    def _check(self, node: _Node) -> None:
        for refusal in refusals(CustomerDetails(node.code, node.name)):
            raise _Problem(f"{node.kind.value}{'_code' if refusal.field == 'code' else ''}", refusal)

    def _say(self, node: _Node, column: str, value: str, line: int) -> None:
        before = node.said.setdefault(column, (line, value))
        if fold(before[1]) != fold(value):
            raise _Problem(column, Refusal(CONTRADICTION, line=before[0], value=before[1]))
        if not node.line and column == "billable":
            node.line = line

    def _members(self, project: _Node, row: Row) -> None:
        for login in row.members.split():
            if login == EVERYBODY:
                project.is_for_everybody = True
                continue
            person = self._people.get(fold(login))
            if person is None:
                self.errors.append(RowError(row.line, "members", Refusal(LOGIN_UNKNOWN, login=login)))
                continue
            project.members.setdefault(person.id, person)
        if row.members:
            project.line = project.line or row.line

    # What comes of it

    def items(self) -> tuple[PlannedItem, ...]:
        """What is new or different, each level after the one above it."""
        projects = (node for node in self._nodes if node.kind is Kind.PROJECT)  # those that are there come first
        colours = {node.key: colour_for(number) for number, node in enumerate(projects)}
        order = {kind: place for place, kind in enumerate(Kind)}
        touched = sorted((node for node in self._nodes if node.line), key=lambda node: (order[node.kind], node.key))
        planned = (self._planned(node, colours.get(node.key, "")) for node in touched)
        return tuple(item for item in planned if item is not None)

    def _planned(self, node: _Node, colour: str) -> PlannedItem | None:
        known = node.known
        details = _details(node, colour)
        named = known.members if known is not None else frozenset()
        new_members = tuple(person for person in node.members.values() if person.id not in named)
        if known is not None and details == known.details and not new_members:
            return None
        parent = node.parent
        return PlannedItem(
            kind=node.kind,
            line=node.line,
            key=node.key,
            parent_key=parent.key if parent is not None else None,
            id=known.id if known is not None else None,
            parent_id=parent.known.id if parent is not None and parent.known is not None else None,
            path=_path(node),
            before=known.details if known is not None else None,
            details=details,
            new_members=new_members,
        )


def _details(node: _Node, colour: str) -> Details:
    if node.kind is Kind.CUSTOMER:
        return CustomerDetails(node.code, node.name)
    if node.kind is Kind.TASK:
        return TaskDetails(node.code, node.name, node.billable)
    known = node.known.details if node.known is not None else None
    is_open = node.is_for_everybody or not node.members
    if isinstance(known, ProjectDetails):
        is_open = is_open if node.is_for_everybody or node.members else known.for_everybody
        return ProjectDetails(known.customer_id, node.code, node.name, known.colour, is_open)
    parent = node.parent
    customer_id = parent.known.id if parent is not None and parent.known is not None else 0
    return ProjectDetails(customer_id, node.code, node.name, colour, is_open)


def _path(node: _Node) -> tuple[str, ...]:
    return (*_path(node.parent), node.name) if node.parent is not None else (node.name,)


def _yes_or_no(text: str) -> bool:
    key = fold(text)
    if key not in _YES and key not in _NO:
        raise _Problem("billable", Refusal(NOT_YES_OR_NO, value=text))
    return key in _YES


SAMPLE: Sequence[Mapping[str, str]] = (
    MappingProxyType(
        {
            "customer": "Kitamura Precision",
            "customer_code": "KIT",
            "project": "Press line renewal",
            "project_code": "PRESS",
            "task": "Gearbox housing drawing",
            "task_code": "RX-204",
            "billable": YES,
            "members": EVERYBODY,
        }
    ),
    MappingProxyType(
        {
            "customer": "Kitamura Precision",
            "project": "Press line renewal",
            "task": "Assembly review with supplier",
            "task_code": "RX-198",
            "billable": YES,
        }
    ),
    MappingProxyType({"customer": "Internal", "project": "Administration", "task": "Team meeting", "billable": NO}),
)
"""The rows of the sample."""
