"""Writing on a connection without the ORM."""

import contextlib

import pytest
from flask import Flask
from sqlalchemy import func, insert, select

from app.auth.models import User
from app.database import connection_of, read_connection, write_connection, write_transaction
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
