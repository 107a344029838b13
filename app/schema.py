"""Whether the database has the tables that this version works with."""

from pathlib import Path
from threading import Event

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, Response, current_app, request

from app.database import read_connection
from app.errors import plain_page
from app.extensions import db, migrate

MIGRATIONS = Path(__file__).parent / "migrations"
PENDING = (
    "The database has to be migrated before this version can work with it. The operator runs:",
    "このバージョンで使うには、データベースの移行が必要です。運用担当者が次を実行します。",
)
OPEN_WHILE_PENDING = {"health.healthz", "health.readyz", "static"}


def pending_revisions() -> tuple[str, ...]:
    """The migrations that ``flask db upgrade`` would run, oldest first; reads the database anew."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    with read_connection() as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    done = {step.revision for step in scripts.iterate_revisions(current, "base")} if current else set()
    return tuple(step.revision for step in scripts.walk_revisions() if step.revision not in done)[::-1]


def is_up_to_date() -> bool:
    """Whether nothing is pending. Once true, it stays so for this process; until then it is asked at each request."""
    up_to_date: Event = current_app.extensions["schema_up_to_date"]
    if not up_to_date.is_set() and not pending_revisions():
        up_to_date.set()
    return up_to_date.is_set()


def _refuse_while_pending() -> Response | None:
    if request.endpoint in OPEN_WHILE_PENDING or is_up_to_date():
        return None
    return plain_page(503, reason=PENDING, command="flask db upgrade")


def configure_migrations(app: Flask) -> None:
    """Bind Flask-Migrate to the migrations of this package, and answer 503 as long as some are pending."""
    app.extensions["schema_up_to_date"] = Event()
    migrate.init_app(app, db, directory=str(MIGRATIONS))
    app.before_request(_refuse_while_pending)
