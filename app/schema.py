"""Whether the database has the tables that this version works with."""

from dataclasses import dataclass
from pathlib import Path
from threading import Event

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, current_app, request

from app.database import read_connection
from app.editions.readiness import locked_editions
from app.editions.upkeep import Upgraded, upgrade_editions
from app.errors import plain_page
from app.extensions import db, migrate

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why this version cannot work with the database: in English and Japanese, and the command that ends it."""

    reason: tuple[str, str]
    command: str = ""


PENDING = Obstacle(
    (
        "The database has to be migrated before this version can work with it. The operator runs:",
        "このバージョンで使うには、データベースの移行が必要です。運用担当者が次を実行します。",
    ),
    "flask db upgrade",
)
NEWER = Obstacle(
    (
        "The database was migrated by a newer version of the product. The operator installs that version again.",
        "データベースは、より新しいバージョンの製品で移行されています。運用担当者がそのバージョンを再びインストールします。",
    )
)
OPEN_WHILE_PENDING = {"health.healthz", "health.readyz", "static"}


class NewerSchemaError(Exception):
    """The database was migrated by a newer version of the product, whose tables this one does not know."""


def pending_revisions() -> tuple[str, ...]:
    """The migrations that ``flask db upgrade`` would run, oldest first; reads the database anew.

    Raises:
        NewerSchemaError: the database has migrations that this version does not have.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    steps = list(ScriptDirectory.from_config(config).walk_revisions())[::-1]
    known = [step.revision for step in steps]
    with read_connection() as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    if not set(current) <= set(known):
        raise NewerSchemaError
    # The core's history is one line, so what comes after the present revision is what is missing.
    return tuple(known[max((known.index(revision) + 1 for revision in current), default=0) :])


def upgrade_database() -> tuple[Upgraded, ...]:
    """Migrate the core, and then each loaded edition; what ``flask db upgrade`` does, for whoever calls it from Python.

    Returns:
        What has become of each edition that has tables: of one that failed nothing is done, the others are.
    """
    command.upgrade(current_app.extensions["migrate"].migrate.get_config(), "head")
    return tuple(upgrade_editions())


def is_up_to_date() -> bool:
    """Whether nothing is pending. Once true, it stays so for this process; until then it is asked at each request."""
    return _obstacle() is None


def _obstacle() -> Obstacle | None:
    up_to_date: Event = current_app.extensions["schema_up_to_date"]
    if up_to_date.is_set():
        return None
    try:
        if pending_revisions():
            return PENDING
    except NewerSchemaError:
        return NEWER
    up_to_date.set()
    locked_editions()  # once with the core: else the first page with a menu would ask for the tables of editions
    return None


def _refuse_while_pending() -> Response | None:
    if request.endpoint in OPEN_WHILE_PENDING:
        return None
    obstacle = _obstacle()
    return None if obstacle is None else plain_page(503, reason=obstacle.reason, command=obstacle.command)


def configure_migrations(app: Flask) -> None:
    """Bind Flask-Migrate to the migrations of this package, and answer 503 as long as some are pending."""
    app.extensions["schema_up_to_date"] = Event()
    migrate.init_app(app, db, directory=str(MIGRATIONS))
    app.cli.commands.pop(migrate.command)  # ``flask db`` is app.cli.database, which knows of editions
    app.before_request(_refuse_while_pending)
