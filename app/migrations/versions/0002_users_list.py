"""The list of users at any size: its orders, and the index that substring search goes by.

Revision ID: 0002
Revises: 0001
"""

import sqlite3
from typing import cast

import sqlalchemy as sa
from alembic import op

from app.auth import grams
from app.database import create_triggers

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_users_name", "name_key", "deleted_at IS NULL"),
    ("ix_users_email", "email_key", "deleted_at IS NULL AND email_key IS NOT NULL"),
    ("ix_users_no_email", "name_key", "deleted_at IS NULL AND email_key IS NULL"),
    ("ix_users_seen", "last_seen_at", "deleted_at IS NULL AND last_seen_at IS NOT NULL"),
    ("ix_users_never_seen", "name_key", "deleted_at IS NULL AND last_seen_at IS NULL"),
    ("ix_users_deleted_name", "name_key", "deleted_at IS NOT NULL"),
    ("ix_users_deleted", "deleted_at", "deleted_at IS NOT NULL"),
)
_FOLDED = (("login_key", 256), ("name_key", 800), ("email_key", 1016))


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for column, length in _FOLDED:
            op.alter_column("users", column, type_=sa.String(length, collation="C"))
    for name, column, condition in _INDEXES:
        where = sa.text(condition)
        op.create_index(name, "users", [column, "id"], sqlite_where=where, postgresql_where=where)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(grams.SQLITE_TABLE)
        driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        driver.create_function(grams.TOKENS_FUNCTION, 1, grams.tokens, deterministic=True)
        for statement in grams.SQLITE_REBUILD:
            connection.exec_driver_sql(statement)
    else:
        connection.exec_driver_sql(grams.POSTGRESQL_FUNCTION)
        connection.exec_driver_sql(grams.POSTGRESQL_INDEX)
    create_triggers(connection)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for name in grams.SQLITE_TRIGGERS:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        connection.exec_driver_sql(f"DROP TABLE {grams.TABLE}")
    else:
        op.drop_index("ix_users_search", "users")
        connection.exec_driver_sql("DROP FUNCTION search_grams(text)")
    for name, _, _ in reversed(_INDEXES):
        op.drop_index(name, "users")
    if connection.dialect.name == "postgresql":
        for column, length in _FOLDED:
            op.alter_column("users", column, type_=sa.String(length, collation="default"))
