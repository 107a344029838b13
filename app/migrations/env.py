"""Alembic's environment: the core's tables, on the main engine. Those of editions have migrations of their own."""

from alembic import context
from flask import current_app
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

import app.auth.models
import app.editions.models
import app.license.models
import app.settings.models  # noqa: F401 - every model must be known to the metadata
from app.audit import Event, record_migration
from app.auth import grams
from app.extensions import Base
from app.migrating import migration_transaction, references_to_nothing

EDITION_TABLES = "edition_"
_STILL_REFERRED_TO = "2BP01"  # PostgreSQL's dependent_objects_still_exist


def run_migrations() -> None:
    """Do all that is asked for in one transaction, reading what is there included."""
    with migration_transaction() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_name=_is_ours,
            **current_app.extensions["migrate"].configure_args,
        )
        try:
            migration = context.get_context()
            before = migration.get_current_heads()
            with context.begin_transaction():
                context.run_migrations()
            _record(connection, before, migration.get_current_heads())
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _STILL_REFERRED_TO:
                raise
            detail = getattr(error.orig, "diag").message_detail or ""  # noqa: B009 - psycopg's, of which mypy knows nothing
            raise references_to_nothing(detail.replace("\n", "; ")) from error


def _record(connection: Connection, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    if before != after:
        revisions = [{"revision": ", ".join(heads) or "base"} for heads in (before, after)]
        record_migration(connection, Event("database.migrate", before=revisions[0], after=revisions[1]))


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    """Whether autogenerate compares it.

    The search index is made and kept by hand (``app.auth.grams``). Tables of editions are theirs, also of those whose
    packages are gone: their data waits for them.
    """
    if name is None:
        return True
    if kind == "table" and name.startswith(EDITION_TABLES):
        return name in Base.metadata.tables
    return not (kind in ("table", "index") and name.startswith(grams.INDEX_NAMES))


run_migrations()
