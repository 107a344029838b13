"""What is true of every answer: headers, error pages, probes, hosts, cookies."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import create_app
from app.cli.database import db_group
from app.config import load_settings
from app.database import read_connection
from app.extensions import db
from tests.conftest import MEMBER, PASSWORD, add_person, csrf_token

PATHS = ["/login", "/static/rx.css", "/healthz", "/readyz", "/no/such/page", "/static/none.css", "/logout"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_security_headers(licensed_app: Flask, path: str) -> None:
    headers = licensed_app.test_client().get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers
    assert headers["X-Request-ID"]


def test_over_tls_browsers_are_told_to_stay_there(licensed_app: Flask) -> None:
    answer = licensed_app.test_client().get("/login", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_private_pages_are_stored_nowhere_and_static_files_for_long(member_client: FlaskClient) -> None:
    assert member_client.get("/").headers["Cache-Control"] == "no-store"
    assert member_client.get("/login").headers["Cache-Control"] == "no-store"
    assert "max-age=31536000" in member_client.get("/static/rx.css").headers["Cache-Control"]
    assert member_client.get("/static/none.css").headers["Cache-Control"] == "no-store"


def test_a_form_works_over_tls_with_the_referrer_that_our_policy_lets_through(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    page = client.get("/login", base_url="https://localhost").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"login": MEMBER, "password": PASSWORD, "csrf_token": token}

    answer = client.post(
        "/login", data=form, base_url="https://localhost", headers={"Referer": "https://localhost/login"}
    )

    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no/such/page", 404),
        ("PUT", "/login", 405),
        ("POST", "/login", 400),
        ("GET", "/static/../../etc/passwd", 404),
        ("GET", "/static/%2e%2e/config.py", 404),
    ],
)
def test_errors_are_pages_of_ours(licensed_app: Flask, method: str, path: str, status: int) -> None:
    answer = licensed_app.test_client().open(path, method=method)

    assert answer.status_code == status
    assert "rx.css" in answer.text
    assert "TimeTracker RX" in answer.text


def test_405_says_what_is_allowed(licensed_app: Flask) -> None:
    assert "POST" in licensed_app.test_client().put("/login").headers["Allow"]


def test_a_body_that_is_too_large_is_refused(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    form = {"csrf_token": csrf_token(client), "login": "x" * 1_100_000, "password": "x"}

    assert client.post("/login", data=form).status_code == 413


def test_an_error_in_a_view_is_a_500_that_names_the_request_and_tells_nothing_else(
    member_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("app.home.views.registry.start_page", fail)

    answer = member_client.get("/")

    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.text
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text


def test_a_database_that_does_not_answer_is_a_503(
    licensed_app: Flask, member_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("disk I/O error"))

    monkeypatch.setattr("app.auth.identity.read_connection", fail)
    assert member_client.get("/").status_code == 503

    monkeypatch.setattr("app.health.read_connection", fail)
    ready = licensed_app.test_client().get("/readyz")
    assert (ready.status_code, ready.json["checks"]["database"]) == (503, False)
    assert licensed_app.test_client().get("/healthz").json == {"status": "ok"}


def test_ready_means_database_migrations_and_verification_keys(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    assert make_app().test_client().get("/readyz").status_code == 200
    empty = tmp_path / "no-keys"
    empty.mkdir()
    answer = make_app(license_public_keys=empty).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["verification_keys"] is False


def test_a_host_that_is_not_ours_is_refused(make_app: Callable[..., Flask]) -> None:
    client = make_app(trusted_hosts="time.example.org").test_client()

    assert client.get("/healthz", base_url="http://time.example.org").status_code == 200
    assert client.get("/healthz", base_url="http://evil.example").status_code == 400


def test_forwarded_headers_are_believed_of_as_many_proxies_as_there_are(make_app: Callable[..., Flask]) -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
    direct, behind = make_app().test_client(), make_app(trusted_proxies=1).test_client()

    assert "Strict-Transport-Security" not in direct.get("/healthz", headers=headers).headers
    assert "Strict-Transport-Security" in behind.get("/healthz", headers=headers).headers


def test_pending_migrations_leave_the_probe_and_a_message_alone(app: Flask) -> None:
    with app.app_context(), read_connection() as connection:
        (current,) = connection.execute(text("SELECT version_num FROM alembic_version")).one()
        connection.execute(text("DELETE FROM alembic_version"))
    client = app.test_client()

    assert client.get("/healthz").status_code == 200
    for path in ("/", "/login", "/setup", "/no/such/page"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "flask db upgrade" in answer.text

    with app.app_context(), read_connection() as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES (:current)"), {"current": current})
    assert client.get("/login").status_code == 303


def test_a_database_of_a_newer_version_is_left_alone(app: Flask) -> None:
    with app.app_context(), read_connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    client = app.test_client()

    answer = client.get("/login")

    assert answer.status_code == 503
    assert "newer version" in answer.text
    assert client.get("/readyz").json["checks"]["migrations"] is False
    assert client.get("/healthz").status_code == 200


def test_the_first_migration_makes_the_folder_of_the_database(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    app = create_app(load_settings({}, instance_path=folder, secret_key="x" * 32))

    result = app.test_cli_runner().invoke(db_group, ["upgrade"])

    assert result.exit_code == 0, result.output
    assert (folder / "timetracker.sqlite3").is_file()
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.mark.parametrize(
    "form",
    [
        {"login": "\x00", "password": "\x00"},
        {"login": "\ud800".encode("utf-8", "surrogatepass"), "password": b"\xff\xfe"},
        {"login": "x" * 300, "password": "y" * 2000},
        {"login": ["a", "b"], "password": ["a", "b"]},
        {"next": "\x00"},
    ],
)
def test_strange_input_at_the_log_in_is_never_a_500(licensed_app: Flask, form: dict[str, object]) -> None:
    client = licensed_app.test_client()

    answer = client.post("/login", data={"csrf_token": csrf_token(client), **form})

    assert answer.status_code in (303, 400, 422)


def test_the_request_id_of_a_proxy_is_kept_where_it_is_harmless(licensed_app: Flask) -> None:
    client = licensed_app.test_client()
    kept = client.get("/login", headers={"X-Request-ID": "abcdef-123456"}).headers["X-Request-ID"]
    replaced = client.get("/login", headers={"X-Request-ID": "<script>"}).headers["X-Request-ID"]
    assert kept == "abcdef-123456"
    assert "<" not in replaced


def test_logs_are_json_where_asked_for(make_app: Callable[..., Flask], capfd: pytest.CaptureFixture[str]) -> None:
    app = make_app(log_format="json")
    capfd.readouterr()
    add_person(app, "somebody", password=None)

    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith("{")]

    assert any('"event": "user.add"' in line and '"level": "info"' in line for line in lines)
