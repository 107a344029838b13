"""The list of users, read by pages whose cost does not depend on how many users there are.

A list consists of sections, each in the order of an index: users with an e-mail address by address, then those
without by name. A page starts behind a row (never at an OFFSET), fills from one section and goes on in the next, so
users who are added or deleted meanwhile neither repeat nor hide anybody.

Where a filter may leave few of many, a page is first looked for among the next rows of the order; if it does not
fill there, the rare rows are gathered through the index of the filter and sorted (design, issue "Speed").
"""

from collections.abc import Callable, Iterator, Sequence
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
from app.settings.users.cursor import Cursor

PAGE_SIZE = 25
COUNTED = 1_000
"""Up to so many are counted; beyond it is "more than"."""
_STRIDE = 1_000
_LONG_STRIDE = 20_000
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
    """Not for ninety days, or never."""
    NEVER = "never"


LATELY_DAYS = 30
LONG_AGO_DAYS = 90


class Order(StrEnum):
    """What a list is sorted by."""

    BEST = "best"
    """For a search: whoever's name, login or e-mail begins with it, then whoever has it anywhere."""
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
_ConditionOn = Callable[[FromClause], _Condition]
"""A condition on the table of users, or on a part of its rows that was read before."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A part of the list: whom it holds, and the column that it is sorted by (then by id)."""

    key: str
    conditions: tuple[_Condition, ...]
    descending: bool = False
    gathered: bool = False
    """Sorted after the fact, since an index names the few that it holds."""


@dataclass(frozen=True, slots=True)
class _Filters:
    """``usual`` leaves most rows, ``rare`` may leave few; ``candidates`` is true for all of ``rare`` and indexed."""

    usual: tuple[_Condition, ...]
    rare: tuple[_ConditionOn, ...]
    candidates: tuple[_Condition, ...]


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
    is_instant = sections[cursor.section].key in ("last_seen_at", "deleted_at")
    return cursor if isinstance(cursor.value, datetime) == is_instant else None


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


def _administrators(users: FromClause) -> _Condition:
    """The same, for where the few who are should be looked up, not everybody asked."""
    return users.c.id.in_(select(UserPermission.user_id).where(_HELD))


def _sections(query: ListQuery) -> tuple[_Section, ...]:
    """The sections of a list, in the order in which they are shown."""
    users = _USERS.c
    deleted = query.state is State.DELETED
    there = users.deleted_at.is_not(None) if deleted else users.deleted_at.is_(None)
    down = query.descending
    match query.order:
        case Order.BEST if fold(query.search):
            return tuple(_best_sections(fold(query.search[:_LONGEST_SEARCH]), there))
        case Order.EMAIL:
            return (
                _Section("email_key", (there, users.email_key.is_not(None)), down),
                _Section("name_key", (there, users.email_key.is_(None)), down),
            )
        case Order.SEEN:
            return (
                _Section("last_seen_at", (there, users.last_seen_at.is_not(None)), down),
                _Section("name_key", (there, users.last_seen_at.is_(None)), down),
            )
        case Order.PRIVILEGE:
            administrators = _Section("name_key", (there, _administrators(_USERS)), gathered=True)
            members = _Section("name_key", (there, ~_privileged(_USERS)))
            return (members, administrators) if down else (administrators, members)
        case Order.DELETED if deleted:
            return (_Section("deleted_at", (there,), down),)
        case _:
            return (_Section("name_key", (there,), down),)


def _best_sections(key: str, there: _Condition) -> Iterator[_Section]:
    """Whoever's name, then login, then e-mail begins with ``key``; then everybody else who has it."""
    earlier: list[_Condition] = []
    for field in ("name_key", "login_key", "email_key"):
        begins = (_USERS.c[field] >= key) & (_USERS.c[field] < key + _LAST_CHARACTER)
        yield _Section(field, (there, begins, *earlier))
        earlier.append(~func.coalesce(begins, False))
    yield _Section("name_key", (there, *earlier))


# Filters ----------------------------------------------------------------------------------------------------------


def _filters(query: ListQuery, now: datetime, dialect: str) -> _Filters:
    usual: list[_Condition] = []
    rare: list[_ConditionOn] = []
    candidates: list[_Condition] = []
    if query.privilege is Privilege.MEMBERS:
        usual.append(~_privileged(_USERS))
    elif query.privilege is Privilege.ADMINISTRATORS:
        rare.append(_administrators)
        candidates.append(_administrators(_USERS))
    words = search_words(query.search)
    if words:
        rare.extend(map(_has_word, words))
        candidates.append(_has_grams(words, dialect))
    if query.seen and query.state is State.ACTIVE:
        rare.append(_seen(query.seen, now))
    return _Filters(tuple(usual), tuple(rare), tuple(candidates))


def search_words(search: str) -> tuple[str, ...]:
    """The folded words of a search; whoever is found has every one of them, in any order."""
    return tuple(dict.fromkeys(fold(search[:_LONGEST_SEARCH]).split()))[:_MOST_WORDS]


def _has_word(word: str) -> _ConditionOn:
    return lambda users: users.c.search_text.contains(word, autoescape=True)


def _has_grams(words: tuple[str, ...], dialect: str) -> _Condition:
    if dialect == "sqlite":
        index = table(grams.TABLE, column("rowid"))
        matching = text(f"{grams.TABLE} MATCH :grams").bindparams(grams=grams.fts_query(words))
        return _USERS.c.id.in_(select(index.c.rowid).where(matching))
    wanted = list(dict.fromkeys(gram for word in words for gram in grams.grams(word)))
    of_user = func.search_grams(_USERS.c.search_text, type_=ARRAY(Text))
    return of_user.contains(sql_cast(wanted, ARRAY(Text)))


def _seen(seen: Seen, now: datetime) -> _ConditionOn:
    match seen:
        case Seen.LATELY:
            return lambda users: users.c.last_seen_at >= now - timedelta(days=LATELY_DAYS)
        case Seen.NEVER:
            return lambda users: users.c.last_seen_at.is_(None)
        case _:
            before = now - timedelta(days=LONG_AGO_DAYS)
            return lambda users: users.c.last_seen_at.is_(None) | (users.c.last_seen_at < before)


# Statements -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    """One section being read: the rows behind a bound, ``down`` or up the order of its key."""

    connection: Connection
    section: _Section
    conditions: tuple[_Condition, ...]
    filters: _Filters
    limit: int
    down: bool

    def rows(self) -> Sequence[Row[Any]]:
        """Up to ``limit`` rows."""
        if self.section.gathered:
            return self._gathered(())
        if not self.filters.rare:
            return self.connection.execute(self._page(_USERS).where(*self.conditions)).all()
        rows = self._stride(_STRIDE)
        if rows is None and self._are_many():
            rows = self._stride(_LONG_STRIDE)
        return self._gathered(self.filters.candidates) if rows is None else rows

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
        walk = select(_USERS).where(*self.conditions).order_by(*self._order(_USERS)).limit(length)
        walked = walk.subquery("walked")
        fitting = [condition(walked) for condition in self.filters.rare]
        rows = self.connection.execute(self._page(walked).where(*fitting)).all()
        if len(rows) == self.limit:
            return rows
        seen = select(func.count()).select_from(walk.with_only_columns(_USERS.c.id).subquery())
        return rows if self.connection.execute(seen).scalar_one() < length else None

    def _are_many(self) -> bool:
        if not self.filters.candidates:
            return False
        some = select(_USERS.c.id).where(*self.filters.candidates).limit(_FEW + 1).subquery()
        return self.connection.execute(select(func.count()).select_from(some)).scalar_one() > _FEW

    def _gathered(self, candidates: tuple[_Condition, ...]) -> Sequence[Row[Any]]:
        """Find first, sort then: the planner must not walk the order in the hope of meeting what is rare."""
        fitting = [condition(_USERS) for condition in self.filters.rare]
        every = select(_USERS).where(*self.conditions, *fitting, *candidates)
        return self.connection.execute(self._page(every.cte("found").prefix_with("MATERIALIZED"))).all()


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
    conditions = (*section.conditions, *filters.usual)
    if bound is not None:
        key = _USERS.c[section.key]
        place = tuple_(key, _USERS.c.id)
        edge = tuple_(literal(bound.value, key.type), literal(bound.row_id, _USERS.c.id.type))
        conditions = (*conditions, place < edge if down else place > edge)
    return _Reading(connection, section, conditions, filters, limit, down).rows()


def count_deleted_users() -> int:
    """How many deleted users there are, counted up to ``COUNTED`` and one."""
    some = select(_USERS.c.id).where(_USERS.c.deleted_at.is_not(None)).limit(COUNTED + 1).subquery()
    with read_connection() as connection:
        return connection.execute(select(func.count()).select_from(some)).scalar_one()
