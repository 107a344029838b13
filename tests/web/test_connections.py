"""Writing on a connection without the ORM, and connections that are gone."""

import contextlib

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from app.auth.models import User
from app.database import READ, connection_of, read_connection, write_connection, write_transaction
from app.extensions import db
from tests.conftest import ONLY_POSTGRESQL
from tests.web.test_schema import user_row


def number_of_users() -> int:
    with read_connection() as connection:
        return connection.execute(select(func.count()).select_from(User)).scalar_one()


def test_without_the_orm_all_is_written_or_nothing(app: Flask) -> None:
    with app.app_context():
        with write_connection() as connection:
            connection.execute(insert(User).values(user_row("a")))
        with contextlib.suppress(ZeroDivisionError), write_connection() as connection:
            connection.execute(insert(User).values(user_row("b")))
            raise ZeroDivisionError
        assert number_of_users() == 1


def test_without_the_orm_nobody_writes_inside_a_transaction_either(app: Flask) -> None:
    with app.app_context(), write_transaction() as session:
        assert connection_of(session) is session.connection()
        with pytest.raises(RuntimeError, match="inside a transaction"), write_connection():
            raise AssertionError("never reached")


def terminate_others() -> None:
    """End all other connections to the database, as a server does that is started anew."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).all()


def questions(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A list that grows with each question whether the server is there."""
    dialect, asked = db.engines[READ].dialect, list[object]()
    ping = dialect.do_ping
    monkeypatch.setattr(dialect, "do_ping", lambda connection: (asked.append(connection), ping(connection))[1])
    return asked


@ONLY_POSTGRESQL
def test_a_connection_that_the_server_has_closed_is_replaced_before_it_is_used(app: Flask) -> None:
    with app.app_context():
        assert number_of_users() == 0
        terminate_others()
        assert number_of_users() == 0


@ONLY_POSTGRESQL
def test_the_server_is_not_asked_whether_it_is_there_unless_the_connection_has_rested(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        number_of_users()
        asked = questions(monkeypatch)
        number_of_users()
        assert not asked
        monkeypatch.setattr("app.liveness.UNASKED_SECONDS", 0.0)
        number_of_users()
        assert asked
