"""The audit log, read: filtered, a page at a time, or whole for an export. Every query goes along an index."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, literal, select, tuple_

from app.audit import AuditEntry
from app.auth.folding import fold
from app.auth.models import User
from app.database import UtcDateTime, read_connection

PAGE = 50
EXPORT_BATCH = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_ID = 2**63 - 1
_MICROSECOND = timedelta(microseconds=1)
_LATEST = (AuditEntry.at.desc(), AuditEntry.id.desc())
_EARLIEST = (AuditEntry.at.asc(), AuditEntry.id.asc())


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the log is asked for; an empty text or None asks for all."""

    actor: str = ""
    """A login name, in any case and width."""
    action: str = ""
    outcome: str = ""
    """``done`` or ``refused``."""
    since: datetime | None = None
    """First instant (aware)."""
    before: datetime | None = None
    """First instant after the period (aware)."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log: entries are read beyond it. Instants alone would not do, for several may share one."""

    at: datetime
    id: int

    def __str__(self) -> str:
        """Return the cursor as an address carries it: microseconds since 1970, and the id."""
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor | None":
        """Return the cursor that an address carries; None where it carries none that is understood."""
        at, dash, id_ = text.partition("-")
        if not (dash and text.isascii() and at.isdigit() and id_.isdigit() and len(text) <= 40):  # noqa: PLR2004 - longer than any
            return None
        if int(id_) > _LARGEST_ID:
            return None
        try:
            return cls(_EPOCH + int(at) * _MICROSECOND, int(id_))
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Change:
    """One value of an entry; None where it was or is not there."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did or was refused."""

    id: int
    at: datetime
    actor: str
    """A login name; empty for whoever was not logged in."""
    action: str
    target: str
    outcome: str
    code: str | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    address: str
    """Network address; empty for the command line."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """The values that differ; of an entry with one side only, those that are not empty."""
        old, new = self.before or {}, self.after or {}
        names = [*old, *(name for name in new if name not in old)]
        listed = (Change(name, old.get(name), new.get(name)) for name in names)
        if old and new:
            return tuple(change for change in listed if change.old != change.new)
        return tuple(change for change in listed if change.old or change.new)


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, latest first, with the cursors of the neighbouring pages; None at either end of the log."""

    entries: tuple[Entry, ...]
    newer: Cursor | None
    older: Cursor | None


_COLUMNS = (
    AuditEntry.id,
    AuditEntry.at,
    AuditEntry.actor,
    AuditEntry.action,
    AuditEntry.target,
    AuditEntry.outcome,
    AuditEntry.code,
    AuditEntry.before,
    AuditEntry.after,
    AuditEntry.address,
)


def read_page(filters: Filters, *, older_than: Cursor | None = None, newer_than: Cursor | None = None) -> Page:
    """Read one page, the latest unless a cursor says where to go on; ``newer_than`` wins over ``older_than``."""
    with read_connection() as connection:
        asked = _spelled(connection, filters)
        if newer_than is not None:
            queries = [_query(each).where(_place() > _place_of(newer_than)).order_by(*_EARLIEST) for each in asked]
            found = _entries(connection, queries, PAGE + 1, latest_first=False)
            entries, more_newer = found[:PAGE][::-1], len(found) > PAGE
            return _page(entries, newer=more_newer, older=True) if entries else _first(connection, asked)
        if older_than is None:
            return _first(connection, asked)
        found = _entries(connection, [_latest_first(each, older_than) for each in asked], PAGE + 1)
        return _page(found[:PAGE], newer=True, older=len(found) > PAGE)


def _first(connection: Connection, asked: Sequence[Filters]) -> Page:
    found = _entries(connection, [_latest_first(each, None) for each in asked], PAGE + 1)
    return _page(found[:PAGE], newer=False, older=len(found) > PAGE)


def _spelled(connection: Connection, filters: Filters) -> Sequence[Filters]:
    """The filters once for each spelling of the login name: as it was typed, folded, and as the user has it.

    Each is a query of its own that goes along the index, and what they find is merged: no database folds names as we
    do, and one that asked for several spellings at once would have to sort all that it finds.
    """
    if not filters.actor:
        return (filters,)
    key = fold(filters.actor)
    stored = connection.execute(select(User.login).where(User.login_key == key)).scalar_one_or_none()
    spellings = dict.fromkeys((filters.actor, key, stored or key))
    return [replace(filters, actor=spelling) for spelling in spellings if spelling]


def _page(entries: tuple[Entry, ...], *, newer: bool, older: bool) -> Page:
    if not entries:
        return Page((), None, None)
    first, last = entries[0], entries[-1]
    return Page(
        entries,
        newer=Cursor(first.at, first.id) if newer else None,
        older=Cursor(last.at, last.id) if older else None,
    )


def read_all(filters: Filters) -> Iterator[Entry]:
    """Read every entry, latest first, in batches, so that neither memory nor a connection is held meanwhile."""
    beyond: Cursor | None = None
    while True:
        with read_connection() as connection:
            queries = [_latest_first(each, beyond) for each in _spelled(connection, filters)]
            batch = _entries(connection, queries, EXPORT_BATCH)
        yield from batch
        if len(batch) < EXPORT_BATCH:
            return
        beyond = Cursor(batch[-1].at, batch[-1].id)


def _latest_first(filters: Filters, beyond: Cursor | None) -> Select[Any]:
    query = _query(filters).order_by(*_LATEST)
    return query if beyond is None else query.where(_place() < _place_of(beyond))


def _query(filters: Filters) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = []
    if filters.actor:
        conditions.append(AuditEntry.actor == filters.actor)
    if filters.action:
        conditions.append(AuditEntry.action == filters.action)
    if filters.outcome:
        conditions.append(AuditEntry.outcome == filters.outcome)
    if filters.since is not None:
        conditions.append(AuditEntry.at >= filters.since)
    if filters.before is not None:
        conditions.append(AuditEntry.at < filters.before)
    return select(*_COLUMNS).where(*conditions)


def _place() -> ColumnElement[Any]:
    return tuple_(AuditEntry.at, AuditEntry.id)


def _place_of(cursor: Cursor) -> ColumnElement[Any]:
    return tuple_(literal(cursor.at, UtcDateTime), literal(cursor.id))


def _entries(
    connection: Connection, queries: Sequence[Select[Any]], size: int, *, latest_first: bool = True
) -> tuple[Entry, ...]:
    """The first ``size`` entries of what the queries find together; each of them is in this order already."""
    found = [_entry(row) for query in queries for row in connection.execute(query.limit(size))]
    if len(queries) > 1:
        found.sort(key=lambda entry: (entry.at, entry.id), reverse=latest_first)
    return tuple(found[:size])


def _entry(row: Sequence[Any]) -> Entry:
    return Entry(*row)
