"""Alembic's environment: the core's tables, on the main engine."""

from pathlib import Path

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

import app.audit
import app.auth.models
import app.editions.models
import app.license.models
import app.settings.models  # noqa: F401 - every model must be known to the metadata
from app.auth import grams
from app.extensions import Base, db

config = context.config


def run_migrations() -> None:
    """Migrate with foreign keys off on SQLite, where rebuilding a parent table would delete its children."""
    engine = db.engine
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.rollback()
        _migrate(connection)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.rollback()


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    """Whether autogenerate compares it: the search index is made and kept by hand (``app.auth.grams``)."""
    return not (kind in ("table", "index") and name is not None and name.startswith(grams.INDEX_NAMES))


def _migrate(connection: Connection) -> None:
    options = current_app.extensions["migrate"].configure_args
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=False,
        include_name=_is_ours,
        **options,
    )
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            if broken:
                raise RuntimeError(f"the migration leaves {len(broken)} rows without their parent: {broken[:5]}")


run_migrations()
