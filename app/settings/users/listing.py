"""The list of users, read by pages whose cost does not depend on how many users there are.

A list consists of sections, each in the order of an index: users with an e-mail address by address, then those
without by name. A page starts behind a row (never at an OFFSET), fills from one section and goes on in the next, so
users who are added or deleted meanwhile neither repeat nor hide anybody.

Where a filter may leave few of many, a page is first looked for among the next rows of the order; if it does not
fill there, the rare rows are gathered through the index of the filter and sorted (design, issue "Speed").
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Table,
    Text,
    column,
    exists,
    func,
    literal,
    select,
    table,
    text,
    tuple_,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import ARRAY

from app.auth import grams
from app.auth.folding import fold
from app.auth.models import User, UserPermission
from app.database import read_connection
from app.security import SYSTEM_ADMINISTRATOR
from app.settings.users.cursor import Cursor, SortValue

PAGE_SIZE = 25
COUNTED = 1_000
"""Up to so many are counted; beyond it is "more than"."""
_STRIDE = 1_000
_LONG_STRIDE = 10_000
_FEW = 8_000
_MOST_WORDS = 8
_LONGEST_SEARCH = 100


class State(StrEnum):
    """The tabs."""

    ACTIVE = "active"
    DELETED = "deleted"


class Privilege(StrEnum):
    """Filter by privilege."""

    ANY = ""
    ADMINISTRATORS = "administrators"
    MEMBERS = "members"


class Seen(StrEnum):
    """Filter by when somebody was last seen."""

    ANY = ""
    LATELY = "lately"
    LONG_AGO = "long_ago"
    """Not for ninety days; whoever was never seen, since they were added."""
    NEVER = "never"


LATELY_DAYS = 30
LONG_AGO_DAYS = 90


class Order(StrEnum):
    """What a list is sorted by."""

    BEST = "best"
    """For a search: whoever's name, login or e-mail begins with it, then whoever has it anywhere, as they were added.

    The latter are not sorted by name: where names of one kind stand together, as Japanese behind Latin ones do, few
    of a hundred thousand would be looked for from the wrong end.
    """
    NAME = "name"
    EMAIL = "email"
    PRIVILEGE = "privilege"
    SEEN = "seen"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What is asked for. ``after`` and ``before`` exclude each other; neither is the first page."""

    state: State = State.ACTIVE
    search: str = ""
    privilege: Privilege = Privilege.ANY
    seen: Seen = Seen.ANY
    order: Order = Order.NAME
    descending: bool = False
    after: Cursor | None = None
    before: Cursor | None = None
    size: int = PAGE_SIZE

    @property
    def is_filtered(self) -> bool:
        """Whether the list may leave somebody out."""
        return bool(self.search or self.privilege or self.seen)


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A row of the list."""

    user_id: int
    login: str
    name: str
    email: str | None
    is_system_administrator: bool
    last_seen_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class UserPage:
    """A page, with the cursors of its neighbours where it has them."""

    users: tuple[ListedUser, ...]
    previous: Cursor | None = None
    next: Cursor | None = None


_USERS = cast(Table, User.__table__)
_Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of the list: whom it holds, and the column that it is sorted by (then by id)."""

    key: str
    extent: tuple[_Condition, ...]
    """What an index in the order of ``key`` knows without looking at the rows."""
    conditions: tuple[_Condition, ...] = ()
    descending: bool = False
    gathered: bool = False
    """Sorted after the fact, since an index names the few that it holds."""
    found: bool = False
    """Whether everybody in it has what is searched for anyway."""


@dataclass(frozen=True, slots=True)
class _Candidates:
    """An index that names everybody whom a rare condition can be true for."""

    condition: _Condition
    ids: Select[Any]


@dataclass(frozen=True, slots=True)
class _Filters:
    """``usual`` leaves most rows; ``search`` and ``rare`` may leave few, who are among all ``candidates``."""

    usual: tuple[_Condition, ...] = ()
    search: tuple[_Condition, ...] = ()
    rare: tuple[_Condition, ...] = ()
    candidates: tuple[_Candidates, ...] = ()


def read_page(query: ListQuery, now: datetime) -> UserPage:
    """Read one page of the list; a cursor that is not of this list counts as none."""
    sections = _sections(query)
    query = replace(query, after=_sound(query.after, sections), before=_sound(query.before, sections))
    with read_connection() as connection:
        filters = _filters(query, now, connection.dialect.name)
        page = _read(connection, query, filters)
        if query.before is not None and page.previous is None and len(page.users) < query.size:
            # Going back has met the top before the page was full: that is the first page, so show all of it.
            page = _read(connection, replace(query, before=None), filters)
        return page


def _sound(cursor: Cursor | None, sections: Sequence["_Section"]) -> Cursor | None:
    if cursor is None or not 0 <= cursor.section < len(sections):
        return None
    return cursor if isinstance(cursor.value, _USERS.c[sections[cursor.section].key].type.python_type) else None


def _read(connection: Connection, query: ListQuery, filters: _Filters) -> UserPage:
    backward = query.before is not None
    sections = list(enumerate(_sections(query)))
    start = query.before or query.after
    places = reversed(sections) if backward else iter(sections)
    found: list[tuple[Cursor, ListedUser]] = []
    for number, section in places:
        if start is not None and (number > start.section if backward else number < start.section):
            continue
        bound = start if start is not None and start.section == number else None
        missing = query.size + 1 - len(found)
        rows = _read_section(connection, section, filters, bound, missing, backward=backward)
        found.extend((Cursor(number, row.sort_value, row.id), _listed(row)) for row in rows)
        if len(found) > query.size:
            break
    further = len(found) > query.size
    del found[query.size :]
    if backward:
        found.reverse()
    users = tuple(user for _, user in found)
    if not found:
        return UserPage(users)
    first, last = found[0][0], found[-1][0]
    if backward:
        return UserPage(users, previous=first if further else None, next=last)
    return UserPage(users, previous=first if query.after else None, next=last if further else None)


def _listed(row: Row[Any]) -> ListedUser:
    return ListedUser(row.id, row.login, row.name, row.email, bool(row.privileged), row.last_seen_at, row.deleted_at)


# Sections ---------------------------------------------------------------------------------------------------------

_HELD = UserPermission.permission == SYSTEM_ADMINISTRATOR
_LAST_CHARACTER = "\U0010ffff"


def _privileged(users: FromClause) -> _Condition:
    return exists().where(UserPermission.user_id == users.c.id, _HELD)


def _administrators() -> _Candidates:
    """The same, for where the few who are should be looked up, not everybody asked."""
    ids = select(UserPermission.user_id).where(_HELD)
    return _Candidates(_USERS.c.id.in_(ids), ids)


def _sections(query: ListQuery) -> tuple[_Section, ...]:
    """The sections of a list, in the order in which they are shown."""
    users = _USERS.c
    deleted = query.state is State.DELETED
    there = users.deleted_at.is_not(None) if deleted else users.deleted_at.is_(None)
    down = query.descending
    match query.order:
        case Order.BEST if fold(query.search):
            return tuple(_best_sections(fold(query.search[:_LONGEST_SEARCH]), there, deleted=deleted))
        case Order.EMAIL:
            return (
                _Section("email_key", (there, users.email_key.is_not(None)), descending=down),
                _Section("name_key", (there, users.email_key.is_(None)), descending=down),
            )
        case Order.SEEN:
            return (
                _Section("last_seen_at", (there, users.last_seen_at.is_not(None)), descending=down),
                _Section("name_key", (there, users.last_seen_at.is_(None)), descending=down),
            )
        case Order.PRIVILEGE:
            administrators = _Section("name_key", (there,), (_administrators().condition,), gathered=True)
            members = _Section("name_key", (there,), (~_privileged(_USERS),))
            return (members, administrators) if down else (administrators, members)
        case Order.DELETED if deleted:
            return (_Section("deleted_at", (there,), descending=down),)
        case _:
            return (_Section("name_key", (there,), descending=down),)


def _best_sections(key: str, there: _Condition, *, deleted: bool) -> Iterator[_Section]:
    """Whoever's name, then login, then e-mail begins with ``key``; then everybody else who has it."""
    earlier: list[_Condition] = []
    # Deleted users have no index by e-mail address or by id; they are found as everybody else is, and by name.
    for field in ("name_key", "login_key") if deleted else ("name_key", "login_key", "email_key"):
        begins = (_USERS.c[field] >= key) & (_USERS.c[field] < key + _LAST_CHARACTER)
        yield _Section(field, (there, begins), tuple(earlier), found=True)
        earlier.append(~func.coalesce(begins, False))
    yield _Section("name_key" if deleted else "id", (there,), tuple(earlier))


# Filters ----------------------------------------------------------------------------------------------------------


def _filters(query: ListQuery, now: datetime, dialect: str) -> _Filters:
    filters = _Filters()
    if query.privilege is Privilege.MEMBERS:
        filters = replace(filters, usual=(~_privileged(_USERS),))
    elif query.privilege is Privilege.ADMINISTRATORS:
        few = _administrators()
        filters = replace(filters, rare=(few.condition,), candidates=(few,))
    words = search_words(query.search)
    if words:
        having = tuple(_USERS.c.search_text.contains(word, autoescape=True) for word in words)
        filters = replace(filters, search=having, candidates=(*filters.candidates, _having_grams(words, dialect)))
    if query.seen and query.state is State.ACTIVE:
        filters = replace(filters, rare=(*filters.rare, _seen(query.seen, now)))
    return filters


def search_words(search: str) -> tuple[str, ...]:
    """The folded words of a search; whoever is found has every one of them, in any order."""
    return tuple(dict.fromkeys(fold(search[:_LONGEST_SEARCH]).split()))[:_MOST_WORDS]


def _having_grams(words: tuple[str, ...], dialect: str) -> _Candidates:
    if dialect == "sqlite":
        index = table(grams.TABLE, column("rowid"))
        matching = text(f"{grams.TABLE} MATCH :grams").bindparams(grams=grams.fts_query(words))
        ids: Select[Any] = select(index.c.rowid).where(matching)
        return _Candidates(_USERS.c.id.in_(ids), ids)
    wanted = list(dict.fromkeys(gram for word in words for gram in grams.grams(word)))
    of_user = func.search_grams(_USERS.c.search_text, type_=ARRAY(Text))
    condition = of_user.contains(sql_cast(wanted, ARRAY(Text)))
    return _Candidates(condition, select(_USERS.c.id).where(condition))


def _seen(seen: Seen, now: datetime) -> _Condition:
    last_seen = _USERS.c.last_seen_at
    match seen:
        case Seen.LATELY:
            return last_seen >= now - timedelta(days=LATELY_DAYS)
        case Seen.NEVER:
            return last_seen.is_(None)
        case _:
            since = now - timedelta(days=LONG_AGO_DAYS)
            # Whoever never logged in has not been seen since they were added: a user of today is not missing.
            return (last_seen.is_(None) & (_USERS.c.created_at < since)) | (last_seen < since)


# Statements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    """One section being read: the rows within ``extent``, ``down`` or up the order of its key."""

    connection: Connection
    section: _Section
    extent: tuple[_Condition, ...]
    filters: _Filters
    limit: int
    down: bool

    def rows(self) -> Sequence[Row[Any]]:
        """Up to ``limit`` rows."""
        filters = self.filters
        if self.section.gathered:
            return self._gathered(())
        if not filters.rare and (self.section.found or not filters.search):
            return self.connection.execute(self._page(_USERS).where(*self.extent, *self._fitting)).all()
        rows = self._stride(_STRIDE)
        if rows is None and filters.candidates and all(map(self._are_many, filters.candidates)):
            rows = self._stride(_LONG_STRIDE)
        return self._gathered(filters.candidates) if rows is None else rows

    @property
    def _fitting(self) -> tuple[_Condition, ...]:
        search = () if self.section.found else self.filters.search
        return (*self.section.conditions, *self.filters.usual, *search, *self.filters.rare)

    def _order(self, users: FromClause) -> tuple[ColumnElement[Any], ...]:
        columns = users.c[self.section.key], users.c.id
        return tuple(each.desc() if self.down else each.asc() for each in columns)

    def _page(self, users: FromClause) -> Select[Any]:
        columns = [users.c[name] for name in ("id", "login", "name", "email", "last_seen_at", "deleted_at")]
        sort_value = users.c[self.section.key].label("sort_value")
        page = select(*columns, _privileged(users).label("privileged"), sort_value)
        return page.order_by(*self._order(users)).limit(self.limit)

    def _stride(self, length: int) -> Sequence[Row[Any]] | None:
        """Look among the next ``length`` rows of the order; None where they do not suffice."""
        places = select(_USERS.c[self.section.key], _USERS.c.id).where(*self.extent).order_by(*self._order(_USERS))
        # The index alone is stepped over here, by a fixed number: this OFFSET does not grow with the list.
        edge = self.connection.execute(places.limit(1).offset(length)).one_or_none()
        page = self._page(_USERS).where(*self.extent, *self._fitting)
        if edge is not None:
            page = page.where(_beyond(self.section.key, edge[0], edge[1], down=not self.down))
        rows = self.connection.execute(page).all()
        return rows if edge is None or len(rows) == self.limit else None

    def _are_many(self, candidates: _Candidates) -> bool:
        some = candidates.ids.limit(_FEW + 1).subquery()
        return self.connection.execute(select(func.count()).select_from(some)).scalar_one() > _FEW

    def _gathered(self, candidates: Sequence[_Candidates]) -> Sequence[Row[Any]]:
        """Find first, sort then: the planner must not walk the order in the hope of meeting what is rare."""
        indexed = [each.condition for each in candidates]
        every = select(_USERS).where(*self.extent, *self._fitting, *indexed)
        return self.connection.execute(self._page(every.cte("found").prefix_with("MATERIALIZED"))).all()


def _beyond(key: str, value: SortValue, row_id: int, *, down: bool) -> _Condition:
    """Whoever comes behind that place in the order of ``key``, or before it with ``down``."""
    column_ = _USERS.c[key]
    place = tuple_(column_, _USERS.c.id)
    edge = tuple_(literal(value, column_.type), literal(row_id, _USERS.c.id.type))
    return place < edge if down else place > edge


def _read_section(
    connection: Connection,
    section: _Section,
    filters: _Filters,
    bound: Cursor | None,
    limit: int,
    *,
    backward: bool,
) -> Sequence[Row[Any]]:
    """Up to ``limit`` rows of a section, behind ``bound`` where one is given; ``backward`` turns the order round."""
    down = section.descending != backward
    extent = section.extent
    if bound is not None:
        extent = (*extent, _beyond(section.key, bound.value, bound.row_id, down=down))
    return _Reading(connection, section, extent, filters, limit, down).rows()


def count_deleted_users() -> int:
    """How many deleted users there are, counted up to ``COUNTED`` and one."""
    some = select(_USERS.c.id).where(_USERS.c.deleted_at.is_not(None)).limit(COUNTED + 1).subquery()
    with read_connection() as connection:
        return connection.execute(select(func.count()).select_from(some)).scalar_one()
