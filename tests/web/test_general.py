"""System Settings → General."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import AuditEntry
from app.database import read_connection
from app.settings.general.service import read_general
from tests.conftest import ADMINISTRATOR, add_person, csrf_token, log_in, register_key

PAGE = "/settings/general"


def save(client: FlaskClient, **fields: str) -> str:
    answer = client.post(PAGE, data={"csrf_token": csrf_token(client, PAGE), **fields}, follow_redirects=True)
    return answer.text


def test_a_changed_zone_and_language_are_kept_and_shown(licensed_app: Flask, admin_client: FlaskClient) -> None:
    # This browser asks for no language, so it is answered in the default one, from the very next page on.
    assert '<html lang="ja"' in save(admin_client, time_zone="Asia/Tokyo", language="ja")
    with licensed_app.app_context():
        general = read_general()
    assert (general.time_zone, general.language) == ("Asia/Tokyo", "ja")
    assert '<option selected value="Asia/Tokyo">' in admin_client.get(PAGE).text


def test_the_answer_says_how_the_expiration_date_reads_in_the_new_zone(app: Flask) -> None:
    add_person(app, ADMINISTRATOR, admin=True)
    # Midnight in Tokyo.
    end = datetime(2099, 3, 31, 15, 0, tzinfo=UTC)
    register_key(app, exp=end, maintenance_exp=end)
    client = app.test_client()
    log_in(client, ADMINISTRATOR)
    text = save(client, time_zone="Asia/Tokyo", language="en")
    assert "31" in text
    assert "2099" in text
    assert "15:00" not in text.partition("Saved.")[2].partition("</p>")[0]
    assert "15:00" in save(client, time_zone="UTC", language="en").partition("Saved.")[2].partition("</p>")[0]


def test_a_change_is_audited_with_before_and_after(licensed_app: Flask, admin_client: FlaskClient) -> None:
    save(admin_client, time_zone="Europe/Berlin", language="en")
    with licensed_app.app_context(), read_connection() as connection:
        row = connection.execute(
            select(AuditEntry.actor, AuditEntry.before, AuditEntry.after).where(
                AuditEntry.action == "installation.change"
            )
        ).one()
    assert row.actor == ADMINISTRATOR
    assert row.before["time_zone"] == "UTC"
    assert row.after["time_zone"] == "Europe/Berlin"


def test_saving_what_is_there_already_is_not_audited(licensed_app: Flask, admin_client: FlaskClient) -> None:
    with licensed_app.app_context():
        general = read_general()
    assert "Nothing was changed." in save(admin_client, time_zone=general.time_zone, language=general.language)
    with licensed_app.app_context(), read_connection() as connection:
        query = select(AuditEntry.id).where(AuditEntry.action == "installation.change")
        assert connection.execute(query).all() == []


def test_a_zone_that_does_not_exist_is_refused_and_nothing_changes(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    data = {"csrf_token": csrf_token(admin_client, PAGE), "time_zone": "Mars/Olympus", "language": "en"}
    answer = admin_client.post(PAGE, data=data)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    with licensed_app.app_context():
        assert read_general().time_zone == "UTC"


def test_a_zone_that_a_setting_decides_is_text_and_cannot_be_changed(make_app: Callable[..., Flask]) -> None:
    app = make_app(time_zone="Asia/Tokyo")
    add_person(app, ADMINISTRATOR, admin=True)
    register_key(app)
    client = app.test_client()
    log_in(client, ADMINISTRATOR)
    page = client.get(PAGE).text
    assert "config.toml" in page
    assert 'name="time_zone"' not in page
    save(client, time_zone="Europe/Berlin", language="ja")
    with app.app_context():
        assert read_general().time_zone == "UTC"


def test_the_page_says_when_the_environment_decides_the_zone(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(time_zone="Asia/Tokyo")
    monkeypatch.setenv("TIMETRACKER_TIME_ZONE", "Asia/Tokyo")
    add_person(app, ADMINISTRATOR, admin=True)
    client = app.test_client()
    log_in(client, ADMINISTRATOR)
    assert "TIMETRACKER_TIME_ZONE" in client.get(PAGE).text


def test_members_do_not_see_the_page(member_client: FlaskClient) -> None:
    assert member_client.get(PAGE).status_code == 403
    assert member_client.post(PAGE, data={"csrf_token": csrf_token(member_client, "/account")}).status_code == 403


def test_the_page_is_open_while_nothing_is_licensed(app: Flask) -> None:
    add_person(app, ADMINISTRATOR, admin=True)
    client = app.test_client()
    log_in(client, ADMINISTRATOR)
    assert client.get(PAGE).status_code == 200
