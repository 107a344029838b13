"""Tables of editions: declared, migrated, compared, locked until they are there; on both engines."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import downgrade as downgrade_core
from sqlalchemy import Connection, String, event, inspect, select, text
from sqlalchemy.exc import IntegrityError

from app.audit import AuditEntry
from app.cli.database import db_group
from app.cli.doctor import doctor_command
from app.cli.edition import edition_group
from app.database import read_connection
from app.editions import migrations, reasons
from app.editions.manifest import Manifest
from app.editions.readiness import locked_editions
from app.editions.tables import own_tables, user_reference
from app.extensions import Base, db
from app.refusal import Refusal
from tests.conftest import ADMINISTRATOR, MEMBER, ONLY_POSTGRESQL, ONLY_SQLITE, add_person, log_in, register_key
from tests.editions.conftest import Shelf, found_in, sound

MakeApp = Callable[..., Flask]
EDITIONS = "/settings/operation/editions"

MODELS = """
from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.sdk import DeclarativeBase, RowId, UtcDateTime, edition_metadata, user_reference


class Model(DeclarativeBase):
    metadata = edition_metadata("acme")


class Entry(Model):
    __tablename__ = "edition_acme_entries"
    __table_args__ = (CheckConstraint("minutes > 0", name="minutes"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    user_id: Mapped[int] = mapped_column(user_reference(on_delete="CASCADE"), index=True)
    note: Mapped[str] = mapped_column(String(200))
    minutes: Mapped[int]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
"""
PAGES = """
from sqlalchemy import func, select

from app.sdk import Audience, Edition, EditionBlueprint, Feature, NavItem, Representation, open_to, read_connection

from .models import Entry, Model

pages = EditionBlueprint("acme", __name__, feature="acme.board")
api = EditionBlueprint("acme_api", __name__, feature="acme.board", representation=Representation.PROBLEM_JSON)


def entries():
    with read_connection() as connection:
        return f"{connection.execute(select(func.count()).select_from(Entry)).scalar_one()} entries"


pages.get("/")(entries)
api.get("/")(lambda: {"entries": entries()})
pages.get("/open", endpoint="open")(open_to(Audience.PUBLIC)(lambda: "open to all"))


class Plugin(Edition):
    name = "acme"
    title = "Acme"
    api_version = 1
    features = (Feature("acme.board", "Board of Acme", "Everybody's tasks."),)
    blueprints = (pages, api)
    start_page = "acme.entries"
    navigation = (NavItem("acme.entries", "Board of Acme", "inbox"),)
    models = Model
"""
HEAD = '''
"""{message}"""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down}
'''
FIRST = (
    HEAD.format(message="Entries.", revision="0001", down="None")
    + """
def upgrade():
    op.create_table(
        "edition_acme_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("note", sa.String(length=100), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_edition_acme_entries_minutes")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_edition_acme_entries_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_acme_entries")),
    )
    op.create_index(op.f("ix_edition_acme_entries_user_id"), "edition_acme_entries", ["user_id"])


def downgrade():
    op.drop_table("edition_acme_entries")
"""
)
SECOND = (
    HEAD.format(message="Longer notes.", revision="0002", down='"0001"')
    + """
def upgrade():
    with op.batch_alter_table("edition_acme_entries") as batch_op:
        batch_op.alter_column("note", type_=sa.String(length=200), existing_type=sa.String(length=100))


def downgrade():
    with op.batch_alter_table("edition_acme_entries") as batch_op:
        batch_op.alter_column("note", type_=sa.String(length=100), existing_type=sa.String(length=200))
"""
)
THIRD = HEAD.format(message="Comes to nothing.", revision="0003", down='"0002"')
FAILS = """
def upgrade():
    op.create_table("edition_acme_halves", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO edition_acme_halves VALUES (1)")
    op.add_column("edition_acme_entries", sa.Column("half", sa.Integer()))
    {last}


def downgrade():
    pass
"""


def install(shelf: Shelf, **versions: str) -> Path:
    """Install the edition acme with these migrations, by their revisions behind an underscore."""
    files = {f"migrations/versions/{name.strip('_')}.py": source for name, source in versions.items()}
    return shelf.install_package("acme", {"__init__.py": PAGES, "models.py": MODELS, **files})


def manifest_of(app: Flask, name: str = "acme") -> Manifest:
    manifest: Manifest = app.extensions["editions"].manifests[name]
    return manifest


def tables(app: Flask) -> set[str]:
    with app.app_context(), read_connection() as connection:
        return {name for name in inspect(connection).get_table_names() if name.startswith("edition_acme")}


def run(app: Flask, *arguments: str, group: Any = edition_group) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(group, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def upgrade_all(app: Flask) -> tuple[int, str]:
    return run(app, "upgrade", group=db_group)


def add_entry(app: Flask, user_id: int) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO edition_acme_entries (user_id, note, minutes, at) VALUES (:user, 'x', 5, :at)"),
            {"user": user_id, "at": "2026-11-24 08:00:00+00:00"},
        )


def count_entries(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM edition_acme_entries")).scalar_one())


@pytest.fixture
def acme(shelf: Shelf, make_app: MakeApp) -> Flask:
    """The edition is installed, licensed, and not migrated."""
    install(shelf, _0001=FIRST, _0002=SECOND)
    app = make_app()
    add_person(app, ADMINISTRATOR, name="Haruka Kitamura", admin=True)
    add_person(app, MEMBER, name="Mio Sakai")
    register_key(app, seats=50, features=["acme.board"])
    return app


def browser(app: Flask, login: str) -> FlaskClient:
    client = app.test_client()
    log_in(client, login)
    return client


# Up and down --------------------------------------------------------------------------------------------------------


def test_the_database_is_brought_to_where_core_and_editions_are(acme: Flask) -> None:
    with acme.app_context(), read_connection() as connection:
        assert migrations.pending(connection, manifest_of(acme)) == ("0001", "0002")
    status, output = upgrade_all(acme)
    assert status == 0, output
    assert "acme: 2 migrations done (0001, 0002)" in output
    assert tables(acme) == {"edition_acme_entries", "edition_acme_version"}
    with acme.app_context(), read_connection() as connection:
        assert migrations.pending(connection, manifest_of(acme)) == ()
        assert migrations.differences(connection, manifest_of(acme)) == ()
    assert upgrade_all(acme) == (0, "")


def test_a_migration_that_makes_a_table_anew_keeps_its_rows(shelf: Shelf, acme: Flask) -> None:
    later = shelf.folder / shelf.modules[0] / "migrations" / "versions" / "0002.py"
    later.rename(later.with_suffix(".later"))
    assert upgrade_all(acme)[0] == 0
    add_entry(acme, 2)
    later.with_suffix(".later").rename(later)
    assert "1 migration done (0002)" in upgrade_all(acme)[1]
    with acme.app_context(), read_connection() as connection:
        assert count_entries(connection) == 1
        (column,) = (c for c in inspect(connection).get_columns("edition_acme_entries") if c["name"] == "note")
        assert isinstance(column["type"], String)
        assert column["type"].length == 200
        names = {index["name"] for index in inspect(connection).get_indexes("edition_acme_entries")}
        assert names == {"ix_edition_acme_entries_user_id"}


def test_a_downgrade_says_what_goes_and_asks(acme: Flask) -> None:
    upgrade_all(acme)
    add_entry(acme, 2)
    status, output = run(acme, "downgrade", "acme", "base")
    assert status == 1
    assert "acme: 0002, 0001" in output
    assert "edition_acme_entries has 1 row" in output
    assert tables(acme) == {"edition_acme_entries", "edition_acme_version"}
    assert "1 migration taken back (0002)" in run(acme, "downgrade", "acme", "0001", "--yes")[1]
    assert "1 migration taken back (0001)" in run(acme, "downgrade", "acme", "base", "--yes")[1]
    assert tables(acme) == {"edition_acme_version"}
    assert run(acme, "downgrade", "acme", "base") == (0, "acme: 0 migrations taken back\n")
    assert upgrade_all(acme)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("downgrade", "nothing", "base"), "edition_not_installed"),
        (("downgrade", "broken", "base"), "edition_migrations_not_loaded"),
        (("downgrade", "acme", "0009"), "edition_revision_unknown"),
        (("downgrade", "acme", "-1"), "edition_revision_unknown"),
        (("revision", "standard_like", "-m", "Nothing."), "edition_has_no_tables"),
        (("revision", "acme", "-m", "Too early."), "edition_needs_migration"),
        (("revision", "acme", "-m", "  "), "edition_message_invalid"),
        (("revision", "acme", "-m", "two\nlines"), "edition_message_invalid"),
    ],
)
def test_what_cannot_be_done_is_refused(shelf: Shelf, make_app: MakeApp, arguments: tuple[str, ...], code: str) -> None:
    install(shelf, _0001=FIRST, _0002=SECOND)
    shelf.install("broken", "raise RuntimeError('no')")
    shelf.install("standard_like", sound("standard_like"))
    status, output = run(
        make_app(), *arguments, *(["--yes"] if arguments[0] == "downgrade" and "-1" not in arguments else [])
    )
    if "-1" in arguments:
        assert status == 2
    else:
        assert (status, f"[{code}]" in output) == (1, True), output


def test_a_newer_database_is_left_alone(shelf: Shelf, acme: Flask, make_app: MakeApp) -> None:
    upgrade_all(acme)
    (shelf.folder / shelf.modules[0] / "migrations" / "versions" / "0002.py").unlink()
    status, output = upgrade_all(acme)
    assert (status, "[edition_database_newer]" in output) == (1, True)
    assert "[edition_database_newer]" in run(acme, "downgrade", "acme", "base", "--yes")[1]
    status, output = run(acme, "check", group=db_group)
    assert (status, "[edition_database_newer]" in output) == (1, True)
    assert "edition_acme_entries" in tables(acme)
    with make_app().app_context():
        assert locked_editions()["acme"].reason is reasons.DATABASE_NEWER


# What fails changes nothing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "foreign",
    [
        "op.add_column('users', sa.Column('acme_note', sa.Integer()))",
        "op.create_index('acme_names', 'users', ['name'])",
        "op.create_table('acme_notes', sa.Column('id', sa.Integer(), primary_key=True))",
        "op.drop_table('edition_standard_version')",
    ],
)
def test_a_migration_that_changes_tables_of_others_is_taken_back(shelf: Shelf, make_app: MakeApp, foreign: str) -> None:
    app = make_app()
    assert upgrade_all(app)[0] == 0
    install(shelf, _0001=FIRST, _0002=SECOND, _0003=THIRD + FAILS.format(last=foreign))
    app = make_app()
    status, output = upgrade_all(app)
    assert status == 1
    assert "OthersTablesError: it changes what is not its own: " in output
    assert tables(app) == set()
    with app.app_context(), read_connection() as connection:
        inspector = inspect(connection)
        assert "acme_note" not in {column["name"] for column in inspector.get_columns("users")}
        assert "acme_names" not in {index["name"] for index in inspector.get_indexes("users")}
        assert "acme_notes" not in inspector.get_table_names()
        assert "edition_standard_version" in inspector.get_table_names()


@pytest.mark.parametrize(
    "last", ["raise RuntimeError('half way')", "import sys; sys.exit(3)", "op.execute('SELECT nonsense FROM nowhere')"]
)
def test_a_migration_that_fails_half_way_leaves_the_old_state(shelf: Shelf, make_app: MakeApp, last: str) -> None:
    install(shelf, _0001=FIRST, _0002=SECOND, _0003=THIRD + FAILS.format(last=last))
    other = PAGES.replace("acme", "bravo").replace("Acme", "Bravo")
    versions = {"migrations/versions/0001.py": FIRST.replace("acme", "bravo")}
    shelf.install_package("bravo", {"__init__.py": other, "models.py": MODELS.replace("acme", "bravo"), **versions})
    app = make_app()
    status, output = upgrade_all(app)
    assert status == 1
    assert "[edition_migration_failed]" in output
    assert "bravo: 1 migration done (0001)" in output
    assert tables(app) == set()
    with app.app_context(), read_connection() as connection:
        assert migrations.pending(connection, manifest_of(app)) == ("0001", "0002", "0003")
        if connection.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


def test_a_process_that_is_killed_half_way_leaves_the_old_state(
    shelf: Shelf, make_app: MakeApp, database_url: str, tmp_path: Path
) -> None:
    package = install(shelf, _0001=FIRST, _0002=SECOND)
    app = make_app()
    upgrade_all(app)
    die = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    (package / "migrations" / "versions" / "0003.py").write_text(THIRD + FAILS.format(last=die))
    source = f"""
import sys
sys.path.insert(0, {str(shelf.folder)!r})
from pathlib import Path
from app import create_app
from app.config import load_settings
from app.editions import migrations
from app.editions.manifest import read_manifest
from {package.name} import Plugin
folder = Path({str(tmp_path)!r})
settings = load_settings({{}}, instance_path=folder, secret_key="x" * 40, database_url={database_url!r})
with create_app(settings).app_context():
    migrations.upgrade(read_manifest(Plugin(), name="acme", package_version="1"))
"""
    assert subprocess.run([sys.executable, "-c", source], check=False, capture_output=True).returncode == -9
    assert tables(app) == {"edition_acme_entries", "edition_acme_version"}
    with app.app_context(), read_connection() as connection:
        columns = {column["name"] for column in inspect(connection).get_columns("edition_acme_entries")}
        assert "half" not in columns
        assert migrations.pending(connection, manifest_of(app)) == ("0003",)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("0003", "raise RuntimeError('no')"),
        ("0003", "def"),
        ("0003", HEAD.format(message="Of nothing.", revision="0003", down='"0009"')),
        ("0003", HEAD.format(message="A second end.", revision="0003", down='"0001"')),
    ],
)
def test_a_history_that_cannot_be_read_locks_one_edition_alone(
    shelf: Shelf, make_app: MakeApp, name: str, source: str
) -> None:
    install(shelf, _0001=FIRST, _0002=SECOND, **{f"_{name}": source})
    app = make_app()
    status, output = upgrade_all(app)
    assert (status, "[edition_migrations_unreadable]" in output) == (1, True)
    assert found_in(app, "standard").state == "loaded"
    with app.app_context():
        assert locked_editions()["acme"].reason is reasons.MIGRATIONS_UNREADABLE
    assert "acme 1.2.3 (acme-package): needs_migration" in run(app, "list")[1]


# Compared with the models -------------------------------------------------------------------------------------------


def test_a_difference_between_tables_and_models_is_found_and_named(acme: Flask) -> None:
    assert "acme: 2 migrations are pending." in run(acme, "check", group=db_group)[1]
    upgrade_all(acme)
    status, output = run(acme, "check", group=db_group)
    assert status == 0, output
    with acme.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE edition_acme_entries ADD COLUMN stray INTEGER"))
        connection.execute(text("CREATE TABLE edition_acme_strays (id INTEGER)"))
    status, output = run(acme, "check", group=db_group)
    assert status == 1
    assert "acme: the tables are not what the models say:" in output
    assert "remove column edition_acme_entries.stray" in output
    assert "remove table edition_acme_strays" in output
    assert "edition_migrations: The tables are not what the models say: acme." in run(acme, group=doctor_command)[1]


def test_the_core_is_compared_without_the_tables_of_editions(acme: Flask) -> None:
    upgrade_all(acme)
    with acme.app_context(), db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE throttles ADD COLUMN stray INTEGER"))
    status, output = run(acme, "check", group=db_group)
    assert status == 1
    assert "acme" not in output


def test_tables_of_an_edition_that_is_gone_are_kept(shelf: Shelf, acme: Flask, make_app: MakeApp) -> None:
    upgrade_all(acme)
    add_entry(acme, 2)
    shelf.entries.clear()
    without = make_app()
    status, output = run(without, "check", group=db_group)
    assert status == 0, output
    assert upgrade_all(without)[0] == 0
    with without.app_context(), read_connection() as connection:
        assert count_entries(connection) == 1


def test_a_table_belongs_to_the_edition_with_the_longest_name() -> None:
    there = {
        "edition_acme_entries",
        "edition_acme_version",
        "edition_acme_pro_entries",
        "edition_acme_pro_version",
        "edition_acme_products",
        "edition_switches",
        "users",
    }
    assert own_tables("acme", there) == {"edition_acme_entries", "edition_acme_products"}
    assert own_tables("acme_pro", there) == {"edition_acme_pro_entries"}
    assert own_tables("switches", there) == set()


def test_editions_whose_names_begin_alike_do_not_meddle(shelf: Shelf, acme: Flask, make_app: MakeApp) -> None:
    upgrade_all(acme)
    longer = PAGES.replace("acme", "acme_pro").replace("Acme", "Pro")
    models = MODELS.replace("acme", "acme_pro")
    versions = {"migrations/versions/0001.py": FIRST.replace("acme", "acme_pro").replace("length=100", "length=200")}
    shelf.install_package("acme_pro", {"__init__.py": longer, "models.py": models, **versions})
    both = make_app()
    assert "acme_pro: 1 migration done (0001)" in upgrade_all(both)[1]
    status, output = run(both, "check", group=db_group)
    assert status == 0, output


def test_the_core_is_not_taken_from_below_the_tables_of_an_edition(
    acme: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    upgrade_all(acme)
    with acme.app_context(), pytest.raises(SystemExit):
        downgrade_core(revision="base")
    assert "flask edition downgrade NAME base" in caplog.text
    assert "edition_acme_entries" in caplog.text
    with acme.app_context(), read_connection() as connection:
        assert "users" in inspect(connection).get_table_names()
        assert count_entries(connection) == 0
    for manifest in reversed(list(acme.extensions["editions"].manifests.values())):
        if manifest.metadata is not None:
            assert run(acme, "downgrade", manifest.name, "base", "--yes")[0] == 0
    with acme.app_context():
        downgrade_core(revision="base")


# Written ------------------------------------------------------------------------------------------------------------


def test_an_author_writes_models_and_has_the_migration_written(shelf: Shelf, make_app: MakeApp, tmp_path: Path) -> None:
    package = install(shelf)
    shelf.install("broken", "raise RuntimeError('no')")
    app = make_app()
    assert "[edition_migrations_missing]" in upgrade_all(app)[1]
    status, output = run(app, "revision", "acme", "-m", 'What "people" do')
    assert status == 0, output
    first = package / "migrations" / "versions" / "0001_what_people_do.py"
    assert str(first) in output
    assert first.read_text().startswith('"""What \'people\' do.\n')
    assert "acme: 1 migration done (0001)" in upgrade_all(app)[1]
    status, output = run(app, "check", group=db_group)
    assert status == 0, output
    assert "[edition_nothing_to_migrate]" in run(app, "revision", "acme", "-m", "Nothing.")[1]

    table = manifest_of(app).metadata.tables["edition_acme_entries"]  # type: ignore[union-attr]  # it has some
    table.c.note.type = String(300)
    assert run(app, "revision", "acme", "-m", "Longer notes")[0] == 0
    assert run(app, "revision", "acme", "-m", "Nothing yet", "--empty")[0] == 1  # the second is pending
    assert "(0002)" in upgrade_all(app)[1]
    assert run(app, "revision", "acme", "-m", "Nothing yet", "--empty")[0] == 0
    assert "(0003)" in upgrade_all(app)[1]
    assert run(app, "check", group=db_group)[0] == 0
    for tool in (
        ["check", "--ignore", "INP001,D103"],
        ["format", "--check"],
        ["format", "--check", "--line-length=88"],
    ):
        folder = tmp_path / "written"
        folder.mkdir(exist_ok=True)
        for path in (package / "migrations" / "versions").glob("000[12]*.py"):
            (folder / path.name).write_text(path.read_text())
        command = [sys.executable, "-m", "ruff", *tool, "--config", ".ruff.toml", str(folder)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    assert run(app, "downgrade", "acme", "base", "--yes")[0] == 0
    assert tables(app) == {"edition_acme_version"}


def test_a_package_that_cannot_be_written_to_is_named(
    shelf: Shelf, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(shelf)
    app = make_app()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("alembic.script.base.ScriptDirectory._generate_template", refuse)
    status, output = run(app, "revision", "acme", "-m", "First.")
    assert (status, "[edition_migration_unwritable]" in output) == (1, True)


# Declared -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("edition_acme_entries", "acme_entries", "the table acme_entries should begin with edition_acme_"),
        ("edition_acme_entries", "edition_acme_entry_version", "ends with _version"),
        ("edition_acme_entries", f"edition_acme_{'x' * 60}", "more than 63 characters"),
        ('edition_metadata("acme")', 'edition_metadata("bravo")', "not that of edition_metadata"),
        ('edition_metadata("acme")', "__import__('sqlalchemy').MetaData()", "not that of edition_metadata"),
    ],
)
def test_models_keep_to_their_own_tables(shelf: Shelf, make_app: MakeApp, old: str, new: str, problem: str) -> None:
    shelf.install_package("acme", {"__init__.py": PAGES, "models.py": MODELS.replace(old, new)})
    found = found_in(make_app(), "acme")
    assert found.refusal is not None
    assert problem in str(found.refusal.params["problem"])


def test_a_table_has_one_edition(shelf: Shelf, make_app: MakeApp) -> None:
    install(shelf, _0001=FIRST)
    models = MODELS.replace('edition_metadata("acme")', 'edition_metadata("acme_pro")')
    models = models.replace("edition_acme_entries", "edition_acme_pro_entries")
    shelf.install_package("acme_pro", {"__init__.py": PAGES.replace("acme", "acme_pro"), "models.py": models})
    acme = shelf.folder / shelf.modules[0] / "models.py"
    acme.write_text(
        acme.read_text()
        + MODELS.partition("class Entry")[2]
        .join(["\n\nclass Other", ""])
        .replace("edition_acme_entries", "edition_acme_pro_entries")
    )
    app = make_app()
    assert found_in(app, "acme").state == "loaded"
    refusal = found_in(app, "acme_pro").refusal
    assert refusal is not None
    assert "edition_acme_pro_entries is declared by the edition acme already" in str(refusal.params["problem"])


def test_models_of_a_broken_edition_leave_nothing_in_the_core(shelf: Shelf, make_app: MakeApp) -> None:
    before = set(Base.metadata.tables)
    shelf.install_package("acme", {"__init__.py": PAGES + "raise RuntimeError('late')\n", "models.py": MODELS})
    app = make_app()
    assert found_in(app, "acme").state == "broken"
    assert set(Base.metadata.tables) == before
    add_person(app, MEMBER)
    assert upgrade_all(app)[0] == 0
    assert run(app, "check", group=db_group)[0] == 0


def test_rows_go_with_a_user_only_where_the_author_says_so(acme: Flask) -> None:
    upgrade_all(acme)
    add_entry(acme, 2)
    with acme.app_context(), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM users WHERE id = 2"))
        assert count_entries(connection) == 0
    assert user_reference().ondelete == "RESTRICT"
    assert user_reference(on_delete="SET NULL").ondelete == "SET NULL"


def test_a_user_who_is_referred_to_stays_unless_the_author_says_otherwise(shelf: Shelf, make_app: MakeApp) -> None:
    models = MODELS.replace('on_delete="CASCADE"', "")
    versions = {"migrations/versions/0001.py": FIRST.replace('ondelete="CASCADE"', 'ondelete="RESTRICT"')}
    shelf.install_package("acme", {"__init__.py": PAGES, "models.py": models, **versions})
    app = make_app()
    upgrade_all(app)
    user = add_person(app, MEMBER)
    add_entry(app, user)
    with app.app_context(), pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))
    with app.app_context(), pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text("UPDATE edition_acme_entries SET user_id = 999"))


# Locked, and open without a restart ---------------------------------------------------------------------------------


def test_an_edition_is_locked_until_its_tables_are_there(acme: Flask) -> None:
    member, administrator = browser(acme, MEMBER), browser(acme, ADMINISTRATOR)
    for client in (member, administrator):
        answer = client.get("/acme/")
        assert answer.status_code == 503
        assert "The edition Acme cannot be used right now" in answer.text
        assert "The database has to be migrated before this edition can be used." in answer.text
        assert "flask db upgrade" in answer.text
        assert "edition_needs_migration" in answer.text
    problem = member.get("/acme_api/")
    assert (problem.status_code, problem.mimetype) == (503, "application/problem+json")
    assert problem.json["code"] == "edition_needs_migration"
    assert acme.test_client().get("/acme/open").status_code == 503
    assert acme.test_client().get("/acme/").status_code == 303
    assert 'href="/acme/"' not in member.get("/").text
    page = administrator.get("/").text
    assert 'href="/acme/"' in page
    assert "needs migration" in page
    page = administrator.get(EDITIONS).text
    assert "Needs migration" in page
    assert "edition_needs_migration" in page
    assert "1 edition needs attention." in page
    assert "acme 1.2.3 (acme-package): needs_migration" in run(acme, "list")[1]
    assert "edition_migrations: Locked: acme (edition_needs_migration)." in run(acme, group=doctor_command)[1]
    ready = acme.test_client().get("/readyz")
    assert (ready.status_code, ready.json["locked_editions"]) == (200, 1)

    assert upgrade_all(acme)[0] == 0

    assert member.get("/acme/").text == "0 entries"
    assert member.get("/acme_api/").json == {"entries": "0 entries"}
    assert acme.test_client().get("/acme/open").text == "open to all"
    assert 'href="/acme/"' in member.get("/").text
    assert "needs migration" not in administrator.get("/").text
    assert "acme 1.2.3 (acme-package): loaded" in run(acme, "list")[1]
    assert acme.test_client().get("/readyz").json["locked_editions"] == 0


def test_every_worker_opens_by_itself(acme: Flask, make_app: MakeApp) -> None:
    other = make_app()
    clients = [browser(acme, MEMBER), browser(other, MEMBER)]
    assert [client.get("/acme/").status_code for client in clients] == [503, 503]
    upgrade_all(acme)
    assert [client.get("/acme/").status_code for client in clients] == [200, 200]


def test_what_is_not_licensed_is_not_licensed_first(acme: Flask) -> None:
    register_key(acme, seats=50)
    assert browser(acme, MEMBER).get("/acme/").status_code == 402
    assert "available in" in browser(acme, ADMINISTRATOR).get("/").text


def test_a_start_page_is_locked_with_its_edition(acme: Flask) -> None:
    register_key(acme, edition="acme", seats=50)
    member = browser(acme, MEMBER)
    answer = member.get("/")
    assert (answer.status_code, "flask db upgrade" in answer.text) == (503, True)
    upgrade_all(acme)
    assert member.get("/").text == "0 entries"


def statements_of(app: Flask, client: FlaskClient, path: str) -> list[str]:
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    with app.app_context():
        engines = list(db.engines.values())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    client.get(path)
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    return statements


def questions_of(app: Flask, client: FlaskClient) -> int:
    """How many statements of a page ask which tables there are, or which migrations have run."""
    marks = ("sqlite_master", "pg_catalog", "_version")
    return sum(any(mark in statement for mark in marks) for statement in statements_of(app, client, "/account"))


def test_nothing_is_asked_once_all_tables_are_there(acme: Flask) -> None:
    client = browser(acme, MEMBER)
    assert 1 <= questions_of(acme, client) <= 2  # which version tables there are, and later what they hold
    upgrade_all(acme)
    client.get("/")
    assert questions_of(acme, client) == 0
    assert len(statements_of(acme, client, "/acme/")) == 2  # its own count is one of them


def test_while_some_wait_the_number_of_statements_does_not_depend_on_how_many(shelf: Shelf, make_app: MakeApp) -> None:
    for name in ("acme", "bravo", "charly", "delta"):
        files = {
            "__init__.py": PAGES.replace("acme", name),
            "models.py": MODELS.replace("acme", name),
            "migrations/versions/0001.py": FIRST.replace("acme", name).replace("length=100", "length=200"),
        }
        package = shelf.install_package(name, files)
    app = make_app()
    add_person(app, MEMBER)
    register_key(app, seats=50)
    upgrade_all(app)
    later = SECOND.replace("acme", "delta")
    (package / "migrations" / "versions" / "0002.py").write_text(later)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE edition_bravo_version SET version_num = '0000'"))
    again = make_app()
    client = browser(again, MEMBER)
    assert questions_of(again, client) == 2
    with again.app_context():
        assert {name: refusal.code for name, refusal in locked_editions().items()} == {
            "bravo": "edition_database_newer",
            "delta": "edition_needs_migration",
        }


def test_a_version_table_that_is_none_locks_and_breaks_nothing(acme: Flask) -> None:
    with acme.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE edition_acme_version (something INTEGER)"))
    client = browser(acme, MEMBER)
    assert client.get("/acme/").status_code == 503
    assert client.get("/").status_code == 200
    status, output = upgrade_all(acme)
    assert status == 1, output


def test_an_edition_that_was_switched_off_meanwhile_needs_its_migrations(acme: Flask, make_app: MakeApp) -> None:
    run(acme, "disable", "acme")
    off = make_app()
    assert upgrade_all(off)[0] == 0
    assert tables(off) == set()
    run(off, "enable", "acme")
    assert browser(make_app(), MEMBER).get("/acme/").status_code == 503


# One engine ---------------------------------------------------------------------------------------------------------


@ONLY_SQLITE
def test_whoever_migrates_waits_for_whoever_writes(acme: Flask) -> None:
    """The lock is taken before anything is read, so that two upgrades at the same time do not meet half way."""
    begun: list[str] = []
    with acme.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *arguments: begun.append(arguments[2]))
        migrations.upgrade(manifest_of(acme))
    assert begun[0] == "BEGIN IMMEDIATE"


@ONLY_POSTGRESQL
def test_two_who_migrate_take_turns(acme: Flask) -> None:
    asked: list[str] = []
    with acme.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
        migrations.upgrade(manifest_of(acme))
    assert any("pg_advisory_xact_lock" in statement for statement in asked[:2])


def test_a_refusal_keeps_its_cause_for_the_log(shelf: Shelf, make_app: MakeApp) -> None:
    install(shelf, _0001=FIRST, _0002=SECOND, _0003=THIRD + FAILS.format(last="raise RuntimeError('half way')"))
    app = make_app()
    with app.app_context(), pytest.raises(Refusal) as refused:
        migrations.upgrade(manifest_of(app))
    assert refused.value.reason is reasons.MIGRATION_FAILED
    assert re.search("half way", str(refused.value.__cause__))


# What is recorded ----------------------------------------------------------------------------------------------------


def test_migrations_are_recorded_from_the_first_user_on(shelf: Shelf, make_app: MakeApp) -> None:
    install(shelf, _0001=FIRST, _0002=SECOND)
    app = make_app()
    assert upgrade_all(app)[0] == 0
    assert migrated(app) == []
    add_person(app, ADMINISTRATOR, admin=True)
    assert run(app, "downgrade", "acme", "base", "--yes")[0] == 0
    assert upgrade_all(app)[0] == 0
    assert upgrade_all(app)[0] == 0  # nothing to do, nothing to record
    with app.app_context():
        downgrade_core(revision="0003")
    assert upgrade_all(app)[0] == 0
    versions = Path(app.extensions["migrate"].directory) / "versions"
    head = max(file.name.partition("_")[0] for file in versions.glob("0*.py"))
    assert migrated(app) == [
        ("edition.migrate", "acme", "command line", "0002", "base"),
        ("edition.migrate", "acme", "command line", "base", "0002"),
        ("database.migrate", "", "command line", head, "0003"),
        ("database.migrate", "", "command line", "0003", head),
    ]


def migrated(app: Flask) -> list[tuple[str, ...]]:
    with app.app_context(), read_connection() as connection:
        rows = connection.execute(select(AuditEntry.__table__).order_by(AuditEntry.id))
        found = [row for row in rows if row.action.endswith(".migrate")]
    return [(row.action, row.target, row.actor, row.before["revision"], row.after["revision"]) for row in found]
