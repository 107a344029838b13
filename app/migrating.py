"""The one transaction in which tables are changed, those of the core and those of an edition: all of it, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from app.database import WRITES
from app.extensions import db

_LOCK = 0x54545258
"""Of PostgreSQL's advisory locks; whoever migrates holds it, so that two of them take turns."""
_REFERENCES_TO_NOTHING = text("""
    SELECT child.name, reference."table"
    FROM sqlite_master AS child, pragma_foreign_key_list(child.name) AS reference
    WHERE child.type = 'table' AND reference."table" NOT IN (SELECT name FROM sqlite_master WHERE type = 'table')
    ORDER BY child.name
""")


class BrokenReferencesError(RuntimeError):
    """A migration would leave rows or tables that refer to something that is no longer there."""


def references_to_nothing(references: str) -> BrokenReferencesError:
    """The refusal to take tables away while others refer to them: of the core's, those are tables of editions.

    Args:
        references: which table refers to which.
    """
    return BrokenReferencesError(
        "Nothing was changed, since tables would be gone that others refer to. Take down the tables of each edition "
        f"first, with: flask edition downgrade NAME base. They are: {references}"
    )


@contextmanager
def migration_transaction() -> Iterator[Connection]:
    """A connection in a transaction of its own, which ends with everything done or, after an exception, with nothing.

    On SQLite a changed table is often made anew beside the old one, which is then dropped, and with foreign keys on
    that deletes the rows of all its children: they are off meanwhile, and checked before the end. Whoever comes second
    waits: on SQLite for the write lock, on PostgreSQL for an advisory lock.

    Raises:
        BrokenReferencesError: rows are left without their parent.
    """
    engine = db.engine
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    with engine.connect() as connection, _foreign_keys_off(connection):
        connection.execution_options(**{WRITES: True})
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection
            if connection.dialect.name == "sqlite":
                _check_references(connection)


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Switch them off on SQLite, past SQLAlchemy: inside a transaction, which it would begin, SQLite ignores this."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_references(connection: Connection) -> None:
    dangling = connection.execute(_REFERENCES_TO_NOTHING).all()
    if dangling:
        raise references_to_nothing(", ".join(f"{child} to {parent}" for child, parent in dangling))
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        raise BrokenReferencesError(f"the migration leaves {len(broken)} rows without their parent: {broken[:5]}")
