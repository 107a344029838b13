"""The tables of editions: where they are declared, how they refer to users, and whose a table of the database is.

Each edition has ``MetaData`` of its own, so that nothing of one that fails to load is left among the core's tables.
"""

from collections.abc import Collection
from typing import Literal, cast

from sqlalchemy import Column, Connection, ForeignKey, MetaData, text

from app.auth.models import User
from app.extensions import NAMING_CONVENTION

OnDelete = Literal["RESTRICT", "CASCADE", "SET NULL"]
NAME_LIMIT = 63
"""The longest name of a table that PostgreSQL takes whole, in characters of ASCII."""
_EDITION = "timetracker_edition"
_PREFIX = "edition_"
_VERSION = "_version"
_SCHEMA = {
    "sqlite": text("SELECT tbl_name, type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"),
    "postgresql": text("""
        SELECT relation.relname, 'column', attname, format_type(atttypid, atttypmod) || ' ' || attnotnull
        FROM pg_attribute JOIN pg_class AS relation ON relation.oid = attrelid
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')
            AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT relation.relname, 'constraint', conname, pg_get_constraintdef(pg_constraint.oid)
        FROM pg_constraint JOIN pg_class AS relation ON relation.oid = conrelid
        WHERE relnamespace = current_schema()::regnamespace
        UNION ALL
        SELECT relation.relname, 'trigger', tgname, pg_get_triggerdef(pg_trigger.oid)
        FROM pg_trigger JOIN pg_class AS relation ON relation.oid = tgrelid
        WHERE relnamespace = current_schema()::regnamespace AND NOT tgisinternal
        UNION ALL
        SELECT tablename, 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
    """),
}


def edition_metadata(name: str) -> MetaData:
    """The ``MetaData`` in which the edition ``name`` declares its tables; all their names begin ``edition_<name>_``.

    Every constraint gets a name, since a migration can only change what it can name::

        class Model(DeclarativeBase):
            metadata = edition_metadata("acme")

        class Entry(Model):
            __tablename__ = "edition_acme_entries"

            id: Mapped[int] = mapped_column(RowId, primary_key=True)
            user_id: Mapped[int] = mapped_column(user_reference(), index=True)
    """
    return MetaData(naming_convention=NAMING_CONVENTION, info={_EDITION: name})


def user_reference(*, on_delete: OnDelete = "RESTRICT") -> ForeignKey:
    """A foreign key to a user, for a column that holds ``current_user().user_id``; the column takes its type from it.

    Deleting a user on System Settings keeps the row, marked as deleted, so that all that refers to it stays and is
    there again when the user is restored. What ``on_delete`` says comes into play where somebody removes the row from
    the database by hand.

    Args:
        on_delete: ``RESTRICT`` keeps the user's row while it is referred to, ``CASCADE`` removes what refers to it as
            well, and ``SET NULL`` forgets who it was, for which the column has to be nullable.
    """
    # The column itself, since a name would be looked for among the edition's own tables.
    return ForeignKey(cast("Column[int]", User.__table__.c.id), ondelete=on_delete)


def edition_of_metadata(metadata: MetaData) -> str | None:
    """Name of the edition for which ``edition_metadata`` made it; None for one that was made otherwise."""
    return metadata.info.get(_EDITION)


def table_prefix(edition: str) -> str:
    """What the names of all tables of ``edition`` begin with, that of its migrations included."""
    return f"{_PREFIX}{edition}_"


def version_table(edition: str) -> str:
    """Name of the table that says how far the tables of ``edition`` are migrated."""
    return f"{_PREFIX}{edition}{_VERSION}"


def is_version_table(table: str) -> bool:
    """Whether ``table`` is the version table of some edition, installed or not."""
    return table.startswith(_PREFIX) and table.endswith(_VERSION) and len(table) > len(_PREFIX + _VERSION)


def own_tables(edition: str, tables: Collection[str]) -> frozenset[str]:
    """Those of the ``tables`` of a database that are the edition's, its version table left out.

    The tables of an edition ``acme_pro`` begin like those of ``acme`` as well: a table belongs to the edition with the
    longest name, and that an edition has tables is told by its version table, also where its package is gone.
    """
    longer = {
        table.removesuffix(_VERSION) + "_"
        for table in tables
        if is_version_table(table) and table.startswith(table_prefix(edition)) and table != version_table(edition)
    }
    return frozenset(
        table
        for table in tables
        if table.startswith(table_prefix(edition))
        and not is_version_table(table)
        and not table.startswith(tuple(longer))
    )


def others_schema(connection: Connection, edition: str) -> frozenset[tuple[str, ...]]:
    """How all tables are made that are not the edition's: the name of a table, and something of it in words.

    Neither rows nor what the database keeps for itself are looked at.
    """
    found = {tuple(map(str, row)) for row in connection.execute(_SCHEMA[connection.dialect.name])}
    own = {*own_tables(edition, {table for table, *_ in found}), version_table(edition)}
    return frozenset(part for part in found if part[0] not in own)
