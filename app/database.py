"""Two engines and one way to write.

Pages and services read through ``read_connection()``: AUTOCOMMIT, no transaction, one statement one snapshot.
They write inside ``write_transaction()`` alone, which takes SQLite's write lock before its first read, so that what
a rule was decided upon is still true when it is written; ``write_connection()`` is the same without the ORM, and
``statement_connection()`` for a single statement.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import Flask, current_app
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    TypeDecorator,
    event,
    make_url,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.auth import grams
from app.config import Settings
from app.events import take_announced
from app.extensions import db
from app.liveness import check_liveness

READ = "read"
BUSY_TIMEOUT_MS = 10_000
WRITES = "timetracker_writes"
"""Execution option of a connection that is going to write: on SQLite its transactions take the write lock at once."""

RowId = BigInteger().with_variant(Integer, "sqlite")
"""The type of a primary key that numbers rows by itself, on both engines; SQLite does so for INTEGER alone."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant. PostgreSQL keeps it as ``timestamptz``; SQLite knows no zones and keeps naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What a value of it is."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant, whose meaning nobody knows."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the instant in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def configure_database(app: Flask, settings: Settings) -> None:
    """Bind the two engines and their hooks. No connection is opened here, so that workers fork without one."""
    url = make_url(settings.database_url)
    is_sqlite = url.get_backend_name() == "sqlite"
    # What is bound to statements, such as password hashes and license keys, has no place in the text of an error.
    options: dict[str, Any] = {"hide_parameters": True}
    if is_sqlite:
        options["connect_args"] = {"timeout": BUSY_TIMEOUT_MS / 1000}
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    # No transaction is ever open on the read engine, so there is none to roll back when a connection returns.
    read_options = {**options, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
    app.config["SQLALCHEMY_BINDS"] = {READ: {"url": url, **read_options}}
    db.init_app(app)
    with app.app_context():
        if is_sqlite:
            _hook_sqlite(db.engine, db.engines[READ])
        else:
            check_liveness(db.engine)
            check_liveness(db.engines[READ])


def _hook_sqlite(main: Engine, read: Engine) -> None:
    event.listen(main, "connect", _open_sqlite)
    event.listen(read, "connect", _open_sqlite)
    # The hook stands on the main engine alone: on AUTOCOMMIT connections the event fires as well, and a BEGIN there
    # would never be ended.
    event.listen(main, "begin", _begin_sqlite)


def _open_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # pysqlite shall begin nothing by itself; _begin_sqlite does
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # an answered "registered" survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA recursive_triggers = ON")  # else INSERT OR REPLACE deletes rows behind the triggers
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def read_connection() -> Iterator[Connection]:
    """A connection on which each statement is a snapshot of its own; nothing is to be written on it."""
    with db.engines[READ].connect() as connection:
        yield connection


@contextmanager
def write_transaction() -> Iterator[Session]:
    """The only way to write: all of it is committed at the end, or none of it after an exception.

    On SQLite the write lock is taken at once, for a transaction that reads before it writes could not get it later
    (SQLITE_BUSY_SNAPSHOT). Rules that span rows take ``lock_installation`` first, which does the same on PostgreSQL.

    Raises:
        RuntimeError: the session is in a transaction already; what it has read would be stale.
    """
    session = _session_at_rest()
    try:
        session.connection(execution_options={WRITES: True})
        yield session
        session.commit()
        happened = take_announced(session)
    except BaseException:
        session.rollback()
        take_announced(session)
        raise
    finally:
        session.close()
    for event_ in happened:
        current_app.extensions["publish"](event_)


@contextmanager
def write_connection() -> Iterator[Connection]:
    """``write_transaction()`` for what runs prepared Core statements alone and is in a hurry, such as the log-in.

    Raises:
        RuntimeError: the session is in a transaction already; on SQLite this one would wait for it, and in vain.
    """
    if db.session.registry.has():
        _session_at_rest()
    with db.engine.connect() as connection:
        connection.execution_options(**{WRITES: True})
        with connection.begin():
            yield connection


@contextmanager
def statement_connection() -> Iterator[Connection]:
    """For a single statement that writes: it is a transaction of its own, without asking for its begin and end."""
    with db.engines[READ].connect() as connection:
        yield connection


@contextmanager
def session_tidied() -> Iterator[None]:
    """Run code that is not ours, and end whatever it has begun on the session.

    A session that is in a transaction before is its caller's: the code cannot write within it (``write_transaction``
    refuses), and it is left alone.
    """
    if db.session.registry.has() and db.session().in_transaction():
        yield
        return
    try:
        yield
    finally:
        if db.session.registry.has():
            db.session.remove()


def _session_at_rest() -> Session:
    session = db.session()
    if session.in_transaction():
        raise RuntimeError("a write transaction inside a transaction")
    return session


Transaction = Session | Connection
"""What ``write_transaction()`` and ``write_connection()`` hand on, for those who write within either."""


def connection_of(transaction: Transaction) -> Connection:
    """The connection on which ``transaction`` runs."""
    return transaction if isinstance(transaction, Connection) else transaction.connection()


def drop_connections(app: Flask) -> None:
    """Forget every pooled connection without closing it: after a fork it belongs to the parent process."""
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)


# Triggers ---------------------------------------------------------------------------------------------------------

_SQLITE_TRIGGERS = {
    # Seats: registered users are counted by the database itself, so that no path around the service miscounts.
    "users_count_insert": """
        AFTER INSERT ON users WHEN NEW.deleted_at IS NULL BEGIN
            UPDATE seat_count SET registered_users = registered_users + 1;
        END""",
    "users_count_delete": """
        AFTER DELETE ON users WHEN OLD.deleted_at IS NULL BEGIN
            UPDATE seat_count SET registered_users = registered_users - 1;
        END""",
    "users_count_update": """
        AFTER UPDATE OF deleted_at ON users WHEN (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) BEGIN
            UPDATE seat_count SET registered_users = registered_users + IIF(NEW.deleted_at IS NULL, 1, -1);
        END""",
    # INSERT OR REPLACE removes the row it meets without firing the delete trigger where recursive_triggers is off,
    # as it is in every client but ours.
    "users_no_replace": """
        BEFORE INSERT ON users WHEN EXISTS (
            SELECT 1 FROM users WHERE id = NEW.id OR login_key = NEW.login_key
        ) BEGIN
            SELECT RAISE(ABORT, 'UNIQUE constraint failed: users.login_key');
        END""",
    **{
        f"licenses_revision_{verb.lower()}": f"""
        AFTER {verb} ON licenses BEGIN
            UPDATE installation SET license_revision = license_revision + 1;
        END"""
        for verb in ("INSERT", "UPDATE", "DELETE")
    },
    "audit_entries_no_replace": """
        BEFORE INSERT ON audit_entries WHEN EXISTS (SELECT 1 FROM audit_entries WHERE id = NEW.id) BEGIN
            SELECT RAISE(ABORT, 'audit_entries is append-only');
        END""",
    **{
        f"audit_entries_no_{verb.lower()}": f"""
        BEFORE {verb} ON audit_entries BEGIN
            SELECT RAISE(ABORT, 'audit_entries is append-only');
        END"""
        for verb in ("UPDATE", "DELETE")
    },
    **grams.SQLITE_TRIGGERS,
}

_POSTGRESQL_FUNCTIONS = {
    "users_count": """
        DECLARE delta bigint;
        BEGIN
            IF TG_OP = 'INSERT' THEN
                SELECT count(*) INTO delta FROM new_rows WHERE deleted_at IS NULL;
            ELSIF TG_OP = 'DELETE' THEN
                SELECT -count(*) INTO delta FROM old_rows WHERE deleted_at IS NULL;
            ELSIF TG_OP = 'UPDATE' THEN
                SELECT (SELECT count(*) FROM new_rows WHERE deleted_at IS NULL)
                     - (SELECT count(*) FROM old_rows WHERE deleted_at IS NULL) INTO delta;
            ELSE
                UPDATE seat_count SET registered_users = 0;
                RETURN NULL;
            END IF;
            IF delta <> 0 THEN
                UPDATE seat_count SET registered_users = registered_users + delta;
            END IF;
            RETURN NULL;
        END""",
    "licenses_revision": """
        BEGIN
            UPDATE installation SET license_revision = license_revision + 1;
            RETURN NULL;
        END""",
    "audit_entries_append_only": """
        BEGIN
            RAISE EXCEPTION 'audit_entries is append-only';
        END""",
}

# Statement triggers: a row trigger on the one counter row is quadratic for bulk inserts.
_POSTGRESQL_TRIGGERS = {
    "users_count_insert": (
        "AFTER INSERT ON users REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
        "users_count",
    ),
    "users_count_delete": (
        "AFTER DELETE ON users REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
        "users_count",
    ),
    "users_count_update": (
        "AFTER UPDATE ON users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT",
        "users_count",
    ),
    "users_count_truncate": ("AFTER TRUNCATE ON users FOR EACH STATEMENT", "users_count"),
    "licenses_revision": (
        "AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON licenses FOR EACH STATEMENT",
        "licenses_revision",
    ),
    "audit_entries_append_only": (
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries FOR EACH STATEMENT",
        "audit_entries_append_only",
    ),
}


def create_triggers(connection: Connection) -> None:
    """Create every trigger anew; each migration that touches a table with triggers ends with this.

    Alembic's batch mode rebuilds a table on SQLite and loses its triggers without a word.
    """
    if connection.dialect.name == "sqlite":
        for name, body in _SQLITE_TRIGGERS.items():
            connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
            connection.execute(text(f"CREATE TRIGGER {name} {body}"))
        return
    for name, body in _POSTGRESQL_FUNCTIONS.items():
        connection.execute(text(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"))
    for name, (head, function) in _POSTGRESQL_TRIGGERS.items():
        table = head.split(" ON ")[1].split()[0]
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name} ON {table}"))
        connection.execute(text(f"CREATE TRIGGER {name} {head} EXECUTE FUNCTION {function}()"))


def drop_trigger_functions(connection: Connection) -> None:
    """Remove what ``create_triggers`` leaves behind when the tables are gone (PostgreSQL's functions)."""
    if connection.dialect.name == "postgresql":
        for name in _POSTGRESQL_FUNCTIONS:
            connection.execute(text(f"DROP FUNCTION IF EXISTS {name}() CASCADE"))


def expected_triggers(dialect: str) -> frozenset[str]:
    """Names of the triggers that a sound database has; ``flask doctor`` and the migration tests compare."""
    return frozenset(_SQLITE_TRIGGERS if dialect == "sqlite" else _POSTGRESQL_TRIGGERS)
