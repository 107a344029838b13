"""The audit log: who did what, when, from where, and what it was before and after. Append-only, without secrets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask import g, has_request_context, request
from sqlalchemy import CTE, JSON, Connection, Index, Insert, String, bindparam, exists, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.auth.models import User
from app.database import RowId, Transaction, UtcDateTime, connection_of, read_connection, write_transaction
from app.extensions import Base

OUTCOME_DONE = "done"
OUTCOME_REFUSED = "refused"
COMMAND_LINE = "command line"
_AUDITED = "audited_"
"""Begins the names of an entry's parameters in a statement that has others."""
_log = structlog.get_logger("timetracker.audit")


class AuditEntry(Base):
    """One thing that somebody did or was refused. Triggers refuse UPDATE and DELETE."""

    __tablename__ = "audit_entries"
    # The log is read latest first, whatever it is filtered by; each filter has an index that ends with the instant.
    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "action", "at", "id"),
        Index(None, "actor", "at", "id"),
        Index(None, "outcome", "at", "id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(200))
    outcome: Mapped[str] = mapped_column(String(16))
    code: Mapped[str | None] = mapped_column(String(64))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    address: Mapped[str] = mapped_column(String(64))


_INSERT = insert(AuditEntry).inline()  # nobody asks for the row's number
_FILLED = tuple(column for column in AuditEntry.__table__.columns if column.name != "id")


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be recorded; ``action`` is ``thing.verb``, such as ``license.register``."""

    action: str
    target: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    actor: str | None = None
    """Login of whoever did it; None takes the one of the request, or the command line."""


def record(transaction: Transaction, event: Event, *, code: str | None = None) -> None:
    """Add ``event`` to the transaction that does it, a session of ``write_transaction()``: neither happens alone."""
    connection_of(transaction).execute(_INSERT, _entry(event, code))
    _log.info(event.action, target=event.target, code=code)


def recording_where(found: CTE) -> Insert:
    """The statement that records an event for ``record_by`` where ``found``, which may write, has a row; else nothing.

    SQLite does not let ``found`` write.
    """
    entry = select(*(bindparam(_AUDITED + column.name, type_=column.type) for column in _FILLED)).select_from(found)
    # Who reads rowcount says so: SQLAlchemy keeps it of UPDATE and DELETE alone.
    statement = insert(AuditEntry).inline().execution_options(preserve_rowcount=True)
    return statement.from_select([column.name for column in _FILLED], entry)


def record_by(connection: Connection, statement: Insert, event: Event, values: Mapping[str, object]) -> bool:
    """Run ``statement`` of ``recording_where`` with its own ``values``; returns whether ``event`` is recorded."""
    entry = {_AUDITED + name: value for name, value in _entry(event, None).items()}
    is_recorded = connection.execute(statement, {**values, **entry}).rowcount == 1
    if is_recorded:
        _log.info(event.action, target=event.target, code=None)
    return is_recorded


def record_migration(connection: Connection, event: Event) -> None:
    """Add the ``event`` of a migration to its transaction, where there is a log to add it to.

    Until somebody uses the installation, its first tables are nobody's news; and a migration may take this log itself
    away, or to a form that this version does not write.
    """
    tables = inspect(connection)
    if not (tables.has_table(AuditEntry.__tablename__) and tables.has_table(User.__tablename__)):
        return
    columns = {column["name"] for column in tables.get_columns(AuditEntry.__tablename__)}
    if columns.issuperset(AuditEntry.__table__.columns.keys()) and connection.scalar(select(exists(select(User.id)))):
        record(connection, event)


def record_refusal(event: Event, code: str, *, at_most_every: timedelta | None = None) -> None:
    """Record that ``event`` was refused for ``code``, in a transaction of its own.

    A database that cannot be written to must not turn a refusal into an error: then the log alone has it.

    Args:
        event: what was refused.
        code: why.
        at_most_every: where the same actor was refused the same for the same reason within this time, nothing more is
            written: the log cannot be pruned, and whoever may repeat a refusal at will must not be able to fill the
            disk with it. Requests at the very same moment may still write one entry each.
    """
    try:
        if at_most_every is not None and _is_recorded(event, code, at_most_every):
            return
        with write_transaction() as session:
            record(session, event, code=code)
    except SQLAlchemyError:
        _log.exception("audit log could not be written", action=event.action, code=code)


def _is_recorded(event: Event, code: str, within: timedelta) -> bool:
    same = (
        AuditEntry.actor == _actor_of(event),
        AuditEntry.at > clock.now() - within,
        AuditEntry.action == event.action,
        AuditEntry.code == code,
    )
    with read_connection() as connection:
        return connection.execute(select(exists(select(AuditEntry.id).where(*same)))).scalar_one()


def _entry(event: Event, code: str | None) -> dict[str, object]:
    return {
        "at": clock.now(),
        "actor": _actor_of(event),
        "action": event.action,
        "target": _printable(event.target)[:200],
        "outcome": OUTCOME_REFUSED if code else OUTCOME_DONE,
        "code": code,
        "before": dict(event.before) if event.before is not None else None,
        "after": dict(event.after) if event.after is not None else None,
        "address": (request.remote_addr or "")[:64] if has_request_context() else "",
    }


def _printable(text: str) -> str:
    """Without control characters, which a stranger may have typed and PostgreSQL does not take."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _actor_of(event: Event) -> str:
    return _printable(actor_here() if event.actor is None else event.actor)[:64]


def actor_here() -> str:
    """Login of whoever acts in this request; ``command line`` outside one."""
    if not has_request_context():
        return COMMAND_LINE
    identity = g.get("identity")
    return identity.login if identity is not None else ""
