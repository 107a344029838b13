"""The statements of reports. All begin with the same condition: what the reader may see, the days, the filters.

Hours are added up on the table of entries first, from its indexes alone where that is possible; what customers,
projects, tasks and people are called is joined to the few rows that are shown.
"""

from typing import Any

from sqlalchemy import (
    Cast,
    ColumnElement,
    FunctionElement,
    Integer,
    Select,
    Subquery,
    case,
    cast,
    extract,
    func,
    literal,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles

from app.sdk import Identity, users
from plugins.standard.access import visible_hours
from plugins.standard.models import Customer, Entry, Project, Task
from plugins.standard.reports.query import Dimension, ReportQuery, Sort
from plugins.standard.week import WeekStart

_DAYS_OF_WEEK = 7
_MONTHS_OF_YEAR = 12


class DayNumber(FunctionElement[int]):
    """The number of a day, as ``date.toordinal`` counts them."""

    type = Integer()
    inherit_cache = True
    name = "day_number"


@compiles(DayNumber, "sqlite")
def _day_number_of_sqlite(element: DayNumber, compiler: Any, **options: Any) -> str:
    return f"CAST(julianday({compiler.process(element.clauses, **options)}) - 1721424.5 AS INTEGER)"


@compiles(DayNumber, "postgresql")
def _day_number_of_postgresql(element: DayNumber, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} - DATE '0001-01-01' + 1)"


def conditions(reader: Identity, query: ReportQuery) -> tuple[ColumnElement[bool], ...]:
    """Which entries are added up."""
    filters = query.filters
    found = [visible_hours(reader), Entry.day.between(query.days.first, query.days.last)]
    if filters.task is not None:
        found.append(Entry.task_id == filters.task)
    if filters.person:
        found.append(Entry.user_id == filters.person_id)
    of_task: list[ColumnElement[bool]] = []
    if filters.project is not None:
        of_task.append(Task.project_id == filters.project)
    if filters.customer is not None:
        of_customer = select(Project.id).where(Project.customer_id == filters.customer)
        of_task.append(Task.project_id.in_(of_customer))
    if filters.billable is not None:
        of_task.append(Task.billable.is_(filters.billable))
    if of_task:
        found.append(Entry.task_id.in_(select(Task.id).where(*of_task)))
    return tuple(found)


def by_day(reader: Identity, query: ReportQuery) -> Select[Any]:
    """Minutes, and billable ones, of each day that has any."""
    hours = _hours_of_days(conditions(reader, query))
    return (
        select(hours.c.day, func.sum(hours.c.minutes).label("minutes"), _billable(hours.c.minutes).label("billable"))
        .join(Task, Task.id == hours.c.task_id)
        .group_by(hours.c.day)
    )


def grouped(reader: Identity, query: ReportQuery, start: WeekStart, *, size: int, children: int) -> Select[Any]:
    """One page of the table, with all that its totals need: one statement, so that everything adds up.

    Each row is a group of the last level with ``minutes`` and ``billable``, beside those of the group that it is in
    (``first_…``) and of the whole report (``total_…``). ``second_place`` beyond ``children`` is left out.
    """
    groups = _groups(reader, query, start)
    sums = select(
        groups,
        func.sum(groups.c.minutes).over(partition_by=groups.c.first).label("first_minutes"),
        func.sum(groups.c.billable).over(partition_by=groups.c.first).label("first_billable"),
        func.count().over(partition_by=groups.c.first).label("second_groups"),
        func.row_number()
        .over(partition_by=groups.c.first, order_by=_order(query, query.then, groups, "second", "minutes"))
        .label("second_place"),
        func.sum(groups.c.minutes).over().label("total_minutes"),
        func.sum(groups.c.billable).over().label("total_billable"),
    ).subquery("sums")
    placed = select(
        sums,
        func.dense_rank()
        .over(order_by=_order(query, query.group, sums, "first", "first_minutes"))
        .label("first_place"),
    ).subquery("placed")
    counted = select(placed, func.max(placed.c.first_place).over().label("first_groups")).subquery("counted")
    last = query.page * size
    return (
        select(counted)
        .where(counted.c.first_place.between(last - size + 1, last), counted.c.second_place <= children)
        .order_by(counted.c.first_place, counted.c.second_place)
    )


def all_grouped(reader: Identity, query: ReportQuery, start: WeekStart) -> Select[Any]:
    """Every group of the last level, in the order of the table; for exports, which read it row by row."""
    groups = _groups(reader, query, start)
    sums = select(groups, func.sum(groups.c.minutes).over(partition_by=groups.c.first).label("first_minutes")).subquery(
        "sums"
    )
    first = _order(query, query.group, sums, "first", "first_minutes")
    return select(sums).order_by(*first, *_order(query, query.then, sums, "second", "minutes"))


def _hours_of_days(where: tuple[ColumnElement[bool], ...]) -> Subquery:
    """The entries of each day and task, added up in the order of the index before tasks are looked up."""
    minutes = func.sum(Entry.minutes).label("minutes")
    return select(Entry.day, Entry.task_id, minutes).where(*where).group_by(Entry.day, Entry.task_id).subquery("hours")


def _hours(query: ReportQuery, where: tuple[ColumnElement[bool], ...]) -> Subquery:
    """The entries, added up as far as they can be before tasks are looked up."""
    if Dimension.PERSON not in query.dimensions:
        return _hours_of_days(where)
    # The sum of an id and nothing is no column of an index: else SQLite reads all of the table in the order of the
    # index that begins with people, which over years takes twice as long as to sort what the index of days holds.
    user_id = Entry.user_id + literal_column("0")
    columns = user_id.label("user_id"), Entry.task_id
    if any(dimension.unit is not None for dimension in query.dimensions):
        return select(*columns, Entry.day, Entry.minutes).where(*where).subquery("hours")
    added = select(*columns, func.sum(Entry.minutes).label("minutes")).where(*where)
    return added.group_by(user_id, Entry.task_id).subquery("hours")


def _groups(reader: Identity, query: ReportQuery, start: WeekStart) -> Subquery:
    """Minutes and billable minutes of each pair of keys, ``first`` and ``second``; names where they make the order."""
    hours = _hours(query, conditions(reader, query))
    work: Any = hours.join(Task.__table__, Task.id == hours.c.task_id)
    if Dimension.CUSTOMER in query.dimensions:
        work = work.join(Project.__table__, Task.project_id == Project.id)
    keyed = (
        select(
            _key(query.group, hours, start).label("first"),
            (literal(0) if query.then is None else _key(query.then, hours, start)).label("second"),
            hours.c.minutes,
            case((Task.billable, hours.c.minutes), else_=0).label("billable"),
        )
        .select_from(work)
        .subquery("keyed")
    )
    sums = (
        select(
            keyed.c.first,
            keyed.c.second,
            func.sum(keyed.c.minutes).label("minutes"),
            func.sum(keyed.c.billable).label("billable"),
        )
        .group_by(keyed.c.first, keyed.c.second)
        .subquery("groups")
    )
    return _named(sums, query) if query.sort is Sort.NAME else sums


def _named(sums: Subquery, query: ReportQuery) -> Subquery:
    """The same with the names by which groups are to be sorted."""
    columns: list[ColumnElement[Any]] = list(sums.c)
    joined: Any = sums
    for level, dimension in zip(("first", "second"), query.dimensions, strict=False):
        if dimension.unit is None:
            table = _table_of(dimension).alias(level)
            joined = joined.join(table, table.c.id == sums.c[level])
            columns.append(func.lower(table.c.name).label(f"{level}_name"))
    return select(*columns).select_from(joined).subquery("named")


def _table_of(dimension: Dimension) -> Any:
    tables: dict[Dimension, Any] = {
        Dimension.CUSTOMER: Customer.__table__,
        Dimension.PROJECT: Project.__table__,
        Dimension.TASK: Task.__table__,
        Dimension.PERSON: users,
    }
    return tables[dimension]


def _key(dimension: Dimension, hours: Subquery, start: WeekStart) -> ColumnElement[Any]:
    """What is the same for all hours of a group: an id, or the number of a day or month (see ``periods``)."""
    if dimension is Dimension.PERSON:
        return hours.c.user_id  # which is there in this case alone
    if dimension.unit is None:
        of_work: dict[Dimension, ColumnElement[Any]] = {
            Dimension.CUSTOMER: type_coerce(Project.customer_id, Integer),
            Dimension.PROJECT: type_coerce(Task.project_id, Integer),
            Dimension.TASK: hours.c.task_id,
        }
        return of_work[dimension]
    number: ColumnElement[int] = DayNumber(hours.c.day)
    year, month = (_whole(extract(part, hours.c.day)) for part in ("year", "month"))
    keys: dict[Dimension, ColumnElement[Any]] = {
        Dimension.DAY: number,
        # Day 1 is a Monday; the modulus is of a positive number, whose sign both engines agree on.
        Dimension.WEEK: number - (number + (_DAYS_OF_WEEK - 1) - int(start)) % _DAYS_OF_WEEK,
        Dimension.MONTH: year * _MONTHS_OF_YEAR + month - 1,
    }
    return keys[dimension]


def _whole(part: ColumnElement[Any]) -> Cast[int]:
    return cast(part, Integer)


def _billable(minutes: ColumnElement[int]) -> ColumnElement[int]:
    return func.sum(case((Task.billable, minutes), else_=0))


def _order(
    query: ReportQuery, dimension: Dimension | None, columns: Subquery, level: str, minutes: str
) -> list[ColumnElement[Any]]:
    """Time in its order, else most hours first or by name; the key makes it definite."""
    key: ColumnElement[Any] = columns.c[level]
    if dimension is None or dimension.unit is not None:
        return [key]
    if query.sort is Sort.NAME:
        return [columns.c[f"{level}_name"], key]
    return [columns.c[minutes].desc(), key]
