"""Processes that add and remove users, each in a way of its own, many times, all at once.

The first argument is how often, each further one a way: a process is forked for each. All begin together; each says
on standard output its place among the arguments and how many of its attempts the database refused; why, it says on
standard error.
"""

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import Connection, delete, insert, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from app import clock, create_app
from app.auth.acting import COMMAND_LINE
from app.auth.models import User
from app.auth.users import UserDetails, add_user, delete_users, restore_users
from app.config import Settings
from app.database import drop_connections, write_transaction
from app.settings.models import lock_installation

BULK = 40


def row(login: str) -> dict[str, object]:
    """A user as plain SQL would insert it."""
    return {
        "login": login,
        "login_key": login,
        "name": login,
        "name_key": login,
        "search_text": login,
        "created_at": datetime.now(UTC),
    }


def by_service(name: str) -> None:
    """Added through the service, deleted, and every other one restored."""
    with write_transaction() as session:
        lock_installation(session)
        user_id = add_user(session, UserDetails(name, name), now=clock.now()).id
    with write_transaction() as session:
        lock_installation(session)
        delete_users(session, [user_id], now=clock.now(), acting=COMMAND_LINE)
    if hash(name) % 2:
        with write_transaction() as session:
            lock_installation(session)
            restore_users(session, [user_id])


def _plain(action: Callable[[Connection], object]) -> None:
    with write_transaction() as session:
        action(session.connection())


def by_insert(name: str) -> None:
    """One INSERT, by itself."""
    _plain(lambda connection: connection.execute(insert(User).values(**row(name))))


def by_bulk(name: str) -> None:
    """Many rows with one INSERT, some of them deleted from the beginning."""
    rows = [{**row(f"{name}.{number}"), "deleted_at": None} for number in range(BULK)]
    rows[0]["deleted_at"] = datetime.now(UTC)
    _plain(lambda connection: connection.execute(insert(User).values(rows)))


def by_delete(name: str) -> None:
    """Inserted, deleted softly and then really."""

    def act(connection: Connection) -> None:
        connection.execute(insert(User).values(**row(name)))
        connection.execute(update(User).where(User.login == name).values(deleted_at=datetime.now(UTC)))
        connection.execute(delete(User).where(User.login == name))

    _plain(act)


def by_rollback(name: str) -> None:
    """Inserted and taken back."""
    with suppress(InterruptedError), write_transaction() as session:
        session.execute(insert(User).values(**row(name)))
        raise InterruptedError


def by_conflict(name: str) -> None:
    """The same login over and over: the second time and every later one is refused."""
    _plain(lambda connection: connection.execute(insert(User).values(**row(name.partition("-")[0]))))


def by_upsert(name: str) -> None:
    """INSERT … ON CONFLICT DO UPDATE, which un-deletes and deletes in turn."""
    statement = (
        "INSERT INTO users (login, login_key, name, name_key, search_text, created_at)"
        " SELECT login, login, login, login, login, CURRENT_TIMESTAMP"
        " FROM (SELECT CAST(:login AS VARCHAR(64)) AS login) AS given WHERE true"
        " ON CONFLICT (login_key) DO UPDATE SET"
        " deleted_at = CASE WHEN users.deleted_at IS NULL THEN CURRENT_TIMESTAMP END"
    )
    _plain(lambda connection: connection.execute(text(statement), {"login": name.partition("-")[0]}))


def by_replace(name: str) -> None:
    """INSERT OR REPLACE, from a client that knows nothing of our PRAGMAs (SQLite alone)."""
    settings: Settings = current_app.extensions["settings"]
    connection = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), timeout=30)
    try:
        with connection:
            login = name.partition("-")[0]
            connection.execute(
                "INSERT OR REPLACE INTO users (login, login_key, name, name_key, search_text, created_at)"
                " VALUES (?, ?, ?, ?, ?, CURRENT_TIMESTAMP)",
                (login,) * 5,
            )
    except sqlite3.IntegrityError as error:
        raise IntegrityError("INSERT OR REPLACE", {}, error) from error
    finally:
        connection.close()


def by_truncate(name: str) -> None:
    """Everybody inserted so far is gone at a stroke (PostgreSQL alone)."""

    def act(connection: Connection) -> None:
        connection.execute(insert(User).values(**row(name)))
        connection.execute(text("TRUNCATE users CASCADE"))

    _plain(act)


WAYS: dict[str, Callable[[str], None]] = {
    "service": by_service,
    "insert": by_insert,
    "bulk": by_bulk,
    "delete": by_delete,
    "rollback": by_rollback,
    "conflict": by_conflict,
    "upsert": by_upsert,
    "replace": by_replace,
    "truncate": by_truncate,
}


def main() -> None:
    """Fork a process for each way and let all begin together."""
    times, ways = int(sys.argv[1]), sys.argv[2:]
    app = create_app()
    waiting, beginning = os.pipe()
    children = []
    for place, way in enumerate(ways):
        child = os.fork()
        if child == 0:
            os.close(beginning)
            drop_connections(app)
            with app.app_context():
                os.read(waiting, 1)  # until all have been forked and the other end is closed
                refused = _write(WAYS[way], f"{way}{place}", times)
            os.write(1, f"{place} {refused}\n".encode())
            os._exit(0)
        children.append(child)
    os.close(beginning)
    for child in children:
        os.waitpid(child, 0)


def _write(way: Callable[[str], None], own: str, times: int) -> int:
    refused = 0
    for number in range(times):
        try:
            way(f"{own}-{number}")
        except DBAPIError as error:
            refused += 1
            os.write(2, f"{own} {number} {error.orig}\n".encode())
    return refused


if __name__ == "__main__":
    main()
