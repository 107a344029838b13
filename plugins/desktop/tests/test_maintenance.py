"""The desktop application works through the last second of the Maintenance Expiration Date, and not one longer."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask.testing import FlaskClient

from app.security import Credential
from app.settings.general.service import change_general
from plugins.desktop.pairing.rules import GRANT_TYPE
from plugins.desktop.tests.conftest import Device
from plugins.standard.tests.company import Company
from tests.conftest import MEMBER, bearer, csrf_token, log_in, register_key

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ENDS = NOW + timedelta(days=10)


@pytest.fixture
def device(office: Company, thursday: None) -> Device:  # noqa: ARG001 - it is that day
    register_key(
        office.app, seats=40, maintenance_exp=int(ENDS.timestamp()), exp=int((ENDS + timedelta(90)).timestamp())
    )
    return Device(office)


def test_it_stops_with_the_date_and_the_remedy_and_the_web_application_goes_on(office: Company, device: Device) -> None:
    with time_machine.travel(ENDS - timedelta(seconds=1), tick=False):
        assert device.state().status_code == 200
    with time_machine.travel(ENDS, tick=False):
        answer = device.state()
        assert (answer.status_code, answer.get_json()["code"]) == (403, "maintenance_expired")
        assert answer.get_json()["maintenance_expires"] == ENDS.isoformat()
        assert answer.get_json()["remedy"]
        assert device.send().status_code == 403
        browser = office.app.test_client()
        log_in(browser, MEMBER)
        assert browser.get("/").status_code == 200
        page = browser.get("/desktop/").text
        assert "The desktop application has stopped working" in page
        assert "Connect a device" not in page


def test_the_date_is_told_in_the_zone_of_the_installation_whose_last_day_it_is(office: Company, device: Device) -> None:
    midnight = datetime(2026, 12, 1, tzinfo=ZoneInfo("America/New_York"))
    with office.app.app_context():
        change_general(time_zone="America/New_York", language="en")
    register_key(office.app, seats=41, maintenance_exp=int(midnight.timestamp()))
    told = device.state().get_json()["installation"]["maintenance_expires"]
    assert told == "2026-12-01T00:00:00-05:00"
    with time_machine.travel(midnight, tick=False):
        assert device.state().get_json()["maintenance_expires"] == told


def test_a_renewed_key_brings_devices_back_at_their_next_request(office: Company, device: Device) -> None:
    with time_machine.travel(ENDS + timedelta(days=1), tick=False):
        assert device.state().status_code == 403
        renewed = ENDS + timedelta(days=60)
        register_key(office.app, seats=40, maintenance_exp=int(renewed.timestamp()))
        assert device.state().status_code == 200


def test_nothing_is_confirmed_after_it(office: Company, device: Device) -> None:
    data = {"client_id": "timetracker-desktop", "device_name": "late"}
    with time_machine.travel(ENDS - timedelta(seconds=1), tick=False):
        begun = device.client.post("/api/v1/desktop/pairing", data=data).get_json()
    with time_machine.travel(ENDS, tick=False):
        browser = office.app.test_client()
        log_in(browser, MEMBER)
        form = {"csrf_token": csrf_token(browser), "user_code": begun["user_code"], "decision": "confirm"}
        assert browser.post("/desktop/pair", data=form).status_code == 422
        assert "stopped working" in browser.get("/desktop/pair").text


def test_nothing_is_paired_after_it_and_what_was_confirmed_before_is_not_fetched(
    office: Company, device: Device
) -> None:
    data = {"client_id": "timetracker-desktop", "device_name": "late"}
    with time_machine.travel(ENDS - timedelta(seconds=1), tick=False):
        browser = office.app.test_client()
        log_in(browser, MEMBER)
        begun = device.client.post("/api/v1/desktop/pairing", data=data).get_json()
        form = {"csrf_token": csrf_token(browser), "user_code": begun["user_code"], "decision": "confirm"}
        assert browser.post("/desktop/pair", data=form).status_code == 303
    question = {**data, "grant_type": GRANT_TYPE, "device_code": begun["device_code"]}
    with time_machine.travel(ENDS, tick=False):
        for path, sent in (("pairing", data), ("token", question)):
            answer = device.client.post(f"/api/v1/desktop/{path}", data=sent)
            assert (answer.status_code, answer.get_json()["code"]) == (403, "maintenance_expired")
            assert answer.get_json()["maintenance_expires"] == ENDS.isoformat()
        register_key(office.app, seats=1)
        assert device.client.post("/api/v1/desktop/pairing", data=data).get_json()["code"] == "seats_exceeded"
        register_key(office.app, seats=50)
        assert "access_token" in device.client.post("/api/v1/desktop/token", data=question).get_json()


def test_nothing_is_paired_and_the_feature_is_named_where_it_is_not_licensed(office: Company, device: Device) -> None:
    register_key(office.app, edition="another")
    for path in ("pairing", "token"):
        problem = device.client.post(f"/api/v1/desktop/{path}", data={"client_id": "timetracker-desktop"}).get_json()
        assert (problem["status"], problem["code"], problem["feature"]) == (402, "payment_required", "desktop.use")
    problem = device.state().get_json()
    assert problem["title"] == "This feature is not licensed"
    assert problem["detail"] == "The feature is “Desktop application”, available in Standard."
    assert "A system administrator can register one that does." in problem["remedy"]


def test_the_standing_is_told_before_maintenance(office: Company, device: Device) -> None:
    register_key(office.app, seats=1, maintenance_exp=int(ENDS.timestamp()))
    with time_machine.travel(ENDS, tick=False):
        assert device.state().get_json()["code"] == "seats_exceeded"


def test_a_personal_token_is_nobody_there_and_a_device_token_nobody_elsewhere(office: Company, device: Device) -> None:
    personal = bearer(office.app, MEMBER, Credential.API_TOKEN, scopes="profile:read hours:read hours:write")
    client: FlaskClient = device.client
    assert client.get("/api/v1/desktop/state", headers=personal).status_code == 401
    assert client.get("/api/v1/me", headers=device.header).status_code == 401
    assert client.get("/desktop/", headers=device.header).status_code == 303
