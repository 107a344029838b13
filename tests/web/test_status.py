"""System Operation → Status."""

import re
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.database import write_transaction
from app.settings.operation.status import STARTED_AT
from app.settings.state import read_state
from app.version import __version__
from tests.conftest import ADMINISTRATOR, SECRET_KEY, add_person, log_in, register_key
from tests.license_keys import KID

PAGE = "/settings/operation/status"


def test_it_shows_version_installation_database_and_keys(licensed_app: Flask, admin_client: FlaskClient) -> None:
    page = admin_client.get(PAGE).text
    with licensed_app.app_context():
        state = read_state()
    for shown in (__version__, state.identifier, state.time_zone.key, KID, "All done", "known to this worker"):
        assert shown in page
    assert "SQLite 3" in page or "PostgreSQL" in page


def test_it_counts_users_and_sessions(licensed_app: Flask, admin_client: FlaskClient) -> None:
    other = licensed_app.test_client()
    log_in(other, ADMINISTRATOR)
    page = admin_client.get(PAGE).text
    assert "<dt>Registered users</dt><dd>2</dd>" in page
    assert "<dt>Open sessions</dt><dd>2</dd>" in page


def test_it_shows_no_secret(admin_client: FlaskClient, database_url: str) -> None:
    page = admin_client.get(PAGE).text
    assert SECRET_KEY not in page
    assert "postgresql://" not in page
    assert database_url not in page


def test_a_seat_count_that_has_gone_wrong_is_told(licensed_app: Flask, admin_client: FlaskClient) -> None:
    with licensed_app.app_context(), write_transaction() as session:
        session.execute(text("UPDATE seat_count SET registered_users = 7"))
    page = admin_client.get(PAGE).text
    assert "The number of registered users is not the number of rows." in page
    assert "2 rows" in page


def test_a_file_that_is_no_key_is_told(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    (tmp_path / "keys" / "vendor-broken.pem").write_text("no key")
    app = make_app()
    add_person(app, ADMINISTRATOR, admin=True)
    register_key(app)
    client = app.test_client()
    log_in(client, ADMINISTRATOR)
    assert "vendor-broken.pem is not used as a verification key." in client.get(PAGE).text


def test_members_do_not_see_it(member_client: FlaskClient) -> None:
    assert member_client.get(PAGE).status_code == 403


def test_since_when_it_runs_is_a_whole_date_and_time_in_the_zone_of_the_person(
    licensed_app: Flask,
) -> None:
    with licensed_app.app_context(), write_transaction() as session:
        session.execute(text("UPDATE users SET time_zone = 'Asia/Tokyo', language = 'en'"))
    client = licensed_app.test_client()
    log_in(client, ADMINISTRATOR)
    page = client.get(PAGE).text
    assert f"since {STARTED_AT.astimezone(ZoneInfo('Asia/Tokyo')):%-d %B %Y}" in page
    assert re.search(r"since [^<]*\d\d:\d\d:\d\d [^<]*\+0900", page)
