"""Migrations, models, triggers and the seat count, on both engines."""

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, delete, func, insert, inspect, select, text, update
from sqlalchemy.exc import DatabaseError

from app.audit import AuditEntry
from app.auth.models import User
from app.cli.database import db_group
from app.database import create_triggers, expected_triggers, read_connection, write_transaction
from app.editions import migrations
from app.editions.upkeep import with_tables
from app.extensions import Base, db
from app.license.models import SeatCount
from app.migrating import BrokenReferencesError, migration_transaction
from app.schema import MIGRATIONS
from app.settings.models import Installation
from tests.conftest import ONLY_SQLITE, add_person, register_key

Row = dict[str, object]


def user_row(login: str, **more: object) -> Row:
    keys = {"login": login, "login_key": login, "name": login, "name_key": login, "search_text": login}
    return {**keys, "created_at": datetime.now(UTC), **more}


def triggers(connection: Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    return set(connection.execute(text(query)).scalars())


def contents(connection: Connection) -> dict[str, int]:
    """Rows of each table, and what triggers keep."""
    tables = set(inspect(connection).get_table_names()) & set(Base.metadata.tables)
    return {table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in sorted(tables)}


def counted(app: Flask) -> tuple[int, int]:
    """What the trigger counted, and the rows."""
    with app.app_context(), read_connection() as connection:
        kept = connection.execute(select(SeatCount.registered_users)).scalar_one()
        rows = connection.execute(select(func.count()).select_from(User).where(User.deleted_at.is_(None)))
        return kept, rows.scalar_one()


def test_models_and_migrations_do_not_drift(app: Flask) -> None:
    result = app.test_cli_runner().invoke(db_group, ["check"])

    assert result.exit_code == 0, result.output


def test_migrations_keep_every_row_and_trigger_up_and_down(app: Flask) -> None:
    for index in range(5):
        add_person(app, f"user{index}", admin=index == 0, password=None)
    register_key(app)
    revisions = [step.revision for step in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]
    with app.app_context():
        with db.engine.connect() as connection:
            before = contents(connection), triggers(connection)
        for revision in reversed(revisions[:-1]):
            downgrade(revision=revision)
            with db.engine.connect() as connection:
                assert contents(connection)["users"] == 5
        upgrade()
        with db.engine.connect() as connection:
            rows = contents(connection)
            assert rows.pop("audit_entries") == before[0].pop("audit_entries") + len(revisions)  # each is recorded
            assert (rows, triggers(connection)) == before
            assert before[1] >= expected_triggers(connection.dialect.name)
    assert counted(app) == (5, 5)


def test_everything_can_be_taken_down_and_put_up_again(app: Flask) -> None:
    with app.app_context():
        for manifest in reversed(with_tables()):
            migrations.downgrade(manifest, migrations.BASE)
        downgrade(revision="base")
        with db.engine.connect() as connection:
            assert contents(connection) == {}
            assert triggers(connection) == set()
        upgrade()
    add_person(app, "somebody", password=None)
    assert counted(app) == (1, 1)


def test_the_database_counts_users_whatever_the_way_in(app: Flask) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(insert(User), [user_row(f"u{index}") for index in range(10)])
        connection.execute(insert(User).values(user_row("gone", deleted_at=datetime.now(UTC))))
    assert counted(app) == (10, 10)
    with app.app_context(), db.engine.begin() as connection:
        now = datetime.now(UTC)
        connection.execute(update(User).where(User.login.in_(["u0", "u1", "u2"])).values(deleted_at=now))
        connection.execute(update(User).where(User.login == "u0").values(deleted_at=None))
        connection.execute(update(User).where(User.login == "u0").values(deleted_at=None, name="same"))
        connection.execute(delete(User).where(User.login.in_(["u3", "u4", "u1"])))
    assert counted(app) == (6, 6)


def test_a_transaction_that_is_rolled_back_counts_nothing(app: Flask) -> None:
    with app.app_context():
        connection = db.engine.connect()
        connection.execute(insert(User), [user_row("a"), user_row("b")])
        connection.rollback()
        connection.close()
    assert counted(app) == (0, 0)


def test_insert_or_replace_does_not_miscount(app: Flask) -> None:
    add_person(app, "somebody", password=None)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            plain = sqlite3.connect(db.engine.url.database or "")
            with pytest.raises(sqlite3.DatabaseError):
                plain.execute(
                    "INSERT OR REPLACE INTO users (id, login, login_key, name, name_key, search_text, created_at)"
                    " VALUES (1, 'x', 'x', 'x', 'x', 'x', '2026-01-01')"
                )
            plain.close()
        else:
            with db.engine.begin() as connection:
                connection.execute(text("TRUNCATE users CASCADE"))
    kept, rows = counted(app)
    assert kept == rows


def test_the_audit_log_takes_no_change(app: Flask) -> None:
    add_person(app, "somebody", password=None)
    with app.app_context():
        for statement in (update(AuditEntry).values(actor="nobody"), delete(AuditEntry)):
            with pytest.raises(DatabaseError, match="append-only"), db.engine.begin() as connection:
                connection.execute(statement)


def test_each_change_of_the_licenses_raises_the_revision(app: Flask) -> None:
    def revision() -> int:
        with app.app_context(), read_connection() as connection:
            return connection.execute(select(Installation.license_revision)).scalar_one()

    before = revision()
    register_key(app)
    assert revision() > before
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM licenses"))
    assert revision() > before + 1


def test_a_write_transaction_refuses_a_session_that_has_read_already(app: Flask) -> None:
    with app.app_context():
        db.session.execute(select(User.id)).all()
        with pytest.raises(RuntimeError, match="inside a transaction"), write_transaction():
            raise AssertionError("never reached")


def test_a_write_transaction_that_fails_writes_nothing(app: Flask) -> None:
    with app.app_context():
        with contextlib.suppress(ZeroDivisionError), write_transaction() as session:
            session.execute(insert(User).values(user_row("a")))
            raise ZeroDivisionError
        with read_connection() as connection:
            assert connection.execute(select(func.count()).select_from(User)).scalar_one() == 0


def test_reading_never_takes_the_write_lock(make_app: Callable[..., Flask]) -> None:
    writer, reader = make_app(), make_app()
    with writer.app_context(), write_transaction() as session:
        session.execute(insert(User).values(user_row("a")))
        with reader.app_context(), read_connection() as connection:
            assert connection.execute(select(func.count()).select_from(User)).scalar_one() == 0


def test_a_naive_instant_is_refused(app: Flask) -> None:
    with app.app_context(), pytest.raises(Exception, match="naive"), db.engine.begin() as connection:
        connection.execute(insert(User).values(user_row("a", last_seen_at=datetime(2026, 1, 1))))  # noqa: DTZ001


@ONLY_SQLITE
def test_a_migration_may_make_a_parent_table_anew_and_loses_no_child(app: Flask) -> None:
    add_person(app, "somebody", admin=True, password=None)
    with app.app_context():
        with migration_transaction() as connection, Operations.context(MigrationContext.configure(connection)) as op:
            with op.batch_alter_table("users", recreate="always"):
                pass
            create_triggers(connection)
        with db.engine.connect() as connection:
            assert contents(connection)["user_permissions"] == 1
            assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


@ONLY_SQLITE
def test_a_migration_that_leaves_rows_without_their_parent_is_undone(app: Flask) -> None:
    add_person(app, "somebody", admin=True, password=None)
    with app.app_context():
        with pytest.raises(BrokenReferencesError, match="1 rows"), migration_transaction() as connection:
            connection.execute(text("DELETE FROM users"))
        with db.engine.connect() as connection:
            assert contents(connection)["users"] == 1
