"""What authors test their editions with: fixtures that pytest finds by itself, and a contract to inherit.

``edition_app``, ``admin_client``, ``member_client``, ``licenses`` and ``grant`` work on a database of the test's own,
in which every installed edition is migrated and every feature licensed; nothing reaches the network. A few lines say
that an edition keeps the rules of all editions::

    class TestContract(EditionContract):
        edition = AcmeEdition
"""

import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from flask.cli import FlaskGroup
from flask.testing import FlaskClient
from sqlalchemy import create_engine, func, inspect, select, table, text
from werkzeug.test import TestResponse

from app import clock, create_app
from app.auth.models import User, UserPermission
from app.auth.users import UserDetails, add_user
from app.config import load_settings
from app.database import read_connection, write_transaction
from app.editions import inspection, migrations, registry
from app.editions import service as editions
from app.editions.base import Edition
from app.editions.discovery import Discovered
from app.editions.failures import failures
from app.editions.manifest import Manifest
from app.editions.rehearsal import simple_rule
from app.editions.tables import own_tables
from app.extensions import db
from app.license import issuing
from app.license import service as license_service
from app.license.document import License
from app.license.issuing import IssueRequest, KeyPair
from app.schema import upgrade_database
from app.security import SYSTEM_ADMINISTRATOR

__all__ = ["ADMINISTRATOR", "MEMBER", "EditionClient", "EditionContract", "Grant", "LicenseFactory", "RunFlask"]

Grant = Callable[..., None]
"""``grant("acme.approve")`` gives permissions to the member; ``login=ADMINISTRATOR`` to somebody else."""

RunFlask = Callable[..., Result]
"""``run_flask("acme", "list")`` runs ``flask acme list``; the result has ``exit_code``, ``stdout`` and ``stderr``."""

ADMINISTRATOR = "admin"
"""Login of the system administrator that ``admin_client`` is logged in as."""
MEMBER = "member"
"""Login of the member that ``member_client`` is logged in as."""
_PASSWORD = "correct horse battery staple"  # noqa: S105 - of users who live as long as a test
_KID = "test-vendor"
_NO_EDITION = "edition_without_features"


class EditionClient(FlaskClient):
    """A browser, which reads each answer to its end, so that what follows an answer has happened as well."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request, as ``FlaskClient.open`` does."""
        return super().open(*args, **{"buffered": True, **kwargs})

    def csrf_token(self, page: str = "/account") -> str:
        """The token that every form of this session carries, read off ``page``."""
        head = self.get(page, follow_redirects=True).text.partition('name="csrf_token"')[2]
        return head.partition('value="')[2].partition('"')[0]

    def submit(self, path: str, data: Mapping[str, Any] | None = None) -> TestResponse:
        """Post a form to ``path`` as its page would, with the token that it carries."""
        return self.post(path, data={"csrf_token": self.csrf_token(), **(data or {})})

    def log_in(self, login: str, password: str = _PASSWORD) -> TestResponse:
        """Log in through the page."""
        return self.post("/login", data={"login": login, "password": password, "csrf_token": self.csrf_token("/login")})


@dataclass(frozen=True, slots=True)
class LicenseFactory:
    """Issues license keys that ``edition_app`` accepts, and registers them."""

    app: Flask
    vendor: KeyPair = field(repr=False)

    def key(
        self,
        *,
        edition: str = "standard",
        features: tuple[str, ...] = (),
        seats: int = 50,
        starts: datetime | None = None,
        expires: datetime | None = None,
        maintenance_expires: datetime | None = None,
        grace_days: int = 0,
    ) -> str:
        """A license key that began a day ago and holds for a year where nothing else is said; instants are aware."""
        now = clock.now()
        request = IssueRequest(
            customer="Example Ltd.",
            edition=edition,
            seats=seats,
            starts=starts or now - timedelta(days=1),
            expires=expires or now + timedelta(days=365),
            maintenance_expires=maintenance_expires or now + timedelta(days=365),
            features=features,
            grace_days=grace_days,
        )
        return issuing.issue(request, self.vendor.private_key, _KID, now)

    def register(self, **what: Any) -> License:
        """Register a key with what ``key`` takes; it takes over from the one before, unless it starts later."""
        with self.app.app_context():
            return license_service.register(self.key(**what), assume_yes=True).license

    def everything(self) -> License:
        """License every feature of every installed edition, as it is when a test begins."""
        return self.register(features=tuple(sorted(self.app.extensions["editions"].features)))

    def nothing(self) -> License:
        """Register a license that is in force and brings no feature at all."""
        return self.register(edition=_NO_EDITION)


@pytest.fixture(scope="session")
def edition_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the tables of the core and of every installed edition, to be copied."""
    folder = tmp_path_factory.mktemp("edition")
    path = folder / "template.sqlite3"
    app = create_app(load_settings({}, **_settings(folder, f"sqlite:///{path}")))
    with app.app_context():
        for outcome in upgrade_database():
            if outcome.refusal is not None:
                pytest.fail(f"The migrations of {outcome.edition} fail: {outcome.refusal}")
        _close(app)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    return path


@pytest.fixture
def edition_database_url(edition_template: Path, tmp_path: Path) -> str:
    """The database of the test; override the fixture to test on another one, which has to be migrated."""
    path = tmp_path / "edition.sqlite3"
    shutil.copy(edition_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def edition_vendor() -> KeyPair:
    """The signing key of the run; of 2048 bits, which are accepted and quickly made."""
    return KeyPair(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture
def make_edition_app(
    edition_database_url: str,
    edition_vendor: KeyPair,
    tmp_path: Path,
    no_network: None,  # noqa: ARG001 - asked for by name
) -> Iterator[Callable[..., Flask]]:
    """Start the application on the test's database, as often as it is called; keyword arguments are settings."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / f"{_KID}.pem").write_bytes(edition_vendor.public_pem())
    made: list[Flask] = []

    def make(**settings: object) -> Flask:
        app = create_app(load_settings({}, **{**_settings(tmp_path, edition_database_url), **settings}))
        app.testing = True
        app.test_client_class = EditionClient
        app.config["PROPAGATE_EXCEPTIONS"] = False
        made.append(app)
        return app

    yield make
    for app in made:
        _close(app)


@pytest.fixture
def edition_app(make_edition_app: Callable[..., Flask], edition_vendor: KeyPair) -> Flask:
    """The application with all installed editions, an administrator, a member, and a license for every feature.

    An edition that cannot be loaded fails the test.
    """
    app = make_edition_app()
    with app.app_context(), write_transaction() as session:
        for login, permissions in ((ADMINISTRATOR, {SYSTEM_ADMINISTRATOR}), (MEMBER, set[str]())):
            details = UserDetails(login, login.title())
            now = clock.now()
            add_user(session, details, password=_PASSWORD, permissions=frozenset(permissions), now=now)
    LicenseFactory(app, edition_vendor).everything()
    return app


@pytest.fixture
def licenses(edition_app: Flask, edition_vendor: KeyPair) -> LicenseFactory:
    """Other licenses for ``edition_app``, such as ``licenses.nothing()``."""
    return LicenseFactory(edition_app, edition_vendor)


@pytest.fixture
def admin_client(edition_app: Flask) -> EditionClient:
    """A browser that the system administrator is logged in with, who holds no other permission."""
    return _logged_in(edition_app, ADMINISTRATOR)


@pytest.fixture
def member_client(edition_app: Flask) -> EditionClient:
    """A browser that the member is logged in with."""
    return _logged_in(edition_app, MEMBER)


@pytest.fixture
def grant(edition_app: Flask) -> Grant:
    """Grant permissions to the member, or to whoever has the login that is given."""

    def give(*permissions: str, login: str = MEMBER) -> None:
        with edition_app.app_context(), write_transaction() as session:
            user_id = session.execute(select(User.id).where(User.login == login)).scalar_one()
            for permission in permissions:
                session.merge(UserPermission(user_id=user_id, permission=permission))

    return give


@pytest.fixture
def run_flask(edition_app: Flask) -> RunFlask:
    """Run a command of an edition or of the application on ``edition_app``: ``run_flask("user", "delete", MEMBER)``."""
    group = FlaskGroup(create_app=lambda: edition_app, load_dotenv=False, set_debug_flag=False)

    def run(*arguments: str, standard_input: str = "") -> Result:
        return CliRunner().invoke(group, arguments, input=standard_input, prog_name="flask")

    return run


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection to another machine, e-mail included; those of this machine stay possible."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        is_local = self.family == socket.AF_UNIX or str(address[0]) in ("127.0.0.1", "::1", "localhost")
        if not is_local:
            pytest.fail(f"A test of an edition does not talk to other machines; this one tried {address}.")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


def _settings(folder: Path, url: str) -> dict[str, object]:
    return {
        "instance_path": folder,
        "secret_key": "0123456789abcdef0123456789abcdef",
        "database_url": url,
        "license_public_keys": folder / "keys",
        "edition_failures_raise": True,
    }


def _close(app: Flask) -> None:
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def _logged_in(app: Flask, login: str) -> EditionClient:
    client = EditionClient(app)
    answer = client.log_in(login)
    if answer.status_code != HTTPStatus.SEE_OTHER:
        pytest.fail(f"{login} cannot log in: {answer.status}")
    return client


class EditionContract:
    """What every edition keeps. Inherit it in a test class, and name the edition."""

    edition: ClassVar[type[Edition]]
    """The edition under test, whose package has to be installed."""

    public_endpoints: ClassVar[frozenset[str]] = frozenset()
    """Endpoints that are meant to be answered without log-in: to be said here once more, so that none is by mistake."""

    def test_it_is_loaded(self, edition_app: Flask) -> None:
        """Its entry point leads to it, and what it declares is right: names, templates, tables, versions, records."""
        found = self._found(edition_app)
        _fail_for(*inspection.not_loaded(found), *found.warnings)
        with edition_app.app_context():
            _fail_for(*inspection.untitled(self._manifest(edition_app)))

    def test_every_endpoint_is_guarded(self, edition_app: Flask) -> None:
        """Each says which feature it needs or for whom it is; only ``public_endpoints`` are answered without log-in."""
        with edition_app.app_context():
            manifest = self._manifest(edition_app)
            _fail_for(*inspection.unguarded(manifest))
            surprising = set(inspection.public_endpoints(manifest)) ^ self.public_endpoints
            _fail_for(*(f"{name} is public, or is not, against public_endpoints" for name in sorted(surprising)))

    def test_it_keeps_to_what_is_offered(self, edition_app: Flask) -> None:
        """It imports nothing of the application but ``app.sdk``, and names no icon that there is not."""
        with edition_app.app_context():
            manifest = self._manifest(edition_app)
            _fail_for(*inspection.foreign_imports(manifest), *inspection.unknown_icons(manifest))

    def test_strangers_are_sent_to_the_log_in(self, edition_app: Flask) -> None:
        """None of its pages is answered to somebody who is not logged in."""
        for path in self._paths(edition_app):
            answer = EditionClient(edition_app).get(path)
            if answer.status_code not in (HTTPStatus.SEE_OTHER, HTTPStatus.UNAUTHORIZED):
                pytest.fail(f"{path} answers {answer.status_code} to somebody who is not logged in.")

    def test_its_pages_answer(self, edition_app: Flask, grant: Grant) -> None:
        """Each page that takes no arguments works for an administrator who holds every permission."""
        grant(*(permission.name for permission in self._manifest(edition_app).permissions), login=ADMINISTRATOR)
        client = _logged_in(edition_app, ADMINISTRATOR)
        for path in self._paths(edition_app):
            answer = client.get(path)
            if answer.status_code >= HTTPStatus.BAD_REQUEST:
                pytest.fail(f"{path} answers {answer.status_code}.")
            if answer.mimetype == "text/html":
                _fail_for(*(f"{path} has {problem}" for problem in inspection.inline_code_in(answer.text)))

    def test_without_a_license_it_is_locked(self, edition_app: Flask, licenses: LicenseFactory, grant: Grant) -> None:
        """Its pages answer 402, and its menu items are gone for members and locked for administrators."""
        manifest = self._manifest(edition_app)
        for login in (ADMINISTRATOR, MEMBER):
            grant(*(permission.name for permission in manifest.permissions), login=login)
        paths = self._paths(edition_app, licensed=True)
        licenses.nothing()
        for login in (MEMBER, ADMINISTRATOR):
            client = _logged_in(edition_app, login)
            for path in paths:
                answer = client.get(path)
                if answer.status_code not in (HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN):
                    pytest.fail(f"{path} answers {answer.status_code} to {login} without a license.")
            menu = client.get("/account").text
            shown = [path for path in paths if f'href="{path}"' in menu]
            if login == MEMBER and shown:
                pytest.fail(f"The menu of members leads to {shown[0]} without a license.")

    def test_its_cards_and_slots_are_shown(self, edition_app: Flask, grant: Grant) -> None:
        """What it adds to the pages of others raises nothing."""
        manifest = self._manifest(edition_app)
        grant(*(permission.name for permission in manifest.permissions), login=ADMINISTRATOR)
        with edition_app.app_context():
            user_id = _user_id(ADMINISTRATOR)
        client = _logged_in(edition_app, ADMINISTRATOR)
        for page in ("/", "/account", "/settings/users", f"/settings/users/{user_id}"):
            client.get(page)
        with edition_app.app_context():
            failed = failures().get(manifest.name, ())
        _fail_for(*(f"{failure.part} raises {failure.error}" for failure in failed))

    def test_its_migrations_lead_to_its_models(self, edition_app: Flask) -> None:
        """They run up, down to nothing and up again, and leave the tables that the models declare."""
        with edition_app.app_context():
            manifest = self._manifest(edition_app)
            _fail_for(*inspection.unmigrated(manifest))
            if manifest.metadata is not None:
                migrations.downgrade(manifest, "base")
                with read_connection() as connection:
                    left = own_tables(manifest.name, inspect(connection).get_table_names())
                _fail_for(*(f"the table {table} is left when all migrations are taken back" for table in sorted(left)))
                migrations.upgrade(manifest)
                _fail_for(*inspection.unmigrated(manifest))

    def test_it_is_translated(self, edition_app: Flask) -> None:
        """Every text has a translation into every language of the application."""
        with edition_app.app_context():
            _fail_for(*inspection.untranslated(self._manifest(edition_app)))

    def test_it_survives_being_switched_off_and_on(
        self, edition_app: Flask, make_edition_app: Callable[..., Flask]
    ) -> None:
        """Switched off, nothing of it is there and nothing of its data is lost; switched on, it is as before."""
        name = self._manifest(edition_app).name
        paths = self._paths(edition_app)
        before = _row_counts(edition_app, name)
        with edition_app.app_context():
            editions.disable(name, actor="test")
        without = make_edition_app(edition_failures_raise=False)
        for path in paths:
            if _logged_in(without, ADMINISTRATOR).get(path).status_code != HTTPStatus.NOT_FOUND:
                pytest.fail(f"{path} answers although the edition is switched off.")
        with without.app_context():
            editions.enable(name, actor="test")
        again = make_edition_app()
        _fail_for(*inspection.not_loaded(self._found(again)))
        if _row_counts(again, name) != before:
            pytest.fail("Rows are lost when it is switched off and on.")

    def _found(self, app: Flask) -> Discovered:
        name = getattr(self.edition, "name", "")
        found = [found for found in app.extensions["editions"].found if found.name == name]
        if not found:
            pytest.fail(
                f"No edition {name!r} is installed: pip install --editable the package, and look at its entry point."
            )
        return found[0]

    def _manifest(self, app: Flask) -> Manifest:
        manifest = app.extensions["editions"].manifests.get(self.edition.name)
        if not isinstance(manifest, Manifest):
            pytest.fail("\n".join(inspection.not_loaded(self._found(app))))
        return manifest

    def _paths(self, app: Flask, *, licensed: bool = False) -> tuple[str, ...]:
        """Addresses of its pages that take no arguments and no other methods than GET, the public ones left out.

        With ``licensed``, only those that need a feature.
        """
        access = app.extensions["access"]
        with app.app_context():
            rules = registry.page_rules(self._manifest(app))
            asked = [rule for rule in rules if simple_rule(rule) and not registry.is_public(rule.endpoint)]
        declared = [rule for rule in asked if rule.endpoint in access]
        return tuple(sorted(rule.rule for rule in declared if not licensed or access[rule.endpoint].feature))


def _fail_for(*problems: str) -> None:
    if problems:
        pytest.fail("\n".join(f"{problem[:1].upper()}{problem[1:]}." for problem in problems))


def _user_id(login: str) -> int:
    with read_connection() as connection:
        return connection.execute(select(User.id).where(User.login == login)).scalar_one()


def _row_counts(app: Flask, edition: str) -> dict[str, int]:
    with app.app_context(), read_connection() as connection:
        tables = own_tables(edition, inspect(connection).get_table_names())
        counts = {name: select(func.count()).select_from(table(name)) for name in sorted(tables)}
        return {name: connection.execute(count).scalar_one() for name, count in counts.items()}
