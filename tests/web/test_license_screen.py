"""System Operation → License: the manual's "Registering License Keys" and what happens around it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.audit import AuditEntry
from app.database import read_connection
from app.editions import service as edition_service
from app.license.models import RegisteredLicense
from tests.conftest import ADMINISTRATOR, add_person, csrf_token, log_in, present_key, register_key
from tests.license_keys import key_pair

PAGE = "/settings/operation/license"
CONFIRM = f"{PAGE}/confirm"


def now() -> datetime:
    return datetime.now(UTC)


def paste(client: FlaskClient, key: str, **more: str) -> object:
    return client.post(PAGE, data={"license_key": key, "csrf_token": csrf_token(client, PAGE), **more})


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a preview."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in fields}


def numbers(app: Flask) -> list[str]:
    with app.app_context(), read_connection() as connection:
        query = select(RegisteredLicense.number).order_by(RegisteredLicense.id)
        return list(connection.execute(query).scalars())


def audit(app: Flask) -> list[tuple[str, str, str | None]]:
    with app.app_context(), read_connection() as connection:
        query = select(AuditEntry.action, AuditEntry.outcome, AuditEntry.code).order_by(AuditEntry.id)
        return [tuple(row) for row in connection.execute(query)]


def larger_key(**claims: object) -> str:
    """A key that makes nothing worse beside the fixture's."""
    longer = {"exp": now() + timedelta(days=300), "maintenance_exp": now() + timedelta(days=250)}
    return present_key(**{"seats": 60, "nbf": now() - timedelta(minutes=1), **longer, **claims})


def test_the_license_link_stands_where_the_manual_says(admin_client: FlaskClient) -> None:
    start = admin_client.get("/").text
    assert re.search(r'href="/settings/users/?"[^>]*>.*?System Settings', start, re.DOTALL)
    settings = admin_client.get("/settings/users").text
    assert "System Operation" in settings
    assert f'href="{PAGE}"' in settings


def test_the_screen_shows_edition_seats_and_both_dates(app: Flask) -> None:
    add_person(app, ADMINISTRATOR, admin=True)
    with time_machine.travel("2026-11-26T03:00:00Z", tick=False):
        client = app.test_client()
        end, maintenance = datetime(2027, 4, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
        register_key(app, seats=50, exp=end, maintenance_exp=maintenance, sub="Kitamura Precision Co., Ltd.")
        log_in(client, ADMINISTRATOR)
        page = client.get(PAGE).text

    for text in (
        "Standard",
        "Kitamura Precision Co., Ltd.",
        "1 user in use, 49 seats free",
        "every user that is not deleted, administrators included",
        "31 March 2027",
        "125 days left. The web application stops after this day.",
        "31 January 2027",
        "66 days left. The desktop application stops after this day.",
    ):
        assert text in page
    assert re.search(r">\s*50\s*<", page)


def test_a_key_that_makes_nothing_worse_is_registered_with_one_press(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    answer = paste(admin_client, larger_key())

    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "The license is registered. 2 users in use, 58 seats free." in admin_client.get(PAGE).text
    assert len(numbers(licensed_app)) == 2


@pytest.mark.parametrize(
    "mangle",
    [
        lambda key: "\r\n".join(key[start : start + 64] for start in range(0, len(key), 64)),
        lambda key: "=\n".join(key[start : start + 76] for start in range(0, len(key), 76)),
        lambda key: "\n".join("> " + key[start : start + 70] for start in range(0, len(key), 70)),
        lambda key: f"“{key}”",
        lambda key: f"  Bearer {key}\t",
        lambda key: f"-----BEGIN LICENSE KEY-----\n{key}\n-----END LICENSE KEY-----\n",
        lambda key: "\u200b".join((key[:100], "\ufeff", key[100:])) + "\u00ad",
    ],
    ids=["line breaks", "soft breaks", "quoted mail", "quotes", "bearer", "armour", "invisible characters"],
)
def test_what_mail_programs_do_to_a_key_is_undone(
    licensed_app: Flask, admin_client: FlaskClient, mangle: Callable[[str], str]
) -> None:
    assert paste(admin_client, mangle(larger_key())).status_code == 303
    assert len(numbers(licensed_app)) == 2


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (lambda: "", "empty"),
        (lambda: "x" * 20_000, "too_long"),
        (lambda: "hello", "malformed"),
        (lambda: larger_key()[:-8] + "AAAAAAAA", "signature_invalid"),
        (lambda: larger_key(kid="somebody"), "unknown_signing_key"),
        (lambda: larger_key(kid="evaluation-1"), "evaluation_key_refused"),
        (lambda: larger_key(aud="other-product"), "wrong_product"),
        (lambda: larger_key(iss="somebody"), "wrong_issuer"),
        (lambda: larger_key(seats=...), "claim_missing"),
        (lambda: larger_key(seats=True), "claim_invalid"),
        (lambda: larger_key(iat=now() + timedelta(minutes=10)), "issued_in_future"),
    ],
)
def test_a_refused_key_says_why_and_leaves_everything_as_it_was(
    licensed_app: Flask, admin_client: FlaskClient, key: Callable[[], str], code: str
) -> None:
    before = numbers(licensed_app)
    typed = key()

    answer = paste(admin_client, typed)

    assert answer.status_code in (403, 422)
    assert code in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert typed[:64] in unescape(answer.text)
    assert numbers(licensed_app) == before
    assert ("license.register", "refused", code) in audit(licensed_app)
    assert admin_client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (lambda: larger_key(nbf=now() - timedelta(days=3), exp=now() - timedelta(days=1)), "license_expired"),
        (lambda: larger_key(installation="1f0c2f5e-6d0e-4a51-8f43-0c5f6f0b8a11"), "wrong_installation"),
        (lambda: larger_key(nbf=now() - timedelta(days=3), exp=now() + timedelta(days=9)), "older_than_registered"),
    ],
)
def test_a_genuine_key_that_is_refused_is_not_shown_again(
    licensed_app: Flask, admin_client: FlaskClient, key: Callable[[], str], code: str
) -> None:
    typed = key()
    for more in ({}, {"check": "1"}):
        answer = paste(admin_client, typed, **more)
        assert answer.status_code in (403, 409, 422)
        assert code in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert typed[:64] not in unescape(answer.text)
    assert ("license.register", "refused", code) in audit(licensed_app)


def test_the_same_key_twice_makes_no_second_row(licensed_app: Flask, admin_client: FlaskClient) -> None:
    key = larger_key()
    assert paste(admin_client, key).status_code == 303

    again = paste(admin_client, key).text
    assert "already_registered" in again
    assert key[:64] not in unescape(again)
    assert len(numbers(licensed_app)) == 2


def test_only_check_it_shows_the_preview_and_stores_nothing(licensed_app: Flask, admin_client: FlaskClient) -> None:
    answer = paste(admin_client, larger_key(), check="1")

    assert answer.status_code == 200
    assert "This license key is good" in answer.text
    assert len(numbers(licensed_app)) == 1
    form = {**hidden(answer.text), "csrf_token": csrf_token(admin_client, PAGE)}
    assert admin_client.post(CONFIRM, data=form).status_code == 303
    assert len(numbers(licensed_app)) == 2


def test_a_smaller_license_is_previewed_with_its_impact_in_people(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    answer = paste(admin_client, larger_key(seats=1))

    assert answer.status_code == 200
    for text in (
        "2 registered, 1 seat: 1 member will not be able to log in until 1 user is deleted",
        "I understand that 1 member will be locked out.",
        "1 too many",
    ):
        assert text in answer.text
    assert len(numbers(licensed_app)) == 1


def test_locking_members_out_takes_a_tick(licensed_app: Flask, admin_client: FlaskClient) -> None:
    page = paste(admin_client, larger_key(seats=1)).text
    form = {**hidden(page), "csrf_token": csrf_token(admin_client, PAGE)}

    unticked = admin_client.post(CONFIRM, data=form)
    assert (unticked.status_code, len(numbers(licensed_app))) == (422, 1)
    assert "Tick this box to go on." in unticked.text

    assert admin_client.post(CONFIRM, data={**form, "confirm": "1"}).status_code == 303
    assert "seats_exceeded" in admin_client.get(PAGE).text


def test_a_preview_that_is_no_longer_true_is_shown_anew(licensed_app: Flask, admin_client: FlaskClient) -> None:
    page = paste(admin_client, larger_key(seats=1)).text
    form = {**hidden(page), "csrf_token": csrf_token(admin_client, PAGE), "confirm": "1"}
    add_person(licensed_app, "newcomer", password=None)

    answer = admin_client.post(CONFIRM, data=form)

    assert answer.status_code == 409
    assert "Something has changed since you were shown this." in answer.text
    assert "until 2 users are deleted" in answer.text
    assert len(numbers(licensed_app)) == 1


def test_the_preview_gives_the_key_to_no_other_session(licensed_app: Flask, admin_client: FlaskClient) -> None:
    key = larger_key(seats=1)
    page = paste(admin_client, key).text
    assert key not in unescape(page)
    other = licensed_app.test_client()
    log_in(other, ADMINISTRATOR)

    answer = other.post(CONFIRM, data={**hidden(page), "csrf_token": csrf_token(other, PAGE), "confirm": "1"})

    assert answer.status_code == 303
    assert "The preview is no longer valid" in other.get(PAGE).text
    assert len(numbers(licensed_app)) == 1


def test_a_license_that_starts_later_is_scheduled_after_a_preview(admin_client: FlaskClient) -> None:
    page = paste(admin_client, larger_key(nbf=now() + timedelta(days=40))).text
    assert "It takes over by itself" in page
    form = {**hidden(page), "csrf_token": csrf_token(admin_client, PAGE)}

    assert admin_client.post(CONFIRM, data=form).status_code == 303

    after = admin_client.get(PAGE).text
    assert "A new license takes over on" in after
    assert "Scheduled" in after
    assert admin_client.get("/").status_code == 200


def test_a_missing_edition_costs_its_features_and_nothing_else(
    admin_client: FlaskClient, member_client: FlaskClient
) -> None:
    page = paste(admin_client, larger_key(edition="enterprise")).text
    assert "edition_unknown" in page
    form = {**hidden(page), "csrf_token": csrf_token(admin_client, PAGE)}
    assert admin_client.post(CONFIRM, data=form).status_code == 303

    assert member_client.get("/").status_code == 200
    assert "edition_unknown" in admin_client.get(PAGE).text


def test_an_expired_maintenance_leaves_the_web_application_alone(app: Flask) -> None:
    add_person(app, ADMINISTRATOR, admin=True)
    register_key(app, maintenance_exp=now() + timedelta(days=2))
    with time_machine.travel(now() + timedelta(days=3)):
        client = app.test_client()
        log_in(client, ADMINISTRATOR)
        assert client.get("/").status_code == 200
        page = client.get(PAGE).text
    assert "maintenance_expired" in page
    assert "The desktop application has stopped; the web application goes on." in page


def test_the_key_itself_is_in_no_page_no_audit_entry_and_no_log(
    licensed_app: Flask, admin_client: FlaskClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    key = larger_key()
    signature = key.rpartition(".")[2]
    paste(admin_client, key)

    pages = [admin_client.get(path).text for path in (PAGE, "/settings/operation/audit", "/settings/operation/status")]

    with licensed_app.app_context(), read_connection() as connection:
        entries = [str(tuple(row)) for row in connection.execute(select(AuditEntry.__table__))]
    output = capfd.readouterr()
    for text in (*pages, *entries, caplog.text, output.out, output.err):
        assert signature not in text


def test_each_registration_is_in_the_audit_log_with_what_was_before(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    paste(admin_client, larger_key())

    with licensed_app.app_context(), read_connection() as connection:
        query = select(AuditEntry.actor, AuditEntry.before, AuditEntry.after).where(
            AuditEntry.action == "license.register"
        )
        entry = connection.execute(query.order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert entry.actor == ADMINISTRATOR
    assert (entry.before["seats"], entry.after["seats"]) == (50, 60)


def test_members_do_not_see_the_license_screen(member_client: FlaskClient) -> None:
    assert member_client.get(PAGE).status_code == 403
    assert member_client.get("/settings/users").status_code == 403


def test_the_count_of_users_is_the_same_everywhere(licensed_app: Flask, admin_client: FlaskClient) -> None:
    for index in range(3):
        add_person(licensed_app, f"user{index}", password=None)

    assert "5 users in use, 45 seats free" in admin_client.get(PAGE).text
    with licensed_app.app_context(), read_connection() as connection:
        assert connection.exec_driver_sql("SELECT registered_users FROM seat_count").scalar_one() == 5
        assert connection.execute(select(func.count()).select_from(RegisteredLicense)).scalar_one() == 1


def test_a_key_that_outlasts_the_one_in_force_is_announced_as_what_comes_next(admin_client: FlaskClient) -> None:
    longer = present_key(seats=1, nbf=now() - timedelta(days=2), exp=now() + timedelta(days=400))
    page = paste(admin_client, longer).text
    form = {**hidden(page), "csrf_token": csrf_token(admin_client, PAGE), "confirm": "1"}
    assert admin_client.post(CONFIRM, data=form).status_code == 303

    after = admin_client.get(PAGE).text

    assert "It takes over on" in after
    assert "A new license takes over on" in after
    assert "It allows 1 users, and 2 are registered" in after
    assert "Scheduled" in after
    assert "2 users in use, 48 seats free" in after


def test_a_licensed_edition_that_is_switched_off_is_not_called_missing(
    make_app: Callable[..., Flask], licensed_app: Flask
) -> None:
    with licensed_app.app_context():
        edition_service.disable("standard", actor=ADMINISTRATOR)
    client = make_app().test_client()
    log_in(client, ADMINISTRATOR)

    assert "is switched off" in client.get(PAGE).text


def test_users_who_were_added_lately_do_not_count_as_long_unseen(
    licensed_app: Flask, admin_client: FlaskClient
) -> None:
    add_person(licensed_app, "newcomer", password=None)
    register_key(licensed_app, seats=2, nbf=now() - timedelta(minutes=30))
    assert "0 of the 3 have not logged in for 90 days." in admin_client.get(PAGE).text


@pytest.mark.parametrize(("passed", "warned"), [(0, False), (22, False), (23, True)])
def test_an_evaluation_key_is_warned_about_in_its_last_week(
    make_app: Callable[..., Flask], tmp_path: Path, passed: int, warned: bool
) -> None:
    kid = "evaluation-1"
    (tmp_path / "keys" / f"{kid}.pem").write_bytes(key_pair(kid).public_pem())
    app = make_app(allow_evaluation_keys=True)
    add_person(app, ADMINISTRATOR, admin=True)
    now = datetime.now(UTC)
    end = now + timedelta(days=30)
    register_key(app, kid=kid, exp=end, maintenance_exp=end)
    with time_machine.travel(now + timedelta(days=passed), tick=False):
        client = app.test_client()
        log_in(client, ADMINISTRATOR)
        anywhere, screen = client.get("/settings/users").text, client.get(PAGE).text
    assert ("The license expires in 7 days." in anywhere) is warned
    assert ("The license expires on" in screen) is warned
