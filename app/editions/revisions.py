"""Writing the next migration of an edition: what brings its tables to where its models are."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

from alembic.autogenerate import render_python_code
from alembic.operations.ops import DowngradeOps, MigrationScript, UpgradeOps
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import TypeDecorator
from sqlalchemy.types import TypeEngine

from app.database import read_connection
from app.editions import reasons
from app.editions.discovery import error_line
from app.editions.manifest import Manifest
from app.editions.migration.layout import laid_out, uses
from app.editions.migrations import History, compare, history_of, migration_context, pending, read_scripts
from app.refusal import Refusal

MESSAGE_LIMIT = 200


def write_revision(manifest: Manifest, message: str, *, empty: bool = False) -> Path:
    """Write a migration that brings the tables to where the models are; returns the file.

    Args:
        manifest: of the edition, whose package has to lie in a folder that can be written to.
        message: one line on what it does.
        empty: write one that does nothing, to be filled in by hand.

    Raises:
        Refusal: ``edition_message_invalid``; ``edition_has_no_tables``; ``edition_nothing_to_migrate``;
            ``edition_needs_migration`` and others of ``History.obstacle``: the database is not where the models are to
            be compared with it; ``edition_migration_unwritable``; ``edition_migrations_unreadable``.
    """
    text = _checked_message(message)
    scripts = read_scripts(manifest)
    if manifest.metadata is None:
        raise Refusal(reasons.NO_TABLES, name=manifest.name)
    with read_connection() as connection:
        if pending(connection, manifest):
            raise Refusal(reasons.NEEDS_MIGRATION)
        compared = compare(connection, manifest)
        code = _Code() if empty else _rendered(compared, migration_context(connection, manifest))
    if not empty and (compared.upgrade_ops is None or compared.upgrade_ops.is_empty()):
        raise Refusal(reasons.NOTHING_TO_MIGRATE, name=manifest.name)
    try:
        script = scripts.generate_revision(
            _next_revision(history_of(manifest, scripts)),
            text,
            imports="\n".join(code.imports),
            upgrades=code.upgrade.strip(),
            downgrades=code.downgrade.strip(),
        )
    except (OSError, CommandError) as error:
        raise Refusal(reasons.MIGRATION_UNWRITABLE, folder=str(manifest.migrations), error=error_line(error)) from error
    if script is None:
        raise RuntimeError(f"Alembic has written no migration into {manifest.migrations}")
    return Path(script.path)


def _checked_message(message: str) -> str:
    """The message as it stands in a docstring: one sentence, without characters that would end it early."""
    text = message.strip()
    if not text or len(text) > MESSAGE_LIMIT or not text.isprintable():
        raise Refusal(reasons.MESSAGE_INVALID, limit=MESSAGE_LIMIT)
    text = text.replace("\\", "/").replace('"', "'")
    return text if text.endswith((".", "!", "?", "。")) else f"{text}."


def _next_revision(history: History) -> str:
    """The number after the highest one; revisions are numbers of four digits, since a history is one line."""
    numbers = [int(revision) for revision in history.revisions if revision.isascii() and revision.isdigit()]
    return f"{max(numbers, default=0) + 1:04}"


@dataclass(frozen=True, slots=True)
class _Code:
    """The parts of a migration that are not the same in all of them."""

    imports: tuple[str, ...] = ("import sqlalchemy as sa", "from alembic import op")
    upgrade: str = "pass"
    downgrade: str = "pass"


def _rendered(compared: MigrationScript, context: MigrationContext) -> _Code:
    imports: set[str] = set()

    def render_item(kind: str, item: Any, _: object) -> str | Literal[False]:
        return _type_code(item, imports) if kind == "type" else False

    def code(operations: UpgradeOps | DowngradeOps | None) -> str:
        if operations is None:
            return "pass"
        rendered = render_python_code(
            operations, render_as_batch=True, render_item=render_item, migration_context=context
        )
        return dedent(f"    {rendered}")  # Alembic leaves out the indent of the first line alone

    upgrade_code, downgrade_code = code(compared.upgrade_ops), code(compared.downgrade_ops)
    uses_sqlalchemy = uses("sa", upgrade_code) or uses("sa", downgrade_code)
    plain = ["import sqlalchemy as sa"] if uses_sqlalchemy else []
    return _Code(
        imports=(*plain, "from alembic import op", *sorted(imports)),
        upgrade=laid_out(upgrade_code),
        downgrade=laid_out(downgrade_code),
    )


def _type_code(type_: TypeEngine[Any], imports: set[str]) -> str | Literal[False]:
    """A type by what it is in the database, so that a migration stays as it is when the code around it changes.

    ``UtcDateTime`` becomes ``sa.DateTime(timezone=True)``, and any type that decorates one of SQLAlchemy's likewise.
    Others are left to Alembic.
    """
    dialects = "sqlalchemy.dialects."
    if isinstance(type_, TypeDecorator) and type(type_).__module__.partition(".")[0] != "sqlalchemy":
        plain = type_.impl_instance
        return f"sa.{plain!r}" if type(plain).__module__ == "sqlalchemy.sql.sqltypes" else False
    module = type(type_).__module__
    if module.startswith(dialects):
        imports.add(f"from sqlalchemy.dialects import {module.removeprefix(dialects).partition('.')[0]}")
    return False
