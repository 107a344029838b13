"""The migrations of editions: one history of tables an edition, each with a version table of its own.

Alembic's ``MigrationContext`` and ``Operations`` are used without its environment, of which there can be but one at a
time: the core's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.autogenerate import produce_migrations
from alembic.operations import Operations
from alembic.operations.ops import DowngradeOps, MigrationScript, UpgradeOps
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Connection,
    Select,
    String,
    column,
    func,
    inspect,
    literal,
    select,
    table,
    union_all,
)
from sqlalchemy.exc import DBAPIError

from app.audit import Event, record_migration
from app.database import read_connection
from app.editions import reasons
from app.editions.discovery import error_line
from app.editions.manifest import Manifest
from app.editions.tables import others_schema, own_tables, version_table
from app.migrating import migration_transaction
from app.refusal import Refusal

HEAD = "head"
BASE = "base"
_TEMPLATE_FOLDER = Path(__file__).parent / "migration"
_FILE_NAME = "%(rev)s_%(slug)s"


@dataclass(frozen=True, slots=True)
class History:
    """The migrations that the package of an edition has."""

    revisions: tuple[str, ...]
    """Oldest first."""
    head: str | None
    """The last one; None where there is none."""
    makes_tables: bool
    """Whether the edition declares tables, so that there has to be a migration."""

    def obstacle(self, name: str, current: frozenset[str]) -> Refusal | None:
        """Why an edition called ``name`` with this history cannot work with a database at ``current``; None if it can.

        Args:
            name: of the edition, for the texts.
            current: what its version table holds; nothing where there is no such table.
        """
        unknown = current.difference(self.revisions)
        if unknown:
            return Refusal(reasons.DATABASE_NEWER, revision=", ".join(sorted(unknown)))
        if self.head is None:
            return Refusal(reasons.MIGRATIONS_MISSING, name=name) if self.makes_tables else None
        return None if current == {self.head} else Refusal(reasons.NEEDS_MIGRATION)


class OthersTablesError(RuntimeError):
    """A migration of an edition has changed tables of the core or of another edition."""


def read_history(manifest: Manifest) -> History:
    """Read the migrations of an edition from its package. Its code runs here.

    Raises:
        Refusal: ``edition_migrations_unreadable``.
    """
    return history_of(manifest, read_scripts(manifest))


def read_scripts(manifest: Manifest) -> ScriptDirectory:
    """Alembic's view of the folder, with every file of it loaded; the template for new ones is ours."""
    try:
        scripts = ScriptDirectory(
            str(_TEMPLATE_FOLDER),
            file_template=_FILE_NAME,
            version_locations=[str(manifest.migrations / "versions")],
            messaging_opts={"quiet": True},
        )
        scripts.get_current_head()  # loads them, and refuses a history with two ends
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Refusal(reasons.MIGRATIONS_UNREADABLE, error=error_line(error)) from error
    return scripts


def history_of(manifest: Manifest, scripts: ScriptDirectory) -> History:
    """The history in what ``read_scripts`` has loaded."""
    revisions = tuple(step.revision for step in scripts.walk_revisions())
    makes_tables = manifest.metadata is not None and bool(manifest.metadata.tables)
    return History(revisions[::-1], scripts.get_current_head(), makes_tables)


def read_versions(connection: Connection, editions: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """What the version tables of ``editions`` hold, however many there are in at most two statements.

    Those without such a table are not in the answer.
    """
    names = sorted(editions)
    existing = set(inspect(connection).get_table_names()) if names else set()
    tables = [(name, version_table(name)) for name in names if version_table(name) in existing]
    if not tables:
        return {}
    queries: list[Select[str, str]] = [
        select(literal(name, String), column("version_num", String)).select_from(table(version))
        for name, version in tables
    ]
    found: dict[str, set[str]] = {name: set() for name, _ in tables}
    for row in connection.execute(union_all(*queries)):
        found[row[0]].add(row[1])
    return {name: frozenset(versions) for name, versions in found.items()}


def read_version(connection: Connection, edition: str) -> frozenset[str]:
    """What the version table of one edition holds; nothing where there is no such table.

    Raises:
        Refusal: ``edition_migrations_unreadable``: there is a table of that name which is none of Alembic's.
    """
    try:
        return read_versions(connection, [edition]).get(edition, frozenset())
    except DBAPIError as error:
        raise Refusal(reasons.MIGRATIONS_UNREADABLE, error=error_line(error)) from error


def pending(connection: Connection, manifest: Manifest) -> tuple[str, ...]:
    """The migrations of an edition that ``flask db upgrade`` would run, oldest first; reads the database anew.

    Raises:
        Refusal: ``edition_migrations_unreadable``, or ``edition_database_newer``: a newer version of the package has
            migrated the database.
    """
    scripts = read_scripts(manifest)
    current = read_version(connection, manifest.name)
    obstacle = history_of(manifest, scripts).obstacle(manifest.name, current)
    if obstacle is not None and obstacle.reason is reasons.DATABASE_NEWER:
        raise obstacle
    steps = scripts.iterate_revisions(HEAD, tuple(current) or BASE, implicit_base=True)
    return tuple(step.revision for step in steps)[::-1]


# Up and down --------------------------------------------------------------------------------------------------------


def upgrade(manifest: Manifest) -> tuple[str, ...]:
    """Run every migration of an edition that is pending, all of them or none; returns them, oldest first.

    Raises:
        Refusal: ``edition_migrations_unreadable``, ``edition_migrations_missing``, ``edition_database_newer`` or
            ``edition_migration_failed``, with the exception as its cause.
    """
    scripts = read_scripts(manifest)
    history = history_of(manifest, scripts)
    if history.head is None and history.makes_tables:
        raise Refusal(reasons.MIGRATIONS_MISSING, name=manifest.name)
    with read_connection() as connection:  # most often there is nothing to do, and nobody to lock out for it
        if not pending(connection, manifest):
            return ()
    return _run(manifest, scripts, lambda current: scripts._upgrade_revs(HEAD, current))  # noqa: SLF001 - as alembic.command does, which needs an environment


def downgrade(manifest: Manifest, revision: str) -> tuple[str, ...]:
    """Take back the migrations of an edition down to ``revision``, all of them or none; returns them, newest first.

    Args:
        manifest: of the edition.
        revision: the one that stays the last; ``base`` takes back all, and with them the tables and what they hold.

    Raises:
        Refusal: ``edition_revision_unknown``, and those of ``upgrade``.
    """
    scripts = read_scripts(manifest)
    check_revision(manifest, history_of(manifest, scripts), revision)
    with read_connection() as connection:
        pending(connection, manifest)  # refuses a database of which it does not know how to take it back
    return _run(manifest, scripts, lambda current: scripts._downgrade_revs(revision, current))  # noqa: SLF001 - see upgrade


@dataclass(frozen=True, slots=True)
class Loss:
    """What a downgrade would take away."""

    revisions: tuple[str, ...]
    """The migrations that it takes back, newest first."""
    rows: Mapping[str, int]
    """How many rows each table of the edition holds now, by its name; some or all of them go."""


def loss(manifest: Manifest, revision: str) -> Loss:
    """What ``downgrade`` would take away, for whoever is to confirm it.

    Raises:
        Refusal: as ``downgrade``.
    """
    scripts = read_scripts(manifest)
    history = history_of(manifest, scripts)
    check_revision(manifest, history, revision)
    with read_connection() as connection:
        waiting = pending(connection, manifest)
        tables = sorted(own_tables(manifest.name, inspect(connection).get_table_names()))
        rows = {name: connection.execute(select(func.count()).select_from(table(name))).scalar_one() for name in tables}
    done = [step for step in reversed(history.revisions) if step not in waiting]
    return Loss(tuple(done[: done.index(revision)] if revision in done else done if revision == BASE else ()), rows)


def check_revision(manifest: Manifest, history: History, revision: str) -> None:
    """Refuse a revision that the package does not have.

    Raises:
        Refusal: ``edition_revision_unknown``.
    """
    if revision not in (BASE, *history.revisions):
        known = ", ".join((BASE, *history.revisions))
        raise Refusal(reasons.REVISION_UNKNOWN, edition=manifest.name, revision=revision, known=known)


def _run(
    manifest: Manifest, scripts: ScriptDirectory, steps_from: Callable[[Any], list[RevisionStep]]
) -> tuple[str, ...]:
    """Run steps in one transaction. An edition's code runs here, so anything may happen; whatever does, undoes all."""
    done: list[str] = []

    def steps(current: Any, _: MigrationContext) -> Iterable[RevisionStep]:
        for step in steps_from(current):
            yield step
            done.append(step.revision.revision)

    try:
        with migration_transaction() as connection:
            before = read_version(connection, manifest.name)
            others = others_schema(connection, manifest.name)
            context = migration_context(connection, manifest, script=scripts, fn=steps)
            with Operations.context(context):
                context.run_migrations()
            _check_others(others, others_schema(connection, manifest.name))
            _record(connection, manifest.name, before)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise Refusal(reasons.MIGRATION_FAILED, edition=manifest.name, error=error_line(error)) from error
    return tuple(done)


def _check_others(before: frozenset[tuple[str, ...]], after: frozenset[tuple[str, ...]]) -> None:
    """Refuse what has changed a table that is not the edition's, such as a column that is added to the users."""
    changed = sorted({part[0] for part in before ^ after})
    if changed:
        raise OthersTablesError(f"it changes what is not its own: {', '.join(changed)}")


def _record(connection: Connection, edition: str, before: frozenset[str]) -> None:
    after = read_version(connection, edition)
    if before != after:
        revisions = [{"revision": ", ".join(sorted(versions)) or BASE} for versions in (before, after)]
        record_migration(connection, Event("edition.migrate", edition, before=revisions[0], after=revisions[1]))


def migration_context(connection: Connection, manifest: Manifest, **options: object) -> MigrationContext:
    """Alembic's context for the tables of one edition, and of no other; ``options`` go to it as they are."""
    names = own_tables(manifest.name, inspect(connection).get_table_names())
    declared = manifest.metadata.tables.keys() if manifest.metadata is not None else ()

    def is_own(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or name in names or name in declared

    return MigrationContext.configure(
        connection,
        opts={
            "version_table": version_table(manifest.name),
            "target_metadata": manifest.metadata,
            "include_name": is_own,
            "render_as_batch": True,
            "compare_type": True,
            "compare_server_default": False,
            **options,
        },
    )


# What is not migrated yet -------------------------------------------------------------------------------------------


def differences(connection: Connection, manifest: Manifest) -> tuple[str, ...]:
    """In what the tables of the database differ from the models of an edition: one line each, in English.

    Tables of other editions are left alone, and so are those of the core.
    """
    operations = compare(connection, manifest).upgrade_ops
    return tuple(_described(difference) for difference in operations.as_diffs()) if operations is not None else ()


def compare(connection: Connection, manifest: Manifest) -> MigrationScript:
    """The operations that would bring the tables of an edition to where its models are."""
    if manifest.metadata is None:
        return MigrationScript(rev_id=None, upgrade_ops=UpgradeOps([]), downgrade_ops=DowngradeOps([]))
    return produce_migrations(migration_context(connection, manifest), manifest.metadata)


def _described(difference: Any) -> str:
    """Alembic's tuple in words: what a migration would do, and to what."""
    if isinstance(difference, list):  # changes of one column
        return ", ".join(_described(change) for change in difference)
    kind, *rest = difference
    words = kind.replace("_", " ")
    if kind.startswith("modify"):
        _, table_name, column_name, *_rest = rest
        return f"{words} of {table_name}.{column_name}"
    thing = rest[-1]
    owner = rest[1] if kind.endswith("column") else getattr(getattr(thing, "table", None), "name", "")
    return f"{words} {owner}.{thing.name}" if owner else f"{words} {thing.name}"
