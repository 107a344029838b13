"""What an operator wants to know about the running application; nothing of it is a secret."""

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from alembic.runtime.migration import MigrationContext
from flask import current_app
from sqlalchemy import Connection, Select, func, select, text

from app import clock
from app.auth.models import User, UserSession
from app.config import Settings
from app.database import read_connection
from app.license.models import SeatCount
from app.license.service import license_book, trusted_keys
from app.schema import pending_revisions
from app.settings.models import INSTALLATION_ROW
from app.settings.state import current_state
from app.version import __version__

STARTED_AT = datetime.now(UTC)
"""When this process, or the one that it was forked from, loaded the application."""
_LIBRARIES = ("Flask", "SQLAlchemy", "PyJWT", "cryptography", "gunicorn")


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """The database, without its password or any other part of its address that may be secret."""

    engine: str
    """``SQLite`` or ``PostgreSQL``, with its version."""
    place: str
    """Path of the file, or database and host."""
    size: int
    """Bytes, indexes included."""
    revision: str
    """The latest migration that is done."""
    pending: tuple[str, ...]
    """Migrations that are not done; none while this page can be seen."""


@dataclass(frozen=True, slots=True)
class Status:
    """The application as the worker sees it that has answered."""

    product: str
    python: str
    libraries: tuple[tuple[str, str], ...]
    """Name and version."""
    worker: int
    """Process id."""
    started_at: datetime
    up_for: timedelta
    now: datetime
    installation: str
    time_zone: str
    database: DatabaseStatus
    sessions: int
    """Sessions that are neither ended nor idle for too long."""
    registered_users: int
    """As the database keeps count: the number that is enforced."""
    counted_users: int
    """As the rows say."""
    license_revision: int
    """As the database has it."""
    known_revision: int
    """As this worker knows it."""
    verification_keys: tuple[str, ...]
    key_problems: tuple[tuple[str, str], ...]
    """File and message id."""

    @property
    def counts_agree(self) -> bool:
        """Whether the number that is enforced is the number of rows."""
        return self.registered_users == self.counted_users


def read_status() -> Status:
    """Look at everything now."""
    state = current_state()
    trusted = trusted_keys()
    now = clock.now()
    with read_connection() as connection:
        kept, counted = connection.execute(_users()).one()
        sessions = connection.execute(_open_sessions(now)).scalar_one()
        database = _database(connection)
    return Status(
        product=__version__,
        python=platform.python_version(),
        libraries=tuple((name, version(name)) for name in _LIBRARIES),
        worker=os.getpid(),
        started_at=STARTED_AT,
        up_for=now - STARTED_AT,
        now=now,
        installation=state.identifier,
        time_zone=state.time_zone.key,
        database=database,
        sessions=sessions,
        registered_users=kept,
        counted_users=counted,
        license_revision=state.license_revision,
        known_revision=license_book(state.license_revision).revision,
        verification_keys=tuple(sorted(trusted.keys)),
        key_problems=trusted.problems,
    )


def _users() -> Select[int, int]:
    """Kept and counted in one statement, so that nobody is added in between."""
    counted = select(func.count()).select_from(User).where(User.deleted_at.is_(None)).scalar_subquery()
    return select(SeatCount.registered_users, counted).where(SeatCount.id == INSTALLATION_ROW)


def _open_sessions(now: datetime) -> Select[int]:
    settings: Settings = current_app.extensions["settings"]
    idle_since = now - timedelta(minutes=settings.session_idle_minutes)
    return (
        select(func.count())
        .select_from(UserSession)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.expires_at > now, UserSession.last_seen_at > idle_since, User.deleted_at.is_(None))
    )


def _database(connection: Connection) -> DatabaseStatus:
    url = connection.engine.url
    is_sqlite = connection.dialect.name == "sqlite"
    version_ = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    size = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if is_sqlite
        else "SELECT pg_database_size(current_database())"
    )
    # Host and path alone: user, password and the parameters behind the question mark stay out.
    host = url.host or url.query.get("host") or "localhost"
    return DatabaseStatus(
        engine=f"{'SQLite' if is_sqlite else 'PostgreSQL'} {version_}",
        place=str(url.database) if is_sqlite else f"{url.database} @ {host}",
        size=connection.execute(text(size)).scalar_one(),
        revision=", ".join(MigrationContext.configure(connection).get_current_heads()),
        pending=pending_revisions(),
    )
