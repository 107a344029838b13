"""A locked, full, damaged or lost database: a clear 503, nothing lost, and it works again without a restart."""

import os
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text

from app.audit import AuditEntry
from app.auth.models import User
from app.extensions import db
from app.license.models import RegisteredLicense, SeatCount
from tests.conftest import ADMINISTRATOR, MEMBER, ONLY_POSTGRESQL, ONLY_SQLITE, PASSWORD, present_key
from tests.process.server import Answer, Server, Visitor, environment_of

pytestmark = pytest.mark.process
LICENSE_PAGE = "/settings/operation/license"
PAGE_SIZE = 4096


def database_file(app: Flask) -> Path:
    """The SQLite file."""
    return Path(app.config["SQLALCHEMY_DATABASE_URI"].database)


def forget_connections(app: Flask) -> None:
    """Close the test's own connections, so that the server's are all there are."""
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def numbers(app: Flask) -> tuple[int, ...]:
    """How many rows there are of what must not be lost."""
    tables = (RegisteredLicense.id, AuditEntry.id, User.id)
    with app.app_context(), db.engines["read"].connect() as connection:
        rows = tuple(connection.execute(select(func.count(column))).scalar_one() for column in tables)
        kept = connection.execute(select(SeatCount.registered_users)).scalar_one()
    assert kept == rows[-1]
    return rows


def assert_unavailable(answer: Answer) -> None:
    """A page that says so, and not a word of what is behind it."""
    assert answer.status == 503, f"{answer.status} {answer.location} {answer.text[:2000]}"
    assert "<h1" in answer.text
    for word in ("Traceback", "sqlite", "SELECT", "database is", "psycopg"):
        assert word not in answer.text


def log_in_form(visitor: Visitor) -> dict[str, str]:
    return {"login": MEMBER, "password": PASSWORD, "csrf_token": visitor.token("/login")}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process's write that takes longer than anybody waits."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@ONLY_SQLITE
def test_while_the_database_is_locked_pages_are_read_and_writes_answer_503(licensed_app: Flask) -> None:
    path = database_file(licensed_app)
    environment = {**environment_of(licensed_app), "TEST_BUSY_TIMEOUT_MS": "150"}
    with Server(environment) as server:
        member, admin, late = Visitor(server), Visitor(server), Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        admin.log_in(ADMINISTRATOR, PASSWORD)
        form = {"license_key": present_key(seats=60), "csrf_token": admin.token(LICENSE_PAGE)}
        late_form = log_in_form(late)
        before = numbers(licensed_app)

        with locked(path):
            assert member.get("/").status == 200
            assert_unavailable(admin.request("POST", LICENSE_PAGE, form))
            assert_unavailable(late.request("POST", "/login", late_form))

        assert numbers(licensed_app) == before
        assert late.request("POST", "/login", late_form).status == 303
        assert admin.request("POST", LICENSE_PAGE, form).status == 303
        assert late.get("/").status == 200


@ONLY_SQLITE
def test_a_refusal_is_told_while_the_audit_log_cannot_be_written(licensed_app: Flask) -> None:
    path = database_file(licensed_app)
    environment = {**environment_of(licensed_app), "TEST_BUSY_TIMEOUT_MS": "150"}
    with Server(environment) as server:
        admin = Visitor(server)
        admin.log_in(ADMINISTRATOR, PASSWORD)
        form = {"license_key": "no.license.key", "csrf_token": admin.token(LICENSE_PAGE)}

        with locked(path):
            answer = admin.request("POST", LICENSE_PAGE, form)

        assert answer.status == 422
        assert "malformed" in answer.text


@ONLY_SQLITE
def test_a_full_disk_answers_503_and_loses_nothing(licensed_app: Flask) -> None:
    """The file may grow by a few pages, which SQLite says is a full disk (SQLITE_FULL)."""
    path = database_file(licensed_app)
    with closing(sqlite3.connect(path)) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    environment = environment_of(licensed_app)
    with Server({**environment, "TEST_MAX_PAGE_COUNT": str(pages + 4)}) as server:
        member, admin = Visitor(server), Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        admin.log_in(ADMINISTRATOR, PASSWORD)
        token = admin.token(LICENSE_PAGE)
        answers = register_until_refused(admin, token)
        before = numbers(licensed_app)

        assert_unavailable(answers[-1])
        assert all(answer.status == 303 for answer in answers[:-1])
        assert before[0] == len(answers)  # the first one, and those that were answered
        assert member.get("/").status == 200
        assert admin.get(LICENSE_PAGE).status == 200

    with Server(environment) as server:  # somebody has made room
        admin = Visitor(server)
        admin.log_in(ADMINISTRATOR, PASSWORD)
        assert admin.post(LICENSE_PAGE, {"license_key": present_key(seats=500)}).status == 303


def register_until_refused(admin: Visitor, token: str) -> list[Answer]:
    """Register ever larger keys until one is not taken; all answers."""
    answers: list[Answer] = []
    while not answers or answers[-1].status == 303:
        form = {"license_key": present_key(seats=60 + len(answers)), "csrf_token": token}
        answers.append(admin.request("POST", LICENSE_PAGE, form))
        assert len(answers) < 200, "it never gets full"
    return answers


@ONLY_SQLITE
def test_a_disk_that_takes_no_more_answers_503_until_it_does_again(licensed_app: Flask) -> None:
    """The kernel refuses every write past the present size, and stops refusing while the server runs."""
    path = database_file(licensed_app)
    with Server(environment_of(licensed_app)) as server:
        admin, member = Visitor(server), Visitor(server)
        admin.log_in(ADMINISTRATOR, PASSWORD)
        member.log_in(MEMBER, PASSWORD)
        form = {"license_key": present_key(seats=60), "csrf_token": admin.token(LICENSE_PAGE)}
        for connection in server.connections_to_every_worker().values():
            assert member.get("/", connection).status == 200
        before = numbers(licensed_app)
        wal = Path(f"{path}-wal")
        set_file_size_limit(server, wal.stat().st_size)

        assert_unavailable(admin.request("POST", LICENSE_PAGE, form))
        assert member.get("/").status == 200
        assert numbers(licensed_app) == before

        set_file_size_limit(server, resource.RLIM_INFINITY)
        assert admin.request("POST", LICENSE_PAGE, form).status == 303
        assert numbers(licensed_app)[0] == before[0] + 1


def set_file_size_limit(server: Server, size: int) -> None:
    for pid in server.worker_pids():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.parametrize("damage", ["the header", "every page behind it", "all but a few bytes cut off"])
@ONLY_SQLITE
def test_a_damaged_file_answers_503_until_the_backup_is_restored(licensed_app: Flask, damage: str) -> None:
    path = database_file(licensed_app)
    forget_connections(licensed_app)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = path.with_suffix(".backup")
    shutil.copy(path, backup)
    damage_file(path, damage)
    environment = environment_of(licensed_app)

    with Server(environment) as server:
        visitor = Visitor(server)
        for address in ("/", "/login", "/account", LICENSE_PAGE):
            assert_unavailable(visitor.get(address))
        assert visitor.get("/healthz").status == 200
        assert visitor.get("/readyz").status == 503

    for name in (f"{path}-wal", f"{path}-shm"):
        Path(name).unlink(missing_ok=True)
    shutil.copy(backup, path)
    with Server(environment) as server:
        member = Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        assert member.get("/").status == 200
        assert numbers(licensed_app)[0] == 1


def damage_file(path: Path, damage: str) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        match damage:
            case "the header":
                file.write(b"\xff" * 100)
            case "every page behind it":
                file.seek(PAGE_SIZE)
                file.write(os.urandom(size - PAGE_SIZE))
            case _:
                file.truncate(PAGE_SIZE + 10)


@ONLY_SQLITE
def test_a_file_that_is_damaged_while_it_is_used_answers_503_and_never_500(licensed_app: Flask) -> None:
    path = database_file(licensed_app)
    with Server(environment_of(licensed_app)) as server:
        member = Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        newcomer = Visitor(server)
        form = log_in_form(newcomer)
        connections = server.connections_to_every_worker()
        for connection in connections.values():
            assert member.get("/", connection).status == 200
        forget_connections(licensed_app)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        damage_file(path, "every page behind it")

        for connection in connections.values():
            for address in ("/", "/account", "/login"):
                assert member.get(address, connection).status in (200, 302, 303, 503)
        assert_unavailable(newcomer.request("POST", "/login", form))


@ONLY_POSTGRESQL
def test_connections_that_the_server_ends_are_made_anew(licensed_app: Flask) -> None:
    """As after a restart or fail-over of PostgreSQL: no page fails for it."""
    url = licensed_app.config["SQLALCHEMY_DATABASE_URI"]
    with Server(environment_of(licensed_app)) as server:
        member, admin = Visitor(server), Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        admin.log_in(ADMINISTRATOR, PASSWORD)
        connections = server.connections_to_every_worker().values()
        for connection in connections:
            assert member.get("/", connection).status == 200
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as session:
            ended = session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            ).all()
        engine.dispose()
        forget_connections(licensed_app)

        assert len(ended) >= len(server.worker_pids())
        for connection in connections:
            assert member.get("/", connection).status == 200
        assert admin.post(LICENSE_PAGE, {"license_key": present_key(seats=60)}).status == 303


@ONLY_POSTGRESQL
def test_preloading_opens_no_connection_that_workers_would_share(licensed_app: Flask) -> None:
    url = licensed_app.config["SQLALCHEMY_DATABASE_URI"]
    forget_connections(licensed_app)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with Server(environment_of(licensed_app)) as server, engine.connect() as session:
        assert session.execute(others).scalar_one() == 0

        member = Visitor(server)
        member.log_in(MEMBER, PASSWORD)
        for connection in server.connections_to_every_worker().values():
            assert member.get("/", connection).status == 200

        assert session.execute(others).scalar_one() >= len(server.worker_pids())
    engine.dispose()


def test_a_database_that_does_not_answer_is_503_and_the_process_stays_up(licensed_app: Flask) -> None:
    environment = environment_of(licensed_app)
    url = licensed_app.config["SQLALCHEMY_DATABASE_URI"]
    if url.get_backend_name() == "postgresql":
        gone = "postgresql://nobody@127.0.0.1:1/nothing"
    else:
        gone = f"sqlite:///{Path(url.database).parent}/no/such/folder/timetracker.sqlite3"
    with Server({**environment, "TIMETRACKER_DATABASE_URL": gone}) as server:
        visitor = Visitor(server)
        for address in ("/", "/login", "/setup"):
            assert_unavailable(visitor.get(address))
        assert visitor.get("/healthz").status == 200
        assert visitor.get("/readyz").status == 503
