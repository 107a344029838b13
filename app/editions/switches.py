"""Which editions are switched off, as the database says; read at the start and for the page Editions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, create_engine, make_url, select
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from app.config import Settings
from app.database import read_connection
from app.editions.discovery import Switch
from app.editions.models import EditionSwitch

_CONNECT_TIMEOUT = 5  # seconds
_log = structlog.get_logger("timetracker.editions")


def read_switches_at_start(settings: Settings) -> Mapping[str, Switch]:
    """The switches as this process will obey them until it ends; none where the database cannot say.

    The engines of the application are not used: workers fork from the process that starts, and must inherit no
    connection. A database that does not exist yet is not made by asking.
    """
    url = make_url(settings.database_url)
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite and not (url.database and Path(url.database).is_file()):
        return {}
    options: dict[str, Any] = {"timeout" if is_sqlite else "connect_timeout": _CONNECT_TIMEOUT}
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=options, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            return _read(connection)
    except SQLAlchemyError as error:
        if not _lacks_the_table(error):
            _log.warning("edition switches cannot be read, so no edition is disabled", error=type(error).__name__)
        return {}


def _lacks_the_table(error: SQLAlchemyError) -> bool:
    """Whether the database is merely not migrated yet; asking beforehand would cost every start another statement."""
    if isinstance(error, ProgrammingError):
        return True  # PostgreSQL's UndefinedTable
    return isinstance(error, OperationalError) and "no such table" in str(error.orig)


def read_switches() -> Mapping[str, Switch]:
    """The switches as they are now, by the names of the editions."""
    with read_connection() as connection:
        return _read(connection)


def _read(connection: Connection) -> Mapping[str, Switch]:
    rows = connection.execute(select(EditionSwitch.__table__))
    return {row.name: Switch(row.name, row.title, row.disabled, row.changed_at, row.changed_by) for row in rows}
