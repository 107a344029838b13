"""Pairing a device: what it shows, what the browser asks, and what either is told (RFC 8628)."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.audit import AuditEntry
from app.auth.acting import COMMAND_LINE
from app.auth.models import User
from app.auth.passwords import hash_password
from app.auth.users import set_password
from app.sdk import Identity, devices_of, read_connection, write_transaction
from plugins.desktop.models import Pairing
from plugins.desktop.pairing.rules import (
    CLIENT_ID,
    GRANT_TYPE,
    VALID_FOR,
    hash_of_typed,
    is_device_name,
    new_codes,
    plain_code,
    shown_code,
)
from plugins.desktop.pairing.service import Waiting, find_waiting
from plugins.standard.tests.company import Company
from tests.conftest import ADMINISTRATOR, MEMBER, PASSWORD, csrf_token, log_in

NAME = "Mika's notebook"


def begin(client: FlaskClient, **fields: str) -> TestResponse:
    data = {"client_id": CLIENT_ID, "device_name": NAME, **fields}
    return client.post("/api/v1/desktop/pairing", data=data)


def poll(client: FlaskClient, code: str, **fields: str) -> TestResponse:
    data = {"client_id": CLIENT_ID, "grant_type": GRANT_TYPE, "device_code": code, **fields}
    return client.post("/api/v1/desktop/token", data=data)


def decide(client: FlaskClient, user_code: str, decision: str = "confirm") -> TestResponse:
    data = {"csrf_token": csrf_token(client), "user_code": user_code, "decision": decision}
    return client.post("/desktop/pair", data=data)


@pytest.fixture
def device(office: Company, thursday: None) -> FlaskClient:  # noqa: ARG001 - it is that day
    return office.app.test_client(use_cookies=False)


@pytest.fixture
def member(device: FlaskClient, office: Company) -> FlaskClient:  # noqa: ARG001 - it waits before somebody logs in
    client = office.app.test_client()
    log_in(client, MEMBER)
    return client


@given(st.text(max_size=80))
def test_whatever_is_typed_as_a_code_is_read(typed: str) -> None:
    assert len(hash_of_typed(typed)) == 32
    assert plain_code(plain_code(typed)) == plain_code(typed)


def test_a_code_is_read_however_it_is_typed() -> None:
    codes = new_codes()
    assert re.fullmatch("[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}", codes.user_code)
    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in plain_code(codes.user_code).lower())
    for typed in (codes.user_code.lower(), f" {codes.user_code} ", plain_code(codes.user_code), full_width):
        assert hash_of_typed(typed) == hash_of_typed(codes.user_code)
        assert shown_code(plain_code(typed)) == codes.user_code


@pytest.mark.parametrize("name", ["", " ", " a", "a\nb", "a" * 101, "\u202e"])
def test_a_device_has_a_name_that_can_be_read(device: FlaskClient, name: str) -> None:
    assert not is_device_name(name)
    answer = begin(device, device_name=name)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "device_name_invalid")


def test_a_confirmed_device_fetches_its_token_once_and_uses_it(device: FlaskClient, member: FlaskClient) -> None:
    begun = begin(device).get_json()
    assert begun["verification_uri"] == "http://localhost/desktop/pair"
    assert begun["verification_uri_complete"].endswith(f"?user_code={begun['user_code']}")
    assert (begun["expires_in"], begun["interval"]) == (600, 5)
    waiting = poll(device, begun["device_code"])
    assert (waiting.status_code, waiting.get_json()) == (400, {"error": "authorization_pending"})

    assert begun["user_code"] in member.get(begun["verification_uri_complete"]).text
    asked = decide(member, begun["user_code"].lower(), decision="")
    assert (asked.status_code, "Is this your device?" in asked.text) == (200, True)
    assert "Mika&#39;s notebook" in asked.text
    assert poll(device, begun["device_code"]).get_json()["error"] == "slow_down"
    assert decide(member, begun["user_code"]).location == "/desktop/"

    fetched = poll(device, begun["device_code"])
    assert fetched.get_json()["device_name"] == NAME
    header = {"Authorization": f"Bearer {fetched.get_json()['access_token']}"}
    assert fetched.headers["Cache-Control"] == "no-store"
    assert device.get("/api/v1/desktop/state", headers=header).get_json()["person"]["login"] == MEMBER
    assert poll(device, begun["device_code"]).get_json() == {"error": "invalid_grant"}
    assert "Mika&#39;s notebook" in member.get("/desktop/").text


def test_a_device_that_is_turned_away_gets_nothing(device: FlaskClient, member: FlaskClient) -> None:
    begun = begin(device).get_json()
    decide(member, begun["user_code"], decision="deny")
    assert poll(device, begun["device_code"]).get_json() == {"error": "access_denied"}
    assert poll(device, begun["device_code"]).get_json() == {"error": "invalid_grant"}


def test_a_code_is_confirmed_once(device: FlaskClient, member: FlaskClient) -> None:
    begun = begin(device).get_json()
    decide(member, begun["user_code"])
    assert decide(member, begun["user_code"], decision="deny").status_code == 404


def test_a_code_is_good_for_ten_minutes(device: FlaskClient, member: FlaskClient) -> None:
    begun = begin(device).get_json()
    with time_machine.travel(datetime.now(UTC) + VALID_FOR - timedelta(seconds=1), tick=False):
        assert decide(member, begun["user_code"], decision="").status_code == 200
    with time_machine.travel(datetime.now(UTC) + VALID_FOR, tick=False):
        assert decide(member, begun["user_code"]).status_code == 404
        assert poll(device, begun["device_code"]).get_json() == {"error": "expired_token"}


def test_a_confirmed_device_fetches_its_token_within_a_minute(device: FlaskClient, member: FlaskClient) -> None:
    begun = begin(device).get_json()
    decide(member, begun["user_code"])
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1), tick=False):
        assert poll(device, begun["device_code"]).get_json() == {"error": "expired_token"}


def test_a_device_that_asks_too_often_is_slowed_down(device: FlaskClient) -> None:
    device_code, begun = begin(device).get_json()["device_code"], datetime.now(UTC)

    def answer_after(seconds: float) -> str:
        with time_machine.travel(begun + timedelta(seconds=seconds), tick=False):
            return str(poll(device, device_code).get_json()["error"])

    assert [answer_after(0), answer_after(4.5), answer_after(6)] == [
        "authorization_pending",
        "authorization_pending",
        "slow_down",
    ]
    assert [answer_after(12), answer_after(40)] == ["slow_down", "authorization_pending"]


def test_guessing_codes_is_slowed_down(member: FlaskClient) -> None:
    statuses = [decide(member, "BCDF-GHJK").status_code for _ in range(8)]
    assert statuses[:5] == [404] * 5
    assert 429 in statuses


def test_beginning_over_and_over_is_slowed_down(device: FlaskClient) -> None:
    statuses = [begin(device).status_code for _ in range(24)]
    assert statuses[:20] == [200] * 20
    assert statuses[-1] == 429
    assert begin(device).headers["Retry-After"] == "30"  # it is noon, and stays so


def test_an_ipv6_client_that_begins_over_and_over_is_slowed_down_by_its_network(device: FlaskClient) -> None:
    data = {"client_id": CLIENT_ID, "device_name": NAME}
    for number in range(22):
        answer = device.post(
            "/api/v1/desktop/pairing", data=data, environ_base={"REMOTE_ADDR": f"2001:db8::{number:x}"}
        )
    assert answer.status_code == 429


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"client_id": "another"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"device_code": ""}, "invalid_request"),
        ({"device_code": "unheard-of"}, "invalid_grant"),
        ({"device_code": "\x00"}, "invalid_grant"),
    ],
)
def test_a_device_is_told_what_is_wrong_with_its_question(
    device: FlaskClient, fields: dict[str, str], error: str
) -> None:
    answer = poll(device, "x", **fields)
    assert (answer.status_code, answer.get_json()) == (400, {"error": error})


def test_a_code_from_another_site_confirms_nothing(device: FlaskClient, member: FlaskClient) -> None:
    begun = begin(device).get_json()
    data = {"user_code": begun["user_code"], "decision": "confirm"}
    assert member.post("/desktop/pair", data=data).status_code == 400
    assert poll(device, begun["device_code"]).get_json()["error"] == "authorization_pending"


def test_codes_are_stored_as_hashes_and_decisions_are_audited(
    office: Company, device: FlaskClient, member: FlaskClient
) -> None:
    begun = begin(device).get_json()
    decide(member, begun["user_code"])
    with office.app.app_context(), read_connection() as connection:
        row = repr(connection.execute(select(Pairing.__table__)).one())
        actions = connection.execute(select(AuditEntry.action, AuditEntry.actor, AuditEntry.target)).all()
    assert begun["device_code"] not in row
    assert plain_code(begun["user_code"]) not in row
    assert ("desktop.confirm", MEMBER, NAME) in [tuple(action) for action in actions]


def test_a_person_who_is_deleted_before_the_token_is_fetched_has_no_device(
    office: Company, device: FlaskClient, member: FlaskClient
) -> None:
    begun = begin(device).get_json()
    decide(member, begun["user_code"])
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(User).where(User.login == MEMBER).values(deleted_at=datetime.now(UTC)))
    assert poll(device, begun["device_code"]).get_json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("again", [PASSWORD, "a.new one 4711"])
def test_a_password_that_is_set_before_the_token_is_fetched_ends_what_was_confirmed(
    office: Company, device: FlaskClient, member: FlaskClient, again: str
) -> None:
    begun = begin(device).get_json()
    decide(member, begun["user_code"])
    with office.app.app_context(), write_transaction() as session:
        set_password(session, office.writer.user_id, hash_password(again), acting=COMMAND_LINE)
    assert poll(device, begun["device_code"]).get_json() == {"error": "invalid_grant"}
    with office.app.app_context():
        assert devices_of(office.writer.user_id) == ()


def test_who_has_been_logged_out_meanwhile_confirms_nothing(
    office: Company, device: FlaskClient, member: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = begin(device).get_json()

    def end_meanwhile(reader: Identity, user_code: str) -> Waiting:
        with write_transaction() as session:
            set_password(session, office.writer.user_id, hash_password("a.new one 4711"), acting=COMMAND_LINE)
        return find_waiting(reader, user_code)

    monkeypatch.setattr("plugins.desktop.pairing.service.find_waiting", end_meanwhile)
    assert decide(member, begun["user_code"]).status_code == 403
    assert poll(device, begun["device_code"]).get_json()["error"] == "authorization_pending"


def test_codes_that_were_made_up_make_nobody_wait_who_writes(device: FlaskClient, office: Company) -> None:
    with office.app.app_context(), write_transaction():
        assert poll(device, "made up").get_json() == {"error": "invalid_grant"}


def test_one_ends_a_device_of_ones_own_and_not_of_others(
    office: Company, device: FlaskClient, member: FlaskClient
) -> None:
    begun = begin(device).get_json()
    decide(member, begun["user_code"])
    token = poll(device, begun["device_code"]).get_json()["access_token"]
    path = re.search(r'action="(/desktop/devices/\d+/end)"', member.get("/desktop/").text)
    assert path is not None
    administrator = office.app.test_client()
    log_in(administrator, ADMINISTRATOR)
    state = {"path": "/api/v1/desktop/state", "headers": {"Authorization": f"Bearer {token}"}}
    administrator.post(path[1], data={"csrf_token": csrf_token(administrator)})
    assert device.get(**state).status_code == 200
    member.post(path[1], data={"csrf_token": csrf_token(member)})
    assert device.get(**state).status_code == 401


def test_ones_devices_are_listed_on_the_page_account_too(device: FlaskClient, member: FlaskClient) -> None:
    assert "/desktop/devices/" not in member.get("/account").text
    begun = begin(device).get_json()
    decide(member, begun["user_code"])
    token = poll(device, begun["device_code"]).get_json()["access_token"]
    path = re.search(r'action="(/desktop/devices/\d+/end)"', member.get("/account").text)
    assert path is not None
    assert member.post(path[1], data={"csrf_token": csrf_token(member)}).location == "/desktop/"
    assert device.get("/api/v1/desktop/state", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert "/desktop/devices/" not in member.get("/account").text


def test_an_administrator_ends_anybodys_device_on_the_page_of_the_user(
    office: Company, device: FlaskClient, member: FlaskClient
) -> None:
    begun = begin(device).get_json()
    decide(member, begun["user_code"])
    token = poll(device, begun["device_code"]).get_json()["access_token"]
    administrator = office.app.test_client()
    log_in(administrator, ADMINISTRATOR)
    page = administrator.get(f"/settings/users/{office.writer.user_id}").text
    path = re.search(r'action="(/desktop/users/\d+/devices/\d+/end)"', page)
    assert path is not None
    assert member.post(path[1], data={"csrf_token": csrf_token(member)}).status_code == 403
    answer = administrator.post(path[1], data={"csrf_token": csrf_token(administrator)})
    assert (answer.status_code, answer.location) == (303, f"/settings/users/{office.writer.user_id}")
    assert device.get("/api/v1/desktop/state", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_new_password_ends_devices(device: FlaskClient, member: FlaskClient) -> None:
    begun = begin(device).get_json()
    decide(member, begun["user_code"])
    token = poll(device, begun["device_code"]).get_json()["access_token"]
    changed = {"current_password": PASSWORD, "new_password": "a.new one 4711", "new_password_again": "a.new one 4711"}
    answer = member.post("/account/password", data={"csrf_token": csrf_token(member), **changed})
    assert answer.status_code == 303, answer.text
    assert device.get("/api/v1/desktop/state", headers={"Authorization": f"Bearer {token}"}).status_code == 401
