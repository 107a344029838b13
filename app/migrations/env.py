"""Alembic's environment: the core's tables, on the main engine."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

import app.audit
import app.auth.models
import app.editions.models
import app.license.models
import app.settings.models  # noqa: F401 - every model must be known to the metadata
from app.extensions import Base, db

config = context.config


def run_migrations() -> None:
    """Migrate with foreign keys off on SQLite, where rebuilding a parent table would delete its children."""
    engine = db.engine
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.rollback()
        _migrate(connection)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.rollback()


def _migrate(connection: Connection) -> None:
    options = current_app.extensions["migrate"].configure_args
    context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=False, **options)
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            if broken:
                raise RuntimeError(f"the migration leaves {len(broken)} rows without their parent: {broken[:5]}")


run_migrations()
